# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fujitsu PRIMERGY with iRMC S6: numbers from 0, a manager called ``iRMC``, no query parameters, and no hurry."""

from __future__ import annotations

from tests.emulators.redfish.personality import Manners, Personality, Tree
from tests.emulators.redfish.resources import parts
from tests.emulators.redfish.resources.accounts import account_service, session_service
from tests.emulators.redfish.resources.boot import BIOS_ATTRIBUTES, BootChoices
from tests.emulators.redfish.resources.environment import server_climate
from tests.emulators.redfish.resources.leaves import unit_id
from tests.emulators.redfish.resources.logs import Log
from tests.emulators.redfish.resources.manager import MediaSlot
from tests.emulators.redfish.resources.network import Port
from tests.emulators.redfish.resources.server import ServerPlan, server, server_collections
from tests.emulators.redfish.resources.service_root import service_root
from tests.emulators.redfish.resources.services import event_service, finish, registries, task_service
from tests.emulators.redfish.resources.storage import Bay, Subsystem
from tests.emulators.redfish.resources.tree import Dialect, TreeBuilder
from tests.emulators.redfish.resources.update import FIRMWARE, Image, update_service

PLAN = ServerPlan(
    system_id="0",
    chassis_id="0",
    manager_id="iRMC",
    manufacturer="FUJITSU",
    model="PRIMERGY RX2540 M7",
    sku="ABN:K1693-V101-2144",
    part_number="S26361-K1693-V101",
    chassis_part="S26361-K1693-V101",
    bios_version="V1.0.0.0 R1.48.0 for D3988-A1x",
    firmware="02.61P",
    bmc_model="iRMC S6",
    cpu=parts.XEON_6430,
    cpu_id=str,
    dimm=parts.DDR5_32,
    dimms=8,
    dimm_slots=32,
    dimm_id=str,
    dimm_label=lambda i: f"DIMM-{i // 16 + 1}{'ABCDEFGH'[i % 8]}",
    ports=(Port("0", 2, 10_000), Port("1", 3, 10_000, link_up=False)),
    subsystems=(
        Subsystem(
            "0",
            "PRAID EP680i",
            tuple(Bay(str(i), parts.SAS_HDD_12T, f"Slot {i}") for i in range(4)),
            controller="0",
            controller_maker="Broadcom",
            controller_model="PRAID EP680i",
            controller_firmware="52.24.0-4763",
            raid_types=("RAID0", "RAID1", "RAID5", "RAID6"),
            volume="0",
        ),
    ),
    boot=BootChoices(
        targets=("None", "Pxe", "Cd", "Hdd", "BiosSetup"),
        mode_values=("Legacy", "UEFI"),
        options=(("Boot0000", "debian"), ("Boot0001", "PXE LAN1")),
    ),
    bios={"attributes": BIOS_ATTRIBUTES, "registry": "BiosAttributeRegistry.0.0.1", "settings": "Settings"},
    resets=(
        "On",
        "ForceOff",
        "GracefulShutdown",
        "GracefulRestart",
        "ForceRestart",
        "Nmi",
        "PushPowerButton",
        "PowerCycle",
    ),
    led="indicator",
    climate=server_climate(
        supplies=("0", "1"),
        supply=parts.PSU_800,
        inlet=("Ambient", "Ambient"),
        cpu=("CPU{0}", "CPU{0}"),
        fan=("FAN{0}SYS", "FAN{0} SYS"),
        power=("TotalPower", "Total Power"),
    ),
    old_model=True,
    new_model=False,
    sensors_listed=False,
    height_units=2,
    manager_ports={"0": 0},
    software="BMC",
    bmc_host=unit_id("iRMC-{serial}"),
    media=(MediaSlot("0", "Virtual Media 0", ("CD", "DVD")),),
    manager_logs=(Log("InternalEventLog", "Internal Event Log", "Event"),),
    system_logs=(Log("SystemEventLog", "System Event Log", "SEL"),),
)


def tree() -> Tree:
    made = TreeBuilder(Dialect(context=True, counts=True))
    service_root(  # no ProtocolFeaturesSupported: it supports none
        made,
        redfish_version="1.9.0",
        vendor="FUJITSU",
        product="iRMC S6",
        oem={"ts_fujitsu": {"@odata.type": "#FTSServiceRoot.v1_0_0.FTSServiceRoot", "AutoLogin": False}},
    )
    server_collections(made)
    server(made, PLAN)
    account_service(made)
    session_service(made)
    update_service(
        made,
        (
            Image("BMC", "iRMC", PLAN.firmware, related=(PLAN.manager,)),
            Image("BIOS", "System BIOS", PLAN.bios_version, related=(PLAN.system,)),
            Image("PRAID", "PRAID EP680i", "52.24.0-4763"),
        ),
        push=None,
        multipart=None,
        simple_update=("TFTP", "HTTPS"),
    )
    task_service(made)
    event_service(made, stream=None)
    registries(made, ("Base.1.10.0",))
    finish(made)
    return made


PERSONALITY = Personality(
    name="fujitsu",
    tree=tree,
    serial_pattern="MAAX######",
    manners=Manners(
        session_limit=16,
        expand="refused_400",  # field notes §6: no query params (check_redfish#20)
        query="refused_400",
        account_ids="number",
        message_registry="Base.1.10",
        # field notes §6: slow. Everything that asks the host's inventory takes a while.
        slow={
            PLAN.system: 0.4,
            f"{PLAN.system}/Processors": 0.3,
            f"{PLAN.system}/Memory": 0.3,
            f"{PLAN.system}/Storage/0": 0.5,
            FIRMWARE: 0.6,
        },
    ),
)
