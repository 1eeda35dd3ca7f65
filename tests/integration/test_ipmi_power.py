# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module ipmi_power: on ipmi_sim, on the RMCP+ peer with suite 17, in process and delegated."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._glue.ipmi_power import IPMI_POWER
from ansible_collections.hearth.datacenter.plugins.module_utils._glue.redfish_power import REDFISH_POWER
from ansible_collections.hearth.datacenter.plugins.module_utils._ipmi.session import SHA1_WARNING
from tests.emulators.rmcp import machine as chassis
from tests.emulators.rmcp.machine import Machine
from tests.emulators.rmcp.peer import Account, Manners, RmcpPeer
from tests.integration.ipmi_run import FRU, IDENTITY, hostvars, performed
from tests.integration.ipmi_sim import PASSWORD, USERNAME, IpmiSim, missing_tool
from tests.integration.playbook_run import PlaybookFolder, Ran
from tests.integration.result_shape import shape

pytest.importorskip("pyghmi", reason="pyghmi is not installed")

ADDRESS = "127.63.3.1"
MODULE = "hearth.datacenter.ipmi_power"
CUT = {"method": "force", "force_timeout": 10}


@pytest.fixture
def sim(tmp_path: Path) -> Iterator[IpmiSim]:
    if missing_tool():
        pytest.skip(missing_tool())
    with IpmiSim(tmp_path / "sim", address="127.63.3.2", fru_data=FRU, chassis=True) as found:
        yield found


@pytest.fixture
def peer() -> Iterator[RmcpPeer]:
    with RmcpPeer(ADDRESS, machine=Machine(fru=FRU)) as found:
        yield found


@pytest.fixture(params=["in process", "delegated"])
def task(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., Ran]:
    """Runs tasks of the module, one after another, by one of the two front ends."""
    folder = PlaybookFolder(tmp_path)

    def run(bmc: Any, *arguments: dict[str, Any], words: tuple[str, ...] = (), **variables: Any) -> Ran:
        where = {"delegate_to": "jump"} if request.param == "delegated" else {}
        tasks = [{MODULE: one, "ignore_errors": True, **where} for one in arguments]
        return folder.run(tasks, *words, **{**hostvars(bmc), **variables})

    return run


# Check, run, run again, diff


def test_check_run_and_run_again_on_a_real_bmc(task: Callable[..., Ran], sim: IpmiSim) -> None:
    (check,) = task(sim, {"state": "on"}, words=("--check", "--diff")).results
    assert sim.chassis_state("power") == ""
    on, again, off = task(
        sim, {"state": "on"}, {"state": "on"}, {"state": "off", "graceful_timeout": 15}, words=("--diff",)
    ).results

    assert [result["changed"] for result in (check, on, again, off)] == [True, True, False, True]
    assert check["diff"] == on["diff"]
    assert on["diff"] == {"before": {"power_state": "off"}, "after": {"power_state": "on", "resets": ["On"]}}
    assert again["diff"] == {"before": {"power_state": "on"}, "after": {"power_state": "on"}}
    assert off["power"]["resets"] == ["GracefulShutdown"]
    assert (off["power"]["state"], sim.chassis_state("power"), sim.chassis_state("shutdown")) == ("off", "0", "1")
    assert all(result["warnings"] == [SHA1_WARNING] for result in (check, on, again, off))


def test_check_run_and_run_again_with_suite_17(task: Callable[..., Ran], peer: RmcpPeer) -> None:
    (check,) = task(peer, {"state": "on"}, words=("--check", "--diff")).results
    assert peer.machine.controls == []
    on, again = task(peer, {"state": True}, {"state": "on"}, words=("--diff",)).results
    assert [result["changed"] for result in (check, on, again)] == [True, True, False]
    assert [result.get("warnings") for result in (check, on, again)] == [None] * 3
    assert peer.machine.controls == [chassis.UP]
    assert (peer.received["rakp1"], peer.received["rakp3"], peer.sessions) == (3, 3, 0)


