# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ASRockRack on AMI MegaRAC, as boards come without an integrator: the system's serial and asset tag were never
filled in, and the UUID is AMI's example, the same on every board. Only the chassis knows who it is."""

from __future__ import annotations

from dataclasses import replace

from tests.emulators.redfish.personalities import megarac
from tests.emulators.redfish.personality import Personality, Tree
from tests.emulators.redfish.resources import parts

UNFILLED = "To Be Filled By O.E.M."
EXAMPLE_UUID = "00020003-0004-0005-0006-000700080009"

PLAN = replace(
    megarac.plan("ASRockRack", "1U4LW-B650/2L2T"),
    serial_number=UNFILLED,
    asset="Default string",
    sku="Default string",
    part_number=UNFILLED,
    uuid=EXAMPLE_UUID,
    cpu=parts.EPYC_9354,
    cpus=1,
    dimms=4,
    dimm_slots=4,
    firmware="4.09.00",
    bios_version="20.02",
)


def tree() -> Tree:
    return megarac.build(PLAN, "1.11.0", "13.02")


PERSONALITY = Personality(name="asrockrack", tree=tree, serial_pattern="B65XXXX#########", manners=megarac.MANNERS)
