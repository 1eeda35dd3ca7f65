# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""key_escrow inside Ansible's own process; documented in the module."""

from __future__ import annotations

from ansible_collections.hearth.datacenter.plugins.module_utils._glue.key_escrow import KEY_ESCROW
from ansible_collections.hearth.datacenter.plugins.plugin_utils._state_action import StateAction


class ActionModule(StateAction):
    contract = KEY_ESCROW
