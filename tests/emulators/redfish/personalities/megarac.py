# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What boards with AMI's MegaRAC have in common (ASUS, ASRockRack, Gigabyte, and under it all the DGX H100): the id
``Self``, "AMI Redfish Server" in the root, ``RtpVersion`` in its OEM part, settings objects called ``SD``, and a Boot
object that wants to be sent whole."""

from __future__ import annotations

from collections.abc import Iterable

from tests.emulators.redfish.personality import Manners, Template, Tree
from tests.emulators.redfish.resources import parts
from tests.emulators.redfish.resources.accounts import account_service, session_service
from tests.emulators.redfish.resources.boot import BIOS_ATTRIBUTES, BootChoices
from tests.emulators.redfish.resources.environment import server_climate
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

BOOT = BootChoices(
    targets=("None", "Pxe", "Hdd", "Cd", "Usb", "BiosSetup", "UefiTarget", "UefiBootNext"),
    enabled_values=("Disabled", "Once", "Continuous"),
    mode_values=("Legacy", "UEFI"),
    options=(
        ("Boot0000", "debian"),
        ("Boot0002", "UEFI: PXE IPv4 Intel(R) I350"),
        ("Boot0003", "UEFI: Built-in Shell"),
    ),
    more={"BootNext": None, "BootOrderPropertySelection": "BootOrder"},
)


def root_oem(rtp_version: str) -> Template:
    return {"Ami": {"@odata.type": "#AMIServiceRoot.v1_0_0.AMIServiceRoot", "RtpVersion": rtp_version}}


def root(made: TreeBuilder, redfish_version: str, rtp_version: str, vendor: str = "AMI") -> None:
    service_root(
        made,
        redfish_version=redfish_version,
        vendor=vendor,
        product="AMI Redfish Server",
        features=protocol_features(expand_levels=5, filters=True, excerpt=True, deep_patch=True),
        oem=root_oem(rtp_version),
    )


def plan(manufacturer: str, model: str) -> ServerPlan:
    """A board of two sockets; each vendor changes the rest."""
    return ServerPlan(
        system_id="Self",
        chassis_id="Self",
        manager_id="Self",
        manufacturer=manufacturer,
        model=model,
        part_number=model,
        bios_version="1801",
        firmware="1.3.12",
        bmc_model="AST2600",
        cpu=parts.EPYC_9354,
        cpu_id=lambda i: f"DevType1_CPU{i}",
        cpu_socket=lambda i: f"P{i}",
        dimm=parts.DDR5_32,
        dimms=12,
        dimm_slots=24,
        dimm_id=lambda i: f"DevType2_DIMM{i}",
        dimm_label=lambda i: f"DIMM_P{i // 12}_{'ABCDEFGHIJKL'[i % 12]}1",
        ports=(Port("EthernetInterface0", 2, 1000), Port("EthernetInterface1", 3, 1000, link_up=False)),
        subsystems=(
            Subsystem(
                "StorageUnit_0",
                "Storage Unit 0",
                tuple(Bay(f"NVMe_Device{i}_NSID1", parts.NVME_1T92, f"NVMe Slot {i}") for i in range(4)),
            ),
        ),
        boot=BOOT,
        bios={"attributes": BIOS_ATTRIBUTES, "registry": "BiosAttributeRegistry0ABCD.1.0.0", "settings": "SD"},
        resets=("On", "ForceOff", "GracefulShutdown", "GracefulRestart", "ForceRestart", "PowerCycle"),
        progress=False,
        led="indicator",
        location=None,
        climate=server_climate(
            supplies=("PSU0", "PSU1"),
            supply=parts.PSU_1600,
            inlet=("TR1_Temp", "TR1 Temperature"),
            cpu=("CPU{0}_Temp", "CPU{0} Temperature"),
            fan=("FRNT_FAN{0}", "FRNT_FAN{0}"),
            power=("TotalPower", "Chassis Power Control"),
        ),
        old_model=True,
        new_model=False,
        manager_ports={"eth0": 0, "usb0": 1},
        manager_resets=("ForceRestart",),
        software="BMC",
        media=(MediaSlot("CD1", "Virtual CD 1", ("CD", "DVD")), MediaSlot("HD1", "Virtual HD 1", ("USBStick",))),
        manager_logs=(Log("SEL", "System Event Log", "SEL"), Log("AuditLog", "Audit Log", "Event")),
        system_logs=(Log("BIOS", "BIOS Log", "Event"),),
    )


def services(made: TreeBuilder, images: Iterable[Image], *, lockout_seconds: int = 30) -> None:
    account_service(made, lockout_seconds=lockout_seconds)
    session_service(made)
    update_service(made, images, push=None, multipart="upload", simple_update=("HTTP", "HTTPS", "TFTP"))
    task_service(made)
    event_service(made, registries=("Base", "EventLog", "Update"))
    telemetry_service(made)
    registries(made, ("Base.1.12.0", "ResourceEvent.1.0.3", "TaskEvent.1.0.1"))


def build(server_plan: ServerPlan, redfish_version: str, rtp_version: str, vendor: str = "AMI") -> Tree:
    made = TreeBuilder(Dialect(context=True, counts=True, action_info=True))
    root(made, redfish_version, rtp_version, vendor)
    server_collections(made)
    server(made, server_plan)
    services(
        made,
        (
            Image("BMC", "BMC firmware", server_plan.firmware, related=(server_plan.manager,)),
            Image("BIOS", "BIOS firmware", server_plan.bios_version, related=(f"{server_plan.system}/Bios",)),
            Image("CPLD", "CPLD firmware", "0.9"),
        ),
    )
    finish(made)
    return made


MANNERS = Manners(
    session_limit=16,
    account_ids="number",
    password_length=(8, 20),
    lockout_threshold=5,
    message_registry="Base.1.12",
    expand_levels=5,
    patch_answer=204,
    boot_whole=True,  # field notes §6: whole Boot object must be sent
    page_size=75,
)
