# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What holds for every IPMI module, whichever keyword a task has and wherever it runs; as test_bmc_front_ends.py."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.emulators.rmcp.machine import Machine
from tests.emulators.rmcp.peer import Account, Manners, RmcpPeer
from tests.integration.ipmi_hosts import IpmiHosts
from tests.integration.ipmi_run import FRU
from tests.integration.ipmi_sim import USERNAME, IpmiSim, missing_tool
from tests.integration.runner_run import in_runner

pytest.importorskip("pyghmi", reason="pyghmi is not installed")

INFO = "hearth.datacenter.ipmi_info"
POWER = "hearth.datacenter.ipmi_power"
BOOT = "hearth.datacenter.ipmi_boot"
GROUP = "group/hearth.datacenter.ipmi"
FRONT_ENDS = [pytest.param({}, id="in process"), pytest.param({"delegate_to": "jump"}, id="delegated")]
CANARY = "c4n4ry-Pa55word"
OFF = {"state": "off", "method": "force"}


@pytest.fixture
def peers() -> Iterator[dict[str, RmcpPeer]]:
    """Two machines that are on."""
    with (
        RmcpPeer("127.42.1.1", accounts={USERNAME: Account(CANARY)}, machine=Machine(power=True, fru=FRU)) as one,
        RmcpPeer("127.42.1.2", accounts={USERNAME: Account(CANARY)}, machine=Machine(power=True, fru=FRU)) as two,
    ):
        yield {"one": one, "two": two}
        assert (one.sessions, two.sessions) == (0, 0)


@pytest.fixture
def hosts(peers: dict[str, RmcpPeer], tmp_path: Path) -> IpmiHosts:
    return IpmiHosts(tmp_path, peers, hearth_bmc_password=CANARY)


def power(peers: dict[str, RmcpPeer]) -> list[bool]:
    return sorted(peer.machine.power for peer in peers.values())


@pytest.mark.parametrize("where", FRONT_ENDS)
class TestKeywords:
    def test_module_defaults_reach_the_whole_group(self, hosts: IpmiHosts, where: dict[str, str]) -> None:
        for host in hosts.inventory["all"]["children"]["servers"]["hosts"].values():
            del host["hearth_bmc_username"], host["hearth_bmc_password"]
        hosts.write()
        tasks: list[dict[str, Any]] = [
            {POWER: {"state": "on"}, **where},
            {INFO: {"subset": ["power"]}, **where},
            {BOOT: {"state": "disabled"}, **where},
        ]
        assert set(hosts.play([{**tasks[0], "ignore_errors": True}]).outcomes) == {"failed"}
        ran = hosts.play(tasks, module_defaults={GROUP: {"username": USERNAME, "password": CANARY, "deadline": 20}})
        assert ran.outcomes == ["ok"] * 6

    def test_loop_until_and_run_once(self, hosts: IpmiHosts, peers: dict[str, RmcpPeer], where: dict[str, str]) -> None:
        looped = {INFO: {"subset": ["{{ item }}"]}, "loop": ["power", "health"], **where}
        retried = {INFO: {"subset": ["power"]}, "register": "machine", "retries": 2, "delay": 0, **where}
        retried |= {"until": "machine.info.power.state == 'off'", "ignore_errors": True}
        once = {POWER: OFF, "run_once": True, **where}
        ran = hosts.play([looped, retried, once])
        assert [list(one["info"]) for one in ran.results[0]["results"]] == [["power"], ["health"]]
        assert [result["attempts"] for result in ran.results[2:4]] == [2, 2]
        assert len(ran.results) == 5 and ran.results[4]["changed"] is True
        assert power(peers) == [False, True]

    def test_check_and_diff(self, hosts: IpmiHosts, peers: dict[str, RmcpPeer], where: dict[str, str]) -> None:
        tasks = [{POWER: OFF, **where}, {BOOT: {"state": "once", "target": "pxe"}, **where}]
        checked = hosts.play(tasks, "--check", "--diff")
        assert power(peers) == [True, True] and peers["one"].machine.boot_flags == bytes(5)
        ran = hosts.play([*tasks, *tasks], "--diff")
        for host in peers:
            done = ran.of(host)
            assert [result["changed"] for result in done] == [True, True, False, False]
            assert [result["diff"] for result in checked.of(host)] == [result["diff"] for result in done[:2]]

    def test_the_password_appears_nowhere(self, hosts: IpmiHosts, where: dict[str, str]) -> None:
        wrong = {"username": "nobody", "password": f"wrong-{CANARY}"[:20]}
        tasks: list[dict[str, Any]] = [
            {POWER: {"state": "on"}, "register": "power", **where},
            {INFO: {"subset": ["all"]}, "register": "machine", **where},
            {BOOT: {"state": "once", "target": "cd"}, "register": "boot", **where},
            {INFO: {**wrong, "password": "{{ hearth_bmc_password }}"}, "ignore_errors": True, **where},
            {INFO: {"subset": ["power"]}, "no_log": True, **where},
            {"ansible.builtin.debug": {"msg": "{{ power }} {{ machine }} {{ boot }}"}},
        ]
        ran = hosts.play(tasks, "-vvvv", "--diff")
        assert ran.outcomes.count("failed") == 2
        assert CANARY not in ran.said and CANARY not in json.dumps(ran.results)
        written = [path for path in hosts.folder.rglob("*") if path.is_file() and path.name != "inventory.yml"]
        assert [path for path in written if CANARY.encode() in path.read_bytes()] == []

    def test_a_refused_credential_goes_out_once_over_tasks_hosts_and_forks(
        self, tmp_path: Path, where: dict[str, str]
    ) -> None:
        with RmcpPeer("127.42.1.3", machine=Machine(fru=FRU)) as peer:
            hosts = IpmiHosts(tmp_path, {"a": peer, "b": peer, "c": peer}, hearth_bmc_password="not it")
            tasks = [{POWER: {"state": "on"}, **where}, {BOOT: {"state": "disabled"}, **where}, {INFO: {}, **where}]
            # The controller remembers what was refused elsewhere; hosts that begin at once do not know of each other.
            ran = hosts.play([{**task, "ignore_errors": True} for task in tasks], forks=1 if where else 5)
            assert {result["error"]["type"] for result in ran.results} == {"AuthenticationFailed"}
            assert len(ran.results) == 9 and "not tried again" in ran.results[-1]["msg"]
            assert (peer.received["rakp1"], peer.received["rakp3"]) == (1, 0)
            corrected = {INFO: {"password": "correct-horse", "username": USERNAME}, **where}
            assert set(hosts.play([{INFO: {}, "ignore_errors": True, **where}, corrected]).outcomes) == {"failed", "ok"}


