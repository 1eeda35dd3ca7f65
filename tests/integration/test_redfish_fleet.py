# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""redfish_fleet_info and redfish_fleet_power through Ansible: one task for the machines behind many BMCs."""

from __future__ import annotations

import pathlib
import time
import typing as t

import pytest

from tests.emulators.redfish.fleet import Fleet
from tests.integration.discovered_hosts import DiscoveredHosts
from tests.integration.playbook_run import Ran

INFO = "hearth.datacenter.redfish_fleet_info"
POWER = "hearth.datacenter.redfish_fleet_power"
PLATFORMS = {"openbmc": 2, "idrac9": 1, "ilo6": 1, "supermicro": 1, "xcc": 1}
BMCS = 6
OFF = {POWER: {"state": "off", "method": "force"}}


@pytest.fixture(scope="module")
def six() -> t.Iterator[Fleet]:
    with Fleet(BMCS, "127.65.16.0/24", platforms=PLATFORMS, options=["--power-seconds", "0.1"]) as fleet:
        yield fleet


@pytest.fixture
def fleet(six: Fleet) -> t.Iterator[Fleet]:
    six.admin("POST", "/power", {"reset_type": "On"})
    try:
        yield six
        assert six.statistics()["sessions_open"] == 0
    finally:
        for address in six.addresses:
            six.faults(address)


@pytest.fixture
def hosts(fleet: Fleet, tmp_path: pathlib.Path) -> DiscoveredHosts:
    return DiscoveredHosts(tmp_path, fleet)


def states(fleet: Fleet) -> list[str]:
    described = fleet.admin("GET", "/bmcs")
    return [state for address in fleet.addresses for state in described[address]["power"].values()]


def test_check_then_run_then_run_again(hosts: DiscoveredHosts, fleet: Fleet) -> None:
    check = hosts.play([OFF], "--check", "--diff").results[0]
    assert states(fleet) == ["On"] * BMCS
    first, second = hosts.play([OFF, OFF], "--diff").results
    assert states(fleet) == ["Off"] * BMCS

    assert (check["changed"], first["changed"], second["changed"]) == (True, True, False)
    assert check["diff"] == first["diff"]
    assert set(first["diff"]["before"]) == set(hosts.hosts)
    assert {host["power_state"] for host in first["diff"]["before"].values()} == {"on"}
    assert {host["power_state"] for host in first["diff"]["after"].values()} == {"off"}
    assert second["diff"] == {"before": {}, "after": {}}
    assert list(first["hosts"]) == sorted(hosts.hosts) and first["failed_hosts"] == first["not_begun_hosts"] == []
    assert all(host["changed"] and host["power"]["state"] == "off" for host in first["hosts"].values())


def test_info_reads_every_host_by_its_own_variables(hosts: DiscoveredHosts) -> None:
    task = {INFO: {"subset": ["system", "power"]}}
    (result,) = hosts.play([task]).results
    serials = {name: host["info"]["system"]["uuid"] for name, host in result["hosts"].items()}
    assert serials == {name: host["hearth_server"]["uuid"] for name, host in hosts.hosts.items()}
    (queried,) = hosts.play([{INFO: {"subset": ["power"], "query": "power.state"}}]).results
    assert {host["query_result"] for host in queried["hosts"].values()} == {"on"}


def test_a_batch_is_what_serial_says(hosts: DiscoveredHosts, fleet: Fleet) -> None:
    ran = hosts.play([OFF], serial=2)
    assert [len(result["hosts"]) for result in ran.results] == [2, 2, 2]
    assert sorted(name for result in ran.results for name in result["hosts"]) == sorted(hosts.hosts)
    assert fleet.statistics()["logins"] == BMCS


def test_a_batch_ends_the_play_when_one_fails_and_the_next_is_not_begun(hosts: DiscoveredHosts, fleet: Fleet) -> None:
    first = sorted(hosts.hosts)[0]
    fleet.faults(hosts.hosts[first]["hearth_bmc"]["address"], refused={})
    ran = hosts.play([OFF], serial=2)
    assert ran.code != 0 and ran.outcomes == ["failed"]
    assert states(fleet).count("Off") == 1


