#!/usr/bin/python

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ipmi_boot
short_description: Chooses what a machine boots from over IPMI
version_added: 0.1.0
author:
  - The hearth.datacenter authors (@hearth-datacenter)
description:
  - Sets the boot flags of a machine whose BMC has no Redfish, and reads them back.
  - Options and result are those of M(hearth.datacenter.redfish_boot), as far as IPMI has them.
  - What a BMC accepts and does not show is an error. Some keep the device and nothing else, as C(ipmi_sim) of OpenIPMI
    does, or say once and legacy of every override, as VirtualBMC does.
  - BMCs take boot flags back after 60 seconds. They are told not to, and where one cannot be told, the result has a
    warning.
extends_documentation_fragment:
  - hearth.datacenter._attributes
  - hearth.datacenter._attributes.in_process
  - hearth.datacenter._ipmi
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
    details: With O(state=once), until the machine has booted.
options:
  state:
    description:
      - V(once) is for the next boot, V(continuous) for every boot from then on.
      - V(disabled) leaves it to the machine's own order.
    type: str
    choices: [once, continuous, disabled]
  target:
    description:
      - What to boot from, one of V(pxe), V(hdd), V(hdd_safe_mode), V(diags), V(cd), V(bios_setup), V(remote_floppy),
        V(remote_cd), V(remote_media), V(remote_drive), V(usb) and V(floppy). The last two are the same to IPMI.
      - Which of them a machine has, its BMC does not say.
      - Required with O(state=once) and O(state=continuous).
    type: str
  mode:
    description: How to boot. If not set, it stays as the boot flags have it, which is V(legacy) where they are blank.
    type: str
    choices: [uefi, legacy]
  http_boot_uri:
    description: An error when set, as IPMI has no such thing. It is here for the sake of its name.
    type: str
  uefi_target:
    description: As O(http_boot_uri).
    type: str
  boot_next:
    description: As O(http_boot_uri).
    type: str
  order:
    description: As O(http_boot_uri).
    type: list
    elements: str
seealso:
  - module: hearth.datacenter.redfish_boot
  - module: hearth.datacenter.ipmi_power
"""

EXAMPLES = r"""
- name: Boot from the network once
  hearth.datacenter.ipmi_boot:
    state: once
    target: pxe
    mode: uefi

- name: Back to the machine's own order
  hearth.datacenter.ipmi_boot:
    state: disabled
"""

RETURN = r"""
boot:
  description: What the machine boots from afterwards, in check mode what it would.
  returned: success
  type: dict
  contains:
    system:
      description: Always empty. IPMI knows one machine behind a BMC.
      type: str
      returned: success
      sample: ''
    state:
      description: V(once), V(continuous) or V(disabled).
      type: str
      returned: success
      sample: once
    target:
      description: What it boots from. V(null) without an override.
      type: str
      returned: success
      sample: pxe
    mode:
      description: V(uefi) or V(legacy). V(null) without an override.
      type: str
      returned: success
      sample: uefi
    http_boot_uri:
      description: Always V(null).
      type: str
      returned: success
      sample: null
    uefi_target:
      description: Always V(null).
      type: str
      returned: success
      sample: null
    boot_next:
      description: Always V(null).
      type: str
      returned: success
      sample: null
    order:
      description: Always empty.
      type: list
      elements: str
      returned: success
      sample: []
    pending:
      description: Always V(false). Boot flags count at once.
      type: bool
      returned: success
      sample: false
    offered:
      description: What may be asked for. Which of it a machine has, its BMC does not say.
      type: dict
      returned: success
      contains:
        states:
          description: For O(state).
          type: list
          elements: str
          returned: success
          sample: [once, continuous, disabled]
        targets:
          description: For O(target).
          type: list
          elements: str
          returned: success
          sample: [pxe, hdd, cd]
        modes:
          description: For O(mode).
          type: list
          elements: str
          returned: success
          sample: [uefi, legacy]
        http_boot_uri:
          description: Always V(false).
          type: bool
          returned: success
          sample: false
        order:
          description: Always V(false).
          type: bool
          returned: success
          sample: false
error:
  description: What went wrong.
  returned: failure
  type: dict
  contains:
    type:
      description: The kind of error, for example V(Unreachable), V(IdentityMismatch) or V(VerificationFailed).
      type: str
      returned: failure
      sample: VerificationFailed
    expected:
      description: What was expected.
      type: str
      returned: failure
      sample: once, pxe, uefi
    found:
      description: What was found.
      type: str
      returned: failure
      sample: disabled
    where:
      description: Where it was found.
      type: str
      returned: failure
      sample: IPMI at 10.20.0.17 port 623
    next:
      description: What to do next.
      type: str
      returned: failure
      sample: This BMC may know fewer targets, or no lasting override; set them in the machine's own setup.
"""

from ansible_collections.hearth.datacenter.plugins.module_utils._glue.ipmi_boot import IPMI_BOOT
from ansible_collections.hearth.datacenter.plugins.module_utils._glue.module import run_module


def main() -> None:
    run_module(IPMI_BOOT)


if __name__ == "__main__":
    main()