@pytest.mark.parametrize(
    ("wanted", "controls", "resets"),
    [
        ({"state": "off"}, [chassis.SOFT], ["GracefulShutdown"]),
        ({"state": "off", **CUT}, [chassis.DOWN], ["ForceOff"]),
        ({"state": "restarted"}, [chassis.SOFT, chassis.UP], ["GracefulShutdown", "On"]),
        ({"state": "restarted", **CUT}, [chassis.RESET], ["ForceRestart"]),
        ({"state": "power_cycled"}, [chassis.SOFT, chassis.UP], ["GracefulShutdown", "On"]),
        ({"state": "power_cycled", **CUT}, [chassis.DOWN, chassis.UP], ["ForceOff", "On"]),
    ],
    ids=lambda value: "-".join(map(str, value.values())) if isinstance(value, dict) else "",
)
def test_what_is_sent_to_a_machine_that_is_on(
    peer: RmcpPeer, wanted: dict[str, Any], controls: list[int], resets: list[str]
) -> None:
    peer.machine.power = True
    planned = performed(IPMI_POWER, peer, check=True, **wanted)
    assert peer.machine.controls == []
    done = performed(IPMI_POWER, peer, **wanted)
    assert peer.machine.controls == controls
    assert planned["power"] == done["power"]
    assert done["power"]["resets"] == resets
    assert done["changed"] and peer.machine.power is (wanted["state"] != "off")
    told = [text for text in done.get("warnings", []) if "does not tell" in text]
    assert bool(told) is (resets == ["ForceRestart"]), "a reset that nobody can see is said to be one"


@pytest.mark.parametrize("state", ["on", "restarted", "power_cycled"])
def test_machine_that_is_off_is_switched_on(peer: RmcpPeer, state: str) -> None:
    assert performed(IPMI_POWER, peer, state=state)["power"]["resets"] == ["On"]
    assert peer.machine.controls == [chassis.UP]


# The state is awaited and read back


def test_state_is_awaited(peer: RmcpPeer) -> None:
    peer.machine.power_delay = 1.0
    began = time.monotonic()
    assert performed(IPMI_POWER, peer, state="on")["power"]["state"] == "on"
    assert 1.0 <= time.monotonic() - began < 8


def test_accepted_and_not_done_is_an_error(peer: RmcpPeer) -> None:
    peer.machine.stuck = True
    result = performed(IPMI_POWER, peer, state="on", force_timeout=1.5)
    assert (result["failed"], result["error"]["type"]) == (True, "VerificationFailed")
    assert (result["error"]["expected"], result["error"]["found"]) == ("on", "off")


def test_operating_system_that_does_not_listen(peer: RmcpPeer) -> None:
    peer.machine.power, peer.machine.off_after_soft = True, None
    graceful = performed(IPMI_POWER, peer, state="off", graceful_timeout=1)
    assert graceful["error"]["type"] == "VerificationFailed"
    assert peer.machine.power, "it was forced without being asked for"
    forced = performed(IPMI_POWER, peer, state="off", method="graceful_then_force", graceful_timeout=1)
    assert forced["power"]["resets"] == ["GracefulShutdown", "ForceOff"]
    assert any("ForceOff instead" in text for text in forced["warnings"])
    assert not peer.machine.power


def test_shutdown_that_the_bmc_cannot_ask_for(peer: RmcpPeer) -> None:
    peer.machine.power, peer.machine.power_answers = True, {chassis.SOFT: chassis.BAD_FIELD}
    assert performed(IPMI_POWER, peer, state="off")["error"]["type"] == "Unsupported"
    forced = performed(IPMI_POWER, peer, state="off", method="graceful_then_force")
    assert forced["power"]["resets"] == ["ForceOff"]


def test_refusal_of_a_state_that_is_reached_is_success(peer: RmcpPeer) -> None:
    """Somebody else's hand was quicker between the look and the command."""

    class Hasty(Machine):
        def _chassis_control(self, data: bytes) -> tuple[int, bytes]:
            self.power = True
            return chassis.NOT_NOW, b""

    with RmcpPeer("127.63.3.3", machine=Hasty(fru=FRU)) as hasty:
        result = performed(IPMI_POWER, hasty, state="on")
        assert (result.get("failed"), result["power"]["state"]) == (None, "on")
    peer.machine.power_answers = {chassis.UP: chassis.NOT_NOW}
    assert performed(IPMI_POWER, peer, state="on")["error"]["type"] == "Refused"


