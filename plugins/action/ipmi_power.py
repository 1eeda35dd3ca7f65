# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ipmi_power inside Ansible's own process; documented in the module."""

from __future__ import annotations

from ansible_collections.hearth.datacenter.plugins.module_utils._glue.ipmi_power import IPMI_POWER
from ansible_collections.hearth.datacenter.plugins.plugin_utils._ipmi_action import IpmiAction


class ActionModule(IpmiAction):
    contract = IPMI_POWER
