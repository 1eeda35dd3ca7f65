#!/usr/bin/python

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: redfish_boot
short_description: Says what a machine boots from
version_added: 0.1.0
author:
  - The hearth.datacenter authors (@hearth-datacenter)
description:
  - Sets the boot override of a machine with Redfish, for one boot or for all, and its boot order, and reads back that
    they are set.
  - It does not restart the machine. M(hearth.datacenter.redfish_power) does.
  - What the machine does not offer is refused before anything is written, with what it does offer.
extends_documentation_fragment:
  - hearth.datacenter._attributes
  - hearth.datacenter._attributes.in_process
  - hearth.datacenter._redfish
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: partial
    details: V(once) is used up by the next boot, and set again by the next run after it.
options:
  state:
    description:
      - V(once) holds for the next boot, V(continuous) for all until something else is set.
      - V(disabled) lets the machine boot by its own order.
      - sushy-emulator knows no override for one boot. V(once) is V(continuous) there, with a warning, and V(disabled)
        is the disk.
      - Either this or O(order) is required.
    type: str
    choices: [once, continuous, disabled]
  target:
    description:
      - What to boot from, V(pxe), V(hdd), V(cd), V(usb), V(uefi_http), V(bios_setup), V(uefi_shell), V(diags) and so
        on, or in Redfish's words (V(UefiHttp)). Those that the machine offers are in RV(boot.offered.targets).
      - Where a machine boots virtual media or the network by another name, that name is used. Supermicro's V(cd)
        becomes V(usb_cd), and V(pxe) of a Dell XE9680 becomes V(uefi_http).
      - Required with O(state=once) and O(state=continuous), and only allowed there.
    type: str
  mode:
    description: Firmware mode of the boot. If not set, it stays as it is.
    type: str
    choices: [uefi, legacy]
  http_boot_uri:
    description:
      - URL that O(target=uefi_http) boots from. If not set, the machine asks DHCP, and a URL that was set before is
        removed.
      - Not every BMC takes one (C(HttpBootUri)).
    type: str
  uefi_target:
    description: UEFI device path that O(target=uefi_target) boots from.
    type: str
  boot_next:
    description: Reference of the boot option that O(target=uefi_boot_next) boots, for example V(Boot0003).
    type: str
  order:
    description:
      - Boot options that come first, by their references (V(Boot0003)) or by their whole names. The others stay behind
        them in the order that they had.
      - Many machines apply a new order at their next boot only. Then RV(boot.pending) is true.
    type: list
    elements: str
seealso:
  - module: hearth.datacenter.redfish_power
  - module: hearth.datacenter.redfish_virtual_media
"""

EXAMPLES = r"""
- name: Boot from the network once
  hearth.datacenter.redfish_boot:
    state: once
    target: pxe
    mode: uefi

- name: Boot an image over HTTP once
  hearth.datacenter.redfish_boot:
    state: once
    target: uefi_http
    http_boot_uri: http://10.20.0.5/live/bootx64.efi

- name: Boot by the machine's own order again
  hearth.datacenter.redfish_boot:
    state: disabled

- name: Disk first
  hearth.datacenter.redfish_boot:
    order:
      - debian
"""

RETURN = r"""
boot:
  description: What the machine boots from, in check mode what it would.
  returned: success
  type: dict
  contains:
    system:
      description: Id of the system.
      type: str
      returned: success
      sample: System.Embedded.1
    state:
      description: V(once), V(continuous) or V(disabled). V(null) where the BMC does not tell.
      type: str
      returned: success
      sample: once
    target:
      description: What it boots from. V(null) while the override is disabled.
      type: str
      returned: success
      sample: pxe
    mode:
      description: V(uefi) or V(legacy). V(null) where the BMC does not tell.
      type: str
      returned: success
      sample: uefi
    http_boot_uri:
      description: URL for HTTP boot. V(null) where there is none.
      type: str
      returned: success
      sample: http://10.20.0.5/live/bootx64.efi
    uefi_target:
      description: UEFI device path. V(null) where there is none.
      type: str
      returned: success
      sample: PciRoot(0x0)/Pci(0x1,0x0)
    boot_next:
      description: Reference of the boot option for O(target=uefi_boot_next). V(null) where there is none.
      type: str
      returned: success
      sample: Boot0003
    order:
      description: References of the boot options in their order. Empty where the BMC does not tell.
      type: list
      elements: str
      returned: success
      sample: [Boot0003, Boot0000]
    pending:
      description: Whether some of it waits in the BMC for the next boot.
      type: bool
      returned: success
      sample: false
    offered:
      description: What may be asked for.
      type: dict
      returned: success
      contains:
        states:
          description: Values of O(state). V(null) where the BMC does not say.
          type: list
          elements: str
          returned: success
          sample: [disabled, once, continuous]
        targets:
          description: Values of O(target). V(null) where the BMC does not say.
          type: list
          elements: str
          returned: success
          sample: [none, pxe, hdd, cd, bios_setup]
        modes:
          description: Values of O(mode). V(null) where the BMC does not say.
          type: list
          elements: str
          returned: success
          sample: [legacy, uefi]
        http_boot_uri:
          description: Whether O(http_boot_uri) can be set.
          type: bool
          returned: success
          sample: false
        order:
          description: Whether the BMC has a boot order.
          type: bool
          returned: success
          sample: true
error:
  description: What went wrong.
  returned: failure
  type: dict
  contains:
    type:
      description: The kind of error, for example V(Unsupported), V(BadInput) or V(VerificationFailed).
      type: str
      returned: failure
      sample: Unsupported
    expected:
      description: What was expected.
      type: str
      returned: failure
      sample: tape
    found:
      description: What was found.
      type: str
      returned: failure
      sample: none, pxe, hdd, cd, bios_setup
    where:
      description: Where it was found.
      type: str
      returned: failure
      sample: https://10.20.0.17/redfish/v1/Systems/1
    next:
      description: What to do next.
      type: str
      returned: failure
      sample: Choose one of those that are offered.
"""

from ansible_collections.hearth.datacenter.plugins.module_utils._glue.module import run_module
from ansible_collections.hearth.datacenter.plugins.module_utils._glue.redfish_boot import REDFISH_BOOT


def main() -> None:
    run_module(REDFISH_BOOT)


if __name__ == "__main__":
    main()
