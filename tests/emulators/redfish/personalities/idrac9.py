# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Dell iDRAC 9: ids ``System.Embedded.1`` and ``iDRAC.Embedded.1``, sixteen account slots, eight sessions, the older
and the newer sensor model side by side, $expand one level deep, virtual media at the manager and at the system."""

from __future__ import annotations

from tests.emulators.redfish.personality import Manners, Personality, Template, Tree, mac, token
from tests.emulators.redfish.resources import parts
from tests.emulators.redfish.resources.accounts import PRIVILEGES, account_service, session_service
from tests.emulators.redfish.resources.boot import BIOS_ATTRIBUTES, BootChoices
from tests.emulators.redfish.resources.chassis import CHASSIS, chassis
from tests.emulators.redfish.resources.environment import server_climate
from tests.emulators.redfish.resources.leaves import rack, unit_id
from tests.emulators.redfish.resources.logs import Log
from tests.emulators.redfish.resources.manager import MANAGERS, MediaSlot
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
from tests.emulators.redfish.resources.storage import Bay, Subsystem, drive_paths
from tests.emulators.redfish.resources.system import SYSTEMS, tpm
from tests.emulators.redfish.resources.tree import Dialect, TreeBuilder
from tests.emulators.redfish.resources.update import Image, update_service

SYSTEM = f"{SYSTEMS}/System.Embedded.1"
MANAGER = f"{MANAGERS}/iDRAC.Embedded.1"
BACKPLANE = f"{CHASSIS}/Enclosure.Internal.0-1"

PREVIOUS_BIOS = "Previous-159-1.9.2__BIOS.Setup.1-1"
SERVICE_TAG = token("%%%%%%%", "service-tag")

ROLES = {"Administrator": PRIVILEGES["Administrator"], "Operator": PRIVILEGES["Operator"]} | {
    "ReadOnly": PRIVILEGES["ReadOnly"],
    "None": (),
}

OPTIONS = (
    ("Boot0000", "Integrated NIC 1 Port 1 Partition 1"),
    ("Boot0001", "PCIe SSD in Slot 0 in Bay 1: debian"),
    ("Boot0002", "Virtual Optical Drive"),
)


def drives(count: int, disk: parts.Disk) -> Subsystem:
    return Subsystem(
        "CPU.1",
        "CPU.1 NVMe",
        tuple(
            Bay(f"Disk.Bay.{i}:Enclosure.Internal.0-1", disk, f"PCIe SSD in Slot {i} in Bay 1") for i in range(count)
        ),
        controller="CPU.1",
        controller_maker="Intel Corporation",
        controller_model="CPU attached NVMe",
    )


def dimm_slot(i: int) -> str:
    """A1 … A8, B1 … B8."""
    return f"{'AB'[i // 8]}{i % 8 + 1}"


def location(aisle: str = "A") -> Template:
    """Dell states the place twice: in a line of its own format, and in the standard's Placement."""
    return {
        "Info": unit_id("DC1;R1;" + aisle + ";{rack};{slot}"),
        "InfoFormat": "DataCenter;RoomName;Aisle;RackName;RackSlot",
        "Placement": {"Rack": rack, "Row": aisle},
        "PostalAddress": {"Building": "DC1", "Room": "R1"},
    }


def images(bmc: str, bios: str, disk: parts.Disk, count: int) -> tuple[Image, ...]:
    """Dell keeps what is installed beside what was installed before."""
    return (
        Image(f"Installed-25227-{bmc}__iDRAC.Embedded.1-1", "Integrated Dell Remote Access Controller", bmc),
        Image(f"Installed-159-{bios}__BIOS.Setup.1-1", "BIOS", bios),
        Image(PREVIOUS_BIOS, "BIOS", "1.9.2", updateable=False),
        Image("Installed-27763-1.1.1__CPLD.Embedded.1", "System CPLD", "1.1.1"),
        Image("Installed-109673-7.2.3.1__TPM.Integrated.1-1", "TPM", "7.2.3.1", updateable=False),
        Image("Installed-108255-22.71.3__NIC.Integrated.1-1-1", "Broadcom Adv. Dual 25Gb Ethernet", "22.71.3"),
        *(
            Image(
                f"Installed-0-{disk.revision}__Disk.Bay.{i}:Enclosure.Internal.0-1",
                f"PCIe SSD in Slot {i} in Bay 1",
                disk.revision,
            )
            for i in range(count)
        ),
    )


