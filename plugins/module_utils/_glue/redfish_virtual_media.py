# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Arguments and result of the module redfish_virtual_media, around the engine in :mod:`.._redfish.virtual_media`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Dict, List, Mapping, Optional

from .._core.errors import BadInput
from .._redfish.access import opened
from .._redfish.media_slots import MEDIA_TYPES, Slot, contents, read_slots, reread
from .._redfish.virtual_media import MediaPlan, MediaWanted, apply_media, check_image, plan_media
from .contract import Contract, Outcome, Request
from .redfish_options import REDFISH_ARGUMENTS, REDFISH_RULES, access_of

_ONLY_INSERTED = ("media_type", "write_protected", "image_username")


def wanted_of(params: Mapping[str, Any]) -> MediaWanted:
    """The medium that validated parameters ask for; BadInput before anything is contacted."""
    inserted = params["state"] == "inserted"
    lost = [option for option in _ONLY_INSERTED if params[option] is not None and not inserted]
    if lost:
        raise BadInput(
            f"{lost[0]} is about inserting.",
            expected="state: inserted",
            found=f"state: {params['state']}",
            where=lost[0],
            next=f"Leave {lost[0]} out.",
        )
    return MediaWanted(
        inserted,
        params["image"] or "",
        params["slot"] or "",
        params["media_type"],
        params["write_protected"],
        params["image_username"],
        params["image_password"],
    )


def run(request: Request) -> Outcome:
    """Read, plan, and unless in check mode: eject, insert and read back."""
    wanted = wanted_of(request.params)
    with opened(access_of(request.params, request.run_directory)) as session:
        chosen = session.confirmed_system()
        if wanted.inserted:
            check_image(session, wanted.image)
        before = read_slots(session, chosen)
        plan = plan_media(session, chosen, before, wanted)
        used = plan.holding
        if not plan:
            after = before
        elif request.check_mode:
            used = plan.insert[0] if plan.insert else None
            after = _expected(before, plan, wanted)
        else:
            used = apply_media(session, plan, wanted)
            touched = {slot.path for slot in (*plan.eject, *plan.insert)}
            after = [reread(session, slot) if slot.path in touched else slot for slot in before]
    return Outcome(
        changed=bool(plan),
        nouns={
            "virtual_media": {
                "system": chosen.id,
                "slot": used.id if used else None,
                "slots": [slot.shown() for slot in after],
            }
        },
        before=contents(before),
        after=contents(after),
        warnings=session.warnings,
    )


def _expected(before: List[Slot], plan: MediaPlan, wanted: MediaWanted) -> List[Slot]:
    """The slots as they would be, for check mode."""
    out = {slot.path for slot in plan.eject}
    into = plan.insert[0].path if plan.insert else ""
    protected = True if wanted.write_protected is None else wanted.write_protected
    after = []
    for slot in before:
        change: Optional[Dict[str, Any]] = None
        if slot.path == into:
            change = {"Inserted": True, "Image": wanted.image, "WriteProtected": protected}
        elif slot.path in out:
            change = {"Inserted": False, "Image": None}
        after.append(replace(slot, document={**slot.document, **change}) if change else slot)
    return after


REDFISH_VIRTUAL_MEDIA = Contract(
    "redfish_virtual_media",
    run,
    argument_spec={
        "state": {"type": "str", "choices": ["inserted", "ejected"], "default": "inserted"},
        "image": {"type": "str"},
        "slot": {"type": "str"},
        "media_type": {"type": "str", "choices": list(MEDIA_TYPES)},
        "write_protected": {"type": "bool"},
        "image_username": {"type": "str"},
        "image_password": {"type": "str", "no_log": True},
        **REDFISH_ARGUMENTS,
    },
    required_if=[("state", "inserted", ("image",))],
    required_together=[*REDFISH_RULES["required_together"], ("image_username", "image_password")],
)
