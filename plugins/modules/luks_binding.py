#!/usr/bin/python

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: luks_binding
short_description: Binds a LUKS2 device to what unlocks it
version_added: 0.1.0
author:
  - The hearth.datacenter authors (@hearth-datacenter)
description:
  - Makes sure that a LUKS2 device opens by a Tang server, a TPM 2.0, several of them together, or a PKCS#11 token, or
    that it does not. A binding is known by its content, never by the number of its keyslot.
  - A new secret is sealed and unsealed before the header is touched, and its keyslot is opened by it before an older
    one is removed. A binding that matches counts only if it works now, or, for PCR values that are still to come, if
    the TPM's policy is the one that follows from them.
  - No Tang server is trusted because it answers. It needs a thumbprint or an advertisement.
  - A run that was killed leaves a way in. The next run with this module clears its remains away and finishes.
requirements:
  - "On the node: Python 3.9 or newer, cryptsetup 2.4 or newer, root."
  - "For O(tang), O(tpm2), O(sss): clevis, jose, tpm2-tools. For O(systemd_tpm2): systemd 252 or newer."
extends_documentation_fragment:
  - hearth.datacenter._attributes
  - hearth.datacenter._luks
  - hearth.datacenter._luks.pins
attributes:
  check_mode:
    support: full
    details: Seals and unseals a secret, and changes nothing on the device. O(systemd_tpm2) is not tried.
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  passphrase:
    description:
      - A passphrase that opens the device. Without one, an existing clevis binding that opens is used.
      - Set C(ansible_pipelining) to V(true) where this is used, else Ansible writes it to the node's disk.
    type: str
  state:
    description: Whether there is such a binding.
    type: str
    choices: [present, absent]
    default: present
  root:
    description:
      - Whether the device holds a root file system, or what else boots. Then PCRs that do not say which kernel, initrd
        and command line booted are refused. PCR 7 alone is the same for a live medium.
    type: bool
    default: true
  exclusive:
    description:
      - Removes all other bindings after this one is proved. Keyslots without a token (passphrases, recovery keys)
        stay.
      - While O(tpm2.pcr_digest) is still to come, nothing is removed. Run the task again after the boot.
    type: bool
    default: false
  pin:
    description: The PIN for O(systemd_tpm2.with_pin).
    type: str
notes:
  - A keyslot is removed only after another way into the device was tried in the same run.
  - A task with a secret is refused with C(async), which writes its arguments to the node's disk.
  - Another TPM than the machine's own is chosen by the variable E(TPM2TOOLS_TCTI) in the task's C(environment).
seealso:
  - module: hearth.datacenter.luks_audit_info
  - module: hearth.datacenter.boot_measurement
"""

EXAMPLES = r"""
- name: The data disk opens where one of two Tang servers is
  hearth.datacenter.luks_binding:
    device: /dev/disk/by-id/nvme-data
    passphrase: "{{ recovery_key }}"
    root: false
    sss:
      threshold: 1
      tang:
        - url: http://tang1.example.com
          thumbprint: JlZRCjWOO3bI8yKfxbm5Z8r5oe2Qy4d0a6dNKPXQ8wM
        - url: http://tang2.example.com
          thumbprint: FpYlVQ1yTzY0nO3eYm2n6cQd2v4oXjXb4qR4cN1o0xk

- name: The root disk opens with what will boot next, and the old binding stays until it has
  hearth.datacenter.luks_binding:
    device: /dev/disk/by-id/nvme-root
    tpm2:
      pcr_ids: [7, 8, 9]
      pcr_digest: "{{ predicted_pcr_digest }}"
"""

RETURN = r"""
luks_binding:
  description: The binding. In check mode what there would be, as far as it is known.
  returned: success
  type: dict
  contains:
    device:
      description: The device.
      type: str
      returned: success
      sample: /dev/disk/by-id/nvme-data
    uuid:
      description: UUID in its header.
      type: str
      returned: success
      sample: 6f0d7a0e-3b1c-4d58-9b2c-0f3d1f9f8a11
    pin:
      description: The pin's name.
      type: str
      returned: success
      sample: sss
    keyslot:
      description: Its keyslot. V(null) where there is none.
      type: int
      returned: success
      sample: 1
    token:
      description: Its token. V(null) where there is none.
      type: int
      returned: success
      sample: 0
    salt_fingerprint:
      description: SHA-256 of the keyslot's salt, which says which keyslot is meant and nothing of its secret.
      type: str
      returned: success
      sample: 0b0a6f6a3b5f0f4b8a2f3c0d1e9f7a6b5c4d3e2f1a0b9c8d7e6f5a4b3c2d1e0f
    proved:
      description:
        - V(opened) where it was tried, V(recomputed) where the TPM's policy is that of the values that will be there,
          V(at_enrolment) where systemd tried a signed policy itself, or empty.
      type: str
      returned: success
      sample: opened
    removed:
      description: Bindings that were removed.
      type: list
      elements: dict
      returned: success
      sample: []
    recovered:
      description: What a killed run had left and was cleared away.
      type: list
      elements: str
      returned: success
      sample: []
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

from ansible_collections.hearth.datacenter.plugins.module_utils._glue.luks_binding import LUKS_BINDING
from ansible_collections.hearth.datacenter.plugins.module_utils._glue.module import run_module


def main() -> None:
    run_module(LUKS_BINDING)


if __name__ == "__main__":
    main()