PLAN = ServerPlan(
    system_id="System.Embedded.1",
    chassis_id="System.Embedded.1",
    manager_id="iDRAC.Embedded.1",
    manufacturer="Dell Inc.",
    model="PowerEdge R650",
    sku=SERVICE_TAG,
    part_number="0PYXKYA02",
    chassis_part="0PYXKYA02",
    bios_version="1.13.2",
    firmware="7.00.60.00",
    bmc_model="15G Monolithic",
    cpu=parts.XEON_6338,
    cpu_id=lambda i: f"CPU.Socket.{i + 1}",
    cpu_socket=lambda i: f"CPU.Socket.{i + 1}",
    dimm=parts.DDR4_32,
    dimm_id=lambda i: f"DIMM.Socket.{dimm_slot(i)}",
    dimm_label=lambda i: f"DIMM {dimm_slot(i)}",
    ports=(
        Port("NIC.Integrated.1-1-1", 2),
        Port("NIC.Integrated.1-2-1", 3, link_up=False),
        Port("NIC.Embedded.1-1-1", 4, 1000, link_up=False),
        Port("NIC.Embedded.2-1-1", 5, 1000, link_up=False),
    ),
    upper_case_macs=True,
    subsystems=(drives(4, parts.NVME_3T84),),
    drive_chassis=BACKPLANE,
    trusted_modules=(tpm("7.2.3.1"),),
    boot=BootChoices(
        targets=(
            "None",
            "Pxe",
            "Floppy",
            "Cd",
            "Hdd",
            "BiosSetup",
            "Utilities",
            "UefiTarget",
            "SDCard",
            "UefiHttp",
        ),
        enabled_values=None,
        mode_values=None,
        options=OPTIONS,
    ),
    bios={
        "attributes": BIOS_ATTRIBUTES,
        "registry": "BiosAttributeRegistry.v1_0_3",
        "apply_times": ("OnReset", "AtMaintenanceWindowStart", "InMaintenanceWindowOnReset"),
    },
    secure_boot={
        "mode": "DeployedMode",
        "reset_keys": (
            "ResetAllKeysToDefault",
            "DeleteAllKeys",
            "DeletePK",
            "ResetPK",
            "ResetKEK",
            "ResetDB",
            "ResetDBX",
        ),
    },
    resets=(
        "On",
        "ForceOff",
        "ForceRestart",
        "GracefulRestart",
        "GracefulShutdown",
        "PushPowerButton",
        "Nmi",
        "PowerCycle",
    ),
    progress=False,
    led="both",
    chassis_resets=("On", "ForceOff"),
    location=location(),
    climate=server_climate(
        fans=8,
        supplies=("PSU.Slot.1", "PSU.Slot.2"),
        supply=parts.PSU_1400,
        inlet=("SystemBoardInletTemp", "System Board Inlet Temp"),
        cpu=("CPU{0}Temp", "CPU{0} Temp"),
        fan=("Fan.Embedded.{0}A", "System Board Fan{0}A"),
        power=("SystemBoardPwrConsumption", "System Board Pwr Consumption"),
    ),
    old_model=True,
    manager_ports={"NIC.1": 0},
    manager_resets=("GracefulRestart",),
    manager_defaults=("ResetAll", "PreserveNetworkAndUsers"),
    software="Installed-25227-7.00.60.00__iDRAC.Embedded.1-1",
    bmc_host=unit_id("idrac-{serial}"),
    media=(MediaSlot("CD", "Virtual CD"), MediaSlot("RemovableDisk", "Virtual Removable Disk", ("USBStick",))),
    media_at="both",
    system_media=(
        MediaSlot("1", "VirtualMedia Instance 1", ("CD", "DVD", "USBStick")),
        MediaSlot("2", "VirtualMedia Instance 2", ("CD", "DVD", "USBStick")),
    ),
    manager_logs=(
        Log("Sel", "SEL Log Service", "SEL", records=1024),
        Log("Lclog", "LifeCycle Controller Log Service", "Event", clearable=False, records=500_000),
        Log("FaultList", "FaultList Log Service", "Event", clearable=False),
    ),
    system_logs=(),
)