def test_async_is_refused(hosts: IpmiHosts, peers: dict[str, RmcpPeer]) -> None:
    for module, arguments in ((INFO, {}), (POWER, OFF), (BOOT, {"state": "disabled"})):
        task = {module: arguments, "async": 20, "poll": 1, "ignore_errors": True}
        ran = hosts.play([task, {**task, "delegate_to": "jump"}])
        for result in ran.results[:2]:
            assert result["error"]["type"] == "BadInput" and "async is not possible" in result["msg"]
        for result in ran.results[2:]:
            assert "carries a password" in result["msg"]
    assert sum(sum(peer.received.values()) for peer in peers.values()) == 0


def test_nothing_is_asked_of_the_host(hosts: IpmiHosts) -> None:
    ran = hosts.play([{POWER: {"state": "on"}}, {INFO: {}}, {BOOT: {"state": "disabled"}}], "-vvvv")
    assert set(ran.outcomes) == {"ok"}
    assert "ESTABLISH" not in ran.said and "127.65.255.254" not in ran.said
    assert not (hosts.folder / "remote-tmp").exists()


def test_the_events_of_ansible_runner(hosts: IpmiHosts) -> None:
    hosts.play([{POWER: OFF}, {INFO: {"subset": ["power"]}}], "--syntax-check")
    results, files = in_runner(hosts, str(hosts.folder / "play.yml"))
    assert [result["power"]["state"] for result in results[:2]] == ["off", "off"]
    assert [result["info"]["power"]["state"] for result in results[2:]] == ["off", "off"]
    assert files and [path for path in files if CANARY.encode() in path.read_bytes()] == []


@pytest.mark.parametrize("where", FRONT_ENDS)
def test_workers_at_one_bmc_take_turns(tmp_path: Path, where: dict[str, str]) -> None:
    """Eight hosts behind a BMC whose session table has two places."""
    with RmcpPeer("127.42.1.4", machine=Machine(fru=FRU), manners=Manners(session_limit=2)) as peer:
        hosts = IpmiHosts(tmp_path, {f"node{number}": peer for number in range(8)})
        ran = hosts.play([{POWER: {"state": "on", "deadline": 60}, **where}], forks=8)
        assert ran.outcomes == ["ok"] * 8, ran.said
        assert sum(result["changed"] for result in ran.results) >= 1
        assert peer.most_sessions <= 2 and peer.sessions == 0


def test_the_playbook_power_on_a_real_bmc(tmp_path: Path) -> None:
    if missing_tool():
        pytest.skip(missing_tool())
    with IpmiSim(tmp_path / "sim", address="127.42.1.5", fru_data=FRU, chassis=True) as sim:
        hosts = IpmiHosts(tmp_path, {"rack1-u07": sim})
        words = ("-e", "power_state=on", "--limit", "servers")
        playbook = "hearth.datacenter.power"
        checked = hosts.playbook(playbook, "--check", "--diff", *words)
        assert checked.code == 0 and sim.chassis_state("power") == ""
        ran = hosts.playbook(playbook, *words)
        assert ran.code == 0 and sim.chassis_state("power") == "1"
        assert "was off, would be on" in checked.said and "was off, is on" in ran.said
        again = hosts.playbook(playbook, *words)
        assert "was on, is on" in again.said and "changed=0" in again.said
        off = hosts.playbook(playbook, "-e", "power_state=off", "-e", "power_method=force", "--limit", "servers")
        assert off.code == 0 and sim.chassis_state("power") == "0" and "was on, is off" in off.said
