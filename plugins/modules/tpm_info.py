#!/usr/bin/python

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: tpm_info
short_description: Reads what a machine's TPM 2.0 says of itself
version_added: 0.1.0
author:
  - The hearth.datacenter authors (@hearth-datacenter)
description:
  - Reads the TPM's maker, who has set passwords, its lockout, its PCR banks, the certificates of its endorsement keys,
    and what the event log of this boot comes to.
  - Nothing is authorized with a password, no key is made, and nothing is changed, so that it works in lockout and on a
    TPM that somebody owns.
  - It is the machine's own word. What proves something is M(hearth.datacenter.live_image_verdict).
  - A machine without a TPM 2.0 is a failure with RV(error.type=NoTpm).
requirements:
  - "On the node: Python 3.9 or newer, tpm2-tools 5 or newer, root."
notes:
  - Another TPM than the machine's own is chosen by the variable E(TPM2TOOLS_TCTI) in the task's C(environment).
extends_documentation_fragment:
  - hearth.datacenter._attributes
  - hearth.datacenter._attributes.info
options:
  event_log:
    description: Where the node shows the event log of its boot.
    type: path
    default: /sys/kernel/security/tpm0/binary_bios_measurements
seealso:
  - module: hearth.datacenter.boot_measurement
  - module: hearth.datacenter.live_image_verdict
  - module: hearth.datacenter.luks_binding
  - module: hearth.datacenter.machine_info
"""

EXAMPLES = r"""
- name: Look at the TPM
  hearth.datacenter.tpm_info:
  register: here

- name: Go on only where disks can be bound to it
  ansible.builtin.assert:
    that:
      - "'sha256' in here.tpm.pcr_banks"
      - not here.tpm.lockout.locked
      - not here.tpm.passwords.owner

- name: Keep the endorsement certificates for live_image_verdict and for inventory
  ansible.builtin.set_fact:
    ek_certificate_sha256: "{{ here.tpm.endorsement_certificates | map(attribute='sha256') | select | list }}"
