# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The machine behind a BMC, where it is a libvirt domain: power, boot source and media act on the real thing.

What the BMC shows is what libvirt tells: its events, and a look at the state where events may have been missed. What
changes the domain runs one thing after the other, beside the answering of requests. Nothing is written into the
domain's definition: media and boot order are given to the running QEMU alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.emulators.redfish.domains import boot_order, trays
from tests.emulators.redfish.domains.boot_order import Bootable
from tests.emulators.redfish.domains.console import ConsoleFile
from tests.emulators.redfish.domains.description import Domain
from tests.emulators.redfish.domains.remote_image import Source
from tests.emulators.redfish.domains.trays import LiveDomain, Medium
from tests.emulators.redfish.domains.virsh import Event, Virsh
from tests.emulators.redfish.machine import MachineFailed, SlotBusy

# what `virsh domstate` and `virsh list` say → PowerState
_STATES = {
    "running": "On",
    "idle": "On",
    "pmsuspended": "On",  # the host sleeps, and its power is there
    "paused": "Paused",
    "in shutdown": "PoweringOff",
    "dying": "PoweringOff",
    "shut off": "Off",
    "crashed": "Off",
    "no state": "Off",
}
# the first word of a lifecycle event → PowerState
_LIFECYCLE = {
    "Started": "On",
    "Resumed": "On",
    "PMSuspended": "On",
    "Suspended": "Paused",
    "Shutdown": "PoweringOff",
    "Stopped": "Off",
    "Crashed": "Off",
}
_ANSWER_WITHIN = 15.0  # seconds that an action waits for its machine before it says "accepted"
_RESET_TOLD = 15.0  # seconds that libvirt has to tell of a reset, on a machine with much to do


@dataclass
class BmcSide:
    """What the machine asks of its BMC, and tells it."""

    boot_source: Callable[[], tuple[str, str]]  # (BootSourceOverrideEnabled, …Target) as they stand
    boot_begun: Callable[[], None]  # the override for one boot is used up
    log: Callable[[str, str], None]  # (text, severity)
    loop: asyncio.AbstractEventLoop


@dataclass
class _Slot:
    tray: int  # its place among the domain's CD-ROM drives
    medium: Medium | None = None
    busy: bool = False


@dataclass
class _Power:
    state: str = "Off"
    goal: str = ""  # On or Off: where what is under way leads
    passing: str = ""  # shown meanwhile: PoweringOn, PoweringOff
    since: float = -math.inf  # the machine was switched on or restarted; not known of one that was never seen on


