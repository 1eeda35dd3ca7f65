# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a BMC does to its machine: a small interface, simulated here, a libvirt domain in domains/."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from tests.emulators.redfish.personality import Manners


class MachineFailed(Exception):
    """The machine, or what runs it, did not do what it was asked."""


class MediumRefused(Exception):
    """An image that cannot be inserted."""


class MediumUnreachable(MediumRefused):
    """Nobody answers at the image's address."""


class SlotBusy(Exception):
    """Something is in that slot, or being inserted or ejected."""


class Machine(Protocol):
    """One machine. Whoever implements it over a real one keeps these meanings."""

    @property
    def power_state(self) -> str:
        """``On``, ``Off``, ``PoweringOn``, ``PoweringOff`` or ``Paused``."""

    @property
    def powered_on(self) -> bool:
        """The host's parts have power."""

    @property
    def boot_progress(self) -> str:
        """A BootProgressTypes value of the ComputerSystem schema."""

    @property
    def seconds_since_boot(self) -> float:
        """Since the machine was last switched on or restarted; infinity where that is not known."""

    def reset(self, reset_type: str) -> bool:
        """Starts what a ResetType asks for. False: that state is reached already and nothing happens."""


class RealMachine(Machine, Protocol):
    """A machine that is there: what it is asked for takes its time, and it boots when it likes.

    It asks the BMC for the boot source, and tells it when a boot has begun.
    """

    async def settled(self) -> None:
        """Until the machine has been given what reset() began. Raises MachineFailed where it would not."""

    def rearrange(self) -> None:
        """The boot source has changed."""

    def has(self, slot: str) -> bool:
        """Whether media in that VirtualMedia resource (by its path) go to the machine."""

    async def insert(self, slot: str, image: str, username: str = "", password: str = "") -> None:
        """Raises MediumRefused, SlotBusy or MachineFailed; the slot is as it was then."""

    async def eject(self, slot: str) -> None:
        """Raises SlotBusy, or MachineFailed where the machine keeps hold of its drive (the medium is dead then)."""

    async def drop_media(self) -> None:
        """What a restart of the BMC does to its media."""


class SimulatedMachine:
    """A machine that is nothing but its power state and the time at which it changes.

    Nothing runs in between: what is due by the clock is looked up when somebody asks.
    """

    __slots__ = ("_booted_at", "_clock", "_due", "_manners", "_state")

    def __init__(self, manners: Manners, clock: Callable[[], float], state: str = "On") -> None:
        self._manners = manners
        self._clock = clock
        self._state = state
        self._due: list[tuple[float, str]] = []  # (when, state), in order
        self._booted_at = clock() - manners.boot_seconds  # when the power came on last; long ago at first

    def adopt(self, manners: Manners) -> None:
        """From now on with these."""
        self._manners = manners

    @property
    def power_state(self) -> str:
        now = self._clock()
        while self._due and self._due[0][0] <= now:
            when, self._state = self._due.pop(0)
            if self._state == "On":
                self._booted_at = when
        return self._state

    @property
    def powered_on(self) -> bool:
        return self.power_state in ("On", "PoweringOff", "Paused")

    @property
    def boot_progress(self) -> str:
        if self.power_state not in ("On", "PoweringOff", "Paused"):
            return "None"
        share = (self._clock() - self._booted_at) / max(self._manners.boot_seconds, 1e-9)
        for limit, progress in (
            (0.2, "PrimaryProcessorInitializationStarted"),
            (0.5, "MemoryInitializationStarted"),
            (0.8, "SystemHardwareInitializationComplete"),
            (1.0, "OSBootStarted"),
        ):
            if share < limit:
                return progress
        return "OSRunning"

    @property
    def seconds_since_boot(self) -> float:
        self.power_state  # noqa: B018  # what is due by now has happened
        return self._clock() - self._booted_at

    def reset(self, reset_type: str) -> bool:
        state = self.power_state
        settled = self._due[-1][1] if self._due else state  # what it is on its way to
        on = settled in ("On", "Paused")
        if reset_type in ("On", "ForceOn"):
            return self._power(on=True) if not on else False
        if reset_type in ("ForceOff", "PushPowerButton", "GracefulShutdown"):
            if reset_type == "PushPowerButton" and not on:
                return self._power(on=True)
            graceful = reset_type != "ForceOff"
            return self._power(on=False, graceful=graceful) if on or (self._due and not graceful) else False
        if reset_type in ("ForceRestart", "GracefulRestart", "PowerCycle", "FullPowerCycle"):
            if not on:
                return False if reset_type.endswith("Restart") else self._power(on=True)
            return self._restart(reset_type)
        if reset_type == "Pause":
            return self._switch("Paused") if settled == "On" else False
        if reset_type == "Resume":
            return self._switch("On") if settled == "Paused" else False
        return True  # Nmi, Suspend: nothing that can be seen from outside

    def _switch(self, state: str) -> bool:
        self._due = []
        self._state = state
        return True

    def _power(self, *, on: bool, graceful: bool = False) -> bool:
        self._off_and_on(self._off_seconds(graceful), on, stay_off=True)
        return True

    def _restart(self, reset_type: str) -> bool:
        if reset_type == "ForceRestart":  # the power stays on
            self._due = []
            self._state = "On"
            self._booted_at = self._clock()
        else:
            self._off_and_on(self._off_seconds(reset_type == "GracefulRestart"), True, stay_off=False)
        return True

    def _off_seconds(self, graceful: bool) -> float:
        return self._manners.graceful_off_seconds if graceful else self._manners.power_off_seconds

    def _off_and_on(self, off_seconds: float, on: bool, *, stay_off: bool) -> None:
        now = self._clock()
        rise = self._manners.power_on_seconds
        if on and stay_off:  # from Off
            self._due = [(now + rise, "On")]
            self._state = "PoweringOn"
        elif on:  # off, then on again
            self._due = [(now + off_seconds, "PoweringOn"), (now + off_seconds + rise, "On")]
            self._state = "PoweringOff"
        else:
            self._due = [(now + off_seconds, "Off")]
            self._state = "PoweringOff"
