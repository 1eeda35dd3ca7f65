#!/usr/bin/python

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: boot_measurement
short_description: What this boot measured, and what the next one will measure by its files
version_added: 0.1.0
author:
  - The hearth.datacenter authors (@hearth-datacenter)
description:
  - Replays the event log of this boot and compares it with what the TPM's PCRs hold. A log that does not lead there
    is refused, with the event that is to blame where it can be known.
  - From files it predicts what the PCRs will hold at the next boot, so that a disk can be bound to a new kernel, initrd
    or command line before it has booted. RV(boot_measurement.pcr_digest) is what
    M(hearth.datacenter.luks_binding) takes.
  - "It knows two ways of booting. One is shim, GRUB and a kernel with a static F(grub.cfg), without functions, loops,
    C(load_env) and stored choices: PCR 4, 8 and 9 are computed from the files. The other is a unified kernel image of
    systemd-stub: PCR 4 and 11 are. Other PCRs are taken from the log of this boot."
  - PCR 7 is taken from the log only if Secure Boot was on, and nothing shows that it will be another at the next
    boot. That is another shim, a UEFI variable that is not as it was measured, something that C(mokutil) left for
    the next boot, or a program that is signed by another authority than those in the log.
  - "The way to use it: predict from the files of this boot with O(files_of_this_boot=true), which fails where the
    prediction cannot be relied on on this machine. Install. Predict again, bind to that, and prove the binding. Boot.
    Then take the old binding away."
requirements:
  - "On the node: Python 3.9 or newer, tpm2-tools 5 or newer, root."
extends_documentation_fragment:
  - hearth.datacenter._attributes
  - hearth.datacenter._attributes.info
options:
  pcr_ids:
    description:
      - The PCRs that have to be as the log says, and that are predicted. Of 0 to 9 and 11 to 14.
      - V([7, 11]) with O(unified_kernel_image), else V([7, 8, 9]), if it is not set.
    type: list
    elements: int
  pcr_bank:
    description: The bank of the PCRs.
    type: str
    choices: [sha256, sha384, sha512]
    default: sha256
  event_log:
    description: Where the node shows the event log of its boot, or a copy of it.
    type: path
    default: /sys/kernel/security/tpm0/binary_bios_measurements
  efi_variables:
    description: Where the node shows its UEFI variables. Read for a prediction of PCR 7.
    type: path
    default: /sys/firmware/efi/efivars
  pcr_values:
    description:
      - What the PCRs held, hexadecimal by number, for a log of another machine or another time.
      - If it is not set, the TPM is asked.
    type: dict
    default: {}
  extended_since:
    description:
      - What the system itself has extended PCRs by since the firmware's log ended, in order. A bound PCR is extended
        before the root file system takes over, for example.
      - What C(systemd-pcrphase) extends PCR 11 by is known, and not listed here.
    type: list
    elements: dict
    default: []
    suboptions:
      pcr:
        description: The PCR.
        type: int
        required: true
      digest:
        description: The digest that it was extended by, hexadecimal.
        type: str
        required: true
  grub:
    description:
      - Predict a boot through GRUB.
      - Mutually exclusive with O(unified_kernel_image).
    type: dict
    suboptions:
      shim:
        description: The shim that starts GRUB. Needed for PCR 4 and 7.
        type: path
      image:
        description: The signed GRUB on the EFI system partition.
        type: path
        required: true
      prefix:
        description: The directory that GRUB was built with, if it does not say so itself. V(/EFI/debian) on Debian.
        type: str
      file_systems:
        description: The file systems that GRUB reads. The first one is that which GRUB is started from.
        type: list
        elements: dict
        required: true
        suboptions:
          directory:
            description: Where it is mounted.
            type: path
            required: true
          device:
            description:
              - GRUB's name of it, such as V(hd0,gpt2). It is part of what is measured.
              - If it is not set, the name is taken from the event log, where that leaves no choice.
            type: str
          uuid:
            description: Its UUID. If it is not set, it is taken from F(/dev/disk/by-uuid).
            type: str
      replacements:
        description: Files that will lie elsewhere than they do now.
        type: list
        elements: dict
        default: []
        suboptions:
          path:
            description: Where the file will be, as a path on the node.
            type: path
            required: true
          source:
            description: Where its new content is now.
            type: path
            required: true
  unified_kernel_image:
    description: Predict a boot of a unified kernel image.
    type: dict
    suboptions:
      shim:
        description: The shim that starts it, if firmware does not start it itself.
        type: path
      image:
        description: The image.
        type: path
        required: true
      phases:
        description:
          - What C(systemd-pcrphase) will have extended PCR 11 by when the disk is opened.
          - V([]) for an initrd of initramfs-tools, V([enter-initrd]) for one with systemd.
        type: list
        elements: str
        choices: [enter-initrd, leave-initrd, sysinit, ready]
        default: []
  files_of_this_boot:
    description:
      - Whether the files are those that this boot came from. Then it is an error if they give other measurements than
        the log has.
    type: bool
    default: false
