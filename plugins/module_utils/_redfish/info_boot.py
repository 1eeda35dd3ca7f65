# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a machine boots from, and what is in the BMC's virtual drives."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional

from .client import RedfishClient
from .document import first_text, flag, items, last_segment, link, part, text, word

_KEPT = 64  # entries of a list


def boot_info(client: RedfishClient, system: Mapping[str, Any]) -> Optional[Dict[str, Any]]:
    """The boot override, what may be overridden with, and the boot order by its options' names."""
    boot = part(system, "Boot")
    if not boot:
        return None
    names = {
        word(option.get("BootOptionReference")): text(option.get("DisplayName"))
        for option in client.members(link(boot.get("BootOptions")), "boot options")
    }
    return {
        "enabled": _lower(boot.get("BootSourceOverrideEnabled")),
        "target": text(boot.get("BootSourceOverrideTarget")),
        "mode": text(boot.get("BootSourceOverrideMode")),
        "http_uri": text(boot.get("HttpBootUri"), 512),
        "targets": _words(boot.get("BootSourceOverrideTarget@Redfish.AllowableValues")),
        "order": [{"reference": one, "name": names.get(one.lower())} for one in _words(boot.get("BootOrder"))],
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
