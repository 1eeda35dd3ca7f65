# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The IPMI modules on VirtualBMC, whose machine is QEMU's: what they say is compared with what libvirt says.

VirtualBMC has no FRU data, GUID, sensors or event log, so nothing tells which machine it is. Of the boot flags it keeps
the device, and of the devices three; it says of every override that it is valid, for once, and legacy. It reads the
device from the machine that runs, and sets that of the next start.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core.identity import serial
from ansible_collections.hearth.datacenter.plugins.module_utils._glue.ipmi_boot import IPMI_BOOT
from ansible_collections.hearth.datacenter.plugins.module_utils._glue.ipmi_info import IPMI_INFO
from ansible_collections.hearth.datacenter.plugins.module_utils._glue.ipmi_power import IPMI_POWER
from ansible_collections.hearth.datacenter.plugins.module_utils._ipmi.session import SHA1_WARNING
from tests.integration.ipmi_run import hostvars, performed
from tests.integration.ipmi_sim import PASSWORD, USERNAME
from tests.integration.playbook_run import PlaybookFolder
from tests.lab.engine.errors import LabError
from tests.servers.firmware_machine import FirmwareMachine, firmware_machine
from tests.servers.virtualbmc import VirtualBmc, vbmcd

pytest.importorskip("pyghmi", reason="pyghmi is not installed")

ADDRESS = "127.42.0.1"


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[VirtualBmc, FirmwareMachine]]:
    folder = tmp_path_factory.mktemp("virtualbmc")
    with contextlib.ExitStack() as ended:
        try:
            vbmcd()
            domain = ended.enter_context(firmware_machine(f"hearth-vbmc-{os.getpid()}", folder))
        except LabError as missing:
            pytest.skip(str(missing))
        yield ended.enter_context(VirtualBmc(folder, domain.name, ADDRESS, USERNAME, PASSWORD)), domain


@pytest.fixture
def domain(bench: tuple[VirtualBmc, FirmwareMachine]) -> FirmwareMachine:
    return bench[1]


@pytest.fixture
def bmc(bench: tuple[VirtualBmc, FirmwareMachine]) -> Iterator[VirtualBmc]:
    """With its machine off."""
    yield bench[0]
    off = performed(IPMI_POWER, bench[0], state="off", method="force", identity=None)
    assert off["power"]["state"] == "off"


def done(contract: Any, bmc: VirtualBmc, **arguments: Any) -> dict[str, Any]:
    return performed(contract, bmc, identity=None, **arguments)


def override(result: dict[str, Any]) -> tuple[str, str, str]:
    return tuple(result["boot"][key] for key in ("state", "target", "mode"))  # type: ignore[return-value]


def test_check_run_and_run_again(bmc: VirtualBmc, domain: FirmwareMachine) -> None:
    check = done(IPMI_POWER, bmc, state="on", check=True)
    assert domain.state == "shut off"
    on, again = done(IPMI_POWER, bmc, state="on"), done(IPMI_POWER, bmc, state="on")
    assert [result["changed"] for result in (check, on, again)] == [True, True, False]
    assert (domain.state, on["power"]["state"], check["diff"]) == ("running", "on", on["diff"])
    assert SHA1_WARNING in on["warnings"], "VirtualBMC has suite 3 only"


def test_power_cycle_is_a_new_start(bmc: VirtualBmc, domain: FirmwareMachine) -> None:
    done(IPMI_POWER, bmc, state="on")
    first = domain.started
    cycled = done(IPMI_POWER, bmc, state="power_cycled", method="force")
    assert (cycled["power"]["resets"], domain.state) == (["ForceOff", "On"], "running")
    assert domain.started != first
    second = domain.started
    reset = done(IPMI_POWER, bmc, state="restarted", method="force", force_timeout=4)
    assert (reset["power"]["resets"], domain.started) == (["ForceRestart"], second), "a reset is no new start"


