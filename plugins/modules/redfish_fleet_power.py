#!/usr/bin/python

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: redfish_fleet_power
short_description: Switches all machines of a batch on or off in one task
version_added: 0.1.0
author:
  - The hearth.datacenter authors (@hearth-datacenter)
description:
  - Does for all hosts of the current batch what M(hearth.datacenter.redfish_power) does for one of them, in one process
    and many at once.
  - For hundreds of hosts and more, where a process for each host is most of what a task costs.
extends_documentation_fragment:
  - hearth.datacenter._attributes
  - hearth.datacenter._fleet
  - hearth.datacenter._fleet.attributes
  - hearth.datacenter._redfish
  - hearth.datacenter._redfish.sushy
attributes:
  check_mode:
    support: full
    details: Reads each machine's power state and the resets on offer.
  diff_mode:
    support: full
    details: Shows the hosts that change.
  idempotent:
    support: partial
    details: V(restarted) and V(power_cycled) happen every time, unless O(unless_booted_since) says that it was done.
options:
  address:
    description: Refused, since it would be the same for every host. C(hearth_bmc) of each host has its own.
    required: false
  identity:
    description: Refused, since it would be the same for every host. C(hearth_bmc.expected) of each host has its own.
  state:
    description:
      - V(on) and V(off) are what the machines must be. Quote them, or write V(true) and V(false), which mean the same.
      - V(restarted) restarts them. Those that are off are switched on.
      - V(power_cycled) takes their power away and gives it back. Those that are off are switched on.
    type: str
    choices: ['on', 'off', restarted, power_cycled]
    required: true
  method:
    description: See O(hearth.datacenter.redfish_power#module:method).
    type: str
    choices: [graceful, force, graceful_then_force]
    default: graceful
  graceful_timeout:
    description: Seconds in which the operating system of a machine must have ended, or have restarted.
    type: float
    default: 300.0
  force_timeout:
    description: Seconds in which a forced step or switching on must have led to its state.
    type: float
    default: 120.0
  unless_booted_since:
    description: See O(hearth.datacenter.redfish_power#module:unless_booted_since).
    type: str
  reset_type:
    description: See O(hearth.datacenter.redfish_power#module:reset_type).
    type: str
seealso:
  - module: hearth.datacenter.redfish_power
  - module: hearth.datacenter.redfish_fleet_info
"""

EXAMPLES = r"""
- name: Switch on the whole batch, and go on if a few do not follow
  hearth.datacenter.redfish_fleet_power:
    state: 'on'
    max_fail: 2%
  register: switched
  run_once: true

- name: Say which did not follow
  ansible.builtin.debug:
    msg: "{{ switched.hosts[inventory_hostname].msg }}"
  when: inventory_hostname in switched.failed_hosts

- name: Take the power of the machines in one rack, sixteen at a time
  hearth.datacenter.redfish_fleet_power:
    state: 'off'
    method: graceful_then_force
    graceful_timeout: 120
    hosts: "{{ ansible_play_batch | intersect(groups.rack_r12) }}"
    concurrency: 16
"""

RETURN = r"""
hosts:
  description:
    - By name of the host, what M(hearth.datacenter.redfish_power) returns for it, so C(changed), C(power), C(warnings),
      and for a host that failed C(failed), C(msg) and C(error).
    - Hosts that were not begun are missing.
  returned: when the task's own arguments were right
  type: dict
  sample:
    rack1-u07:
      changed: true
      power:
        state: 'on'
        previous_state: 'off'
        resets: ['On']
failed_hosts:
  description: The hosts that failed, in the order of the batch.
  returned: when the task's own arguments were right
  type: list
  elements: str
  sample: [rack1-u09]
not_begun_hosts:
  description: The hosts at which nothing was done, since more than O(max_fail) had failed before their turn.
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
from ansible_collections.hearth.datacenter.plugins.module_utils._glue.redfish_fleet_power import REDFISH_FLEET_POWER


def main() -> None:
    run_module(REDFISH_FLEET_POWER)


if __name__ == "__main__":
    main()
