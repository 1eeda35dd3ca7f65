# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A BMC of a vendor that nobody has heard of, and that simply keeps to the standard: the newest schemas, both sensor
models, numbers as ids, HttpBootUri. What no platform record knows must work by this one."""

from __future__ import annotations

from tests.emulators.redfish.personality import Manners, Personality, Tree
from tests.emulators.redfish.resources import parts
from tests.emulators.redfish.resources.accounts import account_service, session_service
from tests.emulators.redfish.resources.boot import ORDINARY_OPTIONS, BootChoices
from tests.emulators.redfish.resources.environment import server_climate
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
    system_id="1",
    chassis_id="1",
    manager_id="1",
    manufacturer="Wayfarer Systems",
    model="WS-2200",
    sku="WS-2200-A2",
    part_number="22-0041",
    chassis_part="22-0007",
    bios_version="2.4.1",
    firmware="3.08.1",
    bmc_model="WS-BMC 3",
    cpu=parts.EPYC_9354,
    dimm=parts.DDR5_32,
    ports=(Port("1", 2), Port("2", 3), Port("3", 4, 1000, link_up=False)),
    subsystems=(
        Subsystem(
            "1",
            "RAID controller",
            tuple(Bay(str(i + 1), parts.SAS_HDD_12T, f"Bay {i + 1}") for i in range(6)),
            controller="1",
            controller_maker="Wayfarer Systems",
            controller_model="WS-RAID 8i",
            controller_firmware="5.22.0",
            raid_types=("RAID0", "RAID1", "RAID5", "RAID6", "RAID10"),
            volume="1",
        ),
        Subsystem("2", "Boot drives", (Bay("1", parts.NVME_M2_960, "M.2 1"), Bay("2", parts.NVME_M2_960, "M.2 2"))),
    ),
    boot=BootChoices(options=ORDINARY_OPTIONS, http_boot_uri=True),
    secure_boot={"default_databases": ("PKDefault", "KEKDefault", "dbDefault", "dbxDefault")},
    height_units=2,
    climate=server_climate(supplies=("1", "2"), supply=parts.PSU_1600, power_limit=(300, 1200)),
    old_model=True,
    software="BMC",
    led="both",
)


IMAGES = (
    Image("BMC", "BMC firmware", PLAN.firmware, related=(PLAN.manager,)),
    Image("BIOS", "System BIOS", str(PLAN.bios_version), related=(PLAN.system,)),
    Image("RAID1", "RAID controller", "5.22.0"),
    Image("PSU1", "Power supply 1", "9.40", updateable=False),
    Image("PSU2", "Power supply 2", "9.40", updateable=False),
)


def tree() -> Tree:
    return tree_of(PLAN, IMAGES)


def tree_of(plan: ServerPlan, images: tuple[Image, ...]) -> Tree:
    """This platform's BMC on another server."""
    made = TreeBuilder(Dialect())
    service_root(
        made,
        redfish_version="1.18.0",
        vendor="Wayfarer",
        product="WS-BMC",
        features=protocol_features(expand_levels=6, filters=True, excerpt=True),
    )
    server_collections(made)
    server(made, plan)
    account_service(made)
    session_service(made)
    update_service(
        made,
        images,
        push=None,
        simple_update=("HTTP", "HTTPS"),
    )
    task_service(made)
    event_service(made)
    telemetry_service(made)
    registries(made, ("Base.1.18.1", "ResourceEvent.1.3.0", "TaskEvent.1.0.3", "Update.1.0.2"))
    finish(made)
    return made


PERSONALITY = Personality(
    name="generic",
    tree=tree,
    serial_pattern="WS22@#######",
    manners=Manners(lockout_threshold=5),
)
