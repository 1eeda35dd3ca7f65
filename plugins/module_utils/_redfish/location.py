# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a machine stands: what Chassis.Location says, in one shape for all.

Resource schema v1.16 (DSP8010): Placement, PartLocation, PostalAddress; older firmware writes everything into Info,
with InfoFormat naming its fields.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional

from .._core.identity import label
from .document import number, part, text

Location = Dict[str, Any]

# InfoFormat's names (Dell) and those of PostalAddress that make up the older data
_INFO_KEYS = {
    "datacenter": "building",
    "roomname": "room",
    "room": "room",
    "aisle": "row",
    "row": "row",
    "rackname": "rack",
    "rack": "rack",
    "rackslot": "slot",
    "slot": "slot",
}


def location_of(*documents: Mapping[str, Any]) -> Optional[Location]:
    """The location that the documents tell together, the first one's word before the second's; None: no word at all.

    Keys: ``text`` (all of it for a person), ``building``, ``room``, ``row``, ``rack``, ``unit`` (rack unit, counted as
    the BMC counts), ``slot`` (label of the slot, "u12" where only the unit is known).
    """
    found: Location = {}
    for document in documents:
        for key, value in _one(document).items():
            found.setdefault(key, value)
    if not found:
        return None
    unit = found.get("unit")
    if "slot" not in found and unit is not None:
        found["slot"] = f"u{unit:02d}" if isinstance(unit, int) and 0 <= unit < 100 else f"u{unit}"
    order = ("building", "room", "row", "rack", "slot")
    found["text"] = " / ".join(str(found[key]) for key in order if key in found)
    return {key: found.get(key) for key in ("text", "building", "room", "row", "rack", "unit", "slot")}


def _one(document: Mapping[str, Any]) -> Location:
    location = part(document, "Location")
    found: Location = {}
    placement = part(location, "Placement")
    postal = part(location, "PostalAddress") or part(location, "PhysicalAddress")
    _put(found, "building", label(postal.get("Building")) or label(placement.get("FacilityName")))
    _put(found, "room", label(placement.get("Room")) or label(postal.get("Room")))
    _put(found, "row", label(placement.get("Row")))
    _put(found, "rack", label(placement.get("Rack")))
    if "rack" in found or "Rack" not in placement:
        # an empty Rack beside a RackOffset is how firmware leaves the factory: the offset means nothing then
        _put(found, "unit", number(placement.get("RackOffset")))
    _put(found, "slot", label(part(location, "PartLocation").get("ServiceLabel")))
    for key, value in _info(location).items():
        found.setdefault(key, value)
    return found


def _info(location: Mapping[str, Any]) -> Location:
    words, names = location.get("Info"), location.get("InfoFormat")
    if not isinstance(words, str) or not isinstance(names, str):
        return {}
    found: Location = {}
    keys: List[str] = [name.strip().lower() for name in names[:256].split(";")]
    for key, word in zip(keys, words[:512].split(";")):
        if key in _INFO_KEYS:
            _put(found, _INFO_KEYS[key], text(word))
    return found if "rack" in found else {key: found[key] for key in found if key != "slot"}


def _put(found: Location, key: str, value: Any) -> None:
    if value is not None:
        found[key] = value
