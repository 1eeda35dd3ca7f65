# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HPE iLO 7: keeps the connection, the newer sensor model alone, LocationIndicatorActive."""

from __future__ import annotations

from dataclasses import replace

from tests.emulators.redfish.personalities import ilo, ilo6
from tests.emulators.redfish.personality import Personality, Tree
from tests.emulators.redfish.resources import parts

PLAN = replace(
    ilo.GEN11,
    model="ProLiant Compute DL360 Gen12",
    sku="P72561-B21",
    firmware="iLO 7 v1.14",
    bmc_model="iLO 7",
    bios_version="U68 v1.32 (06/13/2025)",
    cpu=parts.XEON_6787,
    dimm=parts.DDR5_64_FAST,
    old_model=False,
    led="active",
)


def tree() -> Tree:
    return ilo.build(PLAN, "1.20.0", "iLO 7", ilo.images(PLAN))


PERSONALITY = Personality(
    name="ilo7",
    tree=tree,
    serial_pattern="2M3########",
    manners=replace(ilo6.PERSONALITY.manners, keep_alive=True, message_registry="Base.1.19"),
)
