# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""BMCs without systems: rack PDUs, power shelves, enclosures. One host each, so that nothing is lost."""

from __future__ import annotations

import re
from typing import Any, Mapping, Optional, Tuple

from .chassis import is_part
from .client import RedfishClient
from .document import last_segment, link, links, part, word
from .host_record import MachineView
from .managers import manager_of

_LOOKED_AT = 8

# Collections of PowerEquipment (DSP8010) and what a BMC that has them is, in this order.
_EQUIPMENT: Tuple[Tuple[str, str], ...] = (
    ("RackPDUs", "pdu"),
    ("FloorPDUs", "pdu"),
    ("PowerShelves", "power_shelf"),
    ("TransferSwitches", "unknown"),
    ("Switchgear", "unknown"),
)
# What a chassis calls itself, where its type does not say it.
_NAMED: Tuple[Tuple[str, str], ...] = (
    (r"power ?shelf|PSU ?shelf", "power_shelf"),
    (r"\bPDU\b|power distribution", "pdu"),
)
_ENCLOSURES = frozenset(("enclosure", "rack", "rackgroup", "shelf", "drawer", "pod", "row", "sidecar"))
_MAIN = re.compile(r"encl|rack|shelf|pdu|chassis|frame", re.IGNORECASE)


def equipment_of(client: RedfishClient, root: Mapping[str, Any], *, has_systems: bool) -> MachineView:
    """The one machine that a BMC without systems stands for.

    ``has_systems``: there is a Systems collection, and it is empty. Then a chassis alone does not make an enclosure of
    it: the servers may just not be listed yet.
    """
    machine = _power_equipment(client, link(root.get("PowerEquipment"))) or _chassis(client, root, has_systems)
    linked = links(part(machine.chassis or {}, "Links").get("ManagedBy"))
    manager = client.try_get(linked[0], "manager") if linked else None
    if manager is not None:
        machine.manager_path, machine.manager = linked[0], manager
    else:
        found = manager_of(client, root, {}, "")
        if found:
            machine.manager_path, machine.manager = found
    return machine


def _power_equipment(client: RedfishClient, path: str) -> Optional[MachineView]:
    equipment = client.try_get(path, "power equipment")
    if equipment is None:
        return None
    for key, kind in _EQUIPMENT:
        for uri in client.member_links(link(equipment.get(key)), key)[:1] if link(equipment.get(key)) else ():
            document = client.try_get(uri, key)
            if document is not None:
                return MachineView(kind=kind, chassis_path=uri, chassis=document)
    return None


def _chassis(client: RedfishClient, root: Mapping[str, Any], has_systems: bool) -> MachineView:
    collection = link(root.get("Chassis"))
    uris = client.member_links(collection, "chassis") if collection else []
    uris.sort(key=lambda uri: not _MAIN.search(last_segment(uri)))
    best: Optional[MachineView] = None
    for uri in uris[:_LOOKED_AT]:
        document = client.try_get(uri, "chassis")
        if document is None:
            continue
        kind = _kind(document, has_systems)
        if kind != "unknown" and word(document.get("ChassisType")) in _ENCLOSURES:
            return MachineView(kind=kind, chassis_path=uri, chassis=document)
        if best is None or (is_part(best.chassis or {}) and not is_part(document)):
            best = MachineView(kind=kind, chassis_path=uri, chassis=document)
    return best or MachineView(kind="unknown")


def _kind(chassis: Mapping[str, Any], has_systems: bool) -> str:
    named = " ".join(word(chassis.get(key)) for key in ("Name", "Model", "Description", "Id"))
    for pattern, kind in _NAMED:
        if re.search(pattern, named, re.IGNORECASE):
            return kind
    if word(chassis.get("ChassisType")) in _ENCLOSURES or not has_systems:
        return "enclosure"
    return "unknown"
