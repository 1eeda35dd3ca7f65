# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: unpinned_bmcs
author:
  - The hearth.datacenter authors (@hearth-datacenter)
short_description: Lists the BMCs that showed a key which nobody pinned
version_added: 0.1.0
description:
  - Of hosts that the inventory plugin P(hearth.datacenter.bmc#inventory) put into the group C(bmc_unpinned), the BMCs,
    each endpoint once.
  - A BMC without a TLS key, which answers only IPMI or plain HTTP, is left out. There is nothing to pin.
options:
  _input:
    description: The variables of the hosts, each with C(inventory_hostname) and C(hearth_bmc).
    type: list
    elements: dict
    required: true
seealso:
  - plugin: hearth.datacenter.bmc_pins
    plugin_type: filter
  - module: hearth.datacenter.bmc_pin
"""

EXAMPLES = r"""
- name: Show the keys that nobody pinned
  ansible.builtin.debug:
    msg: "{{ groups['bmc_unpinned'] | map('extract', hostvars) | hearth.datacenter.unpinned_bmcs }}"
  run_once: true
"""

RETURN = r"""
_value:
  description: The BMCs.
  type: list
  elements: dict
  contains:
    host:
      description: Name of the first inventory host behind this BMC.
      type: str
    address:
      description: IP address or name.
      type: str
    port:
      description: TCP port.
      type: int
    endpoint:
      description: Address and port, as pins are recorded.
      type: str
    vendor:
      description: What it says of its vendor. May be empty. Not verified.
      type: str
    product:
      description: What it says of its product. May be empty. Not verified.
      type: str
    key:
      description: The key that it showed, as C(spki-sha256:<digest>).
      type: str
    observed:
      description: The key and the certificate that it showed, in the forms of a pin.
      type: list
      elements: str
    changed:
      description: Whether another key is pinned.
      type: bool
    pinned:
      description: The pinned key, where another one is pinned. Empty otherwise.
      type: str
"""

import typing as t

from ansible_collections.hearth.datacenter.plugins.plugin_utils._unpinned import unpinned_bmcs


class FilterModule:
    """The filter of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"unpinned_bmcs": unpinned_bmcs}
