# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which chassis a system is in: where its location and, often, its serial number are."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Tuple

from .client import RedfishClient
from .document import last_segment, link, links, part, word

Found = Tuple[str, Dict[str, Any]]  # path, document

_LOOKED_AT = 8
_CONTAINERS = 3  # blade in enclosure in rack

# Parts of a machine that Redfish calls chassis, too: their serial number is not the machine's.
_PARTS = frozenset(("component", "module", "card", "cartridge", "expansion", "ipbasedrive", "storageenclosure", "zone"))


def is_part(chassis: Mapping[str, Any]) -> bool:
    return word(chassis.get("ChassisType")) in _PARTS


def chassis_of(client: RedfishClient, root: Mapping[str, Any], system: Mapping[str, Any], path: str) -> Optional[Found]:
    """The chassis of the system at ``path``: the one that the platform names, the linked one, or the best of all.

    One request where the system links to it. A machine before a part of a machine, where both are to be had.
    """
    collection = link(root.get("Chassis"))
    first: Optional[Found] = None
    named = [f"{collection.rstrip('/')}/{name}" for name in client.platform.machine_chassis if collection]
    linked = links(part(system, "Links").get("Chassis"))
    for uri in (named + linked)[:4]:
        document = client.find(uri, "chassis") if uri in named else client.try_get(uri, "chassis")
        if document is None:
            continue
        if not is_part(document):
            return uri, document
        first = first or (uri, document)
    if first or linked:
        return first
    return _among(client, client.member_links(collection, "chassis"), path)


def containers_of(client: RedfishClient, chassis: Mapping[str, Any]) -> List[Dict[str, Any]]:
    """What the chassis is contained in, from the inside out: a blade's enclosure, the enclosure's rack."""
    found: List[Dict[str, Any]] = []
    inner = chassis
    visited = {link(chassis).rstrip("/")}
    for _unused in range(_CONTAINERS):
        uri = link(part(inner, "Links").get("ContainedBy"))
        if not uri or uri.rstrip("/") in visited:
            break
        visited.add(uri.rstrip("/"))
        outer = client.try_get(uri, "enclosure")
        if outer is None:
            break
        found.append(outer)
        inner = outer
    return found


def _among(client: RedfishClient, uris: List[str], system_path: str) -> Optional[Found]:
    own_name = [uri for uri in uris if last_segment(uri) == last_segment(system_path)]
    candidates: List[Found] = []
    for uri in (own_name or uris)[:_LOOKED_AT]:
        document = client.try_get(uri, "chassis")
        if document is None:
            continue
        holds = links(part(document, "Links").get("ComputerSystems"))
        if own_name or system_path.rstrip("/") in (entry.rstrip("/") for entry in holds):
            return uri, document
        candidates.append((uri, document))
    machines = [found for found in candidates if not is_part(found[1])] or candidates
    return machines[0] if machines else None
