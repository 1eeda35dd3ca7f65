# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Drives of a system: Storage where it says something, else SimpleStorage, which knows no serial numbers."""

from __future__ import annotations

import re
from typing import Any, Dict, List, Mapping, Optional

from .._core.identity import label, serial
from .client import RedfishClient
from .document import absent, first_text, health_word, items, last_segment, link, links, number, part, text, word

Drive = Dict[str, Any]

_MOST = 256
_VIRTUAL = re.compile(r"virtual", re.IGNORECASE)  # the BMC's own virtual media show up as USB drives


def drives_of(client: RedfishClient, system: Mapping[str, Any]) -> Optional[List[Drive]]:
    """None where the platform lists no drives at all."""
    storage, simple = link(system.get("Storage")), link(system.get("SimpleStorage"))
    if not storage and not simple:
        return None
    drives = _in_storage(client, storage) if storage else []
    if not drives and simple:
        drives = _in_simple_storage(client, simple)
    return drives


def _in_storage(client: RedfishClient, path: str) -> List[Drive]:
    uris: List[str] = []
    for unit in client.members(path, "storage"):
        drives = unit.get("Drives")
        if isinstance(drives, dict) and link(drives):  # a collection, since Storage v1.16 of some implementations
            uris.extend(client.member_links(link(drives), "drives"))
        else:
            uris.extend(links(drives))
    found = []
    for uri in list(dict.fromkeys(uris))[:_MOST]:
        document = client.try_get(uri, "drive")
        if document is None or absent(document):
            continue
        drive = _drive(document, last_segment(uri))
        if drive["serial"] or drive["model"] or drive["capacity_bytes"]:  # DGX H100 lists drives without any content
            found.append(drive)
    return found


def _in_simple_storage(client: RedfishClient, path: str) -> List[Drive]:
    found = []
    for unit in client.members(path, "simple storage"):
        for device in items(unit.get("Devices"))[:_MOST]:
            if not isinstance(device, dict) or absent(device):
                continue
            if _VIRTUAL.search(f"{word(device.get('Model'))} {word(device.get('Name'))}"):
                continue
            drive = _drive(device, "")
            if drive["model"] or drive["capacity_bytes"]:
                found.append(drive)
    return found[:_MOST]


def _drive(document: Mapping[str, Any], name: str) -> Drive:
    capacity = number(document.get("CapacityBytes"))
    status = part(document, "Status")
    return {
        "id": first_text(document.get("Id"), document.get("Name"), name),
        "serial": serial(document.get("SerialNumber")),
        "model": label(document.get("Model")),
        "capacity_bytes": int(capacity) if capacity and capacity > 0 else None,
        "media": text(document.get("MediaType")),
        "protocol": text(document.get("Protocol")),
        "health": health_word(status.get("Health")) or health_word(status.get("HealthRollup")),
    }
