#!/usr/bin/python

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: luks_audit_info
short_description: Explains or flags every keyslot and token of a LUKS2 device
version_added: 0.1.0
author:
  - The hearth.datacenter authors (@hearth-datacenter)
description:
  - Reads the header, tries what unlocks the device, and compares with the policy and with what is on record. It changes
    nothing on the device.
  - Each pin of an SSS is tried by itself, so that a Tang server that is away is found while the others suffice.
requirements:
  - "On the node: Python 3.9 or newer, cryptsetup 2.4 or newer, root, and clevis where O(prove=true)."
extends_documentation_fragment:
  - hearth.datacenter._attributes
  - hearth.datacenter._attributes.info
  - hearth.datacenter._luks
  - hearth.datacenter._luks.policy
options:
  passphrase:
    description:
      - A passphrase that opens the device. If it is given and opens nothing, that is a finding.
      - Set C(ansible_pipelining) to V(true) where this is used, else Ansible writes it to the node's disk.
    type: str
  root:
    description: Whether the device holds a root file system. Then weak PCRs are critical.
    type: bool
    default: true
  prove:
    description: Whether the bindings are tried.
    type: bool
    default: true
  escrow:
    description: Recovery keys that the organisation holds of this device.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: What it is called.
        type: str
        required: true
      salt_fingerprint:
        description: SHA-256 of the salt of its keyslot, hexadecimal.
        type: str
        required: true
  fingerprint:
    description: The RV(luks_audit.fingerprint) that is on record.
    type: str
  state_fingerprint:
    description: The RV(luks_audit.state_fingerprint) that is on record.
    type: str
  retired_salt_fingerprints:
    description: Keyslots that were erased. One of them again is a header that was restored from a backup.
    type: list
    elements: str
    default: []
notes:
  - A task with a secret is refused with C(async), which writes its arguments to the node's disk.
seealso:
  - module: hearth.datacenter.luks_binding
"""

EXAMPLES = r"""
- name: Look at the disk
  hearth.datacenter.luks_audit_info:
    device: /dev/disk/by-id/nvme-root
    fingerprint: "{{ recorded.fingerprint }}"
    escrow: "{{ recorded.recovery_keys }}"
  register: disk

- name: Nothing critical
  ansible.builtin.assert:
    that: disk.luks_audit.findings | selectattr('severity', 'eq', 'critical') | length == 0
"""

RETURN = r"""
luks_audit:
  description: What was found.
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
    fingerprint:
      description: SHA-256 of UUID, segments and volume key digests, which never change.
      type: str
      returned: success
      sample: 5c0f1e4b7a0f5f1f3a4f5ab5b2f7c7d1a1b0c9d8e7f6a5b4c3d2e1f00a1b2c3d
    state_fingerprint:
      description: SHA-256 of that with all keyslots and tokens.
      type: str
      returned: success
      sample: 7d3b1e4b7a0f5f1f3a4f5ab5b2f7c7d1a1b0c9d8e7f6a5b4c3d2e1f00a1b2c3d
    keyslots:
      description: Keyslots by number, with C(role) V(binding), V(recovery), V(token) or V(unknown).
      type: dict
      returned: success
      sample:
        "0": {kind: luks2, role: recovery, escrow: key-2026, salt_fingerprint: 0b0a6f, cipher: aes-xts-plain64,
              key_bits: 512, kdf: argon2id}
    tokens:
      description: Tokens by number, with C(type) and C(keyslots).
      type: dict
      returned: success
      sample:
        "0": {type: clevis, keyslots: [1]}
    bindings:
      description:
        - What unlocks the device, with C(pin), its configuration, C(keyslot), C(token), and C(opens), which is V(null)
          where it was not tried.
      type: list
      elements: dict
      returned: success
      sample:
        - pin: tang
          url: http://tang1.example.com
          thumbprints: [JlZRCj]
          kid: q1w2e3
          keyslot: 1
          token: 0
          opens: true
    findings:
      description: Gravest first, with C(severity) V(critical), V(warning) or V(info), C(code), C(what) and C(next).
      type: list
      elements: dict
      returned: success
      sample:
        - severity: critical
          code: tang_unreachable
          what: 'keyslot 1: http://tang1.example.com does not answer: connection refused'
          next: Start the Tang server, or look at the network to it.
error:
  description: What went wrong.
  returned: failure
  type: dict
  contains:
    type:
      description:
        - The kind of error, for example V(BadInput), V(Refused), V(Unreachable), V(TpmLockedOut) or V(Unsupported).
      type: str
      returned: failure
      sample: Unreachable
    expected:
      description: What was expected.
      type: str
      returned: failure
      sample: a pin that gives the secret back
    found:
      description: What was found.
      type: str
      returned: failure
      sample: http://tang1.example.com does not answer
    where:
      description: Where it was found.
      type: str
      returned: failure
      sample: the node
    next:
      description: What to do next.
      type: str
      returned: failure
      sample: No keyslot was added or removed. Mend what is named here and run the task again.
"""

from ansible_collections.hearth.datacenter.plugins.module_utils._glue.luks_audit_info import LUKS_AUDIT_INFO
from ansible_collections.hearth.datacenter.plugins.module_utils._glue.module import run_module


def main() -> None:
    run_module(LUKS_AUDIT_INFO)


if __name__ == "__main__":
    main()
