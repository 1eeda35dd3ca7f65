# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A rack PDU: a BMC-like manager, outlets and a chassis; the root knows no Systems at all."""

from __future__ import annotations

from tests.emulators.redfish.personality import Manners, Personality, Tree, asset_tag
from tests.emulators.redfish.resources.accounts import account_service, session_service
from tests.emulators.redfish.resources.chassis import CHASSIS, chassis, chassis_collection, placement
from tests.emulators.redfish.resources.environment import Probe, sensors
from tests.emulators.redfish.resources.logs import Log, log_services
from tests.emulators.redfish.resources.manager import MANAGERS, manager, manager_ports, network_protocol
from tests.emulators.redfish.resources.power_equipment import distribution, power_equipment
from tests.emulators.redfish.resources.service_root import protocol_features, service_root
from tests.emulators.redfish.resources.services import event_service, finish
from tests.emulators.redfish.resources.system import link_parts
from tests.emulators.redfish.resources.tree import Dialect, TreeBuilder

PDU = f"{CHASSIS}/PDU"
MANAGER = f"{MANAGERS}/BMC"
OUTLETS = tuple(f"A{i}" for i in range(1, 13))
FIRMWARE = "4.6.2"


def tree() -> Tree:
    made = TreeBuilder(Dialect(versions={"Chassis": "v1_25_0"}))  # the first with PowerStrip
    service_root(
        made,
        redfish_version="1.15.0",
        vendor="Gantry Power",
        product="GP-PDU 24",
        features=protocol_features(only_member=True),
        managed_by=MANAGER,
    )
    chassis_collection(made)
    made.collect(MANAGERS, "Manager", "Manager Collection")
    power_equipment(made, "RackPDUs")
    equipment = distribution(
        made,
        "RackPDUs",
        "RackPDU",
        manufacturer="Gantry Power",
        model="GP-PDU 24",
        firmware=FIRMWARE,
        chassis=PDU,
        total="PDUPower",
        outlets=OUTLETS,
    )
    chassis(
        made,
        "PDU",
        kind="PowerStrip",
        name="Rack PDU Chassis",
        manufacturer="Gantry Power",
        model="GP-PDU 24",
        asset=asset_tag,
        managers=(MANAGER,),
        location=placement(),
        led="none",
        power=None,
    )
    made[PDU]["Links"]["PowerDistribution"] = {"@odata.id": equipment}
    sensors(
        made,
        PDU,
        (
            Probe("PDUPower", "Whole power", "Power", "Chassis", 5200.0, 300.0),
            Probe("MainsPower", "Mains power", "Power", "Chassis", 5200.0, 300.0),
            Probe("BranchAPower", "Power of branch A", "Power", "Chassis", 5200.0, 300.0),
            *(Probe(f"{name}Power", f"Power of outlet {name}", "Power", "Chassis", 420.0, 25.0) for name in OUTLETS),
        ),
    )
    manager(
        made,
        "BMC",
        kind="ManagementController",
        model="GP-NMC 3",
        firmware=FIRMWARE,
        chassis=(PDU,),
        reset_types=("GracefulRestart",),
    )
    # No machine behind it: nothing to show and nothing to type on.
    for console in ("GraphicalConsole", "SerialConsole"):
        del made[MANAGER][console]
    manager_ports(made, MANAGER, {"eth0": 0})
    network_protocol(made, MANAGER, ipmi=False)
    log_services(made, MANAGER, (Log("Events", "Event Log", "Event"),))
    for owner in (PDU, MANAGER):
        link_parts(made, owner)
    account_service(made, external_providers=False, account_types=("Redfish", "WebUI", "SNMP"))
    session_service(made)
    event_service(made, stream=None, resource_types=("PowerDistribution", "Outlet"))
    finish(made, schemas=False)
    return made


PERSONALITY = Personality(
    name="pdu",
    tree=tree,
    serial_pattern="GP24########",
    manners=Manners(
        session_limit=6,
        expand="ignored",
        # issue 3 §2: absolute URIs in links, duplicate ETags. The DMTF's own client cannot log in to absolute links,
        # so its validator judges this tree only with absolute_links=False (0 failures).
        absolute_links=True,
        session_location="absolute",
        etag="duplicate",
    ),
)