notes:
  - Another TPM than the machine's own (a software TPM) is chosen by the variable E(TPM2TOOLS_TCTI) in the task's
    C(environment).
  - The node is asked about itself, so this proves nothing to the controller. M(hearth.datacenter.live_image_verdict)
    does.
  - PCR 8 holds GRUB's names of disks. With another order of disks a binding to it does not open.
  - PCR 4 is predicted on amd64 only, and of unified kernel images only with systemd-stub 252.
  - In the event log GRUB and systemd-stub are as Debian 12 has them. After an upgrade to another release run the
    comparison with O(files_of_this_boot=true) again.
seealso:
  - module: hearth.datacenter.luks_binding
  - module: hearth.datacenter.live_image_verdict
"""

EXAMPLES = r"""
- name: Does a prediction from the files of this boot come to what was measured?
  hearth.datacenter.boot_measurement:
    grub:
      shim: /boot/efi/EFI/debian/shimx64.efi
      image: /boot/efi/EFI/debian/grubx64.efi
      file_systems:
        - directory: /boot/efi
        - directory: /boot
    files_of_this_boot: true

- name: What will the new initrd measure?
  hearth.datacenter.boot_measurement:
    grub:
      shim: /boot/efi/EFI/debian/shimx64.efi
      image: /boot/efi/EFI/debian/grubx64.efi
      file_systems:
        - directory: /boot/efi
        - directory: /boot
      replacements:
        - path: /boot/initrd.img
          source: /boot/initrd.img.new
  register: next_boot

- name: Show what the disk is to be bound to
  ansible.builtin.debug:
    msg:
      tpm2:
        pcr_bank: "{{ next_boot.boot_measurement.pcr_bank }}"
        pcr_ids: "{{ next_boot.boot_measurement.pcr_ids }}"
        pcr_digest: "{{ next_boot.boot_measurement.pcr_digest }}"

- name: Do the PCRs hold what the log says, though PCR 8 was extended before the root file system was mounted?
  hearth.datacenter.boot_measurement:
    pcr_ids: [4, 7, 8, 9]
    extended_since:
      - pcr: 8
        digest: 7d3b1e4b7a0f5f1f3a4f5ab5b2f7c7d1a1b0c9d8e7f6a5b4c3d2e1f00a1b2c3d
