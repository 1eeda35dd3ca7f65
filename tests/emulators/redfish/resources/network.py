# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ethernet interfaces of a host, as the BMC sees them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tests.emulators.redfish.personality import Template, link, mac
from tests.emulators.redfish.resources.leaves import upper_mac, while_on
from tests.emulators.redfish.resources.tree import TreeBuilder


@dataclass(frozen=True)
class Port:
    identifier: str
    mac_number: int  # Unit.mac(…); 0 and 1 belong to the BMC
    speed_mbps: int = 25_000
    link_up: bool = True
    name: str = ""
    address: str = ""  # its MAC, where it is not one of the unit's


def host_ports(
    tree: TreeBuilder,
    system: str,
    ports: Iterable[Port],
    *,
    chassis: str | None = None,
    upper_case: bool = False,
    collection_name: str = "Ethernet Interface Collection",
) -> Template:
    made = tree.collect(f"{system}/EthernetInterfaces", "EthernetInterface", collection_name)
    for port in ports:
        address: Any = port.address or (upper_mac if upper_case else mac)(port.mac_number)
        speed: Any = while_on(port.speed_mbps, 0, system) if port.link_up else 0
        link_status: Any = while_on("LinkUp", "LinkDown", system) if port.link_up else "LinkDown"
        tree.add(
            f"{system}/EthernetInterfaces/{port.identifier}",
            "EthernetInterface",
            port.name or f"System Ethernet Interface {port.identifier}",
            {
                "EthernetInterfaceType": "Physical",
                "InterfaceEnabled": True,
                "MACAddress": address,
                "PermanentMACAddress": address,
                "SpeedMbps": speed,
                "LinkStatus": link_status,
                "FullDuplex": True,
                "IPv4Addresses": [],
                "IPv6Addresses": [],
                "NameServers": [],
                "Status": {"State": "Enabled", "Health": "OK"},
                "Links": {"Chassis": link(chassis)} if chassis else None,
            },
        )
    return made
