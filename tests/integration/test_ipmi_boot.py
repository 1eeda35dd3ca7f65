# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module ipmi_boot: on the RMCP+ peer, which ipmitool has judged, and on ipmi_sim, which keeps half of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._glue.ipmi_boot import IPMI_BOOT
from ansible_collections.hearth.datacenter.plugins.module_utils._glue.ipmi_power import IPMI_POWER
from ansible_collections.hearth.datacenter.plugins.module_utils._glue.redfish_boot import REDFISH_BOOT
from ansible_collections.hearth.datacenter.plugins.module_utils._ipmi.boot import LAPSES, TARGETS
from tests.emulators.rmcp.machine import Machine
from tests.emulators.rmcp.peer import RmcpPeer
from tests.integration.ipmi_run import FRU, hostvars, performed
from tests.integration.ipmi_sim import IpmiSim, missing_tool
from tests.integration.playbook_run import PlaybookFolder, Ran
from tests.integration.result_shape import shape

pytest.importorskip("pyghmi", reason="pyghmi is not installed")

ADDRESS = "127.63.4.1"
MODULE = "hearth.datacenter.ipmi_boot"
PXE_ONCE = {"state": "once", "target": "pxe", "mode": "uefi"}
NOTHING = {"state": "disabled", "target": None, "mode": None}


@pytest.fixture
def peer() -> Iterator[RmcpPeer]:
    with RmcpPeer(ADDRESS, machine=Machine(fru=FRU)) as found:
        yield found


@pytest.fixture(params=["in process", "delegated"])
def task(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., Ran]:
    """Runs tasks of the module, one after another, by one of the two front ends."""
    folder = PlaybookFolder(tmp_path)

    def run(bmc: Any, *arguments: dict[str, Any], words: tuple[str, ...] = ()) -> Ran:
        where = {"delegate_to": "jump"} if request.param == "delegated" else {}
        tasks = [{MODULE: one, "ignore_errors": True, **where} for one in arguments]
        return folder.run(tasks, *words, **hostvars(bmc))

    return run


def override(result: dict[str, Any]) -> dict[str, Any]:
    return {key: result["boot"][key] for key in ("state", "target", "mode")}


def test_check_run_run_again_and_take_back(task: Callable[..., Ran], peer: RmcpPeer) -> None:
    (check,) = task(peer, PXE_ONCE, words=("--check", "--diff")).results
    assert peer.machine.boot_flags == bytes(5)
    disabled = {"state": "disabled"}
    done, again, gone, still = task(peer, PXE_ONCE, PXE_ONCE, disabled, disabled, words=("--diff",)).results

    assert [result["changed"] for result in (check, done, again, gone, still)] == [True, True, False, True, False]
    assert check["diff"] == done["diff"]
    assert done["diff"]["after"] | PXE_ONCE == done["diff"]["after"]
    assert done["diff"]["before"] | NOTHING == done["diff"]["before"]
    assert (override(done), override(again), override(gone)) == (PXE_ONCE, PXE_ONCE, NOTHING)
    assert "warnings" not in done and peer.sessions == 0


def test_continuous_and_what_stays_as_it_is(peer: RmcpPeer) -> None:
    lasting = performed(IPMI_BOOT, peer, state="continuous", target="cd", mode="uefi")
    assert override(lasting) == {"state": "continuous", "target": "cd", "mode": "uefi"}
    assert performed(IPMI_BOOT, peer, state="continuous", target="CD")["changed"] is False
    once = performed(IPMI_BOOT, peer, state="once", target="bios-setup")
    assert override(once) == {"state": "once", "target": "bios_setup", "mode": "uefi"}, "no mode keeps the mode"


@pytest.mark.parametrize("target", TARGETS)
def test_each_target_is_read_back(peer: RmcpPeer, target: str) -> None:
    done = performed(IPMI_BOOT, peer, state="once", target=target)
    assert done["boot"]["target"] == ("usb" if target == "floppy" else target)
    assert performed(IPMI_BOOT, peer, state="once", target=target)["changed"] is False


def test_once_is_once(peer: RmcpPeer) -> None:
    """The machine boots by it, and then it is gone, as the RMCP+ peer's machine says."""
    performed(IPMI_BOOT, peer, **PXE_ONCE)
    performed(IPMI_POWER, peer, state="on")
    assert peer.machine.boots == [1]
    assert performed(IPMI_BOOT, peer, check=True, **PXE_ONCE)["changed"] is True
    performed(IPMI_POWER, peer, state="power_cycled", method="force")
    assert peer.machine.boots == [1, 0]


def test_override_does_not_lapse_after_a_minute() -> None:
    now = [0.0]
    with RmcpPeer(ADDRESS, machine=Machine(fru=FRU, clock=lambda: now[0])) as peer:
        assert "warnings" not in performed(IPMI_BOOT, peer, **PXE_ONCE)
        now[0] = 3600.0
        assert performed(IPMI_BOOT, peer, **PXE_ONCE)["changed"] is False


def test_bmc_that_cannot_be_kept_from_it_gives_a_warning() -> None:
    machine = Machine(fru=FRU, boot_parameters=frozenset((5,)))
    with RmcpPeer(ADDRESS, machine=machine) as peer:
        done = performed(IPMI_BOOT, peer, **PXE_ONCE)
        assert (done["warnings"], override(done)) == ([LAPSES], PXE_ONCE)


