# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""redfish_virtual_media inside Ansible's own process; documented in the module."""

from __future__ import annotations

from ansible_collections.hearth.datacenter.plugins.module_utils._glue.redfish_virtual_media import REDFISH_VIRTUAL_MEDIA
from ansible_collections.hearth.datacenter.plugins.plugin_utils._bmc_action import BmcAction


class ActionModule(BmcAction):
    contract = REDFISH_VIRTUAL_MEDIA
