# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""redfish_indicator through Ansible, on hosts of every platform to which nobody can connect."""

from __future__ import annotations

import re
import typing as t

import pytest

from tests.emulators.redfish.fleet import Fleet
from tests.integration.every_platform import EveryPlatform, fleet_of_each

INDICATOR = "hearth.datacenter.redfish_indicator"
LIT = {INDICATOR: {"state": "lit"}}
OFF = {INDICATOR: {"state": "off"}}
NO_SERVERS = ("pdu", "power_shelf")


@pytest.fixture(scope="module")
def racks() -> t.Iterator[Fleet]:
    with fleet_of_each("127.62.24.0/24") as fleet:
        # check mode can say "lit" only; a BMC that shows "located" as blinking would differ from it
        for address in fleet.addresses:
            fleet.admin("POST", f"/bmcs/{address}/manners", {"located_as": "Lit"})
        yield fleet


@pytest.fixture(scope="module")
def hosts(racks: Fleet, tmp_path_factory: pytest.TempPathFactory) -> EveryPlatform:
    return EveryPlatform(tmp_path_factory.mktemp("light"), racks)


@pytest.fixture(autouse=True)
def _nothing_left(racks: Fleet, hosts: EveryPlatform) -> t.Iterator[None]:
    yield
    assert racks.statistics()["sessions_open"] == 0


def test_check_then_run_then_run_again_on_every_platform(hosts: EveryPlatform) -> None:
    servers = hosts.of_platforms(*NO_SERVERS)
    for host, runs in hosts.runs(servers, LIT).items():
        runs.assert_convergent()
        assert runs.first["indicator"]["state"] == "lit", host
        assert runs.check["indicator"] == runs.first["indicator"] == runs.second["indicator"]
        assert runs.first["diff"] == {"before": {"state": "off"}, "after": {"state": "lit"}}
    for runs in hosts.runs(servers, OFF).values():
        runs.assert_convergent()


def test_yaml_reads_an_unquoted_off_as_false_and_both_front_ends_take_it(hosts: EveryPlatform) -> None:
    host = hosts.host("openbmc")
    unquoted = {INDICATOR: {"state": False}}
    lit, off, again, there = hosts.results([host], [LIT, unquoted, OFF, {**unquoted, "delegate_to": "jump"}])[host]
    assert [lit["changed"], off["changed"], again["changed"], there["changed"]] == [True, True, False, False]
    assert off["indicator"] == again["indicator"] == there["indicator"]


def test_what_has_no_such_light_says_what_it_has(hosts: EveryPlatform) -> None:
    blinking = hosts.one("openbmc", {INDICATOR: {"state": "blinking"}})
    assert (blinking["changed"], blinking["error"]["type"], blinking["error"]["found"]) == (
        False,
        "Unsupported",
        "lit, off",
    )
    dark = hosts.one("dgx_h100", {INDICATOR: {"state": "lit", "drive": "U.2 1"}})
    assert dark["error"]["type"] == "Unsupported" and "LocationIndicatorActive" in dark["error"]["found"]


def test_the_drive_with_that_serial_number_and_no_other(hosts: EveryPlatform) -> None:
    host = hosts.host("supermicro")
    unknown = hosts.one("supermicro", {INDICATOR: {"state": "lit", "drive": "Bay 77"}})
    assert (unknown["changed"], unknown["error"]["type"]) == (False, "NotFound")
    found = re.search(r"Disk\.Bay\.2 \(serial (\w+), Disk\.Bay\.2\)", unknown["error"]["found"])
    assert found is not None
    serial = found[1]
    (runs,) = hosts.runs([host], {INDICATOR: {"state": "lit", "drive": serial}}).values()
    runs.assert_convergent()
    assert (runs.first["indicator"]["kind"], runs.first["indicator"]["id"]) == ("drive", "Disk.Bay.2")
    other = hosts.one("supermicro", {INDICATOR: {"state": "off", "drive": "Disk.Bay.1"}})
    assert other["changed"] is False


def test_a_chassis_of_power_equipment_needs_no_system(hosts: EveryPlatform) -> None:
    assert hosts.one("power_shelf", LIT)["error"]["type"] == "BadInput"  # no system, and no chassis named
    for platform, chassis in (("power_shelf", "powershelf"), ("idrac9", "System.Embedded.1")):
        unknown = hosts.one(platform, {INDICATOR: {"state": "lit", "chassis": "Rack"}})
        assert unknown["error"]["type"] == "NotFound" and chassis in unknown["error"]["found"]
        for state, changed in (("lit", True), ("lit", False), ("off", True)):
            result = hosts.one(platform, {INDICATOR: {"state": state, "chassis": chassis}})
            assert (result["changed"], result["indicator"]["kind"]) == (changed, "chassis"), result
    dark = hosts.one("pdu", {INDICATOR: {"state": "lit", "chassis": "PDU"}})
    assert dark["error"]["type"] == "Unsupported"


def test_another_machine_than_the_expected_one_is_not_lit(hosts: EveryPlatform) -> None:
    wrong = {"identity": {"serial": "SOMETHING-ELSE"}, "state": "lit"}
    for where in ({}, {"chassis": "1"}, {"drive": "Bay 3"}):
        result = hosts.one("generic", {INDICATOR: {**wrong, **where}})
        assert (result["changed"], result["error"]["type"]) == (False, "IdentityMismatch")


@pytest.mark.parametrize(
    "arguments", [{}, {"state": "purple"}, {"state": "lit", "chassis": "1", "drive": "1"}, {"state": "lit", "x": 1}]
)
def test_bad_input(hosts: EveryPlatform, arguments: dict[str, t.Any]) -> None:
    assert hosts.one("generic", {INDICATOR: arguments})["error"]["type"] == "BadInput"
