# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Intel server boards (M50CYP kind): OpenBMC under Intel's own names, several chassis for one machine, old and new
sensors, $expand ignored."""

from __future__ import annotations

from tests.emulators.redfish.personality import Manners, Personality, Tree, token
from tests.emulators.redfish.resources import parts
from tests.emulators.redfish.resources.accounts import account_service, session_service
from tests.emulators.redfish.resources.boot import BIOS_ATTRIBUTES, BootChoices
from tests.emulators.redfish.resources.chassis import CHASSIS, chassis
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

PLAN = ServerPlan(
    system_id="system",
    chassis_id="M50CYP2SB_Baseboard",
    manager_id="bmc",
    manufacturer="Intel Corporation",
    model="M50CYP",
    part_number="K79631-102",
    chassis_model="M50CYP2SB",
    chassis_part="K79631-102",
    bios_version="SE5C620.86B.01.01.0009.2311021928",
    firmware="wht-2.91-0-5cbe1a",
    bmc_model="OpenBmc",
    cpu=parts.XEON_6338,
    cpu_id=lambda i: f"cpu{i + 1}",
    cpu_socket=lambda i: f"CPU_{i + 1}",
    dimm=parts.DDR4_32,
    dimm_id=lambda i: f"dimm{i}",
    dimm_label=lambda i: f"CPU{i // 8 + 1}_DIMM_{'ABCDEFGH'[i % 8]}1",
    ports=(Port("eth0", 2, 10_000), Port("eth1", 3, 10_000, link_up=False)),
    subsystems=(
        Subsystem(
            "1",
            "Storage",
            tuple(Bay(f"drive{i}", parts.NVME_1T92, f"Drive {i}") for i in range(2)),
            volumes_listed=False,
        ),
    ),
    boot=BootChoices(targets=("None", "Pxe", "Hdd", "Cd", "Diags", "BiosSetup", "Usb"), enabled_values=None),
    bios={"attributes": BIOS_ATTRIBUTES, "registry": "BiosAttributeRegistry.1.0.0", "settings": "Settings"},
    secure_boot={"databases": ()},
    resets=("On", "ForceOff", "ForceOn", "ForceRestart", "GracefulRestart", "GracefulShutdown", "PowerCycle", "Nmi"),
    led="indicator",
    climate=server_climate(
        supplies=("PSU1", "PSU2"),
        supply=parts.PSU_1400,
        inlet=("Front_Panel_Temp", "Front Panel Temp"),
        cpu=("Die_CPU{0}", "Die CPU{0}"),
        fan=("Fan_{0}", "Fan {0}"),
        power=("Total_Power", "Total Power"),
    ),
    old_model=True,
    height_units=2,
    manager_name="OpenBmc Manager",
    manager_ports={"eth0": 0},
    software="bmc_active",
    media=(MediaSlot("Slot_0", "Virtual Removable Media", ("CD", "USBStick")),),
    manager_logs=(Log("Journal", "OpenBMC Journal Log Service"),),
    system_logs=(Log("EventLog", "Event Log Service"), Log("PostCodes", "POST Code Log Service")),
)

MODULES = ("F_Riser_1", "F_Riser_2", "HSBP_2U", "PDB_2U")


def tree() -> Tree:
    made = TreeBuilder(Dialect(action_info=True, descriptions=False))
    service_root(
        made,
        redfish_version="1.9.0",
        vendor="Intel Corporation",
        product="M50CYP Family",
        features=protocol_features(),
        managed_by=PLAN.manager,
    )
    server_collections(made)
    server(made, PLAN)
    for module in MODULES:
        chassis(
            made,
            module,
            kind="Component",
            manufacturer="Intel Corporation",
            model=module,
            serial_number=token("BQ@@########", module),
            managers=(PLAN.manager,),
            contained_by=PLAN.chassis,
            led="none",
        )
    made[PLAN.chassis]["Links"]["Contains"] = [{"@odata.id": f"{CHASSIS}/{module}"} for module in MODULES]
    account_service(made)
    session_service(made)
    update_service(
        made,
        (
            Image("bmc_active", "BMC image", PLAN.firmware, related=(PLAN.manager,)),
            Image("bios_active", "BIOS image", PLAN.bios_version, related=(f"{PLAN.system}/Bios",)),
            Image("me", "ME image", "4.4.4.603", updateable=False),
            Image("cpld_active", "CPLD image", "4p1"),
        ),
        apply_time="OnReset",
    )
    task_service(made)
    event_service(made)
    telemetry_service(made)
    registries(made, ("Base.1.11.0", "TaskEvent.1.0.3"))
    finish(made)
    return made


PERSONALITY = Personality(
    name="intel",
    tree=tree,
    serial_pattern="BQWT########",
    manners=Manners(
        session_timeout=1800.0,
        expand="ignored",
        select=False,  # older bmcweb: $select is answered with 501
        message_registry="Base.1.11",
        password_length=(8, 20),
    ),
)
