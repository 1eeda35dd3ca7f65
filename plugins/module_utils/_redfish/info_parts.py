# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parts of a machine and of its BMC, one by one: processors, memory, firmware, accounts."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional

from .._core.identity import label, serial
from .client import RedfishClient
from .document import (
    absent,
    count,
    first_text,
    flag,
    health_word,
    last_segment,
    link,
    number,
    part,
    state,
    text,
    word,
)

Part = Dict[str, Any]


def processors_info(client: RedfishClient, system: Mapping[str, Any]) -> Optional[List[Part]]:
    """Every processor that is plugged in, GPUs among them where the platform lists them so."""
    path = link(system.get("Processors"))
    if not path:
        return None
    return [
        {
            "id": _id(one),
            "type": text(one.get("ProcessorType")),
            "manufacturer": label(one.get("Manufacturer")),
            "model": label(one.get("Model")),
            "cores": count(one.get("TotalCores")),
            "threads": count(one.get("TotalThreads")),
            "max_mhz": count(one.get("MaxSpeedMHz")),
            "serial": serial(one.get("SerialNumber")),
            "health": health_word(part(one, "Status").get("Health")),
        }
        for one in client.members(path, "processors")
        if not absent(one)
    ]


def memory_info(client: RedfishClient, system: Mapping[str, Any]) -> Optional[Part]:
    """The sum that the system tells, and every module that is plugged in."""
    path = link(system.get("Memory"))
    summary = part(system, "MemorySummary")
    if not path and not summary:
        return None
    return {
        "total_gib": number(summary.get("TotalSystemMemoryGiB")) or None,
        "modules": [
            {
                "id": _id(one),
                "slot": first_text(one.get("DeviceLocator"), one.get("Name")),
                "capacity_mib": count(one.get("CapacityMiB")),
                "type": text(one.get("MemoryDeviceType")),
                "speed_mhz": count(one.get("OperatingSpeedMhz")),
                "manufacturer": label(one.get("Manufacturer")),
                "part_number": label(one.get("PartNumber")),
                "serial": serial(one.get("SerialNumber")),
                "health": health_word(part(one, "Status").get("Health")),
            }
            for one in client.members(path, "memory")
            # An empty slot is listed without a capacity where it is not called absent.
            if not absent(one) and count(one.get("CapacityMiB"))
        ],
    }


def firmware_info(client: RedfishClient, root: Mapping[str, Any]) -> Optional[List[Part]]:
    """The firmware inventory of the update service."""
    service = client.find(link(root.get("UpdateService")), "the update service") if root.get("UpdateService") else None
    path = link((service or {}).get("FirmwareInventory"))
    if not path:
        return None
    return [
        {
            "id": _id(one),
            "name": text(one.get("Name")),
            "version": text(one.get("Version")),
            "updateable": flag(one.get("Updateable")),
            "released": text(one.get("ReleaseDate"), 64),
            "state": text(state(one)),
        }
        for one in client.members(path, "firmware")
    ]


def accounts_info(client: RedfishClient, root: Mapping[str, Any]) -> Optional[List[Part]]:
    """The BMC's own accounts; fixed slots without a user name (iDRAC) are left out."""
    service = client.find(link(root.get("AccountService")), "the accounts") if root.get("AccountService") else None
    path = link((service or {}).get("Accounts"))
    if not path:
        return None
    return [
        {
            "id": _id(one),
            "username": text(one.get("UserName"), 128),
            "role": text(one.get("RoleId"), 128),
            "enabled": flag(one.get("Enabled")),
            "locked": flag(one.get("Locked")),
        }
        for one in client.members(path, "accounts")
        if word(one.get("UserName"))
    ]


def _id(document: Mapping[str, Any]) -> Optional[str]:
    return first_text(document.get("Id"), document.get("MemberId"), last_segment(link(document)))
