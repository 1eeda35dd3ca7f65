# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A power shelf of an open rack (the Lite-On kind): OpenBMC's manners, a chassis full of supplies, no Systems."""

from __future__ import annotations

from tests.emulators.redfish.personality import Manners, Personality, Tree, asset_tag
from tests.emulators.redfish.resources import parts
from tests.emulators.redfish.resources.accounts import account_service, session_service
from tests.emulators.redfish.resources.chassis import CHASSIS, chassis, chassis_collection, placement
from tests.emulators.redfish.resources.environment import Climate, Probe
from tests.emulators.redfish.resources.logs import Log, log_services
from tests.emulators.redfish.resources.manager import MANAGERS, manager, manager_ports, network_protocol
from tests.emulators.redfish.resources.server import climate
from tests.emulators.redfish.resources.service_root import protocol_features, service_root
from tests.emulators.redfish.resources.services import event_service, finish, task_service
from tests.emulators.redfish.resources.system import link_parts
from tests.emulators.redfish.resources.tree import Dialect, TreeBuilder
from tests.emulators.redfish.resources.update import Image, update_service

SHELF = f"{CHASSIS}/powershelf"
MANAGER = f"{MANAGERS}/bmc"
FIRMWARE = "r1.3.9"

CLIMATE = Climate(
    temperatures=(Probe("shelf_temp", "Shelf Temp", "Temperature", "Intake", 28.0, 2.0, caution=55, critical=60),),
    power=Probe("output_power", "Output Power", "Power", "Chassis", 11800.0, 700.0),
    others=(Probe("output_voltage", "Busbar Voltage", "Voltage", "Chassis", 50.2, 0.2, digits=2),),
    supplies=tuple(f"powersupply{i}" for i in range(6)),
    supply=parts.PSU_3300,
    supply_power=2000.0,
)


def tree() -> Tree:
    made = TreeBuilder(Dialect(action_info=True, descriptions=False))
    service_root(
        made,
        redfish_version="1.9.0",
        vendor="LITE-ON TECHNOLOGY CORP.",
        features=protocol_features(),
        managed_by=MANAGER,
    )
    chassis_collection(made)
    made.collect(MANAGERS, "Manager", "Manager Collection")
    chassis(
        made,
        "powershelf",
        kind="Shelf",
        manufacturer="LITE-ON TECHNOLOGY CORP.",
        model="PF-1333-7R",
        part_number="PF-1333-7RB",
        asset=asset_tag,
        managers=(MANAGER,),
        location=placement(),
        power="On",
        led="active",
        reset_types=("PowerCycle",),
    )
    climate(made, SHELF, CLIMATE, old=False, new=True)
    manager(
        made,
        "bmc",
        name="OpenBmc Manager",
        model="OpenBmc",
        firmware=FIRMWARE,
        chassis=(SHELF,),
        default_types=("ResetAll",),
    )
    for console in ("GraphicalConsole", "SerialConsole"):
        del made[MANAGER][console]
    manager_ports(made, MANAGER, {"eth0": 0})
    network_protocol(made, MANAGER, http=False, ipmi=False)
    log_services(made, MANAGER, (Log("Journal", "OpenBMC Journal Log Service", clearable=False),))
    for owner in (SHELF, MANAGER):
        link_parts(made, owner)
    account_service(made, external_providers=False)
    session_service(made)
    update_service(
        made,
        (
            Image("bmc_active", "BMC image", FIRMWARE, related=(MANAGER,)),
            *(Image(f"powersupply{i}", f"Power supply {i}", "0204.0204", updateable=False) for i in range(6)),
        ),
        apply_time="OnReset",
    )
    task_service(made)
    event_service(made)
    finish(made)
    return made


PERSONALITY = Personality(
    name="power_shelf",
    tree=tree,
    serial_pattern="LTN##@######",
    manners=Manners(
        expand="refused_501",  # OpenBMC underneath (field notes 2.10)
        etag="empty",  # field notes §6, generic: empty ETags
        session_location="trailing_slash",
    ),
)
