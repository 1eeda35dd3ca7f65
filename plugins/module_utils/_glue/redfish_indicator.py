# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Arguments and result of the module redfish_indicator, around the engine in :mod:`.._redfish.indicator`."""

from __future__ import annotations

from .._redfish.access import opened
from .._redfish.indicator import find_light, refuse_unoffered, set_light
from .contract import Contract, Outcome, Request
from .redfish_options import REDFISH_ARGUMENTS, REDFISH_RULES, access_of


def run(request: Request) -> Outcome:
    """Read, plan, and unless in check mode: switch and read back."""
    params = request.params
    state = params["state"]
    with opened(access_of(params, request.run_directory)) as session:
        before = after = find_light(session, chassis=params["chassis"] or "", drive=params["drive"] or "")
        refuse_unoffered(session, before, state)
        changed = not before.is_in(state)
        if changed and not request.check_mode:
            after = set_light(session, before, state)
    shown = after.shown(state if changed and request.check_mode else None)
    return Outcome(
        changed=changed,
        nouns={"indicator": {**shown, "offered": before.offers()}},
        before={"state": before.state},
        after={"state": shown["state"]},
        warnings=session.warnings,
    )


REDFISH_INDICATOR = Contract(
    "redfish_indicator",
    run,
    argument_spec={
        "state": {"type": "str", "choices": ["lit", "off", "blinking"], "required": True},
        "chassis": {"type": "str"},
        "drive": {"type": "str"},
        **REDFISH_ARGUMENTS,
    },
    mutually_exclusive=[("chassis", "drive")],
    **REDFISH_RULES,
)
