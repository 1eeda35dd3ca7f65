#!/usr/bin/python

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: machine_info
short_description: Reads what a running system sees of its machine
version_added: 0.1.0
author:
  - The hearth.datacenter authors (@hearth-datacenter)
description:
  - Reads disks by serial, network interfaces, memory, TPM, Secure Boot and the machine's identity from the kernel's
    files, and changes nothing. It runs no command and needs no library.
  - It runs on the machine itself, so it shows what installing and erasing would meet there. What the BMC says of the
    same machine is M(hearth.datacenter.redfish_info)'s business.
notes:
  - The machine's identity and the serials of SCSI disks are readable for root only.
extends_documentation_fragment:
  - hearth.datacenter._attributes
  - hearth.datacenter._attributes.info
options: {}
seealso:
  - module: hearth.datacenter.redfish_info
"""

EXAMPLES = r"""
- name: Look at the machine from inside
  hearth.datacenter.machine_info:
  register: inside

- name: Go on only if it has the disk that is meant
  ansible.builtin.assert:
    that: "'S4EMNX0R' in inside.machine.disks | map(attribute='serial')"
"""

RETURN = r"""
machine:
  description: The machine. What the kernel does not tell is V(null).
  returned: success
  type: dict
  contains:
    identity:
      description: C(manufacturer), C(model), C(serial) and C(uuid) of the DMI table.
      type: dict
      returned: success
      sample:
        manufacturer: Dell Inc.
        model: PowerEdge R650
        serial: T8W8R4D
        uuid: 4c4c4544-0038-5710-8038-d4c04f523444
    cpus:
      description: Logical processors that are online.
      type: int
      returned: success
      sample: 64
    memory_bytes:
      description: Memory that the kernel manages, somewhat less than what is installed.
      type: int
      returned: success
      sample: 270110236672
    disks:
      description: Disks that have a size, by name. No drives for discs, no loop devices.
      type: list
      elements: dict
      returned: success
      contains:
        name:
          description: The kernel's name. It may change from boot to boot.
          type: str
          returned: success
          sample: nvme0n1
        serial:
          description: The serial number.
          type: str
          returned: success
          sample: S4EMNX0R
        wwn:
          description: World wide name.
          type: str
          returned: success
          sample: eui.0025385b01401aa2
        model:
          description: The model.
          type: str
          returned: success
          sample: SAMSUNG MZQL23T8HCLS-00A07
        size_bytes:
          description: The size.
          type: int
          returned: success
          sample: 3840755982336
        transport:
          description: V(nvme), V(virtio), V(ata), V(scsi), V(usb) and so on.
          type: str
          returned: success
          sample: nvme
        rotational:
          description: Whether it turns.
          type: bool
          returned: success
          sample: false
        removable:
          description: Whether its medium can be taken out.
          type: bool
          returned: success
          sample: false
    nics:
      description: Network interfaces with hardware behind them, by name.
      type: list
      elements: dict
      returned: success
      contains:
        name:
          description: The kernel's name.
          type: str
          returned: success
          sample: eno1
        mac:
          description: The hardware's own address, also in a bond.
          type: str
          returned: success
          sample: 52:54:00:9e:0e:60
        link:
          description: V(up) or V(down). V(null) where the interface is not in use.
          type: str
          returned: success
          sample: up
        speed_mbps:
          description: Speed of the link.
          type: int
          returned: success
          sample: 25000
    tpm:
      description: C(present), and C(version) (V(2.0) or V(1.2)).
      type: dict
      returned: success
      sample: {present: true, version: '2.0'}
    secure_boot:
      description: Whether the firmware booted with Secure Boot. V(null) without UEFI.
      type: bool
      returned: success
      sample: true
    uefi:
      description: Whether it booted by UEFI.
      type: bool
      returned: success
      sample: true
    lockdown:
      description: The kernel's lockdown, V(none), V(integrity) or V(confidentiality).
      type: str
      returned: success
      sample: integrity
    kernel:
      description: The kernel's release.
      type: str
      returned: success
      sample: 6.1.0-56-amd64
"""

from ansible_collections.hearth.datacenter.plugins.module_utils._glue.machine_info import MACHINE_INFO
from ansible_collections.hearth.datacenter.plugins.module_utils._glue.module import run_module


def main() -> None:
    run_module(MACHINE_INFO)


if __name__ == "__main__":
    main()
