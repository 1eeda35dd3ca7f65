#!/usr/bin/python

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: redfish_fleet_info
short_description: Reads what all BMCs of a batch say about their machines, in one task
version_added: 0.1.0
author:
  - The hearth.datacenter authors (@hearth-datacenter)
description:
  - Does for all hosts of the current batch what M(hearth.datacenter.redfish_info) does for one of them, in one process
    and many at once, and changes nothing.
  - For hundreds of hosts and more, where a process for each host is most of what a task costs.
  - The result of the task holds what every host said. Of thousands of hosts ask for no more than you need.
extends_documentation_fragment:
  - hearth.datacenter._attributes
  - hearth.datacenter._attributes.info
  - hearth.datacenter._fleet
  - hearth.datacenter._fleet.attributes
  - hearth.datacenter._redfish
options:
  address:
    description: Refused, since it would be the same for every host. C(hearth_bmc) of each host has its own.
    required: false
  identity:
    description: Refused, since it would be the same for every host. C(hearth_bmc.expected) of each host has its own.
  subset:
    description:
      - What to read. V(all) is everything.
      - V(system) says which machine it is, V(power) its power state and the resets on offer, V(health) how it is.
      - V(bmc) is the BMC itself, V(accounts) its users, V(firmware) its firmware inventory, V(logs) the 50 newest
        entries of each log.
      - V(security) is TPM and Secure Boot, V(boot) the boot override and order, V(media) the virtual drives.
      - V(processors), V(gpus), V(memory), V(nics), V(drives) and V(sensors) are lists of parts.
    type: list
    elements: str
    choices:
      - system
      - power
      - health
      - bmc
      - security
      - processors
      - gpus
      - memory
      - nics
      - drives
      - firmware
      - boot
      - media
      - sensors
      - logs
      - accounts
      - all
    default: [system, power, health]
  query:
    description: See O(hearth.datacenter.redfish_info#module:query). Its answer is C(query_result) of each host.
    type: str
requirements:
  - jmespath (only for O(query))
seealso:
  - module: hearth.datacenter.redfish_info
  - module: hearth.datacenter.redfish_fleet_power
"""

EXAMPLES = r"""
- name: Ask the whole batch for power and health, whoever answers
  hearth.datacenter.redfish_fleet_info:
    subset: [power, health]
    max_fail: 100%
  register: fleet
  run_once: true

- name: Name the machines that are off
  ansible.builtin.debug:
    msg: "{{ fleet.hosts | dict2items | selectattr('value.info.power.state', 'defined')
      | selectattr('value.info.power.state', 'eq', 'off') | map(attribute='key') }}"
  run_once: true

- name: Read the serials of all drives, and nothing else into the result
  hearth.datacenter.redfish_fleet_info:
    subset: [drives]
    query: "drives[].serial"
  register: drives
  run_once: true
"""

RETURN = r"""
hosts:
  description:
    - By name of the host, what M(hearth.datacenter.redfish_info) returns for it, so C(changed), C(info),
      C(query_result), C(warnings), and for a host that failed C(failed), C(msg) and C(error).
    - Hosts that were not begun are missing.
  returned: when the task's own arguments were right
  type: dict
  sample:
    rack1-u07:
      changed: false
      info:
        power:
          state: 'on'
failed_hosts:
  description: The hosts that failed, in the order of the batch.
  returned: when the task's own arguments were right
  type: list
  elements: str
  sample: [rack1-u09]
not_begun_hosts:
  description: The hosts of which nothing was read, since more than O(max_fail) had failed before their turn.
  returned: when the task's own arguments were right
  type: list
  elements: str
  sample: []
error:
  description: What went wrong.
  returned: failure
  type: dict
  contains:
    type:
      description: The kind of error, V(HostsFailed) if more than O(max_fail) hosts failed.
      type: str
      returned: failure
      sample: HostsFailed
    expected:
      description: What was expected.
      type: str
      returned: failure
      sample: at most 0 failed hosts
    found:
      description: What was found.
      type: str
      returned: failure
      sample: 1 failed, 0 not begun
    where:
      description: The hosts, the first few by name.
      type: str
      returned: failure
      sample: rack1-u09
    next:
      description: What to do next.
      type: str
      returned: failure
      sample: Look at hosts.<name>.error of each of failed_hosts.
"""

from ansible_collections.hearth.datacenter.plugins.module_utils._glue.module import run_module
from ansible_collections.hearth.datacenter.plugins.module_utils._glue.redfish_fleet_info import REDFISH_FLEET_INFO


def main() -> None:
    run_module(REDFISH_FLEET_INFO)


if __name__ == "__main__":
    main()
