# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: subject_alt_names
author:
  - The hearth.datacenter authors (@hearth-datacenter)
short_description: Names and addresses as a certificate holds them
version_added: 0.1.0
description:
  - Makes C(DNS:name) and C(IP:address) out of DNS names and IP addresses, each once. Names are in lower case, IPv6
    addresses in their shortest form, so that two spellings of one host are one.
  - Fails for what is neither, before it is written into a request or a configuration of OpenSSL.
options:
  _input:
    description: DNS names, the first label of which may be V(*), and IP addresses.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Show what a certificate is going to be valid for
  ansible.builtin.debug:
    msg: "{{ ['Media.example.net', '10.20.0.5', 'fd00:0::5'] | hearth.datacenter.subject_alt_names }}"
    # ['DNS:media.example.net', 'IP:10.20.0.5', 'IP:fd00::5']
"""

RETURN = r"""
_value:
  description: The names, in the order given.
  type: list
  elements: str
"""

import typing as t

from ansible_collections.hearth.datacenter.plugins.plugin_utils._subject_alt_names import subject_alt_names


class FilterModule:
    """The filter of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"subject_alt_names": subject_alt_names}