class DomainMachine:
    def __init__(
        self, domain: Domain, virsh: Virsh, side: BmcSide, folder: Path, *, own_address: str, media_ca: str = ""
    ) -> None:
        """``folder``: where sockets of media go; QEMU's user can reach it."""
        self.domain = domain
        self._virsh = virsh
        self._side = side
        self._folder = folder
        self._own_address = own_address
        self._media_ca = media_ca
        self._console = ConsoleFile(domain.console) if domain.console else None
        self._power = _Power()
        self._lock = asyncio.Lock()  # one change of the domain at a time
        self._tasks: set[asyncio.Task[None]] = set()
        self._last: asyncio.Task[None] | None = None
        self._slots: dict[str, _Slot] = {}
        self._ours = False  # the start that is under way is ours
        self._dressed = ""  # libvirt's number of the QEMU whose drives were filled at its start
        self._reset_seen: asyncio.Event | None = None
        self._usual: list[str] = []  # ids of devices in the order that the domain's definition gives
        self._arranged: list[str] = []  # the order that QEMU has now
        self._devices: tuple[Bootable, ...] = ()

    # what the BMC shows (machine.Machine)

    @property
    def power_state(self) -> str:
        return self._power.passing or self._power.state

    @property
    def powered_on(self) -> bool:
        return self.power_state in ("On", "PoweringOff", "Paused")

    @property
    def boot_progress(self) -> str:
        if self._console is None or not self.powered_on:
            return "None"
        return self._console.progress()

    @property
    def seconds_since_boot(self) -> float:
        return time.monotonic() - self._power.since

    # power

    def reset(self, reset_type: str) -> bool:
        """Begins it. False: that state is reached already and nothing happens."""
        state = self._power.goal or self._power.state
        on = state in ("On", "Paused")
        power = self._power
        if reset_type == "PushPowerButton":
            reset_type = "GracefulShutdown" if on else "On"
        if reset_type in ("On", "ForceOn") or (reset_type in ("PowerCycle", "FullPowerCycle") and not on):
            if on:
                return False
            power.goal, power.passing = "On", "PoweringOn"
            self._begin(self._start())
        elif reset_type == "ForceOff":
            if state == "Off":
                return False
            power.goal, power.passing = "Off", "PoweringOff"
            self._begin(self._destroy())
        elif not on:
            return False  # nothing to restart, to shut down or to interrupt
        elif reset_type in ("PowerCycle", "FullPowerCycle"):
            power.goal, power.passing = "On", "PoweringOff"
            self._begin(self._cycle())
        elif reset_type == "GracefulShutdown":
            # the guest may take its time, or not listen at all: the power is on until it is off
            self._begin(self._simply("shutdown", "--mode", "acpi"))
        elif reset_type == "GracefulRestart":
            self._begin(self._simply("reboot", "--mode", "acpi"))
        elif reset_type == "ForceRestart":
            self._begin(self._simply("reset"))
        elif reset_type == "Nmi":
            self._begin(self._simply("inject-nmi"))
        elif reset_type == "Pause" and state == "On":
            self._begin(self._simply("suspend"))
        elif reset_type == "Resume" and state == "Paused":
            self._begin(self._simply("resume"))
        else:
            return False
        return True

    async def settled(self) -> None:
        """Until the domain has been given what reset() began. Raises MachineFailed where it would not; what takes
        very long goes on alone, and its failure stands in the log."""
        last = self._last
        if last is None:
            return
        done, _dummy = await asyncio.wait({last}, timeout=_ANSWER_WITHIN)
        if done and not last.cancelled():
            error = last.exception()
            if error is not None:
                raise error

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._side.loop.create_task(self._in_turn(work))
        self._last = task
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task is self._last:
            self._power.goal = self._power.passing = ""
        error = None if task.cancelled() else task.exception()
        if isinstance(error, MachineFailed):
            self._side.log(f"The machine did not do it: {error}", "Critical")
        elif error is not None:
            self._side.loop.call_exception_handler({"message": "a machine's task failed", "exception": error})

    async def _in_turn(self, work: Coroutine[Any, Any, None]) -> None:
        async with self._lock:
            await work

    async def _simply(self, command: str, *options: str) -> None:
        if command in ("reset", "reboot"):
            await self._arrange()
        await self._virsh.run(command, self.domain.name, *options)

    async def _destroy(self) -> None:
        self._power.passing = "PoweringOff"
        with contextlib.suppress(MachineFailed):
            await self._virsh.run("destroy", self.domain.name)
        await self.look()
        if self._power.state != "Off":
            raise MachineFailed(f"{self.domain.name} is still {self._power.state} after it was switched off")

    async def _cycle(self) -> None:
        await self._destroy()
        self._power.passing = "PoweringOn"
        await self._start()

    async def _start(self) -> None:
        """Held before its first instruction, given its media and its order of boot sources, and let go."""
        name = self.domain.name
        self._ours = True
        try:
            await self._virsh.run("start", name, "--paused", seconds=120.0)
            try:
                await self._dress()
                if await self._arrange():
                    await self._reset_held()
                self._boots()
                await self._virsh.run("resume", name)
            except MachineFailed:
                with contextlib.suppress(MachineFailed):
                    await self._virsh.run("destroy", name)
                raise
        finally:
            self._ours = False
            await self.look()
        self.rearrange()  # for the boot after this one

    async def _number(self) -> str:
        """libvirt's number of the running QEMU: each start has its own. "-" when there is none."""
        return (await self._virsh.run("domid", self.domain.name)).strip()

    async def _reset_held(self) -> None:
        """The firmware is told the order at a reset only. Waits until libvirt has seen it, so that it is not taken
        for one of the guest's."""
        self._reset_seen = asyncio.Event()
        try:
            await self._virsh.monitor(self.domain.name, {"execute": "system_reset"})
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._reset_seen.wait(), _RESET_TOLD)
        finally:
            self._reset_seen = None

    async def look(self) -> None:
        """What libvirt says of the power now."""
        states = await self._virsh.states()
        self._came_to(_STATES.get(states.get(self.domain.name, ""), "Off"))

    def _came_to(self, state: str) -> None:
        if state == "On" and self._power.state == "Off" and not self._ours:
            self._power.since = time.monotonic()
        if state == "Off":
            self._dressed = ""  # a libvirtd that was restarted counts from 1 again
        self._power.state = state

    def _boots(self) -> None:
        self._power.since = time.monotonic()
        if self._console is not None:
            self._console.boot_begins()
        self._side.boot_begun()

    # what libvirt tells

    def told(self, event: Event) -> None:
        if event.kind == "reboot":
            if self._reset_seen is not None:
                self._reset_seen.set()
            elif not self._ours:
                self._boots()
                self._side.log("The machine has restarted.", "OK")
                self.rearrange()
        elif event.kind == "lifecycle":
            word, _dummy, reason = event.detail.partition(" ")
            state = _LIFECYCLE.get(word)
            if self._ours or state is None:
                return  # a start of ours looks by itself
            before = self._power.state
            self._came_to(state)
            # What the power was before says nothing of a start: a look, or the word that the CPUs run, may be first.
            if word == "Started" and not self._power.goal:
                if reason == "Booted":
                    self._begin(self._started_by_others())
                else:  # a saved state goes on where it was
                    self._usual = []  # another QEMU, which has heard of no order
                    if self._console is not None:
                        self._console.boot_began()
                    self.rearrange()
            elif state == "Off" and before != "Off" and self._power.goal != "Off":
                self._side.log("The machine has switched itself off.", "OK")

    async def _started_by_others(self) -> None:
        """A start past the BMC: its media and boot source count there, too, before the firmware has looked."""
        number = await self._number()
        if number in ("-", self._dressed):
            return  # gone again, or this is a late word of a start of ours
        self._side.log("The machine was switched on.", "OK")
        await self._dress()
        if await self._arrange():
            await self._reset_held()
        self._boots()
        self.rearrange()

    def missed(self) -> None:
        """Events may have been missed."""
        if not self._ours and not self._tasks:
            self._spawn(self.look())

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Beside everything, and its failure is only said."""

        async def run() -> None:
            try:
                await work
            except MachineFailed as error:
                print(f"{self.domain.name}: {error}", file=sys.stderr, flush=True)

        task = self._side.loop.create_task(run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # boot source

    def rearrange(self) -> None:
        """The boot source, or what is in the drives, has changed."""
        self._spawn(self._in_turn(self._arrange_if_running()))

    async def _arrange_if_running(self) -> None:
        if self._power.state in ("On", "Paused"):
            await self._arrange()

    async def _arrange(self) -> bool:
        """Gives the running QEMU the order of the next boot. True: it was another one."""
        name = self.domain.name
        if not self._usual:
            self._devices = await boot_order.bootables(self._virsh, name)
            self._usual = self._arranged = boot_order.usual_order(self._devices)
        enabled, target = self._side.boot_source()
        order = self._usual
        if enabled in ("Once", "Continuous") and target in boot_order.TARGETS:
            live = await self._live()
            present = [live.trays[tray.target].identifier for tray in self.domain.trays if tray.target in live.trays]
            loaded = {
                live.trays[self.domain.trays[slot.tray].target].identifier
                for slot in self._slots.values()
                if slot.medium is not None and self.domain.trays[slot.tray].target in live.trays
            }
            order = boot_order.overridden(self._usual, self._devices, target, present, loaded)
        if order == self._arranged:
            return False
        await boot_order.arrange(self._virsh, name, self._devices, order)
        self._arranged = order
        return True

    async def _live(self) -> LiveDomain:
        return trays.read_live(await self._virsh.run("dumpxml", self.domain.name))

    # virtual media

    def offer(self, slot: str, tray: int) -> None:
        """The path of a VirtualMedia resource and the place of its drive."""
        self._slots[slot] = _Slot(tray)

    def has(self, slot: str) -> bool:
        return slot in self._slots

    async def insert(self, slot: str, image: str, username: str = "", password: str = "") -> None:
        """Raises MediumRefused, SlotBusy or MachineFailed; the slot is empty then."""
        found = self._slots[slot]
        if found.busy or found.medium is not None:
            raise SlotBusy
        found.busy = True
        try:
            source = Source(image, self._own_address, ca=self._media_ca, username=username, password=password)
            medium = await asyncio.to_thread(
                Medium, source, self._folder, f"{self.domain.name}-{found.tray + 1}", self._said
            )
            try:
                async with self._lock:
                    if self._power.state in ("On", "Paused"):
                        await trays.plug(
                            self._virsh, self.domain.name, self.domain.trays[found.tray], medium, await self._live()
                        )
                    found.medium = medium
            except BaseException:
                await asyncio.to_thread(medium.close)
                raise
        finally:
            found.busy = False
        self.rearrange()

    async def eject(self, slot: str) -> None:
        """Raises SlotBusy, or MachineFailed where the machine keeps hold of its drive (the medium is dead then)."""
        found = self._slots[slot]
        if found.busy:
            raise SlotBusy
        medium, found.medium = found.medium, None
        if medium is None:
            return
        found.busy = True
        try:
            # QEMU waits for reads under way before it lets go of a medium: from a dead server it would for ever
            await asyncio.to_thread(medium.dies)
            async with self._lock:
                if self._power.state in ("On", "Paused"):
                    await trays.unplug(self._virsh, self.domain.name, self.domain.trays[found.tray])
        finally:
            await asyncio.to_thread(medium.close)
            found.busy = False
        self.rearrange()

    def _said(self, text: str) -> None:
        """From a reading thread."""
        self._side.loop.call_soon_threadsafe(self._side.log, f"Virtual media: {text}", "Warning")

    async def _dress(self) -> None:
        """Puts into the drives of a domain that has just been started what the slots hold."""
        self._usual = []  # another QEMU, which has heard of no order
        self._dressed = await self._number()
        live = await self._live()
        for slot in self._slots.values():
            if slot.medium is not None:
                await trays.plug(self._virsh, self.domain.name, self.domain.trays[slot.tray], slot.medium, live)

    # begin and end of the BMC

    async def begin(self) -> None:
        """Looks at the machine as it is. A medium that an earlier run of this BMC left in a drive is taken out: its
        server is gone."""
        await self.look()
        if self._power.state not in ("On", "Paused"):
            return
        self._power.since = self._started_at()
        live = await self._live()
        for tray in self.domain.trays:
            loaded = live.trays.get(tray.target)
            if loaded is not None and loaded.socket and Path(loaded.socket).parent == self._folder:
                await trays.unplug(self._virsh, self.domain.name, tray)
        if self._console is not None:
            self._console.boot_began()

    def _started_at(self) -> float:
        """By the file that libvirt writes when it starts a QEMU."""
        try:
            written = Path(f"/run/libvirt/qemu/{self.domain.name}.pid").stat().st_mtime
        except OSError:
            return -math.inf
        return time.monotonic() - (time.time() - written)

    async def end(self) -> None:
        """Takes the media out; the machine runs on."""
        await self.drop_media()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def drop_media(self) -> None:
        """As a BMC does that restarts."""
        ejected: list[Awaitable[None]] = [self.eject(slot) for slot, found in self._slots.items() if found.medium]
        for outcome in await asyncio.gather(*ejected, return_exceptions=True):
            if isinstance(outcome, BaseException):
                print(f"{self.domain.name}: {outcome!r}", file=sys.stderr, flush=True)
