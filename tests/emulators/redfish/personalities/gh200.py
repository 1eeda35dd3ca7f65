# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""NVIDIA GH200: one superchip. The host's system has neither maker nor serial (the chassis has), its storage lists no
drive, its NICs are not told; the root's product, P3809, is the name of a BMC module that other machines use, too."""

from __future__ import annotations

from dataclasses import replace

from tests.emulators.redfish.personalities import grace
from tests.emulators.redfish.personality import Personality, Tree, token
from tests.emulators.redfish.resources import parts
from tests.emulators.redfish.resources.baseboard import Baseboard
from tests.emulators.redfish.resources.storage import Subsystem

BOARD = Baseboard(
    gpu=parts.GH200,
    names=("GPU_0",),
    firmware="GH200-24.08-1",
    model="",
    serial=token("15########0##", "baseboard"),
    part_number="694-24486-0001-A00",
    extra_chassis=("HGX_BMC_0", "HGX_CPLD_0", "HGX_CPU_0", "HGX_ERoT_BMC_0", "HGX_FPGA_0"),
)

PLAN = replace(grace.PLAN, subsystems=(Subsystem("1", "Storage", (), volumes_listed=False),))


def tree() -> Tree:
    return grace.build(PLAN, BOARD, product="P3809", redfish_version="1.9.0")


PERSONALITY = Personality(name="gh200", tree=tree, serial_pattern="15########6##", manners=grace.MANNERS)
