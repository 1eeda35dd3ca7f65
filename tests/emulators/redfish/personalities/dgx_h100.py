# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""NVIDIA DGX H100: AMI's root over a host ``DGX`` and a baseboard ``HGX_Baseboard_0`` with eight GPUs. Modules without
Name and ChassisType, a member that is not there, $expand advertised and broken, a firmware inventory that takes its
time, and no word from the baseboard while the host is off."""

from __future__ import annotations

from dataclasses import replace

from tests.emulators.redfish.personalities import megarac
from tests.emulators.redfish.personality import SERVICE_ROOT, Personality, Tree, link, links
from tests.emulators.redfish.resources import parts
from tests.emulators.redfish.resources.baseboard import PREFIXES, Baseboard, baseboard, baseboard_images
from tests.emulators.redfish.resources.boot import BIOS_ATTRIBUTES, BootChoices
from tests.emulators.redfish.resources.chassis import CHASSIS
from tests.emulators.redfish.resources.environment import Probe, server_climate
from tests.emulators.redfish.resources.leaves import unit_id
from tests.emulators.redfish.resources.logs import Log
from tests.emulators.redfish.resources.manager import MANAGERS
from tests.emulators.redfish.resources.network import Port
from tests.emulators.redfish.resources.server import server, server_collections
from tests.emulators.redfish.resources.services import finish
from tests.emulators.redfish.resources.storage import Bay, Subsystem
from tests.emulators.redfish.resources.system import tpm
from tests.emulators.redfish.resources.tree import Dialect, TreeBuilder
from tests.emulators.redfish.resources.update import FIRMWARE, Image

GPUS = tuple(f"GPU_SXM_{i}" for i in range(1, 9))

BOARD = Baseboard(
    gpu=parts.H100,
    names=GPUS,
    firmware="HGX-22.10-1-rc67",
    bmc_identifier="bmc",  # the HMC's own bmcweb calls itself so; the host's BMC only relays it
    extra_chassis=("HGX_BMC_0", "HGX_FPGA_0", *(f"HGX_NVSwitch_{i}" for i in range(4)), "HGX_PCIeSwitch_0"),
    labels=tuple(f"SXM{i}" for i in range(1, 9)),
)
BOGUS_MEMBER = f"{CHASSIS}/HGX_PCIeRetimer_8"
NAMELESS = tuple(f"{CHASSIS}/HGX_NVSwitch_{i}" for i in range(4))

PLAN = replace(
    megarac.plan("NVIDIA", "DGXH100"),
    system_id="DGX",
    chassis_id="DGX",
    manager_id="BMC",
    sku="920-24387-2540-A00",
    part_number=" ",
    asset="Default string",
    chassis_kind="Other",
    chassis_part="965-24387-0002-A00",
    firmware="24.01.05",
    bmc_model="77171230",
    bios_version="1.2.0",
    host=None,
    cpu=parts.XEON_8480,
    dimm=parts.DDR5_64,
    dimms=32,
    dimm_slots=32,
    ports=tuple(Port(f"EthernetInterface{i}", 2 + i, 100_000, link_up=i < 2) for i in range(4)),
    subsystems=(
        Subsystem(
            "StorageUnit_0",
            "Storage Unit 0",
            tuple(Bay(f"NVMe_Device{i}_NSID1", parts.NVME_3T84, f"U.2 {i}") for i in range(8))
            + tuple(Bay(f"NVMe_Device{i}_NSID1", parts.NVME_1T92, f"M.2 {i - 8}") for i in range(8, 10)),
            volumes_listed=False,
        ),
    ),
    trusted_modules=(tpm("15.23", FirmwareVersion2="64.12050"),),
    boot=BootChoices(  # no allowable values, and an override mode of null
        targets=None,
        enabled_values=None,
        mode=None,
        options=tuple((f"Boot{i:04X}", f"UEFI: boot option {i}") for i in (0x26, 0x0B, 0x0A, 0x06, 0x04)),
        more={"BootSourceOverrideMode": None, "BootNext": None, "HttpBootUri": None},
    ),
    bios={"attributes": BIOS_ATTRIBUTES, "registry": "BiosAttributeRegistry114.1.2.0", "settings": "SD"},
    resets=("ForceOff", "ForceRestart", "GracefulShutdown", "On"),  # no PowerCycle (infra-controller#3058)
    climate=replace(
        server_climate(
            fans=12,
            supplies=tuple(f"PSU{i}" for i in range(6)),
            supply=parts.PSU_3300,
            watts=5600.0,
            inlet=("TEMP_AMBIENT", "TEMP_AMBIENT"),
            cpu=("TEMP_CPU{0}", "TEMP_CPU{0}"),
            fan=("SPD_FAN_SYS{0}_F", "SPD_FAN_SYS{0}_F"),
            power=("TOTAL_PWR", "TOTAL_PWR"),
        ),
        others=tuple(  # enough sensors that the collection is paged
            Probe(f"TEMP_DIMM_{i}", f"TEMP_DIMM_{i}", "Temperature", "Memory", 41.0, 4.0, 85, 90, of_host=True)
            for i in range(64)
        ),
    ),
    drive_led="none",
    new_model=True,
    height_units=8,
    software="HostBMC_0",
    media=(),
    bmc_host=unit_id("dgx-bmc-{serial}"),
    manager_logs=(Log("SEL", "System Event Log", "SEL"),),
    system_logs=(Log("BIOS", "BIOS Log", "Event"), Log("EventLog", "Event Log", "Event")),
)


def tree() -> Tree:
    made = TreeBuilder(Dialect(context=True, counts=True, action_info=True))
    megarac.root(made, "1.11.0", "13.03")
    server_collections(made)
    server(made, PLAN)
    baseboard(made, BOARD, PLAN.system)
    megarac.services(
        made,
        (
            Image("HostBMC_0", "HostBMC_0", PLAN.firmware, related=(PLAN.manager,)),
            Image("HostBIOS_0", "HostBIOS_0", "1.2.0", related=(f"{PLAN.system}/Bios",)),
            Image("CPLDMB_0", "CPLDMB_0", "0.2.2.1"),
            *(Image(f"PSU_{i}", f"PSU_{i}", "0204.0204.0204", updateable=False) for i in range(6)),
            *baseboard_images(BOARD),
        ),
    )
    finish(made)
    _misbehave(made)
    return made


def _misbehave(made: TreeBuilder) -> None:
    """What field notes §6 say of AMI 1.11 on this machine: listed in deliberate.py."""
    for path in NAMELESS:  # missing Name and ChassisType
        del made[path]["Name"]
        del made[path]["ChassisType"]
    members = [path for path in made if path.rpartition("/")[0] == CHASSIS]
    made[CHASSIS]["Members"] = links(*members, BOGUS_MEMBER)  # a member that answers 404
    made[CHASSIS]["Members@odata.count"] = len(members) + 1
    made[f"{MANAGERS}/HGX_FabricManager_0"] = {  # a manager that is a service: no firmware, no network
        "@odata.type": "#Manager.v1_11_0.Manager",
        "Id": "HGX_FabricManager_0",
        "Name": "NVSwitch Fabric Manager",
        "ManagerType": "Service",
        "Status": {"State": "Enabled", "Health": "OK"},
    }
    del made[f"{MANAGERS}/HGX_BMC_0"]["EthernetInterfaces"]  # the navigation property is missing, the resource is there
    made[PLAN.system]["ProcessorSummary"]["Model"] = None
    made[PLAN.chassis]["Links"]["Contains"] = [link(f"{CHASSIS}/HGX_Chassis_0")]
    made[f"{SERVICE_ROOT}/UpdateService"]["MultipartHttpPushUri"] = f"{SERVICE_ROOT}/UpdateService/upload"


PERSONALITY = Personality(
    name="dgx_h100",
    tree=tree,
    serial_pattern="16########0##",
    manners=replace(
        megarac.MANNERS,
        session_timeout=30.0,
        password_length=(13, 20),
        expand="broken",  # field notes §6: $expand broken though advertised
        slow={FIRMWARE: 3.0},  # field notes §6: the inventory takes 2-3 min; scaled down to what a test can wait for
        host_off_503=PREFIXES,  # field notes §6: HGX_* 503 while host off (infra-controller#5418 #6412)
        boot_order_shown=False,  # field notes §6: boot order misreported (infra-controller#1838)
        lockout_threshold=5,
        bmc_restart_seconds=6.0,
    ),
)
