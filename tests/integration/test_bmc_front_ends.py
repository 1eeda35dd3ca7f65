# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What holds for every module that acts on a BMC, whichever keyword a task has and wherever it runs."""

from __future__ import annotations

import itertools
import json
import pathlib
import typing as t

import pytest
import yaml

from tests.emulators.redfish.fleet import Fleet
from tests.integration.discovered_hosts import DiscoveredHosts
from tests.integration.result_shape import shape
from tests.integration.runner_run import in_runner

INFO = "hearth.datacenter.redfish_info"
POWER = "hearth.datacenter.redfish_power"
FLEET_INFO = "hearth.datacenter.redfish_fleet_info"
GROUP = "group/hearth.datacenter.redfish"
FRONT_ENDS = [pytest.param({}, id="in process"), pytest.param({"delegate_to": "jump"}, id="delegated")]
CANARY = "c4n4ry-Pa55word"


@pytest.fixture(scope="module")
def two() -> t.Iterator[Fleet]:
    platforms = {"openbmc": 1, "idrac9": 1}
    options = ["--power-seconds", "0.1", "--password", CANARY]
    with Fleet(2, "127.65.32.0/24", platforms=platforms, options=options) as fleet:
        yield fleet


@pytest.fixture
def fleet(two: Fleet) -> t.Iterator[Fleet]:
    two.admin("POST", "/power", {"reset_type": "On"})
    yield two
    assert two.statistics()["sessions_open"] == 0


@pytest.fixture
def hosts(fleet: Fleet, tmp_path: pathlib.Path) -> DiscoveredHosts:
    return DiscoveredHosts(tmp_path, fleet)


def switched(fleet: Fleet) -> list[str]:
    return sorted(itertools.chain(*(bmc["power"].values() for bmc in fleet.admin("GET", "/bmcs").values())))


@pytest.mark.parametrize("where", FRONT_ENDS)
class TestKeywords:
    def test_module_defaults_reach_the_whole_group(
        self, hosts: DiscoveredHosts, fleet: Fleet, where: dict[str, str]
    ) -> None:
        hosts.write_inventory({})
        defaults = {GROUP: {"username": fleet.username, "password": fleet.password, "deadline": 20}}
        tasks: list[dict[str, t.Any]] = [{POWER: {"state": "on"}, **where}, {INFO: {"subset": ["power"]}, **where}]
        tasks += [] if where else [{FLEET_INFO: {"subset": ["power"]}}]
        ran = hosts.play(tasks, module_defaults=defaults)
        assert set(ran.outcomes) == {"ok"} and len(ran.outcomes) == (4 if where else 5)

    def test_yaml_booleans_mean_on_and_off(self, hosts: DiscoveredHosts, fleet: Fleet, where: dict[str, str]) -> None:
        for host in hosts.hosts.values():
            host["hearth_bmc"]["ca_path"] = None
        hosts.write_inventory({"hearth_bmc_username": fleet.username, "hearth_bmc_password": fleet.password})
        # As YAML 1.1 reads `state: off` and `trust: off`.
        text = f"{{{POWER}: {{state: off, trust: off, method: force}}}}"
        task = yaml.safe_load(text)
        assert task[POWER]["state"] is False and task[POWER]["trust"] is False
        ran = hosts.play([{**task, **where}])
        assert [result["power"]["state"] for result in ran.results] == ["off", "off"]
        assert switched(fleet) == ["Off", "Off"]

    def test_loop_until_and_run_once(self, hosts: DiscoveredHosts, fleet: Fleet, where: dict[str, str]) -> None:
        looped = {INFO: {"subset": ["{{ item }}"]}, "loop": ["power", "health"], **where}
        retried = {INFO: {"subset": ["power"]}, "register": "machine", "retries": 2, "delay": 0, **where}
        retried |= {"until": "machine.info.power.state == 'off'", "ignore_errors": True}
        once = {POWER: {"state": "off", "method": "force"}, "run_once": True, **where}
        ran = hosts.play([looped, retried, once])
        assert [list(one["info"]) for one in ran.results[0]["results"]] == [["power"], ["health"]]
        assert [result["attempts"] for result in ran.results[2:4]] == [2, 2]
        assert len(ran.results) == 5 and ran.results[4]["changed"] is True
        assert switched(fleet) == ["Off", "On"]

    def test_check_and_diff(self, hosts: DiscoveredHosts, fleet: Fleet, where: dict[str, str]) -> None:
        task = {POWER: {"state": "off", "method": "force"}, **where}
        checked = hosts.play([task], "--check", "--diff")
        assert switched(fleet) == ["On", "On"]
        ran = hosts.play([task, task], "--diff")
        assert [result["changed"] for result in ran.results] == [True, True, False, False]
        assert [result["diff"] for result in checked.results] == [result["diff"] for result in ran.results[:2]]

    def test_the_password_appears_nowhere(self, hosts: DiscoveredHosts, where: dict[str, str]) -> None:
        tasks: list[dict[str, t.Any]] = [
            {POWER: {"state": "on"}, "register": "power", **where},
            {INFO: {"subset": ["all"]}, "register": "machine", **where},
            {INFO: {"username": "nobody", "password": "{{ wrong }}"}, "ignore_errors": True, **where},
            {INFO: {"subset": ["power"]}, "no_log": True, **where},
            {"ansible.builtin.debug": {"msg": "{{ power }} {{ machine }}"}},
        ]
        ran = hosts.play(tasks, "-vvvv", "--diff", variables={"wrong": f"wrong-{CANARY}"})
        assert ran.outcomes.count("failed") == 2
        assert CANARY not in ran.said and CANARY not in json.dumps(ran.results)
        given = {"variables.yml", "inventory.yml", "hearth.bmc.yml"}
        written = [path for path in hosts.folder.rglob("*") if path.is_file() and path.name not in given]
        assert [path for path in written if CANARY.encode() in path.read_bytes()] == []


