#!/usr/bin/python

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: live_image_verdict
short_description: Does this machine run the live image that was built?
version_added: 0.1.0
author:
  - The hearth.datacenter authors (@hearth-datacenter)
description:
  - Asks the machine's TPM 2.0 for a fresh quote and the event log of this boot, and compares them on the controller
    with the manifest that was written when the image was built. Secure Boot vouches for shim, GRUB and the kernel
    only; this vouches for the command line and the initrd as well, and the initrd for the rest of the image.
  - Run it before a secret goes to the machine, and before anything is written by it. It fails unless every clause
    holds.
  - The quote counts only by a key that credential activation shows to be in the same TPM as the endorsement key, and
    only if that key's certificate is issued by an authority from O(ek_roots), or it is one of
    O(ek_certificate_sha256) or O(ek_key_sha256).
  - Other machines may have a certificate from the same authority. That an answer is not relayed from one of them
    follows from the hash of this machine's own key, or from O(node_document_sha256), which no other machine was
    given.
  - Firmware (PCR 0 to 3) is not judged, since nothing says what it should be. O(expected_pcrs) can.
requirements:
  - "On the node: Python 3.9 or newer, tpm2-tools 5 or newer, root."
  - "On the controller: cryptography 42 or newer."
extends_documentation_fragment:
  - hearth.datacenter._attributes
  - hearth.datacenter._attributes.info
attributes:
  action:
    description: Has an action plugin, which runs on the controller and runs the module on the node.
    support: full
