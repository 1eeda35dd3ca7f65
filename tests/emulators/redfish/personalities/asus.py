# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ASUS on AMI MegaRAC."""

from __future__ import annotations

from dataclasses import replace

from tests.emulators.redfish.personalities import megarac
from tests.emulators.redfish.personality import Personality, Tree

PLAN = replace(
    megarac.plan("ASUSTeK COMPUTER INC.", "RS720A-E12-RS12"),
    chassis_model="RS720A-E12-RS12",
    sku="90SF02E1",
    height_units=2,
)


def tree() -> Tree:
    return megarac.build(PLAN, "1.14.0", "13.05")


PERSONALITY = Personality(name="asus", tree=tree, serial_pattern="S#S#LT######", manners=megarac.MANNERS)
