# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Gigabyte on AMI MegaRAC: BIOS settings and the rest change only with an ETag that matches."""

from __future__ import annotations

from dataclasses import replace

from tests.emulators.redfish.personalities import megarac
from tests.emulators.redfish.personality import Personality, Tree
from tests.emulators.redfish.resources.network import Port

PLAN = replace(
    megarac.plan("GIGABYTE", "R183-Z90-AAD1"),
    sku="6NR183Z90DR000AAD1",
    chassis_model="R183-Z90-AAD1",
    # The host's MACs follow the BMC's (field notes §6: host MAC derived from BMC MAC).
    ports=(Port("1", 1, 10_000), Port("2", 2, 10_000, link_up=False)),
    manager_ports={"bond0": 0},
    firmware="13.06.21",
    bios_version="R11_F07",
)


def tree() -> Tree:
    return megarac.build(PLAN, "1.15.1", "13.06", vendor="GIGABYTE")


PERSONALITY = Personality(
    name="gigabyte",
    tree=tree,
    serial_pattern="GM@P#N######A####",
    manners=replace(megarac.MANNERS, if_match="required"),  # field notes §6: 428/412 (community.general#6434)
)