"""

RETURN = r"""
boot_measurement:
  description: What was measured and what is predicted. Digests and values are hexadecimal unless it is said otherwise.
  returned: success
  type: dict
  contains:
    pcr_bank:
      description: The bank.
      type: str
      returned: success
      sample: sha256
    pcr_ids:
      description: The PCRs, ascending.
      type: list
      elements: int
      returned: success
      sample: [7, 8, 9]
    pcr_digest:
      description:
        - The raw values of these PCRs one after the other, in base64url without padding, as clevis and
          M(hearth.datacenter.luks_binding) take them. Of the prediction, or without files to predict from of this boot
          before anything else extended the PCRs.
      type: str
      returned: success
      sample: dWd9tvFAgtO_7E1Jvddcjw
    policy_digest:
      description:
        - The digest of a TPM policy (SHA-256) over these values. It is what a binding's sealed object carries, and for
          PCR 11 alone what the signature in a C(.pcrsig) section is over (C(pol) in its JSON).
      type: str
      returned: success
      sample: 7d3b1e4b7a0f5f1f3a4f5ab5b2f7c7d1a1b0c9d8e7f6a5b4c3d2e1f00a1b2c3d
    log:
      description: The event log, with C(sha256), C(banks) and the number of C(events).
      type: dict
      returned: success
      sample: {sha256: 5c0f1e4b7a0f5f1f3a4f5ab5b2f7c7d1a1b0c9d8e7f6a5b4c3d2e1f00a1b2c3d, banks: [sha256], events: 96}
    replayed:
      description: What the log leads to, by the number of the PCR.
      type: dict
      returned: success
      sample:
        "7": 75677db6f14082d3bfec4d14bdd75c8d72612ef6914ca99cd5a5997b7a21309d
    pcrs:
      description: What the PCRs hold.
      type: dict
      returned: success
      sample:
        "7": 75677db6f14082d3bfec4d14bdd75c8d72612ef6914ca99cd5a5997b7a21309d
    unexplained:
      description:
        - PCRs beside RV(boot_measurement.pcr_ids) that hold something else than the log says, with C(pcr),
          C(replayed), C(found), C(reason), and where an event is to blame its C(number), C(event_type) and C(event).
      type: list
      elements: dict
      returned: success
      sample: []
    phases:
      description: What C(systemd-pcrphase) has extended PCR 11 by since.
      type: list
      elements: str
      returned: success
      sample: []
    secure_boot:
      description: Whether Secure Boot was on, as the log says. V(null) where it says nothing.
      type: bool
      returned: success
      sample: true
    predicted:
      description: What the PCRs will hold. Empty without files to predict from.
      type: dict
      returned: success
      sample:
        "9": 96405862414e100a8f706a2790fc84c1271797ac7750a24681f1dccc55623525
    command_line:
      description: The kernel's command line that is predicted, as GRUB measures it.
      type: str
      returned: success
      sample: /vmlinuz root=/dev/mapper/root ro panic=5
    measurements:
      description: What the PCRs that follow from files consist of, each with C(pcr), C(event_type), C(what), C(digest).
      type: list
      elements: dict
      returned: success
      sample:
        - pcr: 9
          event_type: EV_IPL
          what: /initrd.img
          digest: 96f31110ba3a88ea11190ecb80baec0d9e9ae776a327a3f0d3c7e86c6548063b
    differences:
      description:
        - Where that differs from this boot, with C(pcr), C(expected), C(expected_digest), C(number), C(event_type),
          C(found) and C(found_digest). At most 50.
      type: list
      elements: dict
      returned: success
      sample: []
error:
  description: What went wrong.
  returned: failure
  type: dict
  contains:
    type:
      description:
        - The kind of error. V(AttestationRefused) where the log does not lead to what the PCRs hold, or PCR 7 will
          change, V(VerificationFailed) where the files of this boot give other measurements, V(Unsupported) where
          something cannot be predicted, V(ProtocolViolation) where the log cannot be read, and others such as
          V(NoTpm), V(NotFound) or V(BadInput).
      type: str
      returned: failure
      sample: VerificationFailed
    expected:
      description: What was expected.
      type: str
      returned: failure
      sample: the same measurements
    found:
      description: What was found, with the numbers of events.
      type: str
      returned: failure
      sample: "PCR 9: event 90 /initrd.img instead of /initrd.img"
    where:
      description: Where it was found.
      type: str
      returned: failure
      sample: event log
    next:
      description: What to do next.
      type: str
      returned: failure
      sample: Nothing follows from this log.
"""

from ansible_collections.hearth.datacenter.plugins.module_utils._glue.boot_measurement import BOOT_MEASUREMENT
from ansible_collections.hearth.datacenter.plugins.module_utils._glue.module import run_module


def main() -> None:
    run_module(BOOT_MEASUREMENT)


if __name__ == "__main__":
    main()