def test_machine_that_does_not_listen_is_not_off_by_being_asked(bmc: VirtualBmc, domain: FirmwareMachine) -> None:
    done(IPMI_POWER, bmc, state="on")
    asked = done(IPMI_POWER, bmc, state="off", graceful_timeout=2)
    assert (asked["error"]["type"], domain.state) == ("VerificationFailed", "running")
    forced = done(IPMI_POWER, bmc, state="off", method="graceful_then_force", graceful_timeout=2)
    assert (forced["power"]["resets"], domain.state) == (["GracefulShutdown", "ForceOff"], "shut off")


@pytest.mark.parametrize(("target", "device"), [("pxe", "network"), ("cd", "cdrom"), ("hdd", "hd")])
def test_boot_device_of_the_next_start(bmc: VirtualBmc, domain: FirmwareMachine, target: str, device: str) -> None:
    other = "hdd" if target == "pxe" else "pxe"
    done(IPMI_BOOT, bmc, state="once", target=other)
    before = domain.boot_devices
    check = done(IPMI_BOOT, bmc, state="once", target=target, check=True)
    assert domain.boot_devices == before
    changed, again = (done(IPMI_BOOT, bmc, state="once", target=target) for _time in range(2))
    assert [result["changed"] for result in (check, changed, again)] == [True, True, False]
    assert domain.boot_devices == [device]
    assert override(changed) == override(again) == ("once", target, "legacy")


@pytest.mark.parametrize(
    "wanted",
    [
        {"state": "once", "target": "pxe", "mode": "uefi"},
        {"state": "continuous", "target": "pxe"},
        {"state": "once", "target": "bios_setup"},
        {"state": "disabled"},
    ],
    ids=str,
)
def test_accepted_and_not_kept_is_no_success(bmc: VirtualBmc, wanted: dict[str, Any]) -> None:
    done(IPMI_BOOT, bmc, state="once", target="hdd")
    assert done(IPMI_BOOT, bmc, **wanted)["error"]["type"] == "VerificationFailed"


def test_boot_device_of_a_machine_that_runs_cannot_be_read_back(bmc: VirtualBmc, domain: FirmwareMachine) -> None:
    """It is set for the next start, and shown of this one: that it was done cannot be seen, and is not claimed."""
    done(IPMI_BOOT, bmc, state="once", target="hdd")
    done(IPMI_POWER, bmc, state="on")
    result = done(IPMI_BOOT, bmc, state="once", target="pxe")
    assert (result["error"]["type"], result["error"]["found"]) == ("VerificationFailed", "once, hdd, legacy")
    assert domain.boot_devices == ["network"]


def test_information(bmc: VirtualBmc) -> None:
    result = done(IPMI_INFO, bmc, subset=["all"])
    info = result["info"]
    assert (info["power"]["state"], info["boot"]["enabled"]) == ("off", "once")
    assert serial(info["system"]["serial"]) is None and info["sensors"] is None and info["logs"] is None
    assert any("the sensors" in text for text in result["warnings"])


def test_wrong_password_and_expected_identity(bmc: VirtualBmc, domain: FirmwareMachine) -> None:
    """VirtualBMC says nothing to a wrong proof. A machine that cannot say who it is, is not the expected one."""
    refused = done(IPMI_POWER, bmc, state="on", password="wrong", deadline=10)
    assert refused["error"]["type"] == "AuthenticationFailed"
    mistaken = performed(IPMI_POWER, bmc, state="on")
    assert (mistaken["error"]["type"], domain.state) == ("IdentityMismatch", "shut off")


def test_role_by_protocol_alone(bmc: VirtualBmc, domain: FirmwareMachine, tmp_path: Path) -> None:
    """Through Ansible, with what discovery would have written down, in process and delegated."""
    folder = PlaybookFolder(tmp_path)
    variables = hostvars(bmc, expected=None)
    for where, state in (({}, "on"), ({"delegate_to": "jump"}, "off")):
        task = {"hearth.datacenter.ipmi_power": {"state": state, "method": "force"}, **where}
        ran = folder.run([task, task], **variables)
        assert [result["changed"] for result in ran.results] == [True, False], ran.said
        assert domain.state == ("running" if state == "on" else "shut off")