@pytest.mark.parametrize("forgotten", [0x80, 0x40, 0x20], ids=["valid", "persistent", "uefi"])
def test_accepted_and_not_kept_is_an_error(forgotten: int) -> None:
    with RmcpPeer(ADDRESS, machine=Machine(fru=FRU, forgets=forgotten)) as peer:
        result = performed(IPMI_BOOT, peer, state="continuous", target="pxe", mode="uefi")
        assert result["error"]["type"] == "VerificationFailed"
        assert result["error"]["expected"] == "continuous, pxe, uefi"


def test_somebody_else_who_is_setting_boot_options_is_busy(peer: RmcpPeer) -> None:
    peer.machine.do(0, 8, bytes((0, 1)), 4)
    result = performed(IPMI_BOOT, peer, **PXE_ONCE)
    assert (result["error"]["type"], peer.machine.boot_flags) == ("Busy", bytes(5))


def test_nobody_is_kept_waiting_after_an_error() -> None:
    class Fussy(Machine):
        def _set_boot(self, data: bytes) -> tuple[int, bytes]:
            return (0xCC, b"") if data[0] == 5 else super()._set_boot(data)

    with RmcpPeer("127.63.4.2", machine=Fussy(fru=FRU)) as fussy:
        assert performed(IPMI_BOOT, fussy, **PXE_ONCE)["error"]["type"] == "Unsupported"
        assert fussy.machine.do(0, 9, bytes((0, 0, 0)), 4) == (0, b"\x01\x00\x00"), "set in progress was left behind"


def test_ipmi_sim_does_not_mark_flags_as_valid_which_is_no_success(tmp_path: Path) -> None:
    """The device is kept, the valid bit is not, and by the standard such flags count for nothing.

    bmc_chassis.c of OpenIPMI 2.0.33 to 2.0.37 hands the device to the machine, drops byte 1, and answers zero for it
    whatever is configured. Once or always, UEFI or not, is nowhere to be read, so success would be a guess.
    """
    if missing_tool():
        pytest.skip(missing_tool())
    with IpmiSim(tmp_path / "sim", address="127.63.4.3", fru_data=FRU, chassis=True) as sim:
        result = performed(IPMI_BOOT, sim, state="once", target="pxe")
        assert sim.chassis_state("boot") == "pxe"
        assert (result["error"]["type"], result["error"]["found"]) == ("VerificationFailed", "pxe, not marked as valid")
        gone = performed(IPMI_BOOT, sim, state="disabled")
        assert (gone["changed"], override(gone)) == (False, NOTHING)


@pytest.mark.parametrize(
    ("arguments", "kind", "told"),
    [
        ({"state": "once", "target": "tape"}, "Unsupported", "pxe, hdd"),
        ({"state": "once", "target": "none"}, "Unsupported", "pxe, hdd"),
        ({"state": "disabled", "target": "pxe"}, "BadInput", "without a boot override"),
        ({"state": "once", "target": "pxe", "http_boot_uri": "https://x/y.efi"}, "Unsupported", "http_boot_uri"),
        ({"order": ["Boot0001"]}, "Unsupported", "order"),
    ],
)
def test_bad_input_is_found_before_anything_is_sent(
    peer: RmcpPeer, arguments: dict[str, Any], kind: str, told: str
) -> None:
    result = performed(IPMI_BOOT, peer, **arguments)
    assert result["error"]["type"] == kind
    assert told in result["msg"] + result["error"]["found"]
    assert sum(peer.received.values()) == 0


def test_another_machine_is_refused_before_anything_is_changed(peer: RmcpPeer) -> None:
    result = performed(IPMI_BOOT, peer, identity={"serial": "SN-0043"}, **PXE_ONCE)
    assert (result["error"]["type"], peer.machine.boot_flags) == ("IdentityMismatch", bytes(5))


def test_options_are_those_of_redfish_boot() -> None:
    ours, theirs = dict(IPMI_BOOT.argument_spec), dict(REDFISH_BOOT.argument_spec)
    assert set(ours) - set(theirs) == {"cipher_suites"}
    assert set(theirs) - set(ours) == {"scheme", "trust", "ca_path", "pins", "platform", "discovered"}
    for option in set(ours) & set(theirs) - {"port"}:
        assert ours[option] == theirs[option], option
    for rules in ("required_one_of", "required_if", "required_together", "mutually_exclusive"):
        assert getattr(IPMI_BOOT, rules) == getattr(REDFISH_BOOT, rules)


def test_both_front_ends_give_the_same_keys(tmp_path: Path, peer: RmcpPeer) -> None:
    folder = PlaybookFolder(tmp_path)
    arguments: list[dict[str, Any]] = [PXE_ONCE, {"state": "disabled"}, {"state": "once"}, {"target": "pxe"}]
    shapes = []
    for where in ({}, {"delegate_to": "jump"}):
        tasks = [{MODULE: one, "ignore_errors": True, **where} for one in arguments]
        ran = folder.run(tasks, "--diff", **hostvars(peer))
        assert ran.outcomes == ["ok", "ok", "failed", "failed"]
        shapes.append([shape(result) for result in ran.results])
    assert shapes[0] == shapes[1]