def test_some_hosts_may_be_named(hosts: DiscoveredHosts, fleet: Fleet) -> None:
    chosen = sorted(hosts.hosts)[1:3]
    (result,) = hosts.play([{POWER: {**OFF[POWER], "hosts": chosen}}]).results
    assert list(result["hosts"]) == chosen and states(fleet).count("Off") == 2
    (refused,) = hosts.play([{POWER: {**OFF[POWER], "hosts": ["jump"]}}]).results
    assert (refused["error"]["type"], refused["error"]["found"]) == ("BadInput", "jump")


def test_failures_within_max_fail_are_a_warning(hosts: DiscoveredHosts, fleet: Fleet) -> None:
    fleet.faults(fleet.addresses[0], refused={})
    dark = hosts.name_of(fleet.addresses[0])
    ran = hosts.play(
        [{POWER: {**OFF[POWER], "max_fail": "20%"}, "register": "switched", "run_once": True}]
        + [{"ansible.builtin.debug": {"msg": "{{ switched.hosts[inventory_hostname].error.type }}"},
            "when": "inventory_hostname in switched.failed_hosts"}]  # fmt: skip
    )
    result = ran.results[0]
    assert ran.code == 0 and result["failed_hosts"] == [dark] and result["changed"] is True
    assert f"ConnectionRefused on {dark}" in result["warnings"][0]
    assert states(fleet) == ["On"] + ["Off"] * (BMCS - 1)
    assert [one["msg"] for one in ran.results[1:]] == ["ConnectionRefused"]


def test_too_many_failures_stop_what_has_not_begun(hosts: DiscoveredHosts, fleet: Fleet) -> None:
    for name in sorted(hosts.hosts)[:2]:
        fleet.faults(hosts.hosts[name]["hearth_bmc"]["address"], refused={})
    ran = hosts.play([{POWER: {**OFF[POWER], "max_fail": "1", "concurrency": 1}}])
    (result,) = ran.results
    assert ran.outcomes == ["failed"] and result["error"]["type"] == "HostsFailed"
    assert result["failed_hosts"] == sorted(hosts.hosts)[:2]
    # The one whose turn had come before the second failure was known may have been switched.
    assert len(result["not_begun_hosts"]) >= BMCS - 3
    assert states(fleet).count("Off") == BMCS - 2 - len(result["not_begun_hosts"])


def test_black_holes_cost_one_deadline_together(hosts: DiscoveredHosts, fleet: Fleet) -> None:
    for address in fleet.addresses[:3]:
        fleet.faults(address, black_hole={})
    task = {POWER: {**OFF[POWER], "max_fail": 3, "deadline": 4, "connect_timeout": 4, "concurrency": 1}}
    began = time.monotonic()
    (result,) = hosts.play([task]).results
    # One after the other they would take 12 seconds; one that is silent gives up its place.
    assert time.monotonic() - began < 11
    assert {host["error"]["type"] for host in result["hosts"].values() if host.get("failed")} == {"TimedOut"}
    assert states(fleet).count("Off") == 3


def test_a_task_timeout_leaves_no_session(hosts: DiscoveredHosts, fleet: Fleet) -> None:
    for address in fleet.addresses:
        fleet.faults(address, slow_resource={"path": "/redfish/v1/Systems", "seconds": 8})
    ran = hosts.play([{INFO: {"deadline": 30}, "timeout": 3}])
    assert ran.outcomes == ["failed"]
    assert fleet.statistics()["sessions_open"] == 0


def test_the_strategies_without_batches_are_refused(hosts: DiscoveredHosts, fleet: Fleet) -> None:
    for strategy in ("free", "host_pinned"):
        ran = hosts.play([OFF], strategy=strategy)
        said = " ".join(ran.said.split())
        assert ran.code != 0 and "redfish_fleet_power" in said
        assert "bypasses the host loop, which is currently not supported in the free strategy" in said
    assert fleet.statistics()["requests"] == 0


