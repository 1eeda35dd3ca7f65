# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Network interfaces of a system: the MAC addresses that the host has on the wire."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional

from .._core.identity import mac
from .client import RedfishClient
from .document import absent, first_text, flag, last_segment, link, number, part, word

Nic = Dict[str, Any]

_MOST = 256
_LINK = {"linkup": "up", "up": "up", "linkdown": "down", "down": "down", "nolink": "down", "starting": "down"}
_TO_THE_BMC = frozenset(("tomanager", "tohost"))  # Ids of the interface between host and BMC, no wire


def nics_of(
    client: RedfishClient, system: Mapping[str, Any], chassis: Optional[Mapping[str, Any]]
) -> Optional[List[Nic]]:
    """EthernetInterfaces of the system, else the ports of the chassis' adapters; None where there is neither.

    VLANs and the interface to the BMC are left out: neither is a port that a cable is in.
    """
    path = link(system.get("EthernetInterfaces"))
    nics = [_nic(document) for document in client.members(path, "network interfaces") if _is_port(document)]
    nics = [nic for nic in nics if nic["mac"]]  # what has no address is no Ethernet: HPC fabrics, empty cages
    if not nics:
        adapters = link((chassis or {}).get("NetworkAdapters"))
        if not path and not adapters:
            return None
        nics = _in_adapters(client, adapters)
    return nics[:_MOST]


def _in_adapters(client: RedfishClient, path: str) -> List[Nic]:
    nics: List[Nic] = []
    for adapter in client.members(path, "network adapters"):
        functions = link(adapter.get("NetworkDeviceFunctions"))
        for function in client.members(functions, "network functions"):
            ethernet = part(function, "Ethernet")
            address = mac(ethernet.get("PermanentMACAddress")) or mac(ethernet.get("MACAddress"))
            if address and not absent(function):
                name = first_text(function.get("Id"), last_segment(link(function)))
                nics.append({"id": name, "mac": address, "speed_mbps": None, "link": None})
    return nics


def _is_port(document: Mapping[str, Any]) -> bool:
    if absent(document) or part(document, "Links").get("HostInterface"):
        return False
    if flag(part(document, "VLAN").get("VLANEnable")) and part(document, "VLAN").get("VLANId"):
        return False
    return word(document.get("Id")) not in _TO_THE_BMC


def _nic(document: Mapping[str, Any]) -> Nic:
    speed = number(document.get("SpeedMbps"))
    return {
        "id": first_text(document.get("Id"), last_segment(link(document))),
        # the burned-in address, since MACAddress may have been set by an operating system
        "mac": mac(document.get("PermanentMACAddress")) or mac(document.get("MACAddress")),
        "speed_mbps": int(speed) if speed and speed > 0 else None,
        "link": _LINK.get(word(document.get("LinkStatus"))),
    }
