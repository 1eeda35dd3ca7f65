# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lenovo XClarity Controller 3 (V4 machines): as XCC, and refuses what XCC demanded, If-Match."""

from __future__ import annotations

from dataclasses import replace

from tests.emulators.redfish.personalities import xcc
from tests.emulators.redfish.personality import Personality, Tree
from tests.emulators.redfish.resources import parts

PLAN = replace(
    xcc.PLAN,
    model="ThinkSystem SR650 V4",
    sku="7DGCCTO1WW",
    part_number="SB27C04411",
    chassis_part="SB27C04411",
    firmware="IHX418B 1.40 2025-06-18",
    bmc_model="Lenovo XClarity Controller 3",
    bios_version="IHE116B-2.10",
    cpu=parts.XEON_6787,
    dimm=parts.DDR5_64_FAST,
    old_model=False,
    led="active",
)


def tree() -> Tree:
    return xcc.build(PLAN, "1.17.0", "ThinkSystem SR650 V4", xcc.images(PLAN))


PERSONALITY = Personality(
    name="xcc3",
    tree=tree,
    serial_pattern="J#@%####",
    manners=replace(
        xcc.PERSONALITY.manners,
        if_match="refused",  # field notes §6: newer refuse with 412 (community.general#11261, #11270)
        message_registry="Base.1.19",
    ),
)