def test_a_result_registered_for_the_first_host_only_is_warned_of(hosts: DiscoveredHosts) -> None:
    (result,) = hosts.play([{INFO: {"subset": ["power"]}, "register": "fleet"}]).results
    (warning,) = result["warnings"]
    assert warning.startswith(f"the result is registered for {min(hosts.hosts)} only; write run_once: true")


def test_run_once_changes_nothing_about_it(hosts: DiscoveredHosts) -> None:
    (result,) = hosts.play([{INFO: {"subset": ["power"]}, "run_once": True}]).results
    assert sorted(result["hosts"]) == sorted(hosts.hosts)


def test_it_is_not_delegated(hosts: DiscoveredHosts, fleet: Fleet) -> None:
    (refused,) = hosts.play([{**OFF, "delegate_to": "jump"}]).results
    assert refused["error"]["type"] == "BadInput" and "redfish_power" in refused["error"]["next"]
    (asynchronous,) = hosts.play([{**OFF, "async": 10, "poll": 1}]).results
    assert "async is not possible" in asynchronous["msg"]
    assert fleet.statistics()["requests"] == 0
    (here,) = hosts.play([{**OFF, "delegate_to": "localhost"}]).results
    assert here["changed"] is True


BAD_INPUT: list[tuple[dict[str, t.Any], str]] = [
    ({"state": "off", "max_fail": "few"}, "max_fail is neither"),
    ({"state": "off", "concurrency": 0}, "concurrency is out of range"),
    ({"state": "sideways"}, "must be one of"),
    ({}, "missing required arguments: state"),
    ({"state": "off", "address": "127.65.16.1"}, "address would hold for every host"),
    ({"state": "off", "identity": {"serial": "A"}}, "identity would hold for every host"),
    ({"state": "off", "hots": []}, "Unsupported parameters for (hearth.datacenter.redfish_fleet_power)"),
]


def test_bad_input_is_refused_before_any_bmc_is_asked(hosts: DiscoveredHosts, fleet: Fleet) -> None:
    ran = hosts.play([{POWER: arguments, "ignore_errors": True} for arguments, _told in BAD_INPUT])
    assert ran.outcomes == ["failed"] * len(BAD_INPUT)
    for (arguments, told), result in zip(BAD_INPUT, ran.results):
        assert result["error"]["type"] == "BadInput" and told in result["msg"], arguments
    assert fleet.statistics()["requests"] == 0 and "Traceback" not in ran.said


def test_a_wrong_machine_is_refused_and_the_others_are_switched(hosts: DiscoveredHosts, fleet: Fleet) -> None:
    swapped, known = sorted(hosts.hosts)[:2]
    hosts.hosts[swapped]["hearth_bmc"]["expected"] = {"serial": "ANOTHER0001", "uuid": None}
    hosts.hosts[known]["hearth_bmc"]["expected"] = {"serial": None, "uuid": hosts.hosts[known]["hearth_server"]["uuid"]}
    hosts.write_inventory({"hearth_bmc_username": fleet.username, "hearth_bmc_password": fleet.password})
    (result,) = hosts.play([{POWER: {**OFF[POWER], "max_fail": 1}}]).results
    assert result["failed_hosts"] == [swapped]
    assert result["hosts"][swapped]["error"]["type"] == "IdentityMismatch"
    assert "warnings" not in result["hosts"][known]
    assert any("nothing says which machine this must be" in warning for warning in result["warnings"])


