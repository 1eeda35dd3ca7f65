# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A machine's power: which ResetTypes lead to the wanted state, sent one after another, and the state awaited.

What a BMC accepted is not done: success is the power state that is read back. A refusal by the BMC of a machine that is
in the wanted state is success, too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, List, Optional

from .._core.deadline import Deadline
from .._core.errors import (
    Busy,
    HearthError,
    Refused,
    ServerFailure,
    Unreachable,
    Unsupported,
    VerificationFailed,
)
from .access import ChosenSystem, Session
from .boot_evidence import BootEvidence, booted_at
from .document import items, link, part, text
from .host_record import power_state
from .power_plan import Step, WantedPower, plan_power
from .sushy_connector import SUSHY_ERRORS, reset_system, typed_error

_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 5.0  # seconds between two looks at the power state
_UNTOLD_SECONDS = 5.0  # how long a machine has to stay on whose BMC tells of no restart
_IN_BETWEEN = {"powering_on": "on", "powering_off": "off"}


@dataclass
class PowerOutcome:
    """``before`` and ``after``: on, off, powering_on, powering_off or paused. ``resets``: the ResetTypes sent."""

    changed: bool
    before: str
    after: str
    resets: List[str] = field(default_factory=list)
    offered: List[str] = field(default_factory=list)


def power(session: Session, wanted: WantedPower, *, check_mode: bool = False) -> PowerOutcome:
    """Bring the chosen system to the wanted power state and say what was done. Raises before anything is changed, or
    VerificationFailed when the machine did not get there.
    """
    system = session.confirmed_system()
    offered = offered_resets(session, system)
    before = state_of(system.document, session)
    if _has_booted_since(system.document, wanted, session):
        return PowerOutcome(False, before, before, offered=offered)
    settled = before
    if before in _IN_BETWEEN:
        settled = _IN_BETWEEN[before] if check_mode else _settle(session, system, before, wanted)
    steps = plan_power(settled, wanted, offered, session.client.warn)
    outcome = PowerOutcome(bool(steps), before, settled, offered=offered)
    if check_mode:
        outcome.resets = [step.reset_type for step in steps]
        outcome.after = steps[-1].target if steps else settled
        return outcome
    machine: Any = session.sushy_system() if steps else None
    for step in steps:
        outcome.after = _take(session, system, machine, step, outcome.resets)
    return outcome


def state_of(document: Any, session: Session) -> str:
    """The power state; Unsupported where the BMC does not tell it, since nothing could be verified then."""
    found = power_state(document.get("PowerState"))
    if found is None:
        raise Unsupported(
            "the BMC does not tell the machine's power state",
            expected="PowerState: On, Off, PoweringOn, PoweringOff or Paused",
            found=text(document.get("PowerState")) or "none",
            where=session.access.endpoint.url,
            next="look whether the BMC is still starting; a newer firmware may tell it",
        )
    return found


def offered_resets(session: Session, system: ChosenSystem) -> List[str]:
    """The ResetTypes that the BMC offers for the system; empty where it has the action and names none."""
    action = part(system.document, "Actions", "#ComputerSystem.Reset")
    if not text(action.get("target"), 1024):
        raise Unsupported(
            "the BMC cannot switch this system's power",
            expected="the action ComputerSystem.Reset",
            found="no such action",
            where=f"{session.access.endpoint.url}{system.path}",
            next="choose another system, or see whether the account has the privilege",
        )
    named = _words(action.get("ResetType@Redfish.AllowableValues"))
    information = link(action.get("@Redfish.ActionInfo")) or text(action.get("@Redfish.ActionInfo"), 1024)
    if named or not information:
        return named
    document = session.client.try_get(information, "the ResetTypes on offer") or {}
    for parameter in items(document.get("Parameters")):
        if isinstance(parameter, dict) and parameter.get("Name") == "ResetType":
            return _words(parameter.get("AllowableValues"))
    return []


def _words(value: Any) -> List[str]:
    return [word for word in (text(entry, 64) for entry in items(value)) if word]


