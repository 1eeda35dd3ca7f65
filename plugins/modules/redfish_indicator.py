#!/usr/bin/python

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: redfish_indicator
short_description: Lights up a machine, a chassis or a drive
version_added: 0.1.0
author:
  - The hearth.datacenter authors (@hearth-datacenter)
description:
  - Switches the light that says which machine or which drive to pull, with Redfish, and reads back that it is so.
  - Writes C(LocationIndicatorActive), or C(IndicatorLED) where a BMC has nothing newer or the light is to blink.
extends_documentation_fragment:
  - hearth.datacenter._attributes
  - hearth.datacenter._attributes.in_process
  - hearth.datacenter._redfish
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  state:
    description:
      - V(lit) is on, by blinking where the BMC lights up that way. Quote V(off), or write V(false), which means the
        same.
      - V(blinking) needs C(IndicatorLED). Where there is none, it is an error that says what is offered.
    type: str
    choices: [lit, 'off', blinking]
    required: true
  chassis:
    description: Id of the chassis whose light is meant. If neither this nor O(drive) is set, the system's own.
    type: str
  drive:
    description: Serial number, Id, name or the bay's label of the drive whose light is meant.
    type: str
seealso:
  - plugin: hearth.datacenter.bmc
    plugin_type: inventory
"""

EXAMPLES = r"""
- name: Light up the machine that has to be pulled
  hearth.datacenter.redfish_indicator:
    state: lit

- name: Light up a drive by its serial number
  hearth.datacenter.redfish_indicator:
    state: lit
    drive: S6CKNE0T123456

- name: And off again
  hearth.datacenter.redfish_indicator:
    state: 'off'
    drive: S6CKNE0T123456
"""

RETURN = r"""
indicator:
  description: The light, in check mode as it would be.
  returned: success
  type: dict
  contains:
    kind:
      description: What has the light, V(system), V(chassis) or V(drive).
      type: str
      returned: success
      sample: drive
    id:
      description: Its Id.
      type: str
      returned: success
      sample: Disk.Bay.3
    path:
      description: Its path on the BMC.
      type: str
      returned: success
      sample: /redfish/v1/Systems/1/Storage/1/Drives/Disk.Bay.3
    state:
      description: V(lit), V(off) or V(blinking). V(null) where the BMC does not know.
      type: str
      returned: success
      sample: lit
    offered:
      description: The states that may be asked for.
      type: list
      elements: str
      returned: success
      sample: [lit, 'off']
error:
  description: What went wrong.
  returned: failure
  type: dict
  contains:
    type:
      description: The kind of error, for example V(Unsupported), V(NotFound), V(BadInput) or V(VerificationFailed).
      type: str
      returned: failure
      sample: NotFound
    expected:
      description: What was expected.
      type: str
      returned: failure
      sample: drive Bay 99
    found:
      description: What was found.
      type: str
      returned: failure
      sample: Disk.Bay.3 (serial S6CKNE0T123456, Bay 3)
    where:
      description: Where it was found.
      type: str
      returned: failure
      sample: https://10.20.0.17
    next:
      description: What to do next.
      type: str
      returned: failure
      sample: Name one of those that are there.
"""

from ansible_collections.hearth.datacenter.plugins.module_utils._glue.module import run_module
from ansible_collections.hearth.datacenter.plugins.module_utils._glue.redfish_indicator import REDFISH_INDICATOR


def main() -> None:
    run_module(REDFISH_INDICATOR)


if __name__ == "__main__":
    main()
