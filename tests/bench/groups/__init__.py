# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The groups of ``make bench``, in the order in which they run. A group takes the common context and gives figures."""

from __future__ import annotations

import typing as t

from ..figures import Figure
from . import discovery, fleet_power, inventory_graph, power, rack

GROUPS: dict[str, t.Callable[[t.Mapping[str, t.Any]], list[Figure]]] = {
    "discovery": discovery.measure,
    "inventory_graph": inventory_graph.measure,
    "power_peer": power.beside_peer,
    "power_floor": power.above_floor,
    "power_black_holes": power.with_black_holes,
    "fleet_power": fleet_power.measure,
    "rack": rack.measure,
}
