# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Managers: the BMC itself, its network, its virtual media slots."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.emulators.redfish.personality import (
    OMITTED,
    SERVICE_ROOT,
    Leaf,
    Template,
    clock,
    link,
    links,
    mac,
    volatile,
)
from tests.emulators.redfish.resources.leaves import SERVICE_UUID, bmc_host_name, bmc_ipv4, unit_id, uuid_of
from tests.emulators.redfish.resources.tree import TreeBuilder

MANAGERS = f"{SERVICE_ROOT}/Managers"
MANAGER_UUID = uuid_of("manager")


@dataclass(frozen=True)
class MediaSlot:
    identifier: str
    name: str
    media_types: tuple[str, ...] = ("CD", "DVD")
    insertable: bool = True  # False: listed, and InsertMedia is missing (Cisco, Lenovo's RDOC slots)
    body: Mapping[str, Any] | None = None


def manager(
    tree: TreeBuilder,
    identifier: str,
    *,
    firmware: str,
    model: str,
    systems: Iterable[str] = (),
    chassis: Iterable[str] = (),
    name: str = "Manager",
    kind: str = "BMC",
    uuid: Leaf | str | None = MANAGER_UUID,
    service_uuid: Leaf | None = SERVICE_UUID,
    reset_types: Iterable[str] = ("GracefulRestart", "ForceRestart"),
    default_types: Iterable[str] = (),
    software: str | None = None,
    oem: Template | None = None,
    **more: Any,
) -> str:
    """Put the manager's own body; its parts (NICs, protocol, media, logs) come in through ``more``."""
    path = f"{MANAGERS}/{identifier}"
    systems, chassis = list(systems), list(chassis)
    manager_links: Template = {"ManagerForServers": links(*systems)} if systems else {}
    if chassis:
        manager_links |= {"ManagerForChassis": links(*chassis), "ManagerInChassis": link(chassis[0])}
    if software:
        manager_links |= {"ActiveSoftwareImage": link(software), "SoftwareImages": links(software)}
    actions: Template = {"#Manager.Reset": tree.reset_action(path, "Manager.Reset", reset_types)}
    defaults = list(default_types)
    if defaults:
        actions["#Manager.ResetToDefaults"] = tree.reset_action(path, "Manager.ResetToDefaults", defaults)
    body: Template = {
        "ManagerType": kind,
        "Model": model,
        "FirmwareVersion": firmware,
        "UUID": uuid,
        "ServiceEntryPointUUID": service_uuid,
        "DateTime": volatile(clock),
        "DateTimeLocalOffset": "+00:00",
        "PowerState": "On",
        "Status": {"State": "Enabled", "Health": "OK"},
        "GraphicalConsole": {"ServiceEnabled": True, "MaxConcurrentSessions": 4, "ConnectTypesSupported": ["KVMIP"]},
        "SerialConsole": {
            "ServiceEnabled": True,
            "MaxConcurrentSessions": 4,
            "ConnectTypesSupported": ["SSH", "IPMI"],
        },
        "CommandShell": {"ServiceEnabled": True, "MaxConcurrentSessions": 4, "ConnectTypesSupported": ["SSH"]},
        "Links": manager_links,
        "Actions": actions,
        "Oem": oem,
    }
    body.update(more)
    tree.add(path, "Manager", name, body)
    return path


