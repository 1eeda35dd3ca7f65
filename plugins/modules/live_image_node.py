#!/usr/bin/python

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: live_image_node
short_description: Makes the medium that tells a live system who it is
version_added: 0.1.0
author:
  - The hearth.datacenter authors (@hearth-datacenter)
description:
  - Writes what one machine needs to know when it boots the live image. That is its name, its addresses, who may log
    in, and
    the SSH host key that it shows, which is made here and now.
  - Since the public half of that key comes back as a result, the controller knows the machine before it connects for
    the
    first time.
  - For a BMC with two slots that is a small medium of its own, for a BMC with one slot a copy of the image, changed in
    an area that neither Secure Boot nor the measured boot looks at.
  - There is no password in it, and no way to log in with one.
notes:
  - It runs on the machine that publishes media, so delegate it there. It needs C(ssh-keygen) and C(xorriso).
  - The private host key is in the medium and nowhere else, and the medium travels unencrypted to the BMC. So the key
    is for this boot only.
    Have the node make another one over the first connection, as the role P(hearth.datacenter.boot_live#role) does.
  - The live system extends PCR 12 with the SHA-256 of the document before it uses it, so a TPM quote proves which one
    it was given.
extends_documentation_fragment:
  - hearth.datacenter._attributes
attributes:
  check_mode:
    support: full
    details: Checks everything and makes no key, so the result has neither key nor digests.
  diff_mode:
    support: none
    details: What changes is a private key.
  idempotent:
    support: none
    details: Each run makes another host key, for another boot.
options:
  dest:
    description: The medium, a file that is made or replaced. Mode 0640.
    type: path
    required: true
  mode:
    description:
      - V(medium) makes an ISO 9660 file system labelled C(HEARTH_NODE).
      - V(patched) makes a copy of O(image) with the document in it.
    type: str
    choices:
      - medium
      - patched
    default: medium
  image:
    description: The live image. Required with O(mode=patched).
    type: path
  image_sha256:
    description: What the SHA-256 of O(image) must be.
    type: str
  hostname:
    description: The machine's name.
    type: str
    required: true
  network:
    description: The machine's network. An interface that is not named here stays down.
    type: dict
    required: true
    suboptions:
      interfaces:
        description:
          - One entry for each interface that gets addresses, and for each VLAN.
          - Entries with the same interface and different VLANs belong together.
        type: list
        elements: dict
        required: true
        suboptions:
          match:
            description: The interface by its burned-in address.
            type: dict
            suboptions:
              mac:
                description: MAC address.
                type: str
                required: true
          name:
            description: Name that the interface gets. Names the bond, where there is one.
            type: str
          dhcp:
            description: Whether to ask for addresses by DHCP and take IPv6 router advertisements.
            type: bool
            default: false
          addresses:
            description: Static addresses with their prefix lengths.
            type: list
            elements: str
          gateway:
            description: Default route. It may lie outside the networks of O(network.interfaces[].addresses).
            type: str
          dns:
            description: Name servers.
            type: list
            elements: str
          mtu:
            description: Largest packet of the interface, in bytes.
            type: int
          vlan:
            description: The addresses belong to this VLAN on the interface or bond.
            type: dict
            suboptions:
              id:
                description: Number of the VLAN.
                type: int
                required: true
              name:
                description: Name of its interface. Defaults to V(vlan) and the number.
                type: str
          bond:
            description: Several interfaces as one, instead of O(network.interfaces[].match).
            type: dict
            suboptions:
              members:
                description: MAC addresses of the interfaces.
                type: list
                elements: str
                required: true
              mode:
                description: How they share the work.
                type: str
                choices:
                  - active-backup
                  - 802.3ad
                  - balance-xor
                  - balance-rr
                  - broadcast
                  - balance-tlb
                  - balance-alb
                default: active-backup
              miimon:
                description: How often the links are looked at, in milliseconds.
                type: int
                default: 100
  authorized_keys:
    description: Public keys that may log in as root.
    type: list
    elements: str
    required: true
seealso:
  - module: hearth.datacenter.live_image
"""

EXAMPLES = r"""
- name: A medium for a machine with one static address
  hearth.datacenter.live_image_node:
    dest: /srv/hearth-media/nodes/rack1-u07.iso
    hostname: rack1-u07
    network:
      interfaces:
        - match:
            mac: "52:54:00:12:34:56"
          addresses: [192.0.2.17/24]
          gateway: 192.0.2.1
          dns: [192.0.2.53]
    authorized_keys:
      - ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKh4Zq0tSpJBCCMWSNIuDQ3ml1Lr0EGRHFOsmDMzqPzN operator
  register: node

- name: A copy of the image for a machine whose BMC has one slot, with a VLAN on a bond
  hearth.datacenter.live_image_node:
    mode: patched
    image: /var/cache/hearth/live-image/amd64/hearth-live-amd64.iso
    dest: /srv/hearth-media/nodes/rack1-u08.iso
    hostname: rack1-u08
    network:
      interfaces:
        - name: bond0
          bond:
            mode: 802.3ad
            members: ["52:54:00:12:34:57", "52:54:00:12:34:58"]
          vlan:
            id: 20
          addresses: [192.0.2.18/24]
          gateway: 192.0.2.1
    authorized_keys:
      - ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKh4Zq0tSpJBCCMWSNIuDQ3ml1Lr0EGRHFOsmDMzqPzN operator
"""

RETURN = r"""
live_image_node:
  description: The medium.
  returned: success
  type: dict
  contains:
    path:
      description: Its file.
      type: str
      returned: success
      sample: /srv/hearth-media/nodes/rack1-u07.iso
    sha256:
      description: SHA-256 of the file. V(null) in check mode.
      type: str
      returned: success
      sample: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
    size_bytes:
      description: Size of the file. V(null) in check mode.
      type: int
      returned: success
      sample: 376832
    document_sha256:
      description:
        - SHA-256 of the document in it, which the live system measures into PCR 12. V(null) in check mode.
        - What the machine's verdict is asked to compare.
      type: str
      returned: success
      sample: 8751cf605205aca435bbf8c660127b1ab4b2d188b167dbd670affbc806bed997
    ssh_host_key:
      description: Public host key that the machine will show, without a name. V(null) in check mode.
      type: str
      returned: success
      sample: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKh4Zq0tSpJBCCMWSNIuDQ3ml1Lr0EGRHFOsmDMzqPzN
error:
  description: What went wrong.
  returned: failure
  type: dict
  contains:
    type:
      description: The kind of error, for example V(BadInput), V(MissingTool) or V(VerificationFailed).
      type: str
      returned: failure
      sample: BadInput
    expected:
      description: What was expected.
      type: str
      returned: failure
      sample: an address with its prefix length, like 192.0.2.17/24
    found:
      description: What was found.
      type: str
      returned: failure
      sample: 192.0.2.17
    where:
      description: Where it was found.
      type: str
      returned: failure
      sample: network.interfaces[0].addresses
    next:
      description: What to do next.
      type: str
      returned: failure
      sample: Correct it; nothing has been written.
"""

from ansible_collections.hearth.datacenter.plugins.module_utils._glue.live_image_node import LIVE_IMAGE_NODE
from ansible_collections.hearth.datacenter.plugins.module_utils._glue.module import run_module


def main() -> None:
    run_module(LIVE_IMAGE_NODE)


if __name__ == "__main__":
    main()