def _has_booted_since(document: Any, wanted: WantedPower, session: Session) -> bool:
    """Whether the restart that is wanted has happened already; Unsupported where the BMC cannot tell."""
    if wanted.unless_booted_since is None:
        return False
    at = booted_at(document)
    if at is None:
        raise Unsupported(
            "the BMC does not tell when the machine booted; nothing was changed",
            expected="LastResetTime of the system",
            found="none",
            where=session.access.endpoint.url,
            next="leave unless_booted_since out to restart in any case",
        )
    return at >= wanted.unless_booted_since and state_of(document, session) == "on"


# Steps


def _take(session: Session, system: ChosenSystem, machine: Any, step: Step, sent: List[str]) -> str:
    """One step, and where it does not lead to its state, what is to be done then."""
    deadline = session.grant(step.timeout)
    evidence = BootEvidence(system.document if not sent else session.fresh(system.path)) if step.passes_off else None
    try:
        refusal = _reset(session, system, machine, step, deadline)
        sent.append(step.reset_type)
        return _await(session, system, step, deadline, evidence, refusal)
    except (VerificationFailed, Refused, Unsupported, Busy, ServerFailure) as error:
        if step.otherwise is None:
            raise
        session.client.warn(f"{step.reset_type}: {error.msg}; {step.otherwise.reset_type} instead")
    return _take(session, system, machine, step.otherwise, sent)


def _reset(
    session: Session, system: ChosenSystem, machine: Any, step: Step, deadline: Deadline
) -> Optional[HearthError]:
    """Send the reset; an error that leaves open whether it was done is returned, a refusal raised.

    A BMC that is busy (an iDRAC 10 says 409 to On right after off, field notes §6) is asked again.
    """
    pause = _FIRST_PAUSE
    while True:
        try:
            reset_system(machine, step.reset_type)
            return None
        except SUSHY_ERRORS as raised:
            error = typed_error(raised)
        if isinstance(error, Unreachable):
            return error
        if not isinstance(error, (Refused, Busy, ServerFailure)):
            raise error
        # 400 or 409 although the state is reached (field notes §6).
        if not step.passes_off and _state_now(session, system) == step.target:
            return error
        pause = min(pause * 2, _LONGEST_PAUSE)
        if not isinstance(error, Busy) or deadline.remaining() <= pause:
            raise error
        session.rest(pause)


def _await(
    session: Session,
    system: ChosenSystem,
    step: Step,
    deadline: Deadline,
    evidence: Optional[BootEvidence],
    doubt: Optional[HearthError],
) -> str:
    """The state, once it is the wanted one. VerificationFailed at the deadline."""
    pause, steady, found, trouble = _FIRST_PAUSE, 0.0, "unknown", doubt
    while not deadline.expired:
        session.rest(min(pause, deadline.remaining()))
        steady += pause
        pause = min(pause * 1.5, _LONGEST_PAUSE)
        try:
            document = session.fresh(system.path)
        except (Unreachable, Busy, ServerFailure) as error:
            trouble = error  # a BMC may be away for a while
            continue
        found = power_state(document.get("PowerState")) or "unknown"
        if evidence is None:
            if found == step.target:
                return found
            continue
        evidence.see(document)
        if found != step.target:
            continue
        if evidence.restarted:
            return found
        if not evidence.can_tell and doubt is None and steady >= min(_UNTOLD_SECONDS, step.timeout / 2):
            session.client.warn(f"{step.reset_type} was accepted; this BMC does not tell whether the machine restarted")
            return found
    raise VerificationFailed(
        f"{step.reset_type} did not bring the machine to the wanted state within {step.timeout:g} s",
        expected=f"{step.target}, after a restart" if step.passes_off else step.target,
        found=found if trouble is None else f"{found} ({trouble.msg})",
        where=f"{session.access.endpoint.url}{system.path}",
        next="give it more time, or use another method; look at the machine's console",
    )


def _settle(session: Session, system: ChosenSystem, state: str, wanted: WantedPower) -> str:
    """The state that a machine comes to which is on its way; where it stays on its way, the one that it left."""
    target = _IN_BETWEEN[state]
    timeout = wanted.graceful_timeout if target == "off" else wanted.force_timeout
    try:
        return _await(session, system, Step(state, target, timeout), session.grant(timeout), None, None)
    except VerificationFailed:
        if wanted.state == target and target == "on":
            raise
        return "on"


def _state_now(session: Session, system: ChosenSystem) -> Optional[str]:
    try:
        return power_state(session.fresh(system.path).get("PowerState"))
    except HearthError:
        return None