def manager_ports(
    tree: TreeBuilder,
    manager_path: str,
    ports: Mapping[str, int] | None = None,
    *,
    make_mac: Any = mac,
    host: Leaf = bmc_host_name,
    name: str = "Manager Ethernet Interface",
) -> Template:
    """The BMC's own interfaces: id → number of its MAC. Only MAC 0 carries the address that we talk to."""
    made = tree.collect(
        f"{manager_path}/EthernetInterfaces", "EthernetInterface", "Ethernet Network Interface Collection"
    )
    for identifier, number in (ports or {"1": 0}).items():
        ours = number == 0
        tree.add(
            f"{manager_path}/EthernetInterfaces/{identifier}",
            "EthernetInterface",
            name,
            {
                "InterfaceEnabled": True,
                "EthernetInterfaceType": "Physical",
                "MACAddress": make_mac(number),
                "PermanentMACAddress": make_mac(number),
                "SpeedMbps": 1000 if ours else 100,
                "FullDuplex": True,
                "AutoNeg": True,
                "LinkStatus": "LinkUp",
                "MTUSize": 1500,
                "HostName": host,
                "FQDN": host,
                "DHCPv4": {"DHCPEnabled": ours, "UseDNSServers": True, "UseNTPServers": True, "UseDomainName": True},
                "IPv4Addresses": bmc_ipv4 if ours else [],
                "IPv4StaticAddresses": [],
                "IPv6Addresses": [],
                "NameServers": [],
                "StaticNameServers": [],
                "VLAN": {"VLANEnable": False, "VLANId": 1},
                "Status": {"State": "Enabled", "Health": "OK"},
            },
        )
    return made


def network_protocol(
    tree: TreeBuilder,
    manager_path: str,
    *,
    http: bool = True,
    ipmi: bool = True,
    host: Leaf = bmc_host_name,
    identifier: str = "NetworkProtocol",
    certificate: bool = True,
    more: Template | None = None,
) -> Template:
    path = f"{manager_path}/NetworkProtocol"
    https: Template = {"ProtocolEnabled": True, "Port": 443}
    if certificate:
        https["Certificates"] = https_certificate(tree, path)
    body: Template = {
        "HostName": host,
        "FQDN": host,
        "HTTP": {"ProtocolEnabled": http, "Port": 80},
        "HTTPS": https,
        "SSH": {"ProtocolEnabled": True, "Port": 22},
        "IPMI": {"ProtocolEnabled": ipmi, "Port": 623},
        "NTP": {"ProtocolEnabled": False, "NTPServers": []},
        "Status": {"State": "Enabled", "Health": "OK"},
    }
    return tree.add(
        path, "ManagerNetworkProtocol", "Manager Network Protocol", body | (more or {}), identifier=identifier
    )


def https_certificate(tree: TreeBuilder, protocol_path: str) -> Template:
    """The certificate that HTTPS shows: its description. The text of it belongs to the certificate life cycle."""
    made = tree.collect(f"{protocol_path}/HTTPS/Certificates", "Certificate", "HTTPS Certificate Collection")
    tree.add(
        f"{protocol_path}/HTTPS/Certificates/1",
        "Certificate",
        "HTTPS Certificate",
        {
            "CertificateType": "PEM",
            "CertificateUsageTypes": ["Web"],
            "Issuer": {"CommonName": "Emulated fleet CA", "Organization": "hearth.datacenter tests"},
            "Subject": {"CommonName": unit_id("bmc-{serial}"), "Organization": "hearth.datacenter tests"},
            "KeyUsage": ["DigitalSignature", "KeyEncipherment"],
        },
    )
    return made


def virtual_media(tree: TreeBuilder, owner: str, slots: Iterable[MediaSlot], *, writable: bool = True) -> Template:
    made = tree.collect(f"{owner}/VirtualMedia", "VirtualMedia", "Virtual Media Collection")
    for slot in slots:
        path = f"{owner}/VirtualMedia/{slot.identifier}"
        actions: Template = {}
        if slot.insertable:
            actions["#VirtualMedia.InsertMedia"] = {"target": f"{path}/Actions/VirtualMedia.InsertMedia"}
        actions["#VirtualMedia.EjectMedia"] = {"target": f"{path}/Actions/VirtualMedia.EjectMedia"}
        body: Template = {
            "MediaTypes": list(slot.media_types),
            "ConnectedVia": "NotConnected",
            "Inserted": False,
            "WriteProtected": True,
            "Actions": _unless_patched(actions),
        }
        template = body | dict(slot.body or {})
        tree.add(path, "VirtualMedia", slot.name, template)
        # Null, not missing: a client tells an empty slot by it.
        for key in ("Image", "ImageName"):
            tree[path].setdefault(key, None)
    return made


def _unless_patched(actions: Template) -> Leaf:
    """No actions where media are inserted by PATCH."""
    return lambda bmc: OMITTED if bmc.manners.media_by == "patch" else actions
