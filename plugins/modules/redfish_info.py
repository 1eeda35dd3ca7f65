#!/usr/bin/python

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: redfish_info
short_description: Reads what a BMC says about its machine
version_added: 0.1.0
author:
  - The hearth.datacenter authors (@hearth-datacenter)
description:
  - Reads parts of a machine and of its BMC with Redfish, and changes nothing.
  - Keys have the same names and units on every platform. A value that the BMC does not tell, or that says nothing (a
    serial number V(Default string)), is V(null). So is a subset that the platform does not have.
  - What cannot be read of a subset is a warning, and the rest is there.
notes:
  - Strings that a BMC gives lose their control characters, and template openers in them are split. Still treat them as
    what the machine claims, not as what is true.
  - A subset that lists parts costs one request for each part where the BMC cannot expand collections.
extends_documentation_fragment:
  - hearth.datacenter._attributes
  - hearth.datacenter._attributes.info
  - hearth.datacenter._attributes.in_process
  - hearth.datacenter._redfish
options:
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
    description: JMESPath expression over RV(info). Its answer is RV(query_result).
    type: str
requirements:
  - jmespath (only for O(query), on the machine where the task runs)
seealso:
  - module: hearth.datacenter.redfish_power
  - plugin: hearth.datacenter.bmc
    plugin_type: inventory
"""

EXAMPLES = r"""
- name: Who is it, is it on, and how is it
  hearth.datacenter.redfish_info:
  register: machine

- name: The drives that are not well
  hearth.datacenter.redfish_info:
    subset: [drives]
    query: "drives[?health != 'ok'].{slot: id, serial: serial}"
  register: drives

- name: Wait until the operating system runs
  hearth.datacenter.redfish_info:
    subset: [power]
  register: machine
  until: machine.info.power.boot_progress == 'OSRunning'
  retries: 60
  delay: 10
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
        id: System.Embedded.1
        manufacturer: Dell Inc.
        model: PowerEdge R650
        serial: CNIVC007J00001
        service_tag: T8W8R4D
    power:
      description: C(state), C(resets) (V(null) where the power cannot be switched), C(restore_policy),
        C(boot_progress), C(booted_at).
      type: dict
      returned: with subset power
      sample:
        state: 'on'
        resets: ['On', ForceOff, GracefulShutdown]
        boot_progress: OSRunning
    health:
      description: C(health), C(rollup), C(processors), C(memory) and C(chassis) are V(ok), V(warning), V(critical) or
        V(null). C(state) is Redfish's, in lower case. C(conditions) is a list of C(message) and C(severity).
      type: dict
      returned: with subset health
      sample:
        health: ok
        rollup: warning
        state: enabled
    bmc:
      description: C(platform), C(redfish_version), C(model), C(firmware), C(health), C(time), C(macs).
      type: dict
      returned: with subset bmc
      sample:
        platform: idrac9
        firmware: 7.00.60.00
    security:
      description: C(secure_boot) with C(enabled), C(active) and C(mode). C(tpm) with C(present), C(type), C(firmware)
        and C(state).
      type: dict
      returned: with subset security
      sample:
        secure_boot:
          enabled: true
        tpm:
          present: true
    processors:
      description: Each with C(id), C(type), C(manufacturer), C(model), C(cores), C(threads), C(max_mhz), C(serial),
        C(health).
      type: list
      elements: dict
      returned: with subset processors
    gpus:
      description: C(count), C(model) and C(devices), also those on a baseboard that the BMC lists as another system.
      type: dict
      returned: with subset gpus
    memory:
      description: C(total_gib) and C(modules), each with C(id), C(slot), C(capacity_mib), C(type), C(speed_mhz),
        C(manufacturer), C(part_number), C(serial), C(health).
      type: dict
      returned: with subset memory
    nics:
      description: Each with C(id), C(mac), C(speed_mbps), C(link) (V(up), V(down) or V(null)).
      type: list
      elements: dict
      returned: with subset nics
    drives:
      description: Each with C(id), C(serial), C(model), C(capacity_bytes), C(media), C(protocol), C(health).
      type: list
      elements: dict
      returned: with subset drives
    firmware:
      description: Each with C(id), C(name), C(version), C(updateable), C(released), C(state).
      type: list
      elements: dict
      returned: with subset firmware
    boot:
      description: What the machine boots from next. C(enabled) (V(disabled), V(once) or V(continuous)), C(target),
        C(mode), C(http_uri), C(targets) that are on offer, C(order), a list of C(reference) and C(name), and
        C(pending), whether some of it waits in a settings object of the BMC for that boot.
      type: dict
      returned: with subset boot
    media:
      description: Each with C(id), C(path), C(types), C(inserted), C(image), C(image_name), C(write_protected),
        C(connected_via).
      type: list
      elements: dict
      returned: with subset media
    sensors:
      description: Each with C(id), C(name), C(type), C(reading), C(unit) (UCUM, V(Cel) for degrees Celsius), C(health).
      type: list
      elements: dict
      returned: with subset sensors
    logs:
      description: Each with C(id), C(name), C(path) and C(entries), the newest first, each with C(id), C(created),
        C(severity), C(message), C(message_id).
      type: list
      elements: dict
      returned: with subset logs
    accounts:
      description: Each with C(id), C(username), C(role), C(enabled), C(locked).
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
      sample: https://10.20.0.17/redfish/v1/Systems/1
    next:
      description: What to do next.
      type: str
      returned: failure
      sample: correct them, or see whether the account is locked
"""

from ansible_collections.hearth.datacenter.plugins.module_utils._glue.module import run_module
from ansible_collections.hearth.datacenter.plugins.module_utils._glue.redfish_info import REDFISH_INFO


def main() -> None:
    run_module(REDFISH_INFO)


if __name__ == "__main__":
    main()
