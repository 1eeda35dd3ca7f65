#!/usr/bin/python

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: redfish_power
short_description: Switches a machine on or off through its BMC
version_added: 0.1.0
author:
  - The hearth.datacenter authors (@hearth-datacenter)
description:
  - Brings a machine to a power state with Redfish, by the resets that its BMC offers, and waits until the BMC says that
    it is there.
  - A BMC that refuses (HTTP 4xx) although the state is reached counts as success.
extends_documentation_fragment:
  - hearth.datacenter._attributes
  - hearth.datacenter._attributes.in_process
  - hearth.datacenter._redfish
  - hearth.datacenter._redfish.sushy
attributes:
  check_mode:
    support: full
    details: Reads the power state and the resets on offer.
  diff_mode:
    support: full
  idempotent:
    support: partial
    details: V(restarted) and V(power_cycled) happen every time, unless O(unless_booted_since) says that it was done.
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
    description: Seconds in which the operating system must have ended, or have restarted.
    type: float
    default: 300.0
  force_timeout:
    description: Seconds in which a forced step or switching on must have led to its state.
    type: float
    default: 120.0
  unless_booted_since:
    description:
      - Time in ISO 8601, UTC if it has no zone. A machine that has booted since is not restarted again.
      - Only with O(state=restarted). It is an error where the BMC does not tell when the machine booted
        (C(LastResetTime)).
    type: str
  reset_type:
    description:
      - This Redfish ResetType and no other, for example V(FullPowerCycle). It must lead to O(state).
      - If not set, one of those on offer is chosen.
    type: str
seealso:
  - module: hearth.datacenter.redfish_info
  - plugin: hearth.datacenter.bmc
    plugin_type: inventory
"""

EXAMPLES = r"""
- name: Switch on a discovered machine
  hearth.datacenter.redfish_power:
    state: 'on'

- name: Shut it down, and cut its power if it has not ended after two minutes
  hearth.datacenter.redfish_power:
    state: 'off'
    method: graceful_then_force
    graceful_timeout: 120

- name: Restart it once for this change, however often the play runs
  hearth.datacenter.redfish_power:
    state: restarted
    unless_booted_since: "2026-11-21T15:00:00Z"

- name: Power-cycle a machine that no inventory knows, if it is the one on record
  hearth.datacenter.redfish_power:
    address: 10.20.0.17
    username: ops
    password: "{{ vault_bmc_password }}"
    ca_path: /etc/ssl/site-ca.pem
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
      description: Id of the system.
      type: str
      returned: success
      sample: System.Embedded.1
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
      description: The ResetTypes that were sent, in check mode those that would be.
      type: list
      elements: str
      returned: success
      sample: ['On']
    offered:
      description: The ResetTypes that the BMC offers. Empty where it does not say.
      type: list
      elements: str
      returned: success
      sample: ['On', 'ForceOff', 'GracefulShutdown']
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
      sample: https://10.20.0.17/redfish/v1/Systems/1
    next:
      description: What to do next.
      type: str
      returned: failure
      sample: give it more time, or use another method; look at the machine's console
"""

from ansible_collections.hearth.datacenter.plugins.module_utils._glue.module import run_module
from ansible_collections.hearth.datacenter.plugins.module_utils._glue.redfish_power import REDFISH_POWER


def main() -> None:
    run_module(REDFISH_POWER)


if __name__ == "__main__":
    main()