def build(made: TreeBuilder, plan: ServerPlan, redfish_version: str, firmware_images: tuple[Image, ...]) -> Tree:
    """An iDRAC's tree around its server."""
    service_root(
        made,
        redfish_version=redfish_version,
        vendor="Dell",
        product="Integrated Dell Remote Access Controller",
        features=protocol_features(expand_levels=1, filters=True),
        uuid=None,
        oem={
            "Dell": {
                "@odata.type": "#DellServiceRoot.v1_0_0.DellServiceRoot",
                "IsBranded": 0,
                "ManagerMACAddress": mac(0),
                "ServiceTag": SERVICE_TAG,
            }
        },
    )
    server_collections(made)
    server(made, plan)
    chassis(
        made,
        "Enclosure.Internal.0-1",
        kind="StorageEnclosure",
        name="PCIe SSD Backplane 1",
        model="PCIe SSD Backplane 1",
        serial_number=None,
        managers=(plan.manager,),
        contained_by=plan.chassis,
        drives=drive_paths(plan.system, plan.subsystems[0]),
        led="none",
    )
    made[plan.chassis]["Links"] |= {"Contains": [{"@odata.id": BACKPLANE}], "Contains@odata.count": 1}
    account_service(
        made, roles=ROLES, lockout_seconds=0, account_types=("Redfish", "SNMP", "HostConsole", "IPMI", "WebUI")
    )
    session_service(made)
    update_service(
        made,
        firmware_images,
        push="FirmwareInventory",
        multipart="MultipartUpload",
        simple_update=("HTTP", "NFS", "CIFS", "TFTP", "HTTPS"),
        max_image=None,
    )
    task_service(made)
    event_service(made, registries=("IDRAC",), resource_types=("Chassis", "ComputerSystem", "Manager"))
    telemetry_service(made)
    registries(made, ("Base.1.18.1", "ResourceEvent.1.3.0", "TaskEvent.1.0.3"))
    finish(made)
    return made


def tree() -> Tree:
    made = TreeBuilder(Dialect(context=True, counts=True))
    return build(made, PLAN, "1.17.0", images("7.00.60.00", "1.13.2", parts.NVME_3T84, 4))


PERSONALITY = Personality(
    name="idrac9",
    tree=tree,
    serial_pattern="CNIVC00#%#####",
    manners=Manners(
        session_limit=8,  # field notes §6: ~8 sessions; check_redfish#89 #90 #198
        session_overflow="refused_400",  # RAC0218 (check_redfish#89)
        account_ids="number",
        account_slots=16,  # field notes §6: slots 1-2 reserved, use >= 3, delete = disable
        first_account_slot=2,
        role_ids=("Administrator", "Operator", "ReadOnly", "None"),
        password_length=(0, 40),
        etag_in_body=False,
        expand_levels=1,  # field notes §6: Expand level 1
        page_size=50,  # field notes §6: 50-row log pages
        not_ready_seconds=2.0,  # field notes §6: SYS518/SWC0700 = not ready, retry
        media_lingers=1.0,  # field notes §6: Inserted lingers after eject
        reached_state="refused_409",  # field notes §6: power 409 although the state is reached
        read_only=frozenset(  # field notes §6: lockout policy read-only
            {
                "AccountService.AccountLockoutThreshold",
                "AccountService.AccountLockoutDuration",
                "AccountService.AccountLockoutCounterResetAfter",
            }
        ),
    ),
)
