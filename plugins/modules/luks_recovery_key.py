#!/usr/bin/python

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: luks_recovery_key
short_description: Makes a recovery key of a LUKS2 device that only the organisation can read
version_added: 0.1.0
author:
  - The hearth.datacenter authors (@hearth-datacenter)
description:
  - Makes a key of 256 bits on the node, adds a keyslot for it, and encrypts it there to the public key of the machine.
    The node gives back the encrypted document (JWE, RFC 7516) and forgets the key, so neither the controller nor a log
    ever has it in clear.
  - The document's protected header, which everybody can read and nobody can change, says of which machine, host, LUKS
    UUID and keyslot it is, and has the fingerprint of the keyslot's salt. So a document whose keyslot was changed since
    is found without opening it.
  - The document also stays on the device, in a token beside its keyslot. Where a run was killed before the controller
    had it, the next run gives it again. Destroying the machine's key ends this copy with all others.
  - A new key removes no older one until it is listed in O(escrowed), and another way into the device was tried.
requirements:
  - "On the node: Python 3.9 or newer, cryptsetup 2.4 or newer, jose, root."
  - "Where no passphrase is given: clevis, and a binding that opens the device."
extends_documentation_fragment:
  - hearth.datacenter._attributes
  - hearth.datacenter._luks
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  passphrase:
    description:
      - With O(state=present), a passphrase that opens the device. Without one, a clevis binding that opens is used.
      - With O(state=proved), the recovery key.
      - Set C(ansible_pipelining) to V(true) where this is used, else Ansible writes it to the node's disk.
    type: str
  timeout:
    description: Seconds that one program (clevis, cryptsetup, jose) may take.
  state:
    description:
      - V(present) makes sure that there is a recovery key as the other options say.
      - V(proved) tries the recovery key in O(passphrase) on its keyslot, as a drill does. It changes nothing.
    type: str
    choices: [present, proved]
    default: present
  fru:
    description: The machine, by the name that its key has in the key store. Needed with O(state=present).
    type: str
  host:
    description: The host's name, for whoever finds the document. Needed with O(state=present).
    type: str
  public_key:
    description:
      - The public half of the machine's key, a JWK on an elliptic curve. Needed with O(state=present).
      - A recovery key that is encrypted to another key does not count.
    type: dict
  escrowed:
    description:
      - Salt fingerprints of the recovery keys whose documents are on record.
      - When the wanted recovery key is among them, older ones are removed from the device.
    type: list
    elements: str
    default: []
  newer_than:
    description:
      - A date, or a time of ISO 8601. A recovery key that is not newer does not count, so that a new one is made.
      - Times are the node's own, in UTC where none is named.
    type: str
  salt_fingerprint:
    description: Which keyslot it is, as the document says. Needed with O(state=proved).
    type: str
notes:
  - The key has the form of systemd's recovery keys, 64 letters in groups of eight, so that a person can type it.
  - A task with a secret is refused with C(async), which writes its arguments to the node's disk.
seealso:
  - module: hearth.datacenter.luks_binding
  - module: hearth.datacenter.luks_audit_info
"""

EXAMPLES = r"""
- name: The disk has a recovery key
  hearth.datacenter.luks_recovery_key:
    device: /dev/disk/by-id/nvme-root
    fru: "{{ machine_fru }}"
    host: "{{ inventory_hostname }}"
    public_key: "{{ machine_public_key }}"
  register: recovery

- name: The document is kept, with mode 0600
  ansible.builtin.copy:
    content: "{{ recovery.luks_recovery_key.document | ansible.builtin.to_json }}"
    dest: "/srv/escrow/{{ recovery.luks_recovery_key.uuid }}.jwe"
    mode: "0600"
  delegate_to: localhost

- name: Only now an older one goes
  hearth.datacenter.luks_recovery_key:
    device: /dev/disk/by-id/nvme-root
    fru: "{{ machine_fru }}"
    host: "{{ inventory_hostname }}"
    public_key: "{{ machine_public_key }}"
    escrowed:
      - "{{ recovery.luks_recovery_key.salt_fingerprint }}"

