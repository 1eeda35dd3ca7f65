#!/usr/bin/python

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: bmc_pin
short_description: Pins the TLS keys of BMCs in the state store
version_added: 0.1.0
author:
  - The hearth.datacenter authors (@hearth-datacenter)
description:
  - Records which key a BMC must show, or removes that record. With C(trust=pin) no credential goes to a BMC that shows
    another key.
  - It contacts no BMC. What it pins is what you say, so take fingerprints from where nobody on the network can forge
    them, a machine's label, its console, or its maker's list.
  - Every change stays on record in the state store, with time and author.
  - Several pins are written at one moment or, if anything speaks against one of them, not at all.
notes:
  - The task runs inside Ansible's own process on the controller, whatever the host's connection, C(become) and
    interpreter are, and the state store is the controller's.
  - With C(delegate_to) another machine than C(localhost) the module runs there, and writes the state store of that
    machine (unless O(hearth_state) is a C(postgresql://) URL, which is the same store from everywhere).
extends_documentation_fragment:
  - hearth.datacenter._attributes
  - hearth.datacenter._attributes.in_process
  - hearth.datacenter._state
attributes:
  check_mode:
    support: full
    details: Makes no state store where there is none yet.
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  state:
    description:
      - Whether the BMC has a pin.
      - With V(absent) and O(key), only that key is removed, and another one is an error.
    type: str
    choices:
      - present
      - absent
    default: present
  address:
    description:
      - IP address or name of the BMC, without scheme and port, as discovery knows it.
      - Either this or O(pins) is required.
    type: str
  port:
    description: TCP port of the BMC's HTTPS server.
    type: int
    default: 443
  key:
    description:
      - V(spki-sha256:<digest>), the SHA-256 of the public key (its SubjectPublicKeyInfo), which stays the same when the
        certificate is renewed for the same key. 64 hexadecimal digits in upper or lower case, with or without colons,
        or base64.
      - V(cert-sha256:<digest>), the SHA-256 of the certificate (C(openssl x509 -noout -fingerprint -sha256) shows it).
      - Required with O(state=present).
    type: str
  comment:
    description:
      - Why this key is trusted, for whoever reads the record later.
      - Left out, the comment that is recorded stays.
    type: str
  observed:
    description:
      - The fingerprints that the BMC itself has just shown, in the forms of O(key).
      - When O(key) is none of them, nothing is pinned. That catches a slip in your list, and something else that
        answers in the BMC's place.
    type: list
    elements: str
  pins:
    description: Several pins at one moment, instead of O(address), O(key), O(comment) and O(observed).
    type: list
    elements: dict
    suboptions:
      address:
        description: See O(address).
        type: str
        required: true
      port:
        description: See O(port).
        type: int
        default: 443
      key:
        description: See O(key).
        type: str
      comment:
        description: See O(comment).
        type: str
      observed:
        description: See O(observed).
        type: list
        elements: str
  replace:
    description:
      - Whether another key that is pinned already may be replaced.
      - A key that changed may be an attack. Without this the task fails, names both keys and changes nothing.
    type: bool
    default: false
seealso:
  - plugin: hearth.datacenter.bmc
    plugin_type: inventory
"""

EXAMPLES = r"""
- name: Pin the key from the machine's label
  hearth.datacenter.bmc_pin:
    address: 10.20.0.17
    key: spki-sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
    comment: Read off the label by two people

- name: Pin two BMCs at one moment, one by its certificate
  hearth.datacenter.bmc_pin:
    pins:
      - address: 10.20.0.18
        key: cert-sha256:60:30:3A:E2:2B:99:88:61:BC:E3:B2:8F:33:EE:C1:BE:75:8A:21:3C:86:C9:3C:07:6D:BE:9F:55:8C:11:C7:52
      - address: bmc19.example.net
        port: 8443
        key: spki-sha256:n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=

- name: The board was replaced and its new key checked at the machine
  hearth.datacenter.bmc_pin:
    address: 10.20.0.17
    key: spki-sha256:d7a8fbb307d7809469ca9abcb0082e4f8d5651e46d3cdb762d02d0bf37c9e592
    comment: Board replaced on 2026-11-21
    replace: true

- name: The machine was given back
  hearth.datacenter.bmc_pin:
    address: 10.20.0.17
    state: absent
"""

RETURN = r"""
pins:
  description:
    - The pins that these addresses have afterwards, by address.
    - In check mode those that they would have.
  returned: success
  type: list
  elements: dict
  contains:
    address:
      description: Address and port, IPv6 addresses in brackets.
      type: str
      returned: success
      sample: 10.20.0.17:443
    key:
      description: The pinned key, in lower-case hexadecimal.
      type: str
      returned: success
      sample: spki-sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
    comment:
      description: Why it is trusted. May be empty.
      type: str
      returned: success
      sample: Read off the label by two people
    recorded_at:
      description: When it was recorded, UTC in ISO 8601. V(null) for what check mode would record.
      type: str
      returned: success
      sample: "2026-11-21T15:04:05.123456Z"
    recorded_by:
      description: User, machine and process that recorded it. V(null) for what check mode would record.
      type: str
      returned: success
      sample: alice@ctl1 process 4711
store:
  description: The state store that was used.
  returned: success
  type: dict
  contains:
    location:
      description: Path, or URL without its password.
      type: str
      returned: success
      sample: /home/alice/.local/state/hearth/state.sqlite3
    persistent:
      description: Whether it outlives this run, or lies on a container's own disk.
      type: bool
      returned: success
      sample: true
error:
  description: What went wrong.
  returned: failure
  type: dict
  contains:
    type:
      description: The kind of error, for example V(PinMismatch), V(BadInput) or V(StoreUnavailable).
      type: str
      returned: failure
      sample: PinMismatch
    expected:
      description: What was expected.
      type: str
      returned: failure
      sample: 10.20.0.17:443 spki-sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
    found:
      description: What was found.
      type: str
      returned: failure
      sample: 10.20.0.17:443 spki-sha256:d7a8fbb307d7809469ca9abcb0082e4f8d5651e46d3cdb762d02d0bf37c9e592
    where:
      description: Where it was found.
      type: str
      returned: failure
      sample: /home/alice/.local/state/hearth/state.sqlite3
    next:
      description: What to do next.
      type: str
      returned: failure
      sample: Leave the key out to remove whichever key is pinned.
"""

from ansible_collections.hearth.datacenter.plugins.module_utils._glue.bmc_pin import BMC_PIN
from ansible_collections.hearth.datacenter.plugins.module_utils._glue.module import run_module


def main() -> None:
    run_module(BMC_PIN)


if __name__ == "__main__":
    main()
