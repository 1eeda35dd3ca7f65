# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which resets bring a machine from its power state to the wanted one, of those that its BMC offers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Callable, List, Optional, Sequence, Tuple

from .._core.errors import BadInput, Unsupported

STATES = ("on", "off", "restarted", "power_cycled")
METHODS = ("graceful", "force", "graceful_then_force")

_ON = ("On", "ForceOn")
_SHUTDOWN = ("GracefulShutdown", "PushPowerButton")
_CUT = ("ForceOff",)
_CYCLE = ("PowerCycle", "FullPowerCycle")

# What each ResetType that can be named does to the machine (DSP2046, ResetType of Resource).
_LEADS_TO = {
    "On": "on",
    "ForceOn": "on",
    "GracefulShutdown": "off",
    "ForceOff": "off",
    "GracefulRestart": "restarted",
    "ForceRestart": "restarted",
    "PowerCycle": "power_cycled",
    "FullPowerCycle": "power_cycled",
}


@dataclass(frozen=True)
class WantedPower:
    """``state`` one of STATES, ``method`` one of METHODS; timeouts in seconds, each for one step."""

    state: str
    method: str = "graceful"
    graceful_timeout: float = 300.0
    force_timeout: float = 120.0
    reset_type: str = ""
    """This ResetType and no other."""
    unless_booted_since: Optional[datetime] = None

    @property
    def longest(self) -> float:
        """Seconds that all steps can take together."""
        return 2 * self.graceful_timeout + 3 * self.force_timeout


@dataclass(frozen=True)
class Step:
    """One reset and the state that it must lead to; ``otherwise`` is done when this one does not lead there."""

    reset_type: str
    target: str
    timeout: float
    passes_off: bool = False
    """A restart: the state is the same before and after."""
    otherwise: Optional[Step] = None


def plan_power(state: str, wanted: WantedPower, offered: Sequence[str], warn: Callable[[str], None]) -> List[Step]:
    """The steps from ``state`` (on, off or paused); none where the machine is as wanted.

    ``offered``: the ResetTypes on offer, empty where the BMC does not say. Raises BadInput or Unsupported, which list
    them.
    """
    plan = _Plan(wanted, tuple(offered), warn)
    if wanted.reset_type:
        return plan.named(state)
    if wanted.state == "off":
        return [] if state == "off" else [plan.off()]
    if state == "off":
        # A machine that is off needs no more than its power to have been restarted.
        return [plan.on()]
    if wanted.state == "on":
        return [] if state == "on" else [plan.resume()]
    return plan.restart() if wanted.state == "restarted" else plan.cycle()


class _Plan:
    def __init__(self, wanted: WantedPower, offered: Tuple[str, ...], warn: Callable[[str], None]) -> None:
        self._wanted = wanted
        self._offered = offered
        self._warn = warn

    def named(self, state: str) -> List[Step]:
        wanted = self._wanted
        if wanted.reset_type not in (self._offered or _LEADS_TO):
            raise BadInput(
                f"ResetType {wanted.reset_type} is not on offer for this system.",
                expected=", ".join(self._offered or _LEADS_TO),
                found=wanted.reset_type,
                where="reset_type",
                next="Name one of those, or leave reset_type out.",
            )
        leads_to = _LEADS_TO.get(wanted.reset_type)
        if leads_to != wanted.state:
            fitting = [name for name, target in _LEADS_TO.items() if target == wanted.state]
            raise BadInput(
                f"ResetType {wanted.reset_type} does not lead to state {wanted.state}.",
                expected=", ".join(fitting),
                found=wanted.reset_type,
                where="reset_type, state",
                next="Name one that leads there, or leave reset_type out.",
            )
        if state == wanted.state:
            return []
        graceful = wanted.reset_type.startswith("Graceful")
        target = "off" if leads_to == "off" else "on"
        return [self._step(wanted.reset_type, target, graceful, passes_off=leads_to not in ("on", "off"))]

    def on(self) -> Step:
        # A machine without the other two has its button only.
        return self._step(self._pick(*_ON, "PushPowerButton", why="switches it on"), "on", False)

    def resume(self) -> Step:
        return self._step(self._pick("Resume", why="resumes it"), "on", False)

    def off(self) -> Step:
        cut = self._step(self._first(*_CUT) or "", "off", False)
        method = self._wanted.method
        if method == "force":
            return replace(cut, reset_type=self._pick(*_CUT, why="cuts its power"))
        graceful = self._first(*_SHUTDOWN)
        if graceful is None and method == "graceful_then_force":
            self._warn("no graceful shutdown is on offer for this system; its power is cut")
            return replace(cut, reset_type=self._pick(*_CUT, why="switches it off"))
        step = self._step(self._pick(*_SHUTDOWN, why="shuts it down gracefully"), "off", True)
        return replace(step, otherwise=cut) if method == "graceful_then_force" and cut.reset_type else step

    def restart(self) -> List[Step]:
        graceful, force = self._first("GracefulRestart"), self._first("ForceRestart")
        method = self._wanted.method
        if method == "force":
            return [self._step(force, "on", False, passes_off=True)] if force else [self.off(), self.on()]
        if graceful is None or (method == "graceful_then_force" and force is None):
            return [self.off(), self.on()]
        step = self._step(graceful, "on", True, passes_off=True)
        if method == "graceful_then_force" and force:
            step = replace(step, otherwise=self._step(force, "on", False, passes_off=True))
        return [step]

    def cycle(self) -> List[Step]:
        cycle = self._first(*_CYCLE)
        if self._wanted.method == "force" and cycle:
            return [self._step(cycle, "on", False, passes_off=True)]
        return [self.off(), self.on()]

    def _step(self, reset_type: str, target: str, graceful: bool, *, passes_off: bool = False) -> Step:
        timeout = self._wanted.graceful_timeout if graceful else self._wanted.force_timeout
        return Step(reset_type, target, timeout, passes_off)

    def _first(self, *names: str) -> Optional[str]:
        # Where the BMC does not say, what DSP2046 has had from the start is tried.
        return next((name for name in names if name in self._offered or not self._offered), None)

    def _pick(self, *names: str, why: str) -> str:
        found = self._first(*names)
        if found is None:
            raise Unsupported(
                f"no ResetType on offer for this system {why}; nothing was changed",
                expected=" or ".join(names),
                found=", ".join(self._offered) or "none",
                where="ResetType@Redfish.AllowableValues",
                next="choose another method, or name one of those in reset_type",
            )
        return found