- name: A drill, with a key that somebody has unwrapped to a tmpfs
  hearth.datacenter.luks_recovery_key:
    device: /dev/disk/by-id/nvme-root
    state: proved
    salt_fingerprint: "{{ recovery.luks_recovery_key.salt_fingerprint }}"
    passphrase: "{{ lookup('ansible.builtin.file', '/run/user/0/recovery.key') }}"
  vars:
    ansible_pipelining: true
"""

RETURN = r"""
luks_recovery_key:
  description: The recovery key, without the key.
  returned: success
  type: dict
  contains:
    device:
      description: The device.
      type: str
      returned: success
      sample: /dev/disk/by-id/nvme-root
    uuid:
      description: UUID in its header.
      type: str
      returned: success
      sample: 6f0d7a0e-3b1c-4d58-9b2c-0f3d1f9f8a11
    keyslot:
      description: Its keyslot. V(null) in check mode where it would be made.
      type: int
      returned: success
      sample: 1
    token:
      description: The token with the document. V(null) in check mode where it would be made.
      type: int
      returned: with O(state=present)
      sample: 0
    salt_fingerprint:
      description: SHA-256 of the keyslot's salt, which says which keyslot is meant and nothing of its secret.
      type: str
      returned: success
      sample: 0b0a6f6a3b5f0f4b8a2f3c0d1e9f7a6b5c4d3e2f1a0b9c8d7e6f5a4b3c2d1e0f
    made:
      description: When it was made, in UTC.
      type: str
      returned: with O(state=present)
      sample: "2026-11-21T22:30:00Z"
    document:
      description: The encrypted key, a JWE in flattened JSON form. V(null) in check mode where it would be made.
      type: dict
      returned: with O(state=present)
      sample: {"protected": "eyJlbmMiOiJBMjU2R0NNIiwi…", "ciphertext": "…"}
    removed:
      description: Salt fingerprints of older recovery keys that were removed.
      type: list
      elements: str
      returned: with O(state=present)
      sample: []
    recovered:
      description: What a killed run had left and was cleared away.
      type: list
      elements: str
      returned: with O(state=present)
      sample: []
    proved:
      description: Whether this task tried the recovery key.
      type: bool
      returned: success
      sample: false
    fingerprint:
      description: SHA-256 of what never changes in the header. Put it on record.
      type: str
      returned: success
      sample: 5c0f1e4b7a0f5f1f3a4f5ab5b2f7c7d1a1b0c9d8e7f6a5b4c3d2e1f00a1b2c3d
    state_fingerprint:
      description: SHA-256 of that with all keyslots and tokens. Put it on record after each change.
      type: str
      returned: success
      sample: 7d3b1e4b7a0f5f1f3a4f5ab5b2f7c7d1a1b0c9d8e7f6a5b4c3d2e1f00a1b2c3d
error:
  description: What went wrong.
  returned: failure
  type: dict
  contains:
    type:
      description:
        - The kind of error, for example V(BadInput), V(Refused), V(NotFound) or V(VerificationFailed).
      type: str
      returned: failure
      sample: Refused
    expected:
      description: What was expected.
      type: str
      returned: failure
      sample: a passphrase or a binding that opens it
    found:
      description: What was found.
      type: str
      returned: failure
      sample: the passphrase is wrong
    where:
      description: Where it was found.
      type: str
      returned: failure
      sample: /dev/disk/by-id/nvme-root
    next:
      description: What to do next.
      type: str
      returned: failure
      sample: Give the passphrase of a keyslot, for example the recovery key's.
"""

from ansible_collections.hearth.datacenter.plugins.module_utils._glue.luks_recovery_key import LUKS_RECOVERY_KEY
from ansible_collections.hearth.datacenter.plugins.module_utils._glue.module import run_module


def main() -> None:
    run_module(LUKS_RECOVERY_KEY)


if __name__ == "__main__":
    main()