def test_answer_to_the_command_lost_is_seen_by_the_state() -> None:
    """The machine's network port goes down with the machine: the BMC is silent for a while, and then still there."""

    class Away(Machine):
        away = False

        def do(self, netfn: int, command: int, data: bytes, privilege: int) -> tuple[int, bytes]:
            answer = super().do(netfn, command, data, privilege)
            self.away = self.away or (netfn, command) == (0, 2)
            return answer

    machine = Away(fru=FRU)
    silent_until = [0.0]

    def loses(kind: str, _count: int) -> bool:
        if machine.away and not silent_until[0]:
            silent_until[0] = time.monotonic() + 12
        return machine.away and time.monotonic() < silent_until[0]

    with RmcpPeer(ADDRESS, machine=machine, manners=Manners(loses=loses)) as away:
        result = performed(IPMI_POWER, away, state="on", force_timeout=60, connect_timeout=3)
        assert result.get("failed") is None, result
        assert (result["power"]["state"], machine.controls) == ("on", [chassis.UP])
        assert away.received["rakp3"] == 2, "one login before, one after the silence"


# Who, and with what right


def test_another_machine_is_refused_before_anything_is_changed(peer: RmcpPeer) -> None:
    for identity in ({"serial": "SN-0043"}, {"uuid": "aaaaaaaa-1111-2222-3333-444444444444"}):
        result = performed(IPMI_POWER, peer, state="on", identity=identity)
        assert (result["error"]["type"], result["changed"]) == ("IdentityMismatch", False)
    assert peer.machine.controls == []
    assert performed(IPMI_POWER, peer, state="on", identity={"serial": " brd-sn-1 "})["changed"] is True


def test_machine_that_says_nothing_of_itself_is_not_the_expected_one() -> None:
    with RmcpPeer(ADDRESS) as blank:
        assert performed(IPMI_POWER, blank, state="on")["error"]["type"] == "IdentityMismatch"
        unknown = performed(IPMI_POWER, blank, state="on", identity=None)
        assert unknown["changed"] is True
        assert any("which machine this must be" in text for text in unknown["warnings"])


def test_account_that_may_not_switch() -> None:
    accounts = {USERNAME: Account(PASSWORD, privilege=2)}
    with RmcpPeer(ADDRESS, accounts=accounts, machine=Machine(fru=FRU)) as peer:
        result = performed(IPMI_POWER, peer, state="on")
        assert result["error"]["type"] == "AccessDenied"
        assert "OPERATOR" in result["msg"] + result["error"]["next"]


def test_wrong_password_is_tried_once(task: Callable[..., Ran], peer: RmcpPeer) -> None:
    (result,) = task(peer, {"state": "on"}, hearth_bmc_password="wrong").results
    assert (result["error"]["type"], result["changed"]) == ("AuthenticationFailed", False)
    assert (peer.received["rakp1"], peer.received["rakp3"], peer.machine.controls) == (1, 0, [])


# Input


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        ({"state": "on", "unless_booted_since": "2026-11-21T15:00:00Z"}, "BadInput"),
        ({"state": "restarted", "unless_booted_since": "2026-11-21T15:00:00Z"}, "Unsupported"),
        ({"state": "on", "port": 70000}, "BadInput"),
        ({"state": "on", "deadline": 0}, "BadInput"),
        ({"state": "on", "username": "a-name-of-17-bytes"}, "BadInput"),
        ({"state": "on", "password": "x" * 21}, "BadInput"),
        ({"state": "on", "address": "https://127.63.3.1"}, "BadInput"),
        ({"state": "on", "identity": {"serial": "Default string"}}, "BadInput"),
    ],
)
def test_bad_input_is_found_before_anything_is_sent(peer: RmcpPeer, arguments: dict[str, Any], kind: str) -> None:
    assert performed(IPMI_POWER, peer, **arguments)["error"]["type"] == kind
    assert sum(peer.received.values()) == 0


