# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The real machines of one worker: put behind their BMCs, told what libvirt says, let go at the end."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.emulators.redfish.actions.boot import use_boot_override
from tests.emulators.redfish.bmc import Bmc
from tests.emulators.redfish.domains.description import Domain
from tests.emulators.redfish.domains.machine import BmcSide, DomainMachine
from tests.emulators.redfish.domains.virsh import Event, EventStream, Virsh
from tests.emulators.redfish.plan import Plan

_LOOK_AGAIN = 10.0  # seconds; events tell nearly everything


class DomainMachines:
    def __init__(self, plan: Plan, domains: list[tuple[Bmc, Domain]]) -> None:
        self._virsh = Virsh(plan.libvirt_uri)
        self._machines: dict[str, DomainMachine] = {}
        for bmc, domain in domains:
            machine = DomainMachine(
                domain,
                self._virsh,
                _side(bmc),
                Path(plan.media_dir),
                own_address=bmc.unit.address,
                media_ca=plan.media_ca,
            )
            bmc.attach(machine)
            slots = bmc.platform.tree.by_kind.get("VirtualMedia", ())
            for number, slot in enumerate(slots):
                machine.offer(slot, number)
            self._machines[domain.name] = machine
        self._events = EventStream(plan.libvirt_uri, self._told, self._look)
        self._looking: asyncio.TimerHandle | None = None

    async def begin(self) -> None:
        """Raises MachineFailed where libvirt does not answer."""
        await self._events.begin()
        await asyncio.gather(*(machine.begin() for machine in self._machines.values()))
        self._look_now_and_then()

    async def end(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
        await asyncio.gather(*(machine.end() for machine in self._machines.values()), return_exceptions=True)
        await self._events.end()

    def _told(self, event: Event) -> None:
        machine = self._machines.get(event.domain)
        if machine is not None:
            machine.told(event)

    def _look(self) -> None:
        for machine in self._machines.values():
            machine.missed()

    def _look_now_and_then(self) -> None:
        self._look()
        self._looking = asyncio.get_running_loop().call_later(_LOOK_AGAIN, self._look_now_and_then)


def _side(bmc: Bmc) -> BmcSide:
    system = bmc.platform.tree.first("ComputerSystem")

    def boot_source() -> tuple[str, str]:
        boot = (bmc.body(system) or {}).get("Boot") or {}
        return boot.get("BootSourceOverrideEnabled") or "", boot.get("BootSourceOverrideTarget") or ""

    return BmcSide(
        boot_source=boot_source,
        boot_begun=lambda: use_boot_override(bmc, system),
        log=bmc.log,
        loop=bmc.around.loop,
    )
