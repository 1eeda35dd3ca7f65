#!/usr/bin/python

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ipmi_power
short_description: Switches a machine on or off over IPMI
version_added: 0.1.0
author:
  - The hearth.datacenter authors (@hearth-datacenter)
description:
  - Brings a machine whose BMC has no Redfish to a power state, and waits until the BMC says that it is there.
  - Options and result are those of M(hearth.datacenter.redfish_power), as far as IPMI has them.
  - IPMI has no graceful restart, so that one is a shutdown and a start. Its own power cycle cannot be verified, so that
    one is a cut, two seconds, and a start.
  - A BMC that stops answering, because it shares a network port with the machine, is logged in to again while the state
    is awaited.
extends_documentation_fragment:
  - hearth.datacenter._attributes
  - hearth.datacenter._attributes.in_process
  - hearth.datacenter._ipmi
attributes:
  check_mode:
    support: full
    details: Reads the power state.
  diff_mode:
    support: full
  idempotent:
    support: partial
    details: V(restarted) and V(power_cycled) happen every time.
options:
  state:
    description:
      - V(on) and V(off) are what the machine must be. Quote them, or write V(true) and V(false), which mean the same.
      - V(restarted) restarts the machine. One that is off is switched on.
      - V(power_cycled) takes its power away and gives it back. One that is off is switched on.
    type: str
    choices: ['on', 'off', restarted, power_cycled]
    required: true
  method:
    description:
      - V(graceful) asks the operating system to end, and fails when it does not.
      - V(force) takes the power away or resets the machine at once. Unwritten data is lost.
      - V(graceful_then_force) asks, and forces it after O(graceful_timeout) or where the BMC cannot ask.
    type: str
    choices: [graceful, force, graceful_then_force]
    default: graceful
  graceful_timeout:
    description: Seconds in which the operating system must have ended.
    type: float
    default: 300.0
  force_timeout:
    description: Seconds in which a forced step or switching on must have led to its state.
    type: float
    default: 120.0
  unless_booted_since:
    description: Always an error, since IPMI does not tell when a machine booted. It is here for the sake of its name.
    type: str
seealso:
  - module: hearth.datacenter.redfish_power
  - module: hearth.datacenter.ipmi_info
  - module: hearth.datacenter.ipmi_boot
"""

EXAMPLES = r"""
- name: Switch on a discovered machine
  hearth.datacenter.ipmi_power:
    state: 'on'

- name: Shut it down, and cut its power if it has not ended after two minutes
  hearth.datacenter.ipmi_power:
    state: 'off'
    method: graceful_then_force
    graceful_timeout: 120

- name: Power-cycle a machine that no inventory knows, if it is the one on record, and with SHA-256 only
  hearth.datacenter.ipmi_power:
    address: 10.20.0.17
    username: ops
    password: "{{ vault_bmc_password }}"
    cipher_suites: [17]
    identity:
      serial: HRT0000017
    state: power_cycled
    method: force
"""

RETURN = r"""
power:
  description: The machine's power.
  returned: success
  type: dict
  contains:
    system:
      description: Always empty. IPMI knows one machine behind a BMC.
      type: str
      returned: success
      sample: ''
    state:
      description: Power state afterwards, in check mode the one that it would have.
      type: str
      returned: success
      sample: 'on'
    previous_state:
      description: Power state before.
      type: str
      returned: success
      sample: 'off'
    resets:
      description: The chassis controls that were sent, in check mode those that would be, by Redfish's names.
      type: list
      elements: str
      returned: success
      sample: ['On']
    offered:
      description: The chassis controls that are used. Which of them a machine has, its BMC does not say.
      type: list
      elements: str
      returned: success
      sample: ['ForceOff', 'ForceRestart', 'GracefulShutdown', 'On']
error:
  description: What went wrong.
  returned: failure
  type: dict
  contains:
    type:
      description: The kind of error, for example V(Unreachable), V(IdentityMismatch), V(VerificationFailed) or V(Busy).
      type: str
      returned: failure
      sample: VerificationFailed
    expected:
      description: What was expected.
      type: str
      returned: failure
      sample: 'off'
    found:
      description: What was found.
      type: str
      returned: failure
      sample: 'on'
    where:
      description: Where it was found.
      type: str
      returned: failure
      sample: IPMI at 10.20.0.17 port 623
    next:
      description: What to do next.
      type: str
      returned: failure
      sample: give it more time, or use another method; look at the machine's console
"""

from ansible_collections.hearth.datacenter.plugins.module_utils._glue.ipmi_power import IPMI_POWER
from ansible_collections.hearth.datacenter.plugins.module_utils._glue.module import run_module


def main() -> None:
    run_module(IPMI_POWER)


if __name__ == "__main__":
    main()