def test_weak_suites_cannot_be_asked_for(task: Callable[..., Ran], peer: RmcpPeer) -> None:
    ran = task(peer, {"state": "on", "cipher_suites": [0]}, {"state": "on", "cipher_suites": [17, 2]})
    assert [result["error"]["type"] for result in ran.results] == ["BadInput", "BadInput"]
    assert sum(peer.received.values()) == 0


# The twin, and the two front ends


def test_options_are_those_of_redfish_power() -> None:
    ours, theirs = dict(IPMI_POWER.argument_spec), dict(REDFISH_POWER.argument_spec)
    assert set(ours) - set(theirs) == {"cipher_suites"}
    # What belongs to HTTP and TLS, and a hint and a choice that IPMI does not have
    assert set(theirs) - set(ours) == {"scheme", "trust", "ca_path", "pins", "platform", "discovered", "reset_type"}
    for option in set(ours) & set(theirs) - {"port"}:
        assert ours[option] == theirs[option], option


def test_result_has_the_keys_of_redfish_power(peer: RmcpPeer) -> None:
    done = performed(IPMI_POWER, peer, state="on")
    assert set(done["power"]) == {"system", "state", "previous_state", "resets", "offered"}
    assert set(done) == {"changed", "power", "diff"}
    failed = performed(IPMI_POWER, peer, state="on", identity={"serial": "other"})
    assert set(failed["error"]) == {"type", "expected", "found", "where", "next"}


def test_both_front_ends_give_the_same_keys_and_no_password(tmp_path: Path, peer: RmcpPeer) -> None:
    folder = PlaybookFolder(tmp_path)
    arguments: list[dict[str, Any]] = [
        {"state": "on"},
        {"state": "off", **CUT},
        {"state": "on", "identity": {"serial": "another"}},
        {"state": "nonsense"},
    ]
    canary = "canary-4711-hush"
    peer.accounts[USERNAME] = Account(canary)
    variables = {**hostvars(peer), "hearth_bmc_password": canary}
    shapes = []
    for where in ({}, {"delegate_to": "jump"}):
        tasks = [{MODULE: one, "ignore_errors": True, **where} for one in arguments]
        ran = folder.run(tasks, "--diff", "-vvv", **variables)
        assert ran.outcomes == ["ok", "ok", "failed", "failed"]
        assert canary not in ran.said and canary not in str(ran.results)
        shapes.append([shape(result) for result in ran.results])
    assert shapes[0] == shapes[1]
    written = [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "variables.yml"]
    assert [path for path in written if canary.encode() in path.read_bytes()] == []


def test_host_that_was_discovered_by_redfish_keeps_its_port_to_redfish(tmp_path: Path) -> None:
    """hearth_bmc.port is 443 then; IPMI is on its own, or where the task says."""
    with RmcpPeer("127.63.3.4", machine=Machine(fru=FRU)) as peer:
        variables = hostvars(peer, protocol="redfish", port=443, system="/redfish/v1/Systems/1", scheme="https")
        tasks = [{MODULE: {"state": "on", "port": peer.port}}, {MODULE: {"state": "on", "connect_timeout": 1}}]
        ran = PlaybookFolder(tmp_path).run([tasks[0], {**tasks[1], "ignore_errors": True}], **variables)
    assert ran.results[0]["changed"] is True
    assert "port 623" in ran.results[1]["error"]["where"]


def test_group_defaults_reach_it(tmp_path: Path, peer: RmcpPeer) -> None:
    folder = PlaybookFolder(tmp_path)
    defaults = {"group/hearth.datacenter.ipmi": {"identity": {"serial": "from-the-defaults"}}}
    ran = folder.run([{"block": [{MODULE: {"state": "on"}}], "module_defaults": defaults}], **hostvars(peer))
    assert ran.results[0]["error"]["expected"] == "serial from-the-defaults"
    assert IDENTITY["serial"] in ran.results[0]["error"]["found"]
