# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""NVIDIA GB200 NVL compute tray: two Grace, four GPUs. The baseboard is listed before the host, its UUID is empty, and
a collection has null for Members."""

from __future__ import annotations

from dataclasses import replace

from tests.emulators.redfish.personalities import grace
from tests.emulators.redfish.personality import Personality, Tree
from tests.emulators.redfish.resources import baseboard, parts
from tests.emulators.redfish.resources.baseboard import Baseboard
from tests.emulators.redfish.resources.chassis import placement
from tests.emulators.redfish.resources.storage import Bay, Subsystem

BOARD = Baseboard(
    gpu=parts.GB200,
    names=tuple(f"GPU_{i}" for i in range(4)),
    firmware="GB200Nvl-25.01-C",
    uuid="",  # field notes §6: empty UUID
    part_number="692-24990-0001-A00",
    extra_chassis=("HGX_BMC_0", "HGX_CPU_0", "HGX_CPU_1", "HGX_ERoT_BMC_0", "HGX_FPGA_0", "HGX_ProcessorModule_0"),
)

PLAN = replace(
    grace.PLAN,
    manufacturer="NVIDIA",
    model="GB200 NVL",
    firmware="GB200Nvl-25.01-8",
    cpus=2,
    dimms=2,
    chassis_model="P3809",
    location=placement(),
    subsystems=(
        Subsystem(
            "1",
            "Storage",
            tuple(Bay(f"NVMe_{i}", parts.NVME_3T84, f"E1.S {i}") for i in range(4)),
            volumes_listed=False,
        ),
    ),
)

NICS = f"{PLAN.system}/EthernetInterfaces"


def tree() -> Tree:
    made = grace.build(PLAN, BOARD, product="GB200 NVL", redfish_version="1.17.0")
    baseboard.systems_in_order(made, baseboard.SYSTEM, PLAN.system)  # field notes §6: the order differs
    # Members null (field notes §6): the host's NICs are not told.
    made.collect(NICS, "EthernetInterface", "Computer System NIC Collection", ())
    made[NICS]["Members"] = None
    made[PLAN.system]["EthernetInterfaces"] = {"@odata.id": NICS}
    return made


PERSONALITY = Personality(name="gb200", tree=tree, serial_pattern="18########6##", manners=grace.MANNERS)
