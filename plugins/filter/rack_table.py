# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: rack_table
author:
  - The hearth.datacenter authors (@hearth-datacenter)
short_description: Shows discovered servers as a table
version_added: 0.1.0
description:
  - Makes a table in plain text of hosts that the inventory plugin P(hearth.datacenter.bmc#inventory) found, one line
    each.
  - A BMC that could not be read shows its reason instead.
options:
  _input:
    description: The variables of the hosts, each with C(inventory_hostname), C(hearth_bmc) and C(hearth_server).
    type: list
    elements: dict
    required: true
seealso:
  - plugin: hearth.datacenter.bmc
    plugin_type: inventory
"""

EXAMPLES = r"""
- name: Show the rack
  ansible.builtin.debug:
    msg: "{{ groups['all'] | map('extract', hostvars) | hearth.datacenter.rack_table }}"
  run_once: true
"""

RETURN = r"""
_value:
  description: The table, with a head and a line that counts.
  type: str
"""

import typing as t

from ansible_collections.hearth.datacenter.plugins.plugin_utils._rack_table import rack_table


class FilterModule:
    """The filter of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"rack_table": rack_table}
