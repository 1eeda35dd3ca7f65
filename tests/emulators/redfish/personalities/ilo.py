# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What HPE's iLO 5, 6 and 7 have in common. Every ``@odata.id`` ends in a slash; numbers as ids; OEM key ``Hpe``."""

from __future__ import annotations

from dataclasses import replace

from tests.emulators.redfish.personality import Template, Tree
from tests.emulators.redfish.resources import parts
from tests.emulators.redfish.resources.accounts import account_service, session_service
from tests.emulators.redfish.resources.boot import BIOS_ATTRIBUTES, BootChoices
from tests.emulators.redfish.resources.environment import server_climate
from tests.emulators.redfish.resources.leaves import unit_id
from tests.emulators.redfish.resources.logs import Log
from tests.emulators.redfish.resources.manager import MediaSlot
from tests.emulators.redfish.resources.network import Port
from tests.emulators.redfish.resources.server import ServerPlan, server, server_collections
from tests.emulators.redfish.resources.service_root import protocol_features, service_root
from tests.emulators.redfish.resources.services import event_service, finish, registries, task_service
from tests.emulators.redfish.resources.storage import Bay, Subsystem
from tests.emulators.redfish.resources.system import tpm
from tests.emulators.redfish.resources.tree import Dialect, TreeBuilder, with_trailing_slashes
from tests.emulators.redfish.resources.update import Image, update_service

OPTIONS = (
    ("Boot0010", "Generic USB Boot"),
    ("Boot0011", "Embedded FlexibleLOM 1 Port 1: HPE Ethernet 10/25Gb 2-port 640 (PXE IPv4)"),
    ("Boot0012", "NVMe drive in bay 1: debian"),
)

PLAN = ServerPlan(
    system_id="1",
    chassis_id="1",
    manager_id="1",
    manufacturer="HPE",
    model="ProLiant DL360 Gen10",
    sku="867959-B21",
    firmware="iLO 5 v3.08",
    bmc_model="iLO 5",
    bios_version="U32 v3.10 (03/12/2025)",
    cpu=parts.XEON_6338,
    cpu_socket=lambda i: f"Proc {i + 1}",
    dimm=parts.DDR4_32,
    dimms=12,
    dimm_id=lambda i: f"proc{i // 6 + 1}dimm{2 * (i % 6) + 1}",
    dimm_label=lambda i: f"PROC {i // 6 + 1} DIMM {2 * (i % 6) + 1}",
    ports=(Port("1", 2), Port("2", 3, link_up=False)),
    subsystems=(
        Subsystem(
            "DA000000",
            "HPE Smart Array P408i-a SR Gen10",
            tuple(Bay(f"DA00000{i}", parts.SATA_480, f"Port=1I:Box=1:Bay={i + 1}") for i in range(4)),
            controller="0",
            controller_maker="HPE",
            controller_model="HPE Smart Array P408i-a SR Gen10",
            controller_firmware="6.52",
            raid_types=("RAID0", "RAID1", "RAID5", "RAID10"),
            volume="1",
            embedded_controllers=True,
        ),
    ),
    trusted_modules=(tpm("73.64"),),
    boot=BootChoices(
        targets=(
            "None",
            "Cd",
            "Hdd",
            "Usb",
            "SDCard",
            "Utilities",
            "Diags",
            "BiosSetup",
            "Pxe",
            "UefiShell",
            "UefiTarget",
        ),
        enabled_values=("Once", "Disabled", "Continuous"),
        mode_values=None,
        options=OPTIONS,
    ),
    bios={"attributes": BIOS_ATTRIBUTES, "registry": "BiosAttributeRegistryU32.v1_2_68", "settings": "Settings"},
    secure_boot={"databases": (), "reset_keys": ("ResetAllKeysToDefault", "DeleteAllKeys")},
    resets=("On", "ForceOff", "GracefulShutdown", "ForceRestart", "Nmi", "PushPowerButton", "GracefulRestart"),
    led="indicator",
    location=None,
    climate=server_climate(
        fans=7,
        supplies=("1", "2"),
        supply=parts.PSU_800,
        inlet=("01-InletAmbient", "01-Inlet Ambient"),
        cpu=("{0}2-CPU{0}", "{0}2-CPU {0}"),
        fan=("Fan{0}", "Fan {0}"),
        power=("SystemPower", "System Power"),
    ),
    old_model=True,
    new_model=False,
    sensors_listed=False,
    manager_name="Manager",
    manager_resets=("ForceRestart", "GracefulRestart"),
    software="1",
    bmc_host=unit_id("ILO{serial}"),
    media=(
        MediaSlot("1", "VirtualMedia", ("Floppy", "USBStick")),
        MediaSlot("2", "VirtualMedia", ("CD", "DVD")),
    ),
    manager_logs=(Log("IEL", "iLO Event Log", "Event"),),
    system_logs=(Log("IML", "Integrated Management Log", "Event"), Log("SL", "Security Log", "Event")),
)


