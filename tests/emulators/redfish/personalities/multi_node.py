# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One BMC with four machines in one chassis. All four report the chassis' serial number; two have an empty UUID and two
the same one of zeros. Nothing but the system's id tells them apart."""

from __future__ import annotations

from dataclasses import replace

from tests.emulators.redfish.personality import Manners, Personality, Tree, link, links, mac
from tests.emulators.redfish.resources import parts
from tests.emulators.redfish.resources.accounts import account_service, session_service
from tests.emulators.redfish.resources.boot import BootChoices
from tests.emulators.redfish.resources.chassis import CHASSIS, chassis, placement
from tests.emulators.redfish.resources.environment import (
    Climate,
    Probe,
    server_climate,
)
from tests.emulators.redfish.resources.logs import Log, log_services
from tests.emulators.redfish.resources.manager import MANAGERS, MediaSlot, manager, manager_ports, network_protocol
from tests.emulators.redfish.resources.network import Port
from tests.emulators.redfish.resources.server import ServerPlan, climate, server_collections, server_without_manager
from tests.emulators.redfish.resources.service_root import protocol_features, service_root
from tests.emulators.redfish.resources.services import event_service, finish, registries, task_service
from tests.emulators.redfish.resources.storage import Bay, Subsystem
from tests.emulators.redfish.resources.system import SYSTEMS, link_parts
from tests.emulators.redfish.resources.tree import Dialect, TreeBuilder
from tests.emulators.redfish.resources.update import Image, update_service

NODES = ("Node1", "Node2", "Node3", "Node4")
UUIDS = ("", "", "00000000-0000-0000-0000-000000000000", "00000000-0000-0000-0000-000000000000")
ENCLOSURE = f"{CHASSIS}/Enclosure"
MANAGER = f"{MANAGERS}/CMC"
FIRMWARE = "2.11.4"

NODE = ServerPlan(
    system_id="Node1",
    chassis_id="Node1",
    manager_id="CMC",
    manufacturer="Twinpeak",
    model="TP-4N224",
    sku="TP-4N224-GEN4",
    part_number="TP4N224",
    chassis_kind="Sled",
    bios_version="3.7",
    firmware=FIRMWARE,
    bmc_model="TP-CMC",
    cpu=parts.EPYC_7543,
    cpus=1,
    dimm=parts.DDR4_32,
    dimms=8,
    ports=(),
    subsystems=(),
    height_units=0,
    location=None,
    boot=BootChoices(targets=("None", "Pxe", "Hdd", "Cd", "BiosSetup"), enabled_values=None, mode_values=None),
    bios=None,
    secure_boot=None,
    media=(MediaSlot("CD1", "Virtual CD"),),
    media_at="system",
    system_logs=(Log("SEL", "System Event Log", "SEL"),),
)


def node(number: int) -> ServerPlan:
    name = NODES[number]
    return replace(
        NODE,
        system_id=name,
        chassis_id=name,
        uuid=UUIDS[number],
        host=None,
        ports=(Port("1", 16 + 2 * number, 10_000), Port("2", 17 + 2 * number, 10_000, link_up=False)),
        subsystems=(Subsystem("1", "SATA", tuple(Bay(str(i + 1), parts.SATA_480, f"Bay {i + 1}") for i in range(2))),),
        climate=server_climate(cpus=1, fans=0, watts=240.0, system=f"{SYSTEMS}/{name}"),
        chassis_more={"contained_by": ENCLOSURE},
    )


def tree() -> Tree:
    made = TreeBuilder(Dialect())
    service_root(
        made,
        redfish_version="1.11.0",
        vendor="Twinpeak",
        product="TP-CMC",
        features=protocol_features(expand_levels=2),
        managed_by=MANAGER,
    )
    server_collections(made)
    systems = [f"{SYSTEMS}/{name}" for name in NODES]
    for number in range(len(NODES)):
        server_without_manager(made, node(number))
    chassis(
        made,
        "Enclosure",
        kind="Enclosure",
        manufacturer="Twinpeak",
        model="TP-ENC-2U4N",
        systems=systems,
        managers=(MANAGER,),
        contains=[f"{CHASSIS}/{name}" for name in NODES],
        location=placement(),
        power="On",
        height_units=2,
    )
    shared = Climate(
        temperatures=(Probe("InletTemp", "Inlet Temp", "Temperature", "Intake", 24.0, 1.5, caution=38, critical=42),),
        fans=tuple(Probe(f"Fan{i}", f"Fan {i}", "Rotational", "Fan", 8200, 400, digits=0) for i in range(1, 5)),
        power=Probe("TotalPower", "Total Power", "Power", "Chassis", 1060.0, 60.0),
        supplies=("PSU1", "PSU2"),
        supply=parts.PSU_2000,
    )
    climate(made, ENCLOSURE, shared, old=False, new=True)
    manager(
        made,
        "CMC",
        name="Chassis Management Controller",
        kind="EnclosureManager",
        model="TP-CMC",
        firmware=FIRMWARE,
        systems=systems,
        chassis=(ENCLOSURE,),
    )
    made[MANAGER]["Links"]["ManagerInChassis"] = link(ENCLOSURE)
    made[MANAGER]["Links"]["ManagerForChassis"] = links(ENCLOSURE, *(f"{CHASSIS}/{name}" for name in NODES))
    manager_ports(made, MANAGER, {"1": 0}, make_mac=mac)
    network_protocol(made, MANAGER)
    log_services(made, MANAGER, (Log("Log", "Manager Log", "Event"),))
    for owner in (ENCLOSURE, MANAGER):
        link_parts(made, owner)
    account_service(made)
    session_service(made)
    update_service(
        made,
        (
            Image("CMC", "CMC firmware", FIRMWARE, related=(MANAGER,)),
            *(Image(f"{name}_BIOS", f"BIOS of {name}", "3.7", related=(f"{SYSTEMS}/{name}",)) for name in NODES),
        ),
    )
    task_service(made)
    event_service(made)
    registries(made, ("Base.1.13.0",))
    finish(made)
    return made


PERSONALITY = Personality(
    name="multi_node",
    tree=tree,
    serial_pattern="TP4N#######",
    manners=Manners(
        expand_levels=2,
        # field notes §6, generic
        etag="weak",
        session_location="none",
    ),
)
