# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""redfish_fleet_power inside Ansible's own process, and nowhere else; documented in the module."""

from __future__ import annotations

from ansible_collections.hearth.datacenter.plugins.action.redfish_power import ActionModule as RedfishPower
from ansible_collections.hearth.datacenter.plugins.module_utils._glue.redfish_fleet_power import REDFISH_FLEET_POWER
from ansible_collections.hearth.datacenter.plugins.plugin_utils._fleet_action import FleetAction, ForOneHost


class OneHost(ForOneHost, RedfishPower):
    pass


class ActionModule(FleetAction):
    contract = REDFISH_FLEET_POWER
    one = OneHost
