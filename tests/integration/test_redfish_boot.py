# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""redfish_boot through Ansible, on hosts of every platform to which nobody can connect."""

from __future__ import annotations

import typing as t

import pytest

from tests.emulators.redfish.fleet import Fleet
from tests.integration.every_platform import EveryPlatform, fleet_of_each

BOOT = "hearth.datacenter.redfish_boot"
PXE = {BOOT: {"state": "once", "target": "pxe"}}
DISABLED = {BOOT: {"state": "disabled"}}
NO_SERVERS = ("pdu", "power_shelf")


@pytest.fixture(scope="module")
def racks() -> t.Iterator[Fleet]:
    with fleet_of_each("127.62.20.0/24") as fleet:
        yield fleet


@pytest.fixture(scope="module")
def hosts(racks: Fleet, tmp_path_factory: pytest.TempPathFactory) -> EveryPlatform:
    return EveryPlatform(tmp_path_factory.mktemp("boot"), racks)


@pytest.fixture(autouse=True)
def _nothing_left(racks: Fleet, hosts: EveryPlatform) -> t.Iterator[None]:
    yield
    assert racks.statistics()["sessions_open"] == 0


def test_check_then_run_then_run_again_on_every_platform(hosts: EveryPlatform) -> None:
    servers = hosts.of_platforms(*NO_SERVERS)
    for host, runs in hosts.runs(servers, PXE).items():
        runs.assert_convergent()
        boot = runs.first["boot"]
        assert (boot["state"], boot["target"]) == ("once", "pxe"), host
        assert boot["pending"] is (hosts.platform(host) == "idrac10")
        assert runs.check["boot"] == boot and runs.second["boot"] == boot
    assert len(servers) == 22  # one of each, and four nodes behind one BMC
    for runs in hosts.runs(servers, DISABLED).values():
        runs.assert_convergent()


def test_power_equipment_has_no_system(hosts: EveryPlatform) -> None:
    for platform in NO_SERVERS:
        result = hosts.one(platform, PXE)
        assert (result["changed"], result["error"]["type"]) == (False, "BadInput")
        assert "no system" in result["msg"]


def test_a_target_that_is_not_offered_is_refused_with_what_is_on_every_platform(hosts: EveryPlatform) -> None:
    servers = hosts.of_platforms(*NO_SERVERS)
    for host, (result,) in hosts.results(servers, [{BOOT: {"state": "once", "target": "tape"}}]).items():
        assert result["error"]["type"] == "Unsupported", host
        assert {"pxe", "hdd"} <= set(result["error"]["found"].split(", "))
        assert result["changed"] is False


def test_what_only_some_can_do_is_refused_by_name_elsewhere(hosts: EveryPlatform) -> None:
    continuous = hosts.one("xcc", {BOOT: {"state": "continuous", "target": "pxe"}})
    assert continuous["error"]["type"] == "Unsupported" and continuous["error"]["found"] == "once, disabled"
    mode = hosts.one("supermicro", {BOOT: {"state": "once", "target": "pxe", "mode": "uefi"}})
    assert mode["error"]["type"] == "Unsupported" and "mode" in mode["msg"]
    address = {"state": "once", "target": "uefi_http", "http_boot_uri": "http://10.0.0.9/a.efi"}
    assert hosts.one("idrac9", {BOOT: address})["error"]["type"] == "Unsupported"
    assert hosts.one("generic", {BOOT: address})["boot"]["http_boot_uri"] == "http://10.0.0.9/a.efi"
    hosts.one("generic", DISABLED)


def test_an_order_is_set_by_names_and_kept(hosts: EveryPlatform) -> None:
    (runs,) = hosts.runs([hosts.host("generic")], {BOOT: {"order": ["UEFI: HTTP IPv4 Port 1"]}}).values()
    runs.assert_convergent()
    assert runs.first["boot"]["order"][0] == "Boot0002"
    assert runs.first["diff"]["before"]["order"][0] == "Boot0000"


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({}, "one of the following is required: state, order"),
        ({"state": "once"}, "target"),
        ({"target": "pxe", "order": ["Boot0001"]}, "target"),
        ({"state": "disabled", "mode": "uefi"}, "mode"),
        ({"state": "never", "target": "pxe"}, "state"),
        ({"state": "once", "target": "pxe", "uefi_target": "PciRoot(0x0)"}, "uefi_target"),
    ],
)
def test_bad_input_is_told_before_anything_changes(
    hosts: EveryPlatform, arguments: dict[str, t.Any], word: str
) -> None:
    result = hosts.one("generic", {BOOT: arguments})
    assert (result["changed"], result["error"]["type"]) == (False, "BadInput")
    assert word in result["msg"]


def test_two_systems_and_none_chosen_are_listed(hosts: EveryPlatform) -> None:
    host = hosts.host("multi_node")
    bmc = hosts.hosts[host]["hearth_bmc"]
    reached = {"address": bmc["address"], "port": bmc["port"], "ca_path": bmc["ca_path"]}
    unknown = {BOOT: {**PXE[BOOT], **reached}, "vars": {"hearth_bmc": {}}}
    misnamed = {BOOT: {**PXE[BOOT], "system": "Node9"}}
    hosts.fleet.reset_statistics()
    for result in hosts.results([host], [unknown, misnamed])[host]:
        assert result["error"]["type"] == "BadInput"
        assert result["error"]["found"] == "Node1, Node2, Node3, Node4"
    assert hosts.fleet.statistics()["per_method"].get("PATCH", 0) == 0


def test_another_machine_than_the_expected_one_is_refused(hosts: EveryPlatform) -> None:
    result = hosts.one("generic", {BOOT: {**PXE[BOOT], "identity": {"serial": "SOMETHING-ELSE"}}})
    assert (result["error"]["type"], result["changed"]) == ("IdentityMismatch", False)
    unasked = hosts.one("generic", PXE)
    assert any("which machine this must be" in warning for warning in unasked["warnings"])
    hosts.one("generic", DISABLED)


def test_in_process_and_delegated_give_the_same(hosts: EveryPlatform) -> None:
    host = hosts.host("openbmc")
    delegated = {**PXE, "delegate_to": "jump"}
    here, gone, there = hosts.results([host], [PXE, DISABLED, delegated], "--diff")[host]
    assert there["changed"] and here["boot"] == there["boot"] and here["diff"] == there["diff"]
    refused = [{**task, BOOT: {"state": "once", "target": "tape"}} for task in (PXE, delegated)]
    first, second = hosts.results([host], refused)[host]
    assert first["error"] == second["error"] and first["msg"] == second["msg"]
    assert gone["changed"]
    hosts.results([host], [DISABLED])
