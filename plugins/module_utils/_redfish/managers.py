# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which manager looks after a system, and what it says of itself."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Tuple

from .._core.identity import mac
from .client import RedfishClient
from .document import link, links, part, word

Found = Tuple[str, Dict[str, Any]]  # path, document

_LOOKED_AT = 8  # members of a collection that are read when nothing links to the right one
_BMC_TYPES = ("bmc", "managementcontroller", "enclosuremanager", "rackmanager")


def manager_of(client: RedfishClient, root: Mapping[str, Any], system: Mapping[str, Any], path: str) -> Optional[Found]:
    """The manager of the system at ``path``; one request where the system links to it, as DSP0266 asks.

    Else the manager that provides the service, or the member of Managers that names the system, or the first one that
    is a BMC: HPE's Cray EX links to none, with several controllers in the collection.
    """
    linked = links(part(system, "Links").get("ManagedBy")) or links(part(root, "Links").get("ManagerProvidingService"))
    for uri in linked[:1]:
        document = client.try_get(uri, "manager")
        if document is not None:
            return uri, document
    return _among(client, client.member_links(link(root.get("Managers")), "managers") if not linked else [], path)


def bmc_macs(client: RedfishClient, manager: Mapping[str, Any]) -> List[str]:
    """MAC addresses of the BMC's own network interfaces."""
    found = []
    for interface in client.members(link(manager.get("EthernetInterfaces")), "the BMC's interfaces"):
        address = mac(interface.get("PermanentMACAddress")) or mac(interface.get("MACAddress"))
        if address and address not in found:
            found.append(address)
    return found


def _among(client: RedfishClient, uris: List[str], system_path: str) -> Optional[Found]:
    candidates: List[Found] = []
    for uri in uris[:_LOOKED_AT]:
        document = client.try_get(uri, "manager")
        if document is None:
            continue
        served = links(part(document, "Links").get("ManagerForServers"))
        if system_path and system_path.rstrip("/") in (entry.rstrip("/") for entry in served):
            return uri, document
        candidates.append((uri, document))
    for uri, document in candidates:
        if word(document.get("ManagerType")) in _BMC_TYPES:
            return uri, document
    return candidates[0] if candidates else None
