# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""redfish_power through Ansible: in process for hosts that are off, and as a module on another machine."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.emulators.redfish.fleet import Fleet
from tests.emulators.redfish.personalities.index import PERSONALITIES
from tests.integration.playbook_run import PlaybookFolder, Ran
from tests.integration.result_shape import shape

pytest.importorskip("sushy", reason="sushy is not installed: redfish_power acts through it")

MODULE = "hearth.datacenter.redfish_power"
QUICK = ["--power-seconds", "0.2"]
WITHOUT_POWER = ("pdu", "power_shelf")
# Nobody listens there, and no interpreter is there.
OFF = {
    "ansible_connection": "ansible.builtin.ssh",
    "ansible_host": "127.61.255.254",
    "ansible_port": 9,
    "ansible_become": True,
    "ansible_python_interpreter": "/nonexistent/python",
}
JUMP = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}


class Rack(PlaybookFolder):
    """Hosts that are off, each with the BMC that a discovery would have found for it."""

    def __init__(self, folder: Path, fleet: Fleet, hosts: dict[str, dict[str, Any]], **shared: Any) -> None:
        super().__init__(folder)
        self.fleet = fleet
        credential = {"hearth_bmc_username": fleet.username, "hearth_bmc_password": fleet.password}
        servers = {
            "hosts": {name: {"hearth_bmc": bmc} for name, bmc in hosts.items()},
            "vars": {**OFF, **credential, **shared},
        }
        inventory = {"all": {"hosts": {"jump": JUMP}, "children": {"servers": servers}}}
        (folder / "inventory.yml").write_text(json.dumps(inventory))

    def play(self, tasks: list[dict[str, Any]], *words: str, forks: int = 10, **environment: str) -> Ran:
        play = {"hosts": "servers", "gather_facts": False, "tasks": tasks}
        (self.folder / "play.yml").write_text(json.dumps([play]))
        return self.playbook(str(self.folder / "play.yml"), "--forks", str(forks), *words, **environment)


