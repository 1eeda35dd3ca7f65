# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lenovo XClarity Controller: sixteen sessions, changes only with If-Match, no Continuous override, remote media slots
that cannot be used."""

from __future__ import annotations

from tests.emulators.redfish.personality import Manners, Personality, Template, Tree
from tests.emulators.redfish.resources import parts
from tests.emulators.redfish.resources.accounts import account_service, session_service
from tests.emulators.redfish.resources.boot import BIOS_ATTRIBUTES, BootChoices
from tests.emulators.redfish.resources.environment import server_climate
from tests.emulators.redfish.resources.leaves import rack, rack_offset, unit_id
from tests.emulators.redfish.resources.logs import Log
from tests.emulators.redfish.resources.manager import MediaSlot
from tests.emulators.redfish.resources.network import Port
from tests.emulators.redfish.resources.server import ServerPlan, server, server_collections
from tests.emulators.redfish.resources.service_root import protocol_features, service_root
from tests.emulators.redfish.resources.services import (
    event_service,
    finish,
    registries,
    task_service,
    telemetry_service,
)
from tests.emulators.redfish.resources.storage import Bay, Subsystem
from tests.emulators.redfish.resources.tree import Dialect, TreeBuilder
from tests.emulators.redfish.resources.update import Image, update_service


def media_slots() -> tuple[MediaSlot, ...]:
    """EXT takes an image by URL; RDOC and Remote belong to the web console and cannot be used (field notes §6)."""
    return (
        *(MediaSlot(f"EXT{i}", f"Virtual Media EXT{i}", ("CD", "DVD")) for i in range(1, 5)),
        *(MediaSlot(f"RDOC{i}", f"Virtual Media RDOC{i}", ("CD",), insertable=False) for i in range(1, 3)),
        *(MediaSlot(f"Remote{i}", f"Virtual Media Remote{i}", ("CD",), insertable=False) for i in range(1, 5)),
    )


def location() -> Template:
    return {
        "Placement": {"Rack": rack, "RackOffset": rack_offset, "RackOffsetUnits": "EIA_310", "Row": "A"},
        "PostalAddress": {"Building": "DC1", "Room": "R1", "Location": unit_id("{rack} u{slot}")},
    }


PLAN = ServerPlan(
    system_id="1",
    chassis_id="1",
    manager_id="1",
    manufacturer="Lenovo",
    model="ThinkSystem SR650 V3",
    sku="7D76CTO1WW",
    part_number="SB27B31174",
    chassis_part="SB27B31174",
    firmware="ESX338O 6.10 2025-03-21",
    bmc_model="Lenovo XClarity Controller 2",
    bios_version="ESE128M-3.30",
    cpu=parts.XEON_6430,
    cpu_socket=lambda i: f"CPU {i + 1}",
    dimm=parts.DDR5_64,
    dimms=8,
    dimm_slots=32,
    ports=(Port("NIC1", 2), Port("NIC2", 3), Port("ToManager", 4, 100)),
    subsystems=(
        Subsystem(
            "RAID_Slot4",
            "ThinkSystem RAID 940-8i",
            tuple(Bay(f"Disk.{i}", parts.SATA_480, f"Drive {i}") for i in range(2)),
            controller="0",
            controller_maker="Lenovo",
            controller_model="ThinkSystem RAID 940-8i",
            controller_firmware="52.26.0-5179",
            raid_types=("RAID0", "RAID1", "RAID5"),
            volume="1",
        ),
        Subsystem("NVMe", "NVMe", tuple(Bay(f"NVMe{i}", parts.NVME_3T84, f"NVMe {i}") for i in range(4))),
    ),
    boot=BootChoices(
        targets=("None", "Pxe", "Cd", "Usb", "Hdd", "BiosSetup", "Diags", "UefiTarget"),
        enabled_values=("Once", "Disabled"),  # no Continuous override (field notes §6)
        mode_values=("UEFI", "Legacy"),
        options=(("Boot0001", "debian"), ("Boot0002", "Network"), ("Boot0003", "CD/DVD Rom")),
    ),
    bios={"attributes": BIOS_ATTRIBUTES, "registry": "BiosAttributeRegistry.1.0.0", "settings": "Pending"},
    secure_boot={"default_databases": ("PKDefault", "KEKDefault", "dbDefault", "dbxDefault")},
    resets=("On", "Nmi", "GracefulShutdown", "GracefulRestart", "ForceOn", "ForceOff", "ForceRestart"),
    led="both",
    location=location(),
    climate=server_climate(
        supplies=("PSU1", "PSU2"),
        supply=parts.PSU_1600,
        inlet=("AmbientTemp", "Ambient Temp"),
        cpu=("CPU{0}Temp", "CPU {0} Temp"),
        fan=("Fan{0}Tach", "Fan {0} Tach"),
        power=("SysPower", "Sys Power"),
        power_limit=(420, 1500),
    ),
    old_model=True,
    height_units=2,
    manager_ports={"NIC": 0, "ToHost": 1},
    manager_resets=("GracefulRestart", "ForceRestart"),
    software="BMC-Primary",
    bmc_host=unit_id("XCC-7D76-{serial}"),
    media=media_slots(),
    manager_logs=(),
    system_logs=(
        Log("PlatformLog", "Platform Event Log", "Event"),
        Log("AuditLog", "Audit Log", "Event"),
        Log("SEL", "System Event Log", "SEL"),
    ),
)


def build(plan: ServerPlan, redfish_version: str, product: str, firmware_images: tuple[Image, ...]) -> Tree:
    made = TreeBuilder(Dialect(context=True, counts=True))
    service_root(
        made,
        redfish_version=redfish_version,
        vendor="Lenovo",
        product=product,
        features=protocol_features(expand_levels=2, filters=True),
        oem={"Lenovo": {"@odata.type": "#LenovoServiceRoot.v1_0_0.LenovoServiceRoot"}},
    )
    server_collections(made)
    server(made, plan)
    account_service(made)
    session_service(made)
    update_service(made, firmware_images, push="push", multipart="mfwupdate", simple_update=("TFTP", "SFTP", "HTTPS"))
    task_service(made)
    event_service(made, registries=("LenovoExtendedWarning", "ExtendedError"))
    telemetry_service(made)
    registries(made, ("Base.1.16.0", "ResourceEvent.1.2.1", "TaskEvent.1.0.3"))
    finish(made)
    return made


def images(plan: ServerPlan) -> tuple[Image, ...]:
    return (
        Image("BMC-Primary", "Firmware:BMC", plan.firmware, related=(plan.manager,)),
        Image("BMC-Backup", "Firmware:BMC-Backup", plan.firmware, updateable=False),
        Image("UEFI", "Firmware:UEFI", plan.bios_version, related=(f"{plan.system}/Bios",)),
        Image("LXPM", "Firmware:LXPM", "XWL126P-4.11"),
        Image("Slot_4.Bundle", "Firmware:RAID 940-8i", "52.26.0-5179"),
        Image("PSU1", "Firmware:PSU1", "9.40", updateable=False),
        Image("PSU2", "Firmware:PSU2", "9.40", updateable=False),
    )


def tree() -> Tree:
    return build(PLAN, "1.15.0", "ThinkSystem SR650 V3", images(PLAN))


PERSONALITY = Personality(
    name="xcc",
    tree=tree,
    serial_pattern="J#%%####",
    manners=Manners(
        session_limit=16,  # field notes §6 and §5: XCC limit 16
        if_match="required",  # field notes §6: old ones require an ETag (ansible#56150: 428)
        account_ids="number",
        expand_levels=2,
        lockout_threshold=5,
        message_registry="Base.1.16",
    ),
)
