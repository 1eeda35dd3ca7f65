# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a machine boots from, and what is in the BMC's virtual drives."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional

from .access import ChosenSystem, Session
from .boot import ENABLED, HTTP_URI, MODE, ORDER, TARGET, read_boot
from .client import RedfishClient
from .document import first_text, flag, items, last_segment, link, text, word

_KEPT = 64  # entries of a list


def boot_info(session: Session, chosen: ChosenSystem) -> Optional[Dict[str, Any]]:
    """What the machine boots from next: the override, what may be overridden with, and the order by its options' names.

    On some BMCs (iDRAC10) the settings object holds that, and the system itself only what the last boot took from it.
    """
    view = read_boot(session, chosen)
    if not view.boot:
        return None
    names = {
        word(option.get("BootOptionReference")): text(option.get("DisplayName"))
        for option in session.client.members(link(view.boot.get("BootOptions")), "boot options")
    }
    return {
        "enabled": _lower(view.get(ENABLED)),
        "target": text(view.get(TARGET)),
        "mode": text(view.get(MODE)),
        "http_uri": text(view.get(HTTP_URI), 512),
        "targets": _words(view.offered(TARGET)),
        "order": [{"reference": one, "name": names.get(one.lower())} for one in _words(view.get(ORDER))],
        "pending": view.pending,
    }


def media_info(
    client: RedfishClient, system: Mapping[str, Any], manager: Optional[Mapping[str, Any]]
) -> Optional[List[Dict[str, Any]]]:
    """The virtual drives, those of the system before those of the manager (they moved in ComputerSystem v1.12)."""
    paths = [link(system.get("VirtualMedia")), link((manager or {}).get("VirtualMedia"))]
    if not any(paths):
        return None
    found: Dict[str, Dict[str, Any]] = {}
    for path in dict.fromkeys(filter(None, paths)):
        for one in client.members(path, "virtual media"):
            uri = link(one)
            image = text(one.get("Image"), 1024)
            found[uri] = {
                "id": first_text(one.get("Id"), last_segment(uri)),
                "path": text(uri, 512),
                "types": _words(one.get("MediaTypes")),
                "inserted": flag(one.get("Inserted")),
                "image": image,
                "image_name": text(one.get("ImageName")),
                "write_protected": flag(one.get("WriteProtected")),
                "connected_via": text(one.get("ConnectedVia")),
            }
    return list(found.values())


def _words(value: Any) -> List[str]:
    return [said for said in (text(entry, 128) for entry in items(value)[:_KEPT]) if said]


def _lower(value: Any) -> Optional[str]:
    said = text(value, 64)
    return said.lower() if said else None
