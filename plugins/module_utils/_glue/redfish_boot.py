# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Arguments and result of the module redfish_boot, around the engine in :mod:`.._redfish.boot`."""

from __future__ import annotations

from typing import Any, Dict, Mapping

from .._core.errors import BadInput
from .._redfish.access import opened
from .._redfish.boot import MODES, STATES, BootView, BootWanted, apply_boot, plan_boot, read_boot, verify_boot
from .contract import Contract, Outcome, Request
from .redfish_options import REDFISH_ARGUMENTS, REDFISH_RULES, access_of

BOOT_ARGUMENTS: Dict[str, Dict[str, Any]] = {
    "state": {"type": "str", "choices": list(STATES)},
    "target": {"type": "str"},
    "mode": {"type": "str", "choices": list(MODES)},
}
"""What every module that chooses what to boot takes."""

_WITH_A_TARGET = ("target", "mode", "http_boot_uri", "uefi_target", "boot_next")


def wanted_of(params: Mapping[str, Any]) -> BootWanted:
    """The boot that validated parameters ask for; BadInput before anything is contacted."""
    if params["state"] not in ("once", "continuous"):
        lost = [option for option in _WITH_A_TARGET if params[option] is not None]
        if lost:
            raise BadInput(
                f"{lost[0]} says nothing without a boot override.",
                expected="state: once or state: continuous",
                found=f"state: {params['state']}" if params["state"] else "no state",
                where=lost[0],
                next=f"Leave {lost[0]} out, or say for how long.",
            )
    return BootWanted(**{name: params[name] for name in ("state", *_WITH_A_TARGET)}, order=tuple(params["order"] or ()))


def run(request: Request) -> Outcome:
    """Read, plan, and unless in check mode: write and read back."""
    wanted = wanted_of(request.params)
    with opened(access_of(request.params, request.run_directory)) as session:
        chosen = session.confirmed_system()
        before = read_boot(session, chosen)
        writes = plan_boot(session, chosen, before, wanted)
        after = before.after(writes)
        if writes and not request.check_mode:
            apply_boot(session, writes)
            after = verify_boot(session, chosen, writes)
    return Outcome(
        changed=bool(writes),
        nouns={"boot": {"system": chosen.id, **after.shown(), "offered": after.offers()}},
        before=_settings(before),
        after=_settings(after),
        warnings=session.warnings,
    )


def _settings(view: BootView) -> Dict[str, Any]:
    return {name: value for name, value in view.shown().items() if name != "pending"}


REDFISH_BOOT = Contract(
    "redfish_boot",
    run,
    argument_spec={
        **BOOT_ARGUMENTS,
        "http_boot_uri": {"type": "str"},
        "uefi_target": {"type": "str"},
        "boot_next": {"type": "str"},
        "order": {"type": "list", "elements": "str"},
        **REDFISH_ARGUMENTS,
    },
    required_one_of=[("state", "order")],
    required_if=[("state", "once", ("target",)), ("state", "continuous", ("target",))],
    **REDFISH_RULES,
)