def root_oem(generation: str, version: str) -> Template:
    """What an iLO tells anyone: its generation and firmware."""
    return {
        "Hpe": {
            "@odata.type": "#HpeiLOServiceExt.v2_4_0.HpeiLOServiceExt",
            "Manager": [
                {
                    "ManagerType": generation,
                    "ManagerFirmwareVersion": version,
                    "HostName": unit_id("ILO{serial}"),
                    "Languages": [{"Language": "en", "TranslationName": "English", "Version": version}],
                    "Status": {"Health": "OK"},
                }
            ],
            "Moniker": {"PRODGEN": generation, "VENDABR": "HPE", "PRODNAM": "Integrated Lights-Out"},
            "Sessions": {
                "CertCommonName": unit_id("ILO{serial}"),
                "LoginFailureDelay": 0,
                "LocalLoginEnabled": True,
                "LDAPEnabled": False,
            },
        }
    }


def build(plan: ServerPlan, redfish_version: str, generation: str, images: tuple[Image, ...], **dialect: str) -> Tree:
    made = TreeBuilder(Dialect(context=True, counts=False, versions=dialect))
    service_root(
        made,
        redfish_version=redfish_version,
        vendor="HPE",
        product=plan.model,
        name="HPE RESTful Root Service",
        features={
            # NoLinks, one level (field notes §6)
            **protocol_features(expand_levels=1, filters=True),
            "ExpandQuery": {"ExpandAll": False, "Levels": True, "Links": False, "NoLinks": True, "MaxLevels": 1},
        },
        oem=root_oem(generation, plan.firmware.rpartition("v")[2]),
    )
    server_collections(made)
    server(made, plan)
    account_service(made, account_types=None)  # no AccountTypes (field notes §6)
    session_service(made)
    update_service(made, images, push="FirmwareInventory/uploads", multipart=None, simple_update=("HTTP", "HTTPS"))
    task_service(made)
    event_service(made, registries=("iLOEvents", "ResourceEvent"), stream="SSE")
    registries(made, ("Base.1.13.0", "ResourceEvent.1.2.0", "TaskEvent.1.0.3"))
    finish(made)
    return with_trailing_slashes(made, kept=("Session", "ManagerAccount", "LogEntry", "Task"))


def images(plan: ServerPlan) -> tuple[Image, ...]:
    return (
        Image("1", plan.bmc_model, plan.firmware.removeprefix(f"{plan.bmc_model} "), related=(plan.manager,)),
        Image("2", "System ROM", plan.bios_version, related=(plan.system,)),
        Image("3", "Redundant System ROM", plan.bios_version),
        Image("4", "Server Platform Services (SPS) Firmware", "4.1.5.101"),
        Image("5", "System Programmable Logic Device", "0x2A"),
        Image("6", "Power Supply 1", "2.04", updateable=False),
        Image("7", "Power Supply 2", "2.04", updateable=False),
    )


GEN11 = replace(
    PLAN,
    model="ProLiant DL360 Gen11",
    sku="P52499-B21",
    firmware="iLO 6 v1.62",
    bmc_model="iLO 6",
    bios_version="U54 v2.40 (11/05/2024)",
    cpu=parts.XEON_6430,
    dimm=parts.DDR5_32,
    dimms=16,
    dimm_id=lambda i: f"proc{i // 8 + 1}dimm{2 * (i % 8) + 1}",
    dimm_label=lambda i: f"PROC {i // 8 + 1} DIMM {2 * (i % 8) + 1}",
    subsystems=(
        Subsystem(
            "DE00A000",
            "HPE MR416i-o Gen11",
            tuple(Bay(str(i), parts.NVME_3T84, f"Slot=14:Port=1:Box=1:Bay={i + 1}") for i in range(4)),
            controller="0",
            controller_maker="HPE",
            controller_model="HPE MR416i-o Gen11",
            controller_firmware="52.26.3-5379",
            raid_types=("RAID0", "RAID1", "RAID5"),
            volume="1",
        ),
    ),
    new_model=True,
    sensors_listed=True,
    led="both",
    secure_boot={"reset_keys": ("ResetAllKeysToDefault", "DeleteAllKeys")},
)
