# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""redfish_info for all hosts of a batch at once."""

from __future__ import annotations

from .fleet import fleet_contract
from .redfish_info import REDFISH_INFO

REDFISH_FLEET_INFO = fleet_contract("redfish_fleet_info", REDFISH_INFO)