class TestCredentials:
    """Wherever they may be written, each host has its own."""

    def ran(self, hosts: DiscoveredHosts, shared: dict[str, t.Any], **play: t.Any) -> Ran:
        hosts.write_inventory(shared)
        return hosts.play([{INFO: {"subset": ["power"]}}], **play)

    def test_in_the_plays_vars_and_files(self, hosts: DiscoveredHosts, fleet: Fleet) -> None:
        said = {"hearth_bmc_username": fleet.username, "hearth_bmc_password": fleet.password}
        assert self.ran(hosts, {}, vars=said).outcomes == ["ok"]
        assert self.ran(hosts, {}, variables=said).outcomes == ["ok"]

    def test_in_a_template_over_the_plays_vars(self, hosts: DiscoveredHosts, fleet: Fleet) -> None:
        shared = {"hearth_bmc_username": "{{ user_of[inventory_hostname] }}", "hearth_bmc_password": "{{ vaulted }}"}
        said = {"user_of": dict.fromkeys(hosts.hosts, fleet.username), "vaulted": fleet.password}
        assert self.ran(hosts, shared, variables=said).outcomes == ["ok"]

    def test_that_cannot_be_resolved(self, hosts: DiscoveredHosts, fleet: Fleet) -> None:
        for name, host in hosts.hosts.items():
            host["hearth_bmc_password"] = "{{ nowhere }}" if name == min(hosts.hosts) else fleet.password
        hosts.write_inventory({"hearth_bmc_username": fleet.username})
        (result,) = hosts.play([{INFO: {"subset": ["power"], "max_fail": 1}}]).results
        assert result["failed_hosts"] == [min(hosts.hosts)]
        assert "nowhere" in result["hosts"][min(hosts.hosts)]["msg"]

    def test_in_the_environment(self, hosts: DiscoveredHosts, fleet: Fleet) -> None:
        environment = {"HEARTH_BMC_USERNAME": fleet.username, "HEARTH_BMC_PASSWORD": fleet.password}
        assert self.ran(hosts, {}, environment=environment).outcomes == ["ok"]

    def test_that_are_nowhere(self, hosts: DiscoveredHosts, fleet: Fleet) -> None:
        (result,) = self.ran(hosts, {}).results
        assert "There is no credential" in next(iter(result["hosts"].values()))["msg"]
        assert fleet.statistics()["requests"] == 0

    def test_appear_nowhere(self, hosts: DiscoveredHosts, fleet: Fleet) -> None:
        ran = hosts.play([OFF, {INFO: {"subset": ["all"]}}], "-vvvv", "--diff")
        assert ran.outcomes == ["ok", "ok"]
        assert fleet.password not in ran.said and fleet.password not in str(ran.results)
        assert "ESTABLISH" not in ran.said


def test_pins_come_from_the_state_store_for_all_hosts(hosts: DiscoveredHosts, fleet: Fleet) -> None:
    pins = []
    for host in hosts.hosts.values():
        bmc = host["hearth_bmc"]
        bmc.update(trust="pin", ca_path=None)
        key = f"spki-sha256:{bmc['fingerprint']['spki_sha256']}"
        pins.append({"address": bmc["address"], "port": bmc["port"], "key": key})
    shared = {"hearth_bmc_username": fleet.username, "hearth_bmc_password": fleet.password, "hearth_state": hosts.store}
    hosts.write_inventory(shared)
    pin = {"hearth.datacenter.bmc_pin": {"pins": pins[1:]}, "run_once": True}
    _pinned, result = hosts.play([pin, {INFO: {"subset": ["power"], "max_fail": 1}}]).results
    unpinned = hosts.name_of(pins[0]["address"])
    assert result["failed_hosts"] == [unpinned]
    assert result["hosts"][unpinned]["error"]["type"] == "PinUnknown"
    assert fleet.statistics()["logins"] == BMCS - 1


def test_eight_hosts_behind_one_bmc_take_turns(tmp_path: pathlib.Path) -> None:
    with Fleet(1, "127.65.20.0/24", platforms={"multi_node": 1}) as fleet:
        hosts = DiscoveredHosts(tmp_path, fleet)
        fleet.admin("POST", f"/bmcs/{fleet.addresses[0]}/manners", {"session_limit": 4})
        hosts.hosts |= {f"{name}-again": host for name, host in hosts.hosts.items()}
        assert len(hosts.hosts) == 8
        hosts.write_inventory({"hearth_bmc_username": fleet.username, "hearth_bmc_password": fleet.password})
        (result,) = hosts.play([{INFO: {"subset": ["power", "system"], "max_fail": "100%"}}]).results
        assert {host.get("error", {}).get("type", "ok") for host in result["hosts"].values()} <= {"ok", "Busy"}
        for name, host in result["hosts"].items():
            assert host.get("failed") or host["info"]["system"]["path"] == hosts.hosts[name]["hearth_bmc"]["system"]
        assert fleet.statistics()["sessions_open"] == 0
