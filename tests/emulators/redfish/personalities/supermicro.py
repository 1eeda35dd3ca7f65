# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Supermicro: a root without Vendor and Product, a UUID made of the BMC's MAC, a system serial that is not the
chassis', links with stray slashes, BootSourceOverrideMode missing, ETags in every body."""

from __future__ import annotations

from tests.emulators.redfish.personality import SERVICE_ROOT, Manners, Personality, Tree, token
from tests.emulators.redfish.resources import parts
from tests.emulators.redfish.resources.accounts import account_service, session_service
from tests.emulators.redfish.resources.boot import BIOS_ATTRIBUTES, BootChoices
from tests.emulators.redfish.resources.environment import server_climate
from tests.emulators.redfish.resources.leaves import uuid_from_mac
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

BACKPLANE = "NVMeSSD.0.Group.0.StorageBackplane"
BACKPLANE_PATH = f"{SERVICE_ROOT}/Chassis/{BACKPLANE}"

DRIVES = Subsystem(
    "NVMeSSD",
    "NVMe SSD Storage",
    tuple(Bay(f"Disk.Bay.{i}", parts.NVME_3T84, f"Disk.Bay.{i}") for i in range(6)),
    volumes_listed=False,
    drives_at=BACKPLANE_PATH,
)

PLAN = ServerPlan(
    system_id="1",
    chassis_id="1",
    manager_id="1",
    manufacturer="Supermicro",
    model="SYS-621C-TN12R",
    sku="0x1D2B15D9",
    part_number="SYS-621C-TN12R",
    uuid=uuid_from_mac,
    asset=None,
    chassis_model="X13DDW-A",
    chassis_serial=token("C######@##@####", "chassis"),
    chassis_part="CSE-LA26TS-R000NP",
    bios_version="2.5",
    firmware="01.04.08",
    bmc_model="ASPEED",
    manager_uuid=uuid_from_mac,
    service_uuid=None,
    cpu=parts.XEON_6430,
    cpu_socket=lambda i: f"CPU{i + 1}",
    dimm=parts.DDR5_64,
    dimm_label=lambda i: f"P{i // 8 + 1}-DIMM{'ABCDEFGH'[i % 8]}1",
    ports=(Port("1", 2, 10_000), Port("2", 3, 10_000, link_up=False), Port("ToManager", 4, 100)),
    subsystems=(DRIVES,),
    drive_chassis=BACKPLANE_PATH,
    boot=BootChoices(
        targets=("None", "Pxe", "Floppy", "Cd", "Usb", "Hdd", "BiosSetup", "UsbCd", "UefiBootNext", "UefiHttp"),
        target="None",
        enabled_values=("Disabled", "Once", "Continuous"),
        mode=None,  # field notes §6: BootSourceOverrideMode may be absent (metal-operator#982 #985)
        options=(("Boot0003", "UEFI Hard Disk: debian"), ("Boot0005", "UEFI PXE IPv4"), ("Boot0001", "UEFI CD/DVD")),
    ),
    bios={"attributes": BIOS_ATTRIBUTES, "registry": "BiosAttributeRegistry.v1_0_0", "settings": "SD"},
    secure_boot={"mode": "SetupMode", "databases": ("PK", "KEK", "db", "dbr", "dbt", "dbx")},
    resets=(
        "On",
        "ForceOff",
        "GracefulShutdown",
        "GracefulRestart",
        "ForceRestart",
        "Nmi",
        "ForceOn",
        "PowerCycle",
    ),
    led="both",
    location=None,
    climate=server_climate(
        supplies=("1", "2"),
        supply=parts.PSU_2000,
        inlet=("1", "Inlet Temp"),
        cpu=("CPU{0}Temp", "CPU{0} Temp"),
        fan=("FAN{0}", "FAN{0}"),
        power=("PowerConsumption", "System Power Control"),
    ),
    old_model=True,
    new_model=False,
    height_units=2,
    manager_ports={"1": 0, "ToHost": 1},
    manager_resets=("GracefulRestart",),
    software="BMC",
    media=tuple(
        MediaSlot(f"VirtualMedia{i}", "Virtual Removable Media", ("CD", "DVD", "Floppy", "USBStick"))
        for i in range(1, 4)
    ),
    manager_logs=(Log("Log1", "Maintenance Event Log", "Event"),),
    system_logs=(Log("Log1", "Health Event Log", "SEL"),),
)


def tree() -> Tree:
    made = TreeBuilder(Dialect(action_info=True, descriptions=False))
    service_root(
        made,
        redfish_version="1.14.0",
        identifier="ServiceRoot",
        features=protocol_features(expand_levels=2, filters=True, only_member=False),
        uuid=uuid_from_mac,
        oem={"Supermicro": {"@odata.type": "#SmcServiceRootExtensions.v1_0_0.ServiceRoot"}},
    )
    server_collections(made)
    server(made, PLAN)
    made.add(
        BACKPLANE_PATH,
        "Chassis",
        "NVMe SSD Storage Backplane",
        {
            "ChassisType": "Enclosure",
            "Manufacturer": "Supermicro",
            "Model": "BPN-NVME5-LA26A",
            "Status": {"State": "Enabled", "Health": "OK"},
            "Drives": made.collect(f"{BACKPLANE_PATH}/Drives", "Drive", "Drive Collection"),
            "Links": {
                "ContainedBy": {"@odata.id": PLAN.chassis},
                "ManagedBy": [{"@odata.id": PLAN.manager}],
                "Drives": [{"@odata.id": f"{BACKPLANE_PATH}/Drives/{bay.identifier}"} for bay in DRIVES.bays],
            },
        },
    )
    # Links with a trailing slash where the resource has none (field notes §6, generic).
    made[PLAN.manager]["Links"]["ManagerInChassis"] = {"@odata.id": f"{PLAN.chassis}/"}
    account_service(made, lockout_seconds=30, account_types=("Redfish", "IPMI", "WebUI"))
    session_service(made)
    update_service(
        made,
        (
            Image("BMC", "BMC", PLAN.firmware, related=(PLAN.manager,)),
            Image("Backup_BMC", "Backup BMC", PLAN.firmware, updateable=False),
            Image("BIOS", "BIOS", "2.5", related=(PLAN.system,)),
            Image("Backup_BIOS", "Backup BIOS", "2.5", updateable=False),
            Image("CPLD_Motherboard", "Motherboard CPLD", "F2.AA.05"),
            Image("PowerSupply1", "Power supply 1", "1.2", updateable=False),
            Image("PowerSupply2", "Power supply 2", "1.2", updateable=False),
        ),
        push=None,
        multipart="upload",
        simple_update=("HTTP", "HTTPS"),
    )
    task_service(made)
    event_service(made, registries=("Base", "Event", "SMC"))
    telemetry_service(made)
    registries(made, ("Base.1.13.0", "ResourceEvent.1.2.0"))
    finish(made)
    return made


PERSONALITY = Personality(
    name="supermicro",
    tree=tree,
    serial_pattern="S######X########",
    manners=Manners(
        session_timeout=300.0,
        account_ids="number",
        password_length=(8, 20),
        lockout_threshold=3,
        expand_levels=2,
        message_registry="Base.1.13",
        reached_state="refused_400",  # field notes §6, generic
        boot_needs_enabled=True,  # field notes §6: BootSourceOverrideEnabled always needed
        media_refuses=frozenset({"Inserted", "WriteProtected"}),  # field notes §6
        media_url_refuses="?=",  # field notes §6: image URL must not contain ? or =
        media_stale_name=True,  # field notes §6: stale ImageName/NotConnected
    ),
)
