# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Storage subsystems: controllers, drives, volumes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tests.emulators.redfish.personality import Template, link, links, token
from tests.emulators.redfish.resources.chassis import indicator
from tests.emulators.redfish.resources.leaves import state_when_on, uuid_of
from tests.emulators.redfish.resources.parts import Disk
from tests.emulators.redfish.resources.tree import TreeBuilder


@dataclass(frozen=True)
class Bay:
    """One drive in its bay."""

    identifier: str
    disk: Disk
    label: str = ""
    serial: str | None = None  # None: from the disk's pattern; "": the drive has none


@dataclass(frozen=True)
class Subsystem:
    """One Storage resource."""

    identifier: str
    name: str
    bays: tuple[Bay, ...]
    controller: str = ""  # id of its controller; "" = none listed
    controller_model: str = ""
    controller_maker: str = ""
    controller_firmware: str = ""
    raid_types: tuple[str, ...] = ()
    volume: str = ""  # id of a volume over the first two drives (a mirror), or one drive; "" = none
    volumes_listed: bool = True
    embedded_controllers: bool = False  # the older StorageControllers array instead of the collection
    drives_at: str = ""  # where the drives live, when not under the Storage resource ("/redfish/v1/Chassis/1")


def storage(
    tree: TreeBuilder,
    system: str,
    subsystems: Iterable[Subsystem],
    *,
    chassis: str,
    drive_chassis: str | None = None,
    led: str = "active",
) -> Template:
    made = tree.collect(f"{system}/Storage", "Storage", "Storage Collection")
    for subsystem in subsystems:
        _subsystem(tree, system, subsystem, drive_chassis or chassis, led)
    return made


def drive_paths(system: str, subsystem: Subsystem) -> list[str]:
    base = subsystem.drives_at or f"{system}/Storage/{subsystem.identifier}"
    return [f"{base}/Drives/{bay.identifier}" for bay in subsystem.bays]


def _subsystem(tree: TreeBuilder, system: str, subsystem: Subsystem, drive_chassis: str, led: str) -> None:
    path = f"{system}/Storage/{subsystem.identifier}"
    drives = drive_paths(system, subsystem)
    volume = f"{path}/Volumes/{subsystem.volume}" if subsystem.volume else ""
    mirrored = drives[:2]
    body: Template = {
        "Status": {"State": state_when_on(system=system), "Health": "OK", "HealthRollup": "OK"},
        "Drives": links(*drives),
        "Drives@odata.count": len(drives),
        "Links": {"Enclosures": links(drive_chassis)},
    }
    if subsystem.volumes_listed:
        body["Volumes"] = tree.collect(f"{path}/Volumes", "Volume", "Volume Collection")
    if subsystem.controller:
        _controller(tree, system, path, subsystem, body)
    tree.add(path, "Storage", subsystem.name, body)
    for number, (bay, drive) in enumerate(zip(subsystem.bays, drives, strict=True)):
        _drive(tree, system, drive, bay, number, drive_chassis, volume if drive in mirrored else "", led)
    if volume:
        _volume(tree, volume, mirrored, subsystem.bays[0].disk)


def _controller(tree: TreeBuilder, system: str, path: str, subsystem: Subsystem, body: Template) -> None:
    protocols = sorted({bay.disk.protocol for bay in subsystem.bays}) or ["PCIe"]
    facts: Template = {
        "Manufacturer": subsystem.controller_maker or None,
        "Model": subsystem.controller_model or None,
        "FirmwareVersion": subsystem.controller_firmware or None,
        "SupportedControllerProtocols": ["PCIe"],
        "SupportedDeviceProtocols": protocols,
        "Status": {"State": state_when_on(system=system), "Health": "OK"},
    }
    if subsystem.embedded_controllers:
        facts = {key: value for key, value in facts.items() if value is not None}
        facts |= {
            "@odata.id": f"{path}#/StorageControllers/0",
            "MemberId": "0",
            "Name": subsystem.name,
            "SerialNumber": token("SC%%%%%%%%", path),
            "Links": {},
        }
        body["StorageControllers"] = [facts]
        body["StorageControllers@odata.count"] = 1
        return
    body["Controllers"] = tree.collect(f"{path}/Controllers", "StorageController", "Storage Controller Collection")
    facts["SerialNumber"] = token("SC%%%%%%%%", path)
    facts["SupportedRAIDTypes"] = list(subsystem.raid_types) or None
    facts["Location"] = {"PartLocation": {"ServiceLabel": subsystem.name, "LocationType": "Slot"}}
    tree.add(f"{path}/Controllers/{subsystem.controller}", "StorageController", subsystem.name, facts)


def _drive(
    tree: TreeBuilder, system: str, path: str, bay: Bay, number: int, chassis: str, volume: str, led: str
) -> None:
    disk = bay.disk
    encrypting = disk.protocol == "NVMe" if disk.self_encrypting is None else disk.self_encrypting
    drive_links: Template = {"Chassis": link(chassis)}
    if volume:
        drive_links["Volumes"] = links(volume)
    tree.add(
        path,
        "Drive",
        bay.label or f"Drive {number}",
        {
            "Manufacturer": disk.manufacturer,
            "Model": disk.model,
            "SerialNumber": token(disk.serial_pattern, path) if bay.serial is None else bay.serial or None,
            "Revision": disk.revision or None,
            "CapacityBytes": disk.capacity_bytes,
            "BlockSizeBytes": 512,
            "Protocol": disk.protocol,
            "MediaType": disk.media,
            "RotationSpeedRPM": disk.rpm,
            "CapableSpeedGbs": disk.gbps,
            "NegotiatedSpeedGbs": disk.gbps,
            "FailurePredicted": False,
            "PredictedMediaLifeLeftPercent": 98 if disk.media == "SSD" else None,
            "EncryptionAbility": "SelfEncryptingDrive" if encrypting else "None",
            "EncryptionStatus": "Unlocked" if encrypting else "Unencrypted",
            "Identifiers": [{"DurableNameFormat": "UUID", "DurableName": uuid_of(path)}],
            "PhysicalLocation": {
                "PartLocation": {
                    "ServiceLabel": bay.label or f"Bay {number}",
                    "LocationType": "Bay",
                    "LocationOrdinalValue": number,
                }
            },
            "Status": {"State": state_when_on("UnavailableOffline", system), "Health": "OK"},
            "Links": drive_links,
            **indicator(led),
        },
    )


def _volume(tree: TreeBuilder, path: str, drives: list[str], disk: Disk) -> None:
    mirrored = len(drives) > 1
    tree.add(
        path,
        "Volume",
        "System volume",
        {
            "CapacityBytes": disk.capacity_bytes,
            "BlockSizeBytes": 512,
            "RAIDType": "RAID1" if mirrored else "RAID0",
            "Encrypted": False,
            "Status": {"State": "Enabled", "Health": "OK"},
            "Links": {"Drives": links(*drives)},
        },
    )
