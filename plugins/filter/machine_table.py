# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: machine_table
author:
  - The hearth.datacenter authors (@hearth-datacenter)
short_description: Shows machines as they see themselves as a table
version_added: 0.1.0
description:
  - Makes a table in plain text of what M(hearth.datacenter.machine_info) read on machines, with all disks by serial and
    all network interfaces.
options:
  _input:
    description:
      - Host → a dictionary with C(machine), which is what M(hearth.datacenter.machine_info) returns, and C(verdict).
        Where there is no C(machine), C(why) is shown.
    type: dict
    required: true
seealso:
  - module: hearth.datacenter.machine_info
"""

EXAMPLES = r"""
- name: Show what the machines saw
  ansible.builtin.debug:
    msg: "{{ {inventory_hostname: {'machine': inside.machine, 'verdict': 'ok'}} | hearth.datacenter.machine_table }}"
"""

RETURN = r"""
_value:
  description: The table, with a head.
  type: str
"""

import typing as t

from ansible_collections.hearth.datacenter.plugins.plugin_utils._machine_table import machine_table


class FilterModule:
    """The filter of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"machine_table": machine_table}