"""

RETURN = r"""
tpm:
  description: The TPM.
  returned: success
  type: dict
  contains:
    family:
      description: The family of the specification.
      type: str
      returned: success
      sample: "2.0"
    specification_revision:
      description: The specification's revision.
      type: str
      returned: success
      sample: "1.38"
    manufacturer:
      description: The maker, as registered with the TCG.
      type: str
      returned: success
      sample: IFX
    vendor:
      description: What the maker calls it.
      type: str
      returned: success
      sample: SLB9670
    firmware_version:
      description: The firmware's version, four numbers.
      type: str
      returned: success
      sample: 7.85.4555.0
    passwords:
      description:
        - Whether a password is set for C(owner), C(endorsement) and C(lockout).
        - With an owner password clevis can neither bind to the TPM nor open what is bound.
      type: dict
      returned: success
      sample: {owner: false, endorsement: false, lockout: true}
    hierarchies:
      description: Whether C(platform), C(owner) and C(endorsement) can be used since the last reset.
      type: dict
      returned: success
      sample: {platform: false, owner: true, endorsement: true}
    clear_disabled:
      description: Whether only the platform, and not the lockout password, may clear the TPM.
      type: bool
      returned: success
      sample: false
    lockout:
      description: Protection against guessing.
      type: dict
      returned: success
      contains:
        locked:
          description: Whether everything whose wrong passwords count is refused now. It looks like a wrong password.
          type: bool
          returned: success
          sample: false
        failed_tries:
          description: Wrong tries that count now.
          type: int
          returned: success
          sample: 0
        max_tries:
          description: Wrong tries with which it locks.
          type: int
          returned: success
          sample: 32
        recovery_seconds:
          description: Seconds in which one failed try is forgotten. V(0) is no protection at all.
          type: int
          returned: success
          sample: 7200
        lockout_recovery_seconds:
          description: Seconds after a wrong lockout password until it may be tried again. V(0) is until a reset.
          type: int
          returned: success
          sample: 86400
    pcr_banks:
      description: The PCRs by bank and number, of banks that are switched on. Hexadecimal digits.
      type: dict
      returned: success
      sample:
        sha256:
          "0": e520f4961f67bfe7c5164719bb15d7a4dbe7c1969ae5421455f597c4916969cd
    endorsement_certificates:
      description: What the TPM holds at the places for certificates of endorsement keys. Some TPMs have none.
      type: list
      elements: dict
      returned: success
      contains:
        nv_index:
          description: Where it is kept.
          type: str
          returned: success
          sample: "0x01c00002"
        key:
          description:
            - Kind of the key, V(rsa2048), V(rsa3072), V(rsa4096), V(ecc_p256), V(ecc_p384), V(ecc_p521) or V(sm2_p256).
          type: str
          returned: success
          sample: rsa2048
        problem:
          description: Why it cannot be read. Empty where it can; else the following are V(null).
          type: str
          returned: success
          sample: ""
        pem:
          description: The certificate.
          type: str
          returned: success
          sample: "-----BEGIN CERTIFICATE-----\n..."
        sha256:
          description:
            - SHA-256 of the certificate (DER), as
              O(hearth.datacenter.live_image_verdict#module:ek_certificate_sha256) takes it.
          type: str
          returned: success
          sample: 3b5c1c2b1f0d7d1f5e6c0b2f2f6a3c8f4d3e1a0b9c8d7e6f5a4b3c2d1e0f9a8b
        key_sha256:
          description:
            - SHA-256 of its public key, as O(hearth.datacenter.live_image_verdict#module:ek_key_sha256) takes it.
          type: str
          returned: success
          sample: 9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c4d3e2f1a0b9c8d7e6f5a4b3c2d1e0f9a8b
    event_log:
      description: What the firmware and the boot loaders wrote of what they measured.
      type: dict
      returned: success
      contains:
        path:
          description: Where it was read.
          type: str
          returned: success
          sample: /sys/kernel/security/tpm0/binary_bios_measurements
        problem:
          description: Why it cannot be read. Empty where it can; else the following are V(null).
          type: str
          returned: success
          sample: ""
        banks:
          description: Banks that the log has digests of.
          type: list
          elements: str
          returned: success
          sample: [sha256]
        events:
          description: How many events were measured.
          type: int
          returned: success
          sample: 87
        pcrs:
          description:
            - For each PCR with events their number, C(events), and whether they lead to the value that the TPM shows in
              each bank that both have, C(agrees). It is V(null) where they have none in common.
            - PCRs that the running system extends too do not agree, for example 11 where systemd measures its phases.
              M(hearth.datacenter.boot_measurement) tells such PCRs from a log that is untrue.
          type: dict
          returned: success
          sample:
            "7": {events: 9, agrees: true}
        secure_boot:
          description: Whether Secure Boot was on, by the log. V(null) where it does not say.
          type: bool
          returned: success
          sample: true
error:
  description: What went wrong.
  returned: failure
  type: dict
  contains:
    type:
      description: The kind of error, for example V(NoTpm), V(MissingTool), V(Refused) or V(TimedOut).
      type: str
      returned: failure
      sample: NoTpm
    expected:
      description: What was expected.
      type: str
      returned: failure
      sample: /dev/tpmrm0
    found:
      description: What was found.
      type: str
      returned: failure
      sample: no such device
    where:
      description: Where it was found.
      type: str
      returned: failure
      sample: the node
    next:
      description: What to do next.
      type: str
      returned: failure
      sample: Switch the TPM on in the firmware's setup.
"""

from ansible_collections.hearth.datacenter.plugins.module_utils._glue.module import run_module
from ansible_collections.hearth.datacenter.plugins.module_utils._glue.tpm_info import TPM_INFO


def main() -> None:
    run_module(TPM_INFO)


if __name__ == "__main__":
    main()
