# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a BMC makes of libvirt's words about a start, in whichever order they come: a busy libvirt changes it.

libvirt is scripted here, since its real order cannot be chosen; the scenario test_libvirt_bmc.py starts real machines.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.emulators.redfish.domains.description import Domain, Tray
from tests.emulators.redfish.domains.machine import BmcSide, DomainMachine
from tests.emulators.redfish.domains.virsh import Event, Virsh

RESUMED, BOOTED = Event("lifecycle", "m1", "Resumed Unpaused"), Event("lifecycle", "m1", "Started Booted")
STOPPED = Event("lifecycle", "m1", "Stopped Destroyed")
DOMAIN = Domain(
    "test:///", "m1", "", "", "", "", "", 1, "", 1, 1, 1, "x86_64", (), (Tray("sda", "sata"),), (), "", "", ""
)


class ScriptedVirsh(Virsh):
    def __init__(self) -> None:
        super().__init__("test:///")
        self.number = 0
        self.ran: list[str] = []

    async def run(self, *arguments: str, sent: str = "", seconds: float = 60.0) -> str:
        self.ran.append(arguments[0])
        if arguments[0] == "start":
            self.number += 1
        return {"domid": f"{self.number or '-'}\n", "dumpxml": "<domain/>"}.get(arguments[0], "")

    async def monitor(self, domain: str, *commands: dict[str, Any]) -> list[dict[str, Any]]:
        return [{"return": {}} for _command in commands]

    async def states(self) -> dict[str, str]:
        return {"m1": "running" if self.number else "shut off"}


class Bmc:
    """A BMC with its machine, and what was told to it."""

    def __init__(self, folder: Path) -> None:
        self.virsh, self.boots, self.said = ScriptedVirsh(), 0, list[str]()
        side = BmcSide(
            lambda: ("Once", "Cd"),
            self._boots,
            lambda text, _severity: self.said.append(text),
            asyncio.get_running_loop(),
        )
        self.machine = DomainMachine(DOMAIN, self.virsh, side, folder, own_address="127.0.0.1")

    def _boots(self) -> None:
        self.boots += 1

    async def quiet(self) -> None:
        while self.machine._tasks:
            await asyncio.sleep(0)


@pytest.mark.parametrize(
    "words", [(BOOTED, RESUMED), (RESUMED, BOOTED), ("look", BOOTED), ("look", RESUMED, BOOTED, RESUMED)]
)
def test_a_start_past_the_bmc_is_dressed_once_in_whichever_order_it_is_told(tmp_path: Path, words: Any) -> None:
    async def run() -> None:
        bmc = Bmc(tmp_path)
        bmc.virsh.number = 7
        for word in words:
            if isinstance(word, Event):
                bmc.machine.told(word)
            else:
                await bmc.machine.look()
        await bmc.quiet()
        assert (bmc.boots, bmc.said) == (1, ["The machine was switched on."])
        assert bmc.machine.power_state == "On"

    asyncio.run(run())


def test_a_late_word_of_a_start_of_our_own_changes_nothing(tmp_path: Path) -> None:
    async def run() -> None:
        bmc = Bmc(tmp_path)
        assert bmc.machine.reset("On")
        await bmc.machine.settled()
        await bmc.quiet()
        for word in (BOOTED, RESUMED):
            bmc.machine.told(word)
        await bmc.quiet()
        assert (bmc.boots, bmc.said) == (1, [])

    asyncio.run(run())


def test_of_a_machine_that_is_gone_again_nothing_is_asked(tmp_path: Path) -> None:
    async def run() -> None:
        bmc = Bmc(tmp_path)
        for word in (BOOTED, STOPPED):
            bmc.machine.told(word)
        await bmc.quiet()
        assert (bmc.boots, bmc.machine.power_state) == (0, "Off")
        assert "dumpxml" not in bmc.virsh.ran

    asyncio.run(run())


def test_a_number_that_comes_again_is_another_start(tmp_path: Path) -> None:
    """A libvirtd that was restarted counts from 1 again."""

    async def run() -> None:
        bmc = Bmc(tmp_path)
        for word in (BOOTED, STOPPED, BOOTED):
            bmc.virsh.number = 1
            bmc.machine.told(word)
            await bmc.quiet()
        assert bmc.boots == 2

    asyncio.run(run())