def test_both_front_ends_give_the_same_keys(hosts: DiscoveredHosts) -> None:
    tasks: list[dict[str, t.Any]] = [
        {POWER: {"state": "off", "method": "force"}},
        {POWER: {"state": "on"}},
        {POWER: {"state": "on", "reset_type": "Nonsense"}},
        {POWER: {"state": "sideways"}},
        {INFO: {"subset": ["all"]}},
        {INFO: {"subset": ["power"], "query": "power.["}},
    ]
    ran = [
        hosts.play([{**task, "ignore_errors": True, **where} for task in tasks], "--diff")
        for where in ({}, {"delegate_to": "jump"})
    ]
    assert ran[0].outcomes == ran[1].outcomes
    for host in hosts.hosts:  # hosts end in any order
        for here, there in zip(ran[0].of(host), ran[1].of(host)):
            assert kinds(here) == kinds(there)
        assert len(ran[0].of(host)) == len(ran[1].of(host)) == len(tasks)


def kinds(result: dict[str, t.Any]) -> dict[str, str]:
    """As shape; a reading of a sensor is a whole number now and none a moment later."""
    return {name: "number" if kind in ("int", "float") else kind for name, kind in shape(result).items()}


def test_async_is_refused(hosts: DiscoveredHosts, fleet: Fleet) -> None:
    task = {INFO: {}, "async": 20, "poll": 1}
    for result in hosts.play([task]).results:
        assert result["error"]["type"] == "BadInput" and "async is not possible" in result["msg"]
    for result in hosts.play([{**task, "delegate_to": "jump"}]).results:
        assert "carries a password" in result["msg"]
    assert fleet.statistics()["requests"] == 0


def test_nothing_is_asked_of_the_host(hosts: DiscoveredHosts) -> None:
    ran = hosts.play([{POWER: {"state": "on"}}, {INFO: {}}], "-vvvv")
    assert set(ran.outcomes) == {"ok"}
    assert "ESTABLISH" not in ran.said and "127.65.255.254" not in ran.said
    assert not (hosts.folder / "remote-tmp").exists()


def test_the_events_of_ansible_runner(hosts: DiscoveredHosts) -> None:
    hosts.play([{POWER: {"state": "off", "method": "force"}}, {INFO: {"subset": ["power"]}}], "--syntax-check")
    results, files = in_runner(hosts, str(hosts.folder / "play.yml"))
    assert [result["power"]["state"] for result in results[:2]] == ["off", "off"]
    assert [result["info"]["power"]["state"] for result in results[2:]] == ["off", "off"]
    assert files and [path for path in files if CANARY.encode() in path.read_bytes()] == []


def test_the_playbook_power(hosts: DiscoveredHosts, fleet: Fleet) -> None:
    words = ("-e", "power_state=off", "-e", "power_method=force", "-e", "power_serial=1", "--limit", "servers")
    playbook = "hearth.datacenter.power"
    checked = hosts.playbook(playbook, "--check", "--diff", *words)
    assert checked.code == 0 and switched(fleet) == ["On", "On"]
    ran = hosts.playbook(playbook, *words)
    assert ran.code == 0 and switched(fleet) == ["Off", "Off"]
    assert ran.said.count("was on, is off") == 2 and checked.said.count("was on, would be off") == 2
    again = hosts.playbook(playbook, *words)
    assert again.code == 0 and again.said.count("was off, is off") == 2
    assert "changed=0" in again.said
    unsaid = hosts.playbook(playbook, "--limit", "servers")
    assert unsaid.code != 0 and "Say what the machines must be" in unsaid.said