def bmc_of(fleet: Fleet, entry: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The hostvar hearth_bmc as discovery writes it, as far as modules use it."""
    return {
        "address": entry["address"],
        "port": fleet.https_port,
        "scheme": "https",
        "trust": "verify",
        "ca_path": fleet.ca,
        "platform": entry["platform"],
        "system": "",
        "system_id": "Node2" if entry["platform"] == "multi_node" else "",
        "credential": "default",
        **more,
    }


def state_of(fleet: Fleet, address: str, system: str = "") -> str:
    states = fleet.admin("GET", f"/bmcs/{address}")["power"]
    return str(next(state for path, state in states.items() if path.endswith(system)))


@pytest.fixture(scope="module")
def every() -> Iterator[Fleet]:
    """One BMC of every platform."""
    with Fleet(len(PERSONALITIES), "127.61.30.0/24", platforms=dict.fromkeys(PERSONALITIES, 1), options=QUICK) as fleet:
        yield fleet


@pytest.fixture
def one(every: Fleet, tmp_path: Path) -> Iterator[Rack]:
    """The host of an OpenBMC, switched on."""
    (entry,) = (bmc for bmc in every.bmcs if bmc["platform"] == "openbmc")
    every.admin("POST", f"/bmcs/{entry['address']}/power", {"reset_type": "ForceOn"})
    yield Rack(tmp_path, every, {"openbmc": bmc_of(every, entry, expected={"serial": entry["serial"], "uuid": None})})
    every.faults(entry["address"])
    assert every.statistics()["sessions_open"] == 0


def address_of(fleet: Fleet, platform: str = "openbmc") -> str:
    return str(next(entry["address"] for entry in fleet.bmcs if entry["platform"] == platform))


def test_check_run_run_again_and_diff_on_every_platform(every: Fleet, tmp_path: Path) -> None:
    every.admin("POST", "/power", {"reset_type": "ForceOn"})
    every.reset_statistics()
    time.sleep(0.5)
    rack = Rack(tmp_path, every, {entry["platform"]: bmc_of(every, entry) for entry in every.bmcs})
    task = {MODULE: {"state": "off", "method": "graceful_then_force"}, "ignore_errors": True}
    check = rack.play([task], "--check", "--diff")
    for entry in every.bmcs:
        if entry["platform"] not in WITHOUT_POWER:
            assert state_of(every, entry["address"]) == "On"
    ran = rack.play([task, task], "--diff")
    assert "unreachable" not in check.outcomes + ran.outcomes
    for entry in every.bmcs:
        platform = entry["platform"]
        (checked,), (first, second) = check.of(platform), ran.of(platform)
        if platform in WITHOUT_POWER:
            assert [one["error"]["type"] for one in (checked, first, second)] == ["BadInput"] * 3
            continue
        assert [one["changed"] for one in (checked, first, second)] == [True, True, False], platform
        assert checked["diff"] == first["diff"] and first["diff"]["before"] == {"power_state": "on"}
        assert first["diff"]["after"]["power_state"] == "off"
        assert second["diff"]["before"] == second["diff"]["after"] == {"power_state": "off"}
        assert state_of(every, entry["address"], "Node2" if platform == "multi_node" else "") == "Off"
    assert every.statistics()["sessions_open"] == 0


def test_a_bmc_that_does_not_answer_is_an_error_of_the_task_and_no_unreachable_host(tmp_path: Path) -> None:
    """What a module says under each fault, on every platform, is in test_every_platform_and_fault.py."""
    silent = {"black_hole": "TimedOut", "refused": "ConnectionRefused", "tls_stall": "TimedOut"}
    with Fleet(len(silent), "127.61.31.0/24", platforms={"generic": 1}, options=QUICK) as fleet:
        rack = Rack(tmp_path, fleet, {fault: bmc_of(fleet, entry) for fault, entry in zip(silent, fleet.bmcs)})
        for fault, entry in zip(silent, fleet.bmcs):
            fleet.faults(entry["address"], **{fault: {}})
        arguments = {"state": "off", "method": "force", "deadline": 8, "connect_timeout": 2}
        for where in ({}, {"delegate_to": "jump"}):
            ran = rack.play([{MODULE: arguments, "ignore_errors": True, **where}])
            assert ran.outcomes == ["failed"] * len(silent)
            assert {fault: ran.of(fault)[0]["error"]["type"] for fault in silent} == silent


def test_eight_hosts_behind_one_bmc_with_four_sessions(tmp_path: Path) -> None:
    with Fleet(1, "127.61.32.0/24", platforms={"multi_node": 1}, options=QUICK) as fleet:
        address = fleet.addresses[0]
        fleet.admin(
            "POST",
            f"/bmcs/{address}/manners",
            {"session_limit": 4, "session_overflow": "refused_503", "basic_auth": False},
        )
        hosts = {
            f"{name}-{number}": bmc_of(fleet, fleet.bmcs[0], system_id=f"Node{number}", expected=None)
            for number in range(1, 5)
            for name in ("a", "b")
        }
        rack = Rack(tmp_path, fleet, hosts)
        ran = rack.play([{MODULE: {"state": "off", "method": "force"}}], forks=8)
        assert len(ran.hosts) == 8
        for result in ran.results:
            assert "error" not in result or result["error"]["type"] == "Busy", result
        assert ran.outcomes == ["ok"] * 8
        assert set(fleet.admin("GET", f"/bmcs/{address}")["power"].values()) == {"Off"}
        assert fleet.statistics()["sessions_open"] == 0


def test_yaml_booleans_mean_on_and_off(one: Rack) -> None:
    for where in ({}, {"delegate_to": "jump"}):
        tasks = [
            {MODULE: {"state": False, "method": "force", "trust": False}, **where},
            {MODULE: {"state": "off", "trust": "off"}, **where},
            {MODULE: {"state": True}, **where},
            {MODULE: {"state": "on"}, **where},
        ]
        ran = one.play(tasks)
        assert [result["changed"] for result in ran.results] == [True, False, True, False], ran.said
        assert [result["power"]["state"] for result in ran.results] == ["off", "off", "on", "on"]


def test_both_front_ends_give_the_same_keys(one: Rack) -> None:
    arguments: list[dict[str, Any]] = [
        {"state": "off", "method": "force"},
        {"state": "off"},
        {"state": "on"},
        {"state": "off", "reset_type": "Explode"},
        {"state": "nonsense"},
        {"state": "on", "password": "wrong", "username": "hearth"},
        {"state": "on", "address": "127.61.255.253", "deadline": 2, "connect_timeout": 1},
    ]
    results = []
    for where in ({}, {"delegate_to": "jump"}):
        tasks = [{MODULE: one_of, "ignore_errors": True, **where} for one_of in arguments]
        results.append(one.play(tasks, "--diff").results)
    assert len(results[0]) == len(arguments)
    for here, there in zip(*results):
        assert shape(here) == shape(there)
        assert here.get("error", {}).get("type") == there.get("error", {}).get("type")


def test_nothing_is_asked_of_a_host_that_is_off(one: Rack) -> None:
    ran = one.play([{MODULE: {"state": "off", "method": "force"}}], "-vvvv")
    assert ran.outcomes == ["ok"] and state_of(one.fleet, address_of(one.fleet)) == "Off"
    assert "ESTABLISH" not in ran.said and OFF["ansible_host"] not in ran.said
    assert not (one.folder / "remote-tmp").exists()


def test_the_password_appears_nowhere(one: Rack) -> None:
    tasks = [{MODULE: {"state": "on"}, "ignore_errors": True, **where} for where in ({}, {"delegate_to": "jump"})]
    ran = one.play(tasks, "-vvvv", "--diff", ANSIBLE_PIPELINING="true")
    assert ran.outcomes == ["ok", "ok"]
    password = one.fleet.password
    assert password not in ran.said and password not in json.dumps(ran.results)
    written = [path for path in one.folder.rglob("*") if path.is_file() and path.name != "inventory.yml"]
    assert [path for path in written if password.encode() in path.read_bytes()] == []


@pytest.mark.parametrize("expected", [{"serial": "NOT-THIS-ONE"}, {"uuid": "6f7d1ea0-0b8c-4d9e-9d7e-0c8a8f1f0001"}])
@pytest.mark.parametrize("where", [{}, {"delegate_to": "jump"}], ids=["in process", "delegated"])
def test_a_machine_that_is_not_the_maps_is_refused(
    every: Fleet, tmp_path: Path, expected: dict[str, str], where: dict[str, str]
) -> None:
    entry = next(entry for entry in every.bmcs if entry["platform"] == "idrac9")
    every.admin("POST", f"/bmcs/{entry['address']}/power", {"reset_type": "ForceOn"})
    rack = Rack(tmp_path, every, {"idrac9": bmc_of(every, entry, expected={"serial": None, "uuid": None, **expected})})
    task = {MODULE: {"state": "off", "method": "force"}, "ignore_errors": True, **where}
    (check,), (run,) = rack.play([task], "--check").results, rack.play([task]).results
    for result in (check, run):
        assert (result["error"]["type"], result["changed"]) == ("IdentityMismatch", False)
    assert state_of(every, entry["address"]) != "Off"
    # The task's own word counts before the map's.
    task[MODULE] = {**task[MODULE], "identity": {"serial": entry["serial"]}}
    (result,) = rack.play([task], "--check").results
    assert result["changed"] is True and "warnings" not in result


def test_without_an_expectation_there_is_a_warning(every: Fleet, tmp_path: Path) -> None:
    (entry,) = (bmc for bmc in every.bmcs if bmc["platform"] == "openbmc")
    (result,) = Rack(tmp_path, every, {"openbmc": bmc_of(every, entry)}).play([{MODULE: {"state": "on"}}]).results
    assert "which machine this must be" in result["warnings"][0]


def test_bad_input_is_told_before_anything_is_changed(every: Fleet, tmp_path: Path) -> None:
    entry = next(entry for entry in every.bmcs if entry["platform"] == "multi_node")
    before = every.admin("GET", f"/bmcs/{entry['address']}")["power"]
    rack = Rack(tmp_path, every, {"node": bmc_of(every, entry, system_id="")})
    refused: list[tuple[dict[str, Any], str, str]] = [
        ({"state": "off"}, "BadInput", "several systems and none is chosen"),
        ({"state": "off", "system": "Node9"}, "BadInput", "no system Node9"),
        ({"state": "off", "system": "Node1", "reset_type": "Explode"}, "BadInput", "not on offer"),
        ({"state": "on", "system": "Node1", "reset_type": "ForceOff"}, "BadInput", "does not lead to state on"),
        ({"state": "gone"}, "BadInput", "must be one of"),
        ({"state": "off", "force_timeout": 0}, "BadInput", "force_timeout"),
        ({"state": "off", "unless_booted_since": "2026-11-21T15:00:00Z"}, "BadInput", "about restarts"),
        ({"state": "restarted", "unless_booted_since": "yesterday"}, "BadInput", "no time"),
        ({"state": "off", "identity": {"serial": "0000000"}}, "BadInput", "from no other"),
        ({"state": "off", "trust": "pin", "pins": ["sha1:abc"]}, "BadInput", "not a pin"),
        ({"state": "off", "address": "https://bmc"}, "BadInput", "address"),
        ({"state": "off", "password": "alone"}, "BadInput", "username"),
    ]
    ran = rack.play([{MODULE: arguments, "ignore_errors": True} for arguments, _kind, _told in refused])
    assert ran.outcomes == ["failed"] * len(refused)
    for (arguments, kind, told), result in zip(refused, ran.results):
        assert (result["error"]["type"], result["changed"]) == (kind, False), (arguments, result)
        assert told in result["msg"], (arguments, result["msg"])
    assert "Traceback" not in ran.said
    assert every.admin("GET", f"/bmcs/{entry['address']}")["power"] == before
    assert every.statistics()["sessions_open"] == 0


def test_credentials_come_from_variables_or_the_environment(every: Fleet, tmp_path: Path) -> None:
    (entry,) = (bmc for bmc in every.bmcs if bmc["platform"] == "openbmc")
    nothing = {"hearth_bmc_username": "", "hearth_bmc_password": ""}
    good = {"name": "good", "username": every.username, "password": every.password}
    elsewhere = {"name": "other", "username": "x", "password": "y", "targets": ["10.0.0.0/8"]}
    task = {MODULE: {"state": "on"}, "ignore_errors": True}
    host = {"openbmc": bmc_of(every, entry)}

    (result,) = Rack(tmp_path, every, host, **nothing).play([task]).results
    assert result["error"]["type"] == "BadInput" and "no credential" in result["msg"]
    rack = Rack(tmp_path, every, host, **nothing, hearth_bmc_credentials=[elsewhere, good])
    every.reset_statistics()
    assert rack.play([task]).outcomes == ["ok"]
    assert every.statistics()["failed_logins"] == 0
    rack = Rack(tmp_path, every, host, **nothing)
    account = {"HEARTH_BMC_USERNAME": every.username, "HEARTH_BMC_PASSWORD": every.password}
    assert rack.play([task], **account).outcomes == ["ok"]
    assert rack.play([task], HEARTH_BMC_CREDENTIALS=json.dumps([good])).outcomes == ["ok"]
    (result,) = rack.play([task], HEARTH_BMC_CREDENTIALS="{nonsense").results
    assert result["error"]["type"] == "BadInput" and "nonsense" not in json.dumps(result)


def test_pins_come_from_the_map_or_the_state_store(every: Fleet, tmp_path: Path) -> None:
    (entry,) = (bmc for bmc in every.bmcs if bmc["platform"] == "openbmc")
    rack = Rack(tmp_path, every, {"openbmc": bmc_of(every, entry, trust="pin", ca_path=None)})
    state = {"hearth_state": rack.store}
    task: dict[str, Any] = {MODULE: {"state": "on"}, "ignore_errors": True, "vars": state}
    every.reset_statistics()
    pinning = {"hearth.datacenter.bmc_pin": {"address": entry["address"], "port": every.https_port, "key": "{{ key }}"}}
    wrong = {**pinning, "vars": {**state, "key": "spki-sha256:" + "ab" * 32}}
    ran = rack.play([wrong, task])
    assert ran.results[1]["error"]["type"] == "PinMismatch"
    shown = ran.results[1]["error"]["found"]
    assert every.statistics()["logins"] == 0
    right = {"hearth.datacenter.bmc_pin": {**pinning["hearth.datacenter.bmc_pin"], "replace": True}}
    ran = rack.play([{**right, "vars": {**state, "key": shown}}, task, {**task, "delegate_to": "jump"}])
    assert ran.outcomes == ["ok"] * 3, ran.results
    mapped = Rack(tmp_path, every, {"openbmc": bmc_of(every, entry, trust="pin", ca_path=None, pins=[shown])})
    assert mapped.play([{MODULE: {"state": "on"}}]).outcomes == ["ok"]


def test_defaults_of_the_group_reach_the_module(every: Fleet, tmp_path: Path) -> None:
    (entry,) = (bmc for bmc in every.bmcs if bmc["platform"] == "openbmc")
    rack = Rack(tmp_path, every, {"openbmc": {}})
    defaults = {
        "group/hearth.datacenter.redfish": {
            "address": entry["address"],
            "port": every.https_port,
            "ca_path": every.ca,
        }
    }
    ran = rack.play([{MODULE: {"state": "on"}, "module_defaults": defaults}])
    assert ran.outcomes == ["ok"], ran.results