options:
  manifest:
    description:
      - The manifest that the role P(hearth.datacenter.live_image#role) wrote beside the image. A path on the
        controller, or its content as a dictionary.
      - Required.
    type: raw
  node_document_sha256:
    description:
      - SHA-256 of the node document that the machine was given, as 64 hexadecimal digits. The image's initrd measures
        the document that it finds into PCR 12. Somebody else's document would let somebody else in.
      - If it is not set, the image must have found no document.
    type: str
  ek_roots:
    description:
      - Files on the controller with certificates in PEM. Each certificate in them is trusted to issue endorsement
        certificates. A maker's intermediate authorities have to be among them.
      - If a hash is given as well, both must hold.
    type: list
    elements: path
    default: []
  ek_certificate_sha256:
    description: SHA-256 of the endorsement certificates (DER) that this machine may have, as hexadecimal digits.
    type: list
    elements: str
    default: []
  ek_key_sha256:
    description:
      - SHA-256 of the endorsement keys (SubjectPublicKeyInfo in DER) that this machine may have, as hexadecimal
        digits. For a TPM without a certificate.
    type: list
    elements: str
    default: []
  allowed_firmware_programs:
    description:
      - Authenticode SHA-256 of programs that this machine's own firmware may start in front of the image, as
        hexadecimal digits. Some servers start their maker's EFI programs there. Without a word here each of them
        is refused, with its digest in RV(live_image_verdict.firmware_programs).
      - A digest belongs here once it is known to be the maker's, from the firmware's image for example. That
        the log of the machine in question has it proves nothing. Whoever is here is trusted as the firmware itself,
        so a UEFI shell, a boot loader, or anything else that takes commands or starts what it is told does not belong
        here.
      - Allowed is only what comes before the image's first program. Anything else between shim, GRUB and the kernel, or
        behind them, stays refused.
    type: list
    elements: str
    default: []
  expected_pcrs:
    description:
      - Values that PCRs of the SHA-256 bank must have beside what follows from the image, as hexadecimal digits by
        the number of the PCR, of 0 to 9, 12 and 14. With PCR 0, 2 and 7 of an earlier boot, for example, changed
        firmware or changed Secure Boot keys are refused.
    type: dict
    default: {}
  unverified:
    description:
      - What happens where the machine shows no TPM. V(accept) lets it pass, with
        RV(live_image_verdict.verdict=unverified) and a warning. Then nothing proves what the machine runs, nor that
        it has no TPM.
      - Makes no difference where there is a TPM.
    type: str
    choices: [refuse, accept]
    default: refuse
  ek_algorithm:
    description: Which endorsement key is used. V(auto) is one that has a certificate, RSA before ECC (P-256).
    type: str
    choices: [auto, rsa, ecc]
    default: auto
  ak_algorithm:
    description: The kind of key that signs the quote. RSA keys take some TPMs half a minute to make.
    type: str
    choices: [rsa, ecc]
    default: ecc
  event_log:
    description: Where the node shows the event log of its boot.
    type: path
    default: /sys/kernel/security/tpm0/binary_bios_measurements
  evidence:
    description: What the action plugin asks of the module on the node. Tasks leave it out.
    type: dict
    suboptions:
      step:
        description: What to do.
        type: str
        choices: [introduce, answer, forget]
        required: true
      place:
        description: The directory that the first step made.
        type: path
      credential:
        description: The credential to open, in base64.
        type: str
      nonce:
        description: What the quote has to carry, in base64.
        type: str
      ek_algorithm:
        description: As O(ek_algorithm).
        type: str
        choices: [auto, rsa, ecc]
        default: auto
      ak_algorithm:
        description: As O(ak_algorithm).
        type: str
        choices: [rsa, ecc]
        default: ecc
      event_log:
        description: As O(event_log).
        type: path
        default: /sys/kernel/security/tpm0/binary_bios_measurements
notes:
  - Another TPM than the machine's own (a software TPM) is chosen by the variable E(TPM2TOOLS_TCTI) in the task's
    C(environment).
  - Clock and firmware version in the quote are not looked at.
  - A TPM in dictionary attack lockout is an error of its own, RV(error.type=TpmLockedOut), not a refusal. Cutting a
    machine's power while its TPM works may lead there.
"""

EXAMPLES = r"""
- name: Is it our image, on a machine whose TPM one of these authorities knows?
  hearth.datacenter.live_image_verdict:
    manifest: /srv/hearth/images/hearth-live-amd64.manifest.json
    node_document_sha256: "{{ node_document.live_image_node.document_sha256 }}"
    ek_roots:
      - /etc/hearth/tpm-vendor-roots.pem

- name: Is it our image, on this very machine?
  hearth.datacenter.live_image_verdict:
    manifest: /srv/hearth/images/hearth-live-amd64.manifest.json
    node_document_sha256: "{{ node_document.live_image_node.document_sha256 }}"
    ek_certificate_sha256:
      - "{{ recorded_ek_certificate_sha256 }}"

- name: Its firmware starts a program of its maker first, whose digest was compared with that in the firmware's image
  hearth.datacenter.live_image_verdict:
    manifest: /srv/hearth/images/hearth-live-amd64.manifest.json
    node_document_sha256: "{{ node_document.live_image_node.document_sha256 }}"
    ek_roots:
      - /etc/hearth/tpm-vendor-roots.pem
    allowed_firmware_programs:
      - 2f1c3f8e6f3cf3ecbdf70f0e1f5a6dfbc6ab7a8f2b0ce5c6a1a84e5f5d3c0b7e

- name: A machine without a TPM passes because the user says so
  hearth.datacenter.live_image_verdict:
    manifest: /srv/hearth/images/hearth-live-amd64.manifest.json
    node_document_sha256: "{{ node_document.live_image_node.document_sha256 }}"
    ek_roots:
      - /etc/hearth/tpm-vendor-roots.pem
    unverified: accept
"""

RETURN = r"""
live_image_verdict:
  description: What was found. Everything in it that the machine says itself is true only if the verdict is V(ok).
  returned: when the machine answered, has no TPM, or says that Secure Boot is off
  type: dict
  contains:
    verdict:
      description:
        - V(ok) where every clause holds, else V(refused). V(unverified) where there is no TPM.
      type: str
      returned: success
      sample: refused
    image:
      description: The image's name by its manifest.
      type: str
      returned: success
      sample: hearth-live-amd64
    reasons:
      description: Each objection, with the clause that it comes from. Empty where the verdict is V(ok).
      type: list
      elements: dict
      returned: success
      sample:
        - clause: files_are_of_the_image
          msg: "PCR 9: expected '/hearth/initrd.img', found event 42"
    differences:
      description:
        - The events that differ, with C(pcr), C(expected) and C(expected_sha256), C(number), C(event_type), C(found)
          and C(found_sha256).
      type: list
      elements: dict
      returned: success
      sample: []
    ek:
      description: The endorsement key.
      type: dict
      returned: success
      contains:
        certificate_sha256:
          description: SHA-256 of its certificate, DER.
          type: str
          returned: success
          sample: 5c0f1e4b7a0f5f1f3a4f5ab5b2f7c7d1a1b0c9d8e7f6a5b4c3d2e1f00a1b2c3d
        key_sha256:
          description: SHA-256 of the key, SubjectPublicKeyInfo.
          type: str
          returned: success
          sample: 7d3b1e4b7a0f5f1f3a4f5ab5b2f7c7d1a1b0c9d8e7f6a5b4c3d2e1f00a1b2c3d
        subject:
          description: Whose key it is by its certificate.
          type: str
          returned: success
          sample: CN=unknown; 2.23.133.2.1=id:00001014+2.23.133.2.2=swtpm
        trusted_by:
          description: V(authority), V(expected), V(authority and expected), or empty where it is not trusted.
          type: str
          returned: success
          sample: authority
    firmware_programs:
      description:
        - What the firmware started in front of the image, with C(number) of the event, C(authenticode_sha256),
          C(allowed), and C(path), which is what the log says and nothing proves.
      type: list
      elements: dict
      returned: success
      sample: []
    pcrs:
      description: Values of the quoted PCRs in the SHA-256 bank, hexadecimal, by the number of the PCR.
      type: dict
      returned: success
      sample:
        "7": 75677db6f14082d3bfec4d14bdd75c8d72612ef6914ca99cd5a5997b7a21309d
    secure_boot:
      description:
        - Whether Secure Boot was on, as the event log says. V(null) where it says nothing.
        - V(false) also where there is no log and the machine's UEFI variable says that Secure Boot is off.
      type: bool
      returned: success
      sample: true
    node_document:
      description: V(checked), V(none) where the machine was given none, or empty where the machine has no TPM.
      type: str
      returned: success
      sample: checked
error:
  description: What went wrong.
  returned: failure
  type: dict
  contains:
    type:
      description:
        - The kind of error. V(AttestationRefused) is a verdict, all others are that there could be none, for example
          V(NoTpm), V(TpmLockedOut), V(MissingTool), V(NotFound) or V(BadInput).
      type: str
      returned: failure
      sample: AttestationRefused
    expected:
      description: What was expected.
      type: str
      returned: failure
      sample: a quote of image hearth-live-amd64
    found:
      description: What was found, of a verdict the clauses that do not hold.
      type: str
      returned: failure
      sample: files_are_of_the_image
    where:
      description: Where it was found.
      type: str
      returned: failure
      sample: the node's TPM
    next:
      description: What to do next.
      type: str
      returned: failure
      sample: Send no secret there and write nothing.
"""

from ansible_collections.hearth.datacenter.plugins.module_utils._glue.live_image_verdict import LIVE_IMAGE_VERDICT
from ansible_collections.hearth.datacenter.plugins.module_utils._glue.module import run_module


def main() -> None:
    run_module(LIVE_IMAGE_VERDICT)


if __name__ == "__main__":
    main()
