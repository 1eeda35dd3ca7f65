# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A machine's power over IPMI: which chassis controls lead to the wanted state, sent one after another, and the state
awaited (IPMI 2.0, 28.2 and 28.3).

What a BMC accepted is not done: success is the power state that is read back. A refusal by the BMC of a machine that is
in the wanted state is success, too. IPMI has no graceful restart: it is a shutdown and a start. A power cycle is a cut
and a start, too, since of IPMI's own (02h) nobody can see whether it happened.

Names, states and methods are those of Redfish (../_redfish/power_plan.py), so that a role may change its protocol.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import List, Optional, Tuple

from .._core.errors import Busy, HearthError, Refused, TimedOut, Unsupported, VerificationFailed
from . import device
from .access import Connection

STATES = ("on", "off", "restarted", "power_cycled")
METHODS = ("graceful", "force", "graceful_then_force")

# Redfish's names of the chassis controls that are used here
CONTROLS = {"On": 0x01, "ForceOff": 0x00, "GracefulShutdown": 0x05, "ForceRestart": 0x03}

_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 5.0  # seconds between two looks at the power state
_UNTOLD_SECONDS = 5.0  # how long a machine has to stay on that was reset: IPMI tells of no restart
_OFF_SECONDS = 2.0  # how long power supplies stay without load in a power cycle; IPMI's own takes at least one second


@dataclass(frozen=True)
class WantedPower:
    """``state`` one of STATES, ``method`` one of METHODS; timeouts in seconds, each for one step."""

    state: str
    method: str = "graceful"
    graceful_timeout: float = 300.0
    force_timeout: float = 120.0

    @property
    def longest(self) -> float:
        """Seconds that all steps can take together."""
        return self.graceful_timeout + 2 * self.force_timeout + _OFF_SECONDS


@dataclass(frozen=True)
class Step:
    """One chassis control and the state that it must lead to; ``otherwise`` is done when it does not lead there."""

    reset_type: str
    target: str
    timeout: float
    pause_before: float = 0.0
    otherwise: Optional[Step] = None


@dataclass
class PowerOutcome:
    """``before`` and ``after``: on or off. ``resets``: what was sent, by Redfish's names."""

    changed: bool
    before: str
    after: str
    resets: List[str] = field(default_factory=list)


def power_now(connection: Connection) -> str:
    """ "on" or "off", as the BMC says now."""
    status = connection.command(0x00, 0x01, what="reading the chassis status")
    state = device.power_state(status)
    if state is None:
        raise Unsupported(
            "the BMC does not tell the machine's power state",
            expected="a chassis status",
            where=connection.access.where,
        )
    return state


def plan_power(state: str, wanted: WantedPower) -> List[Step]:
    """The steps from ``state``; none where the machine is as wanted."""
    start = Step("On", "on", wanted.force_timeout)
    if wanted.state == "off":
        return [] if state == "off" else [_off(wanted)]
    if state == "off":
        # A machine that is off needs no more than its power to have been restarted.
        return [start]
    if wanted.state == "on":
        return []
    if wanted.state == "restarted" and wanted.method == "force":
        return [Step("ForceRestart", "on", wanted.force_timeout)]
    return [_off(wanted), replace(start, pause_before=_OFF_SECONDS)]


def power(connection: Connection, wanted: WantedPower, before: str, *, check_mode: bool = False) -> PowerOutcome:
    """Bring the machine from ``before`` to the wanted power state and say what was done; VerificationFailed when it did
    not get there."""
    steps = plan_power(before, wanted)
    outcome = PowerOutcome(bool(steps), before, before)
    if check_mode:
        outcome.resets = [step.reset_type for step in steps]
        outcome.after = steps[-1].target if steps else before
        return outcome
    for step in steps:
        outcome.after = _take(connection, step, outcome.resets)
    return outcome


def _off(wanted: WantedPower) -> Step:
    cut = Step("ForceOff", "off", wanted.force_timeout)
    if wanted.method == "force":
        return cut
    otherwise = cut if wanted.method == "graceful_then_force" else None
    return Step("GracefulShutdown", "off", wanted.graceful_timeout, otherwise=otherwise)


def _take(connection: Connection, step: Step, sent: List[str]) -> str:
    """One step, and where it does not lead to its state, what is to be done then."""
    connection.grant(step.pause_before + step.timeout)
    connection.pause(step.pause_before)
    try:
        return _await(connection, step, *_control(connection, step, sent))
    except (VerificationFailed, Refused, Unsupported, Busy) as error:
        if step.otherwise is None:
            raise
        connection.warn(f"{step.reset_type}: {error.msg}; {step.otherwise.reset_type} instead")
    return _take(connection, step.otherwise, sent)


def _control(connection: Connection, step: Step, sent: List[str]) -> Tuple[bool, Optional[HearthError]]:
    """Send the chassis control. Whether it was refused because the state is reached, and an error that leaves open
    whether it was done."""
    try:
        connection.command(0x00, 0x02, (CONTROLS[step.reset_type],), what=step.reset_type)
    except TimedOut as error:
        sent.append(step.reset_type)
        return False, error
    except (Refused, Unsupported):
        # "not in the present state" although, or because, the state is reached
        if step.reset_type != "ForceRestart" and power_now(connection) == step.target:
            return True, None
        raise
    sent.append(step.reset_type)
    return False, None


def _await(connection: Connection, step: Step, reached: bool, doubt: Optional[HearthError]) -> str:
    """The state, once it is the wanted one. VerificationFailed at the deadline."""
    if reached:
        return step.target
    deadline = connection.until(step.timeout)
    restart = step.reset_type == "ForceRestart"
    pause, steady, found, trouble = _FIRST_PAUSE, 0.0, "unknown", doubt
    lost = doubt is not None
    while not deadline.expired:
        rest = min(pause, deadline.remaining())
        connection.pause(rest)
        steady += rest
        pause = min(pause * 1.5, _LONGEST_PAUSE)
        try:
            if lost and not connection.again():
                continue
            lost = False
            connection.grant(deadline.remaining() + _LONGEST_PAUSE)
            found = power_now(connection)
        except TimedOut as error:
            trouble, lost = error, True  # a BMC whose network port the machine shares may be away for a while
            continue
        except Busy as error:
            trouble = error
            continue
        if found != step.target:
            continue
        if not restart:
            return found
        if doubt is None and steady >= min(_UNTOLD_SECONDS, step.timeout / 2):
            connection.warn("ForceRestart was accepted; IPMI does not tell whether the machine restarted")
            return found
    raise VerificationFailed(
        f"{step.reset_type} did not bring the machine to the wanted state within {step.timeout:g} s",
        expected=f"{step.target}, after a restart" if restart else step.target,
        found=found if trouble is None else f"{found} ({trouble.msg})",
        where=connection.access.where,
        next="give it more time, or use another method; look at the machine's console",
    )
