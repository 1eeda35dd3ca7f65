# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: bmc_pins
author:
  - The hearth.datacenter authors (@hearth-datacenter)
short_description: Makes pins for the module bmc_pin out of unpinned BMCs
version_added: 0.1.0
description:
  - Without O(keys), a pin for every given BMC with the key that it showed. Give it only BMCs whose fingerprint somebody
    confirmed.
  - With O(keys), a pin for every given BMC that is listed there, with the listed key. M(hearth.datacenter.bmc_pin) then
    refuses a listed key that the BMC did not show.
options:
  _input:
    description: BMCs from P(hearth.datacenter.unpinned_bmcs#filter).
    type: list
    elements: dict
    required: true
  keys:
    description:
      - Fingerprints by address, C(address:port) or C([IPv6 address]:port), in the forms of
        O(hearth.datacenter.bmc_pin#module:key).
      - Addresses that are not among the given BMCs are left out.
    type: dict
  comment:
    description: Why these keys are trusted.
    type: str
seealso:
  - plugin: hearth.datacenter.unpinned_bmcs
    plugin_type: filter
  - module: hearth.datacenter.bmc_pin
"""

EXAMPLES = r"""
- name: Pin what was read off the labels
  hearth.datacenter.bmc_pin:
    pins: >-
      {{ groups['bmc_unpinned'] | map('extract', hostvars) | hearth.datacenter.unpinned_bmcs
         | hearth.datacenter.bmc_pins(keys=keys_of_the_labels, comment='Read off the labels') }}
  run_once: true
  vars:
    keys_of_the_labels:
      10.20.0.17: spki-sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
"""

RETURN = r"""
_value:
  description: What O(hearth.datacenter.bmc_pin#module:pins) takes.
  type: list
  elements: dict
"""

import typing as t

from ansible_collections.hearth.datacenter.plugins.plugin_utils._unpinned import bmc_pins


class FilterModule:
    """The filter of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"bmc_pins": bmc_pins}
