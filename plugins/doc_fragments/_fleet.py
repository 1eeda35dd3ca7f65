# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options of the modules that work on a whole fleet in one task. PRIVATE to the collection."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  hosts:
    description:
      - The hosts to work on, of those in the current batch of the play.
      - Left out, all of the batch that have not failed before, C(ansible_play_batch). A play's C(serial) counts.
    type: list
    elements: str
  concurrency:
    description:
      - How many BMCs are worked on at once, 1 to 1024.
      - A BMC that has said nothing for a second does not count, so that a few dead ones do not hold up the others.
    type: int
    default: 128
  max_fail:
    description:
      - How many hosts may fail, as a number or as a percentage of the hosts, which is rounded down.
      - Once more have failed, no further host is begun, those under way are finished, and the task fails. What was done
        on the other hosts stays done and is in RV(hosts).
      - Failures within this number are a warning, and the task is C(ok). Look at RV(failed_hosts) then.
    type: str
    default: "0"
notes:
  - The task runs once for all hosts of the batch, inside Ansible's own process on the controller. It cannot be
    delegated to another machine.
  - Address, trust, platform, credentials and the expected identity are those of each host, from its own variables.
    Options, and C(when), are evaluated once, with the variables of the first host.
  - Write C(run_once=true) beside C(register). The task runs once either way, but Ansible registers its result for the
    first host only unless that is written.
  - The result does not take failed hosts out of the play, so say
    C(when=inventory_hostname not in result.failed_hosts) in the tasks that follow. A task that fails ends the play for
    all hosts of the batch.
  - The strategies C(free) and C(host_pinned) would run the task once for every host, so Ansible refuses it under them.
"""

    # Above the options of modules that act over Redfish, for antsibull's sake in a section of its own.
    ATTRIBUTES = r"""
options: {}
attributes:
  action:
    description: Runs inside Ansible's own process on the controller, without a connection to the hosts.
    support: full
  async:
    description: Can run in the background with C(async).
    support: none
  bypass_host_loop:
    description: Runs once for all hosts of the batch, and not once for each of them.
    support: full
  delegation:
    description: Can be used with C(delegate_to).
    support: none
    details: Only to C(localhost), which changes nothing.
"""
