# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What NVIDIA's Grace machines (GH200, GB200) have in common: OpenBMC with a host ``System_0``, a baseboard beside it,
managers ``BMC_0`` and ``HGX_BMC_0``, fans as sensors only, and no PowerCycle."""

from __future__ import annotations

from dataclasses import replace

from tests.emulators.redfish.personality import Manners
from tests.emulators.redfish.resources import parts
from tests.emulators.redfish.resources.accounts import account_service, session_service
from tests.emulators.redfish.resources.baseboard import PREFIXES, Baseboard, baseboard, baseboard_images
from tests.emulators.redfish.resources.boot import BootChoices
from tests.emulators.redfish.resources.environment import (
    environment_metrics,
    power_subsystem,
    sensors,
    server_climate,
    thermal_subsystem,
)
from tests.emulators.redfish.resources.logs import Log
from tests.emulators.redfish.resources.manager import MediaSlot
from tests.emulators.redfish.resources.server import ServerPlan, server, server_collections
from tests.emulators.redfish.resources.service_root import protocol_features, service_root
from tests.emulators.redfish.resources.services import (
    event_service,
    finish,
    registries,
    task_service,
    telemetry_service,
)
from tests.emulators.redfish.resources.system import link_parts
from tests.emulators.redfish.resources.tree import Dialect, TreeBuilder
from tests.emulators.redfish.resources.update import Image, update_service

PLAN = ServerPlan(
    system_id="System_0",
    chassis_id="BMC_0",
    manager_id="BMC_0",
    manufacturer=None,
    model=None,
    serial_number=None,
    asset=None,
    host=None,
    chassis_model="P3809",
    chassis_part="699-13809-0404-A00",
    chassis_kind="Component",
    height_units=0,
    location=None,
    firmware="GH200-24.08-1",
    bmc_model="OpenBmc",
    cpu=parts.GRACE,
    cpus=1,
    cpu_id=lambda i: f"CPU_{i}",
    cpu_socket=lambda i: f"G1:{i}.0",
    dimm=parts.LPDDR5_480,
    dimms=1,
    dimm_id=lambda i: f"ProcessorModule_{i}_Memory_0",
    dimm_label=lambda i: f"LP5x_{i}",
    ports=(),
    subsystems=(),
    trusted_modules=None,
    boot=BootChoices(
        targets=("None", "Pxe", "Hdd", "Cd", "Diags", "BiosSetup", "Usb"),
        mode=None,
        options=(("Boot0001", "UEFI HTTPv4"), ("Boot0002", "UEFI PXEv4"), ("Boot0003", "debian")),
        more={"BootOrderPropertySelection": "BootOrder", "StopBootOnFault": "Never"},
    ),
    bios={
        "attributes": {"TPM": "Enabled", "QuickBoot": True},
        "registry": "BiosAttributeRegistry",
        "settings": "Settings",
    },
    secure_boot={"mode": "SetupMode", "reset_keys": ()},
    resets=("On", "ForceOff", "ForceOn", "ForceRestart", "GracefulRestart", "GracefulShutdown"),
    led="both",
    new_model=False,  # put below, with fans as sensors only
    sensors_listed=False,
    manager_name="OpenBmc Manager",
    manager_ports={"eth0": 0, "hmcusb0": 200, "hostusb0": 201},
    software="FW_BMC_0",
    media=(
        MediaSlot("USB1", "Virtual Removable Media", ("CD", "USBStick"), body={"TransferMethod": "Stream"}),
        MediaSlot("USB2", "Virtual Removable Media", ("CD", "USBStick"), body={"TransferMethod": "Stream"}),
    ),
    manager_logs=(Log("Journal", "OpenBMC Journal Log Service"),),
    system_logs=(Log("SEL", "System Event Log", "SEL"), Log("EventLog", "Event Log Service")),
)

CLIMATE = server_climate(
    cpus=1,
    fans=8,
    watts=1900.0,
    inlet=("Inlet_TEMP_0", "Inlet TEMP 0"),
    cpu=("CPU_{0}_TEMP_0", "CPU {0} TEMP 0"),
    fan=("FAN_{0}_F", "FAN {0} F"),
    power=("Chassis_Total_Power", "Chassis Total Power"),
)


def build(plan: ServerPlan, board: Baseboard, product: str, redfish_version: str) -> TreeBuilder:
    made = TreeBuilder(Dialect(action_info=True, descriptions=False, versions={"Memory": "v1_19_0"}))
    service_root(
        made,
        redfish_version=redfish_version,
        vendor="NVIDIA",
        product=product,
        features=protocol_features(expand_levels=6),
        managed_by=plan.manager,
    )
    server_collections(made)
    server(made, plan)
    climate = replace(CLIMATE, temperatures=CLIMATE.temperatures[:1] + CLIMATE.temperatures[1 : plan.cpus + 1])
    sensors(made, plan.chassis, climate.sensors())
    power_subsystem(made, plan.chassis, climate)
    thermal_subsystem(made, plan.chassis, climate, fans=False)  # field notes §6: fans only as Sensors
    environment_metrics(made, plan.chassis, climate)
    link_parts(made, plan.chassis)
    baseboard(made, board, plan.system)
    account_service(made)
    session_service(made)
    update_service(
        made,
        (
            Image("FW_BMC_0", "Software Inventory", plan.firmware, related=(plan.manager,)),
            Image("FW_CPLD_0", "Software Inventory", "0.1C"),
            Image("UEFI", "Software Inventory", "02.03.19", related=(f"{plan.system}/Bios",)),
            *baseboard_images(board),
        ),
        apply_time="OnReset",
        software=True,
    )
    task_service(made)
    event_service(made, registries=("Base", "OpenBMC", "TaskEvent", "ResourceEvent"))
    telemetry_service(made)
    registries(made, ("Base.1.16.0", "ResourceEvent.1.3.0", "TaskEvent.1.0.3"))
    finish(made)
    return made


MANNERS = Manners(
    session_context="kept",  # openbmc/bmcweb: redfish_sessions.hpp
    password_length=(8, 20),
    host_off_503=PREFIXES,  # field notes §6: HGX_* 503 while the host is off
    message_registry="Base.1.16",
    media_needs=("UserName", "Password"),  # field notes §6: media wants credentials ("none")
)
