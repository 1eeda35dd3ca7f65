# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Arguments and result of the module redfish_power, around the engine in :mod:`.._redfish.power`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Dict, Mapping

from .._core.errors import BadInput
from .._redfish.access import opened
from .._redfish.boot_evidence import moment
from .._redfish.power import PowerOutcome, power
from .._redfish.power_plan import METHODS, STATES, WantedPower
from .contract import Contract, Outcome, Request
from .redfish_options import REDFISH_ARGUMENTS, REDFISH_RULES, access_of, seconds_of

POWER_ARGUMENTS: Dict[str, Dict[str, Any]] = {
    "state": {"type": "str", "choices": list(STATES), "required": True},
    "method": {"type": "str", "choices": list(METHODS), "default": "graceful"},
    "graceful_timeout": {"type": "float", "default": 300.0},
    "force_timeout": {"type": "float", "default": 120.0},
    "unless_booted_since": {"type": "str"},
}
"""What every module that switches power takes."""


def wanted_of(params: Mapping[str, Any]) -> WantedPower:
    """The power that validated parameters ask for; BadInput before anything is contacted."""
    since = params.get("unless_booted_since")
    if since and params["state"] != "restarted":
        raise BadInput(
            "unless_booted_since is about restarts.",
            expected="state: restarted",
            found=f"state: {params['state']}",
            where="unless_booted_since",
            next="Leave it out, or write state: restarted.",
        )
    if since and moment(since) is None:
        raise BadInput(
            "unless_booted_since is no time.",
            expected="ISO 8601, for example 2026-11-21T15:04:05Z",
            found=ascii(since[:80]),
            where="unless_booted_since",
        )
    return WantedPower(
        params["state"],
        params["method"],
        seconds_of(params, "graceful_timeout"),
        seconds_of(params, "force_timeout"),
        params.get("reset_type") or "",
        moment(since) if since else None,
    )


def run(request: Request) -> Outcome:
    """Read, plan, and unless in check mode: reset and wait."""
    wanted = wanted_of(request.params)
    access = access_of(request.params, request.run_directory)
    # Who comes first may have to wait for a graceful shutdown.
    access = replace(access, turn_timeout=access.deadline + wanted.longest)
    with opened(access, cancelled=request.cancelled, on_progress=request.on_progress) as session:
        outcome = power(session, wanted, check_mode=request.check_mode)
        system = session.system()
    return Outcome(
        changed=outcome.changed,
        nouns={"power": power_noun(outcome, system.id)},
        before={"power_state": outcome.before},
        after={"power_state": outcome.after} if not outcome.resets else _after(outcome),
        warnings=session.warnings,
    )


def power_noun(outcome: PowerOutcome, system: str) -> Dict[str, Any]:
    """The result's ``power``."""
    return {
        "system": system,
        "state": outcome.after,
        "previous_state": outcome.before,
        "resets": outcome.resets,
        "offered": outcome.offered,
    }


def _after(outcome: PowerOutcome) -> Dict[str, Any]:
    return {"power_state": outcome.after, "resets": outcome.resets}


REDFISH_POWER = Contract(
    "redfish_power",
    run,
    argument_spec={**POWER_ARGUMENTS, "reset_type": {"type": "str"}, **REDFISH_ARGUMENTS},
    **REDFISH_RULES,
)
