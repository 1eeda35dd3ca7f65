#!/usr/bin/python

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ipmi_info
short_description: Reads what a BMC says about its machine over IPMI
version_added: 0.1.0
author:
  - The hearth.datacenter authors (@hearth-datacenter)
description:
  - Reads parts of a machine whose BMC has no Redfish, and changes nothing.
  - Options and result are those of M(hearth.datacenter.redfish_info). A subset or a value that IPMI does not have is
    V(null).
  - What cannot be read of a subset is a warning, and the rest is there.
notes:
  - Strings that a BMC gives lose their control characters, and template openers in them are split. Still treat them as
    what the machine claims, not as what is true.
  - Sensors, which V(health) needs too, and the event log get a quarter of O(deadline) each.
extends_documentation_fragment:
  - hearth.datacenter._attributes
  - hearth.datacenter._attributes.info
  - hearth.datacenter._attributes.in_process
  - hearth.datacenter._ipmi
options:
  subset:
    description:
      - What to read. V(all) is everything.
      - V(system) says which machine it is (its FRU inventory), V(power) its power state, V(health) how it is (its
        sensors and chassis flags).
      - V(bmc) is the BMC itself, V(firmware) its version, V(logs) the 50 newest records of the event log, V(boot) the
        boot flags, V(sensors) all sensors that give a reading.
      - The MAC address in V(bmc), and V(boot), need the privilege level OPERATOR. The others need USER.
      - All others are V(null) with IPMI.
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
    description: JMESPath expression over RV(info). Its answer is RV(query_result).
    type: str
requirements:
  - jmespath (only for O(query), on the machine where the task runs)
seealso:
  - module: hearth.datacenter.redfish_info
  - module: hearth.datacenter.ipmi_power
"""

EXAMPLES = r"""
- name: Who is it, is it on, and how is it
  hearth.datacenter.ipmi_info:
  register: machine

- name: The sensors that are not well
  hearth.datacenter.ipmi_info:
    subset: [sensors]
    query: "sensors[?health != 'ok'].{name: name, reading: reading}"
  register: sensors
"""

RETURN = r"""
info:
  description: The subsets that were asked for. The others are not there.
  returned: success
  type: dict
  contains:
    system:
      description: C(id), C(path), C(kind), C(manufacturer), C(model), C(serial), C(chassis_serial), C(service_tag),
        C(uuid), C(sku), C(part_number), C(asset_tag), C(hostname), C(bios_version), C(location).
      type: dict
      returned: with subset system
      sample:
        manufacturer: Acme
        model: Rocket 9
        serial: SN-0042
    power:
      description: C(state), C(resets), C(restore_policy), C(boot_progress), C(booted_at). IPMI does not tell the
        last two.
      type: dict
      returned: with subset power
      sample:
        state: 'on'
        restore_policy: LastState
    health:
      description: C(health) and C(rollup) are V(ok), V(warning), V(critical) or V(null). C(chassis) is V(warning) with
        a chassis fault. C(conditions) is a list of C(message) and C(severity). C(state), C(processors) and C(memory)
        are V(null).
      type: dict
      returned: with subset health
      sample:
        health: ok
        rollup: ok
    bmc:
      description: C(platform), C(redfish_version), C(model), C(firmware), C(health), C(time), C(macs).
      type: dict
      returned: with subset bmc
      sample:
        platform: ipmi
        firmware: "3.17"
    security:
      description: Always V(null).
      type: dict
      returned: with subset security
    processors:
      description: Always V(null).
      type: list
      elements: dict
      returned: with subset processors
    gpus:
      description: Always V(null).
      type: dict
      returned: with subset gpus
    memory:
      description: Always V(null).
      type: dict
      returned: with subset memory
    nics:
      description: Always V(null).
      type: list
      elements: dict
      returned: with subset nics
    drives:
      description: Always V(null).
      type: list
      elements: dict
      returned: with subset drives
    firmware:
      description: The BMC's own, with C(id), C(name), C(version), C(updateable), C(released), C(state).
      type: list
      elements: dict
      returned: with subset firmware
    boot:
      description: C(enabled) (V(disabled), V(once) or V(continuous)), C(target), C(mode), C(http_uri), C(targets) that
        IPMI has, C(order), which is empty, and C(pending), which is V(false).
      type: dict
      returned: with subset boot
    media:
      description: Always V(null).
      type: list
      elements: dict
      returned: with subset media
    sensors:
      description: Each with C(id), C(name), C(type), C(reading), C(unit) (UCUM, V(Cel) for degrees Celsius), C(health).
      type: list
      elements: dict
      returned: with subset sensors
    logs:
      description: The event log with C(id), C(name), C(path) and C(entries), the newest first, each with C(id),
        C(created) (V(null) where the clock of the BMC was not set), C(severity), C(message), C(message_id).
      type: list
      elements: dict
      returned: with subset logs
    accounts:
      description: Always V(null).
      type: list
      elements: dict
      returned: with subset accounts
query_result:
  description: What O(query) finds.
  returned: success, with query
  type: raw
error:
  description: What went wrong.
  returned: failure
  type: dict
  contains:
    type:
      description: The kind of error, for example V(Unreachable), V(BadInput), V(AuthenticationFailed) or V(Busy).
      type: str
      returned: failure
      sample: AuthenticationFailed
    expected:
      description: What was expected.
      type: str
      returned: failure
      sample: one of the credentials to be accepted
    found:
      description: What was found.
      type: str
      returned: failure
      sample: the BMC refused the credential
    where:
      description: Where it was found.
      type: str
      returned: failure
      sample: IPMI at 10.20.0.17 port 623
    next:
      description: What to do next.
      type: str
      returned: failure
      sample: check the user name and the password; it was tried once
"""

from ansible_collections.hearth.datacenter.plugins.module_utils._glue.ipmi_info import IPMI_INFO
from ansible_collections.hearth.datacenter.plugins.module_utils._glue.module import run_module


def main() -> None:
    run_module(IPMI_INFO)


if __name__ == "__main__":
    main()
