#!/usr/bin/python

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: redfish_virtual_media
short_description: Inserts an image into a machine's virtual drive
version_added: 0.1.0
author:
  - The hearth.datacenter authors (@hearth-datacenter)
description:
  - Inserts an image by its URL into a virtual media slot of a machine's BMC with Redfish, or ejects it, and reads back
    that it is in or out.
  - Slot and payload are chosen by what the BMC offers and by what is known of its platform.
  - What is in the slot already is ejected first. Where the BMC then refuses the new image, the old one is put back.
  - It neither boots from the medium nor restarts the machine. M(hearth.datacenter.redfish_boot) and
    M(hearth.datacenter.redfish_power) do.
extends_documentation_fragment:
  - hearth.datacenter._attributes
  - hearth.datacenter._attributes.in_process
  - hearth.datacenter._redfish
  - hearth.datacenter._redfish.sushy
attributes:
  check_mode:
    support: full
    details: Whether the BMC would refuse the image cannot be known.
  diff_mode:
    support: full
  idempotent:
    support: full
    details: An image that is in stays in, also where it has changed on its server since. Eject it first in that case.
options:
  state:
    description:
      - V(inserted) puts O(image) in, in place of what is in the slot.
      - V(ejected) takes out what is in O(slot), or in every slot that takes images by URL. With O(image), only that.
    type: str
    choices: [inserted, ejected]
    default: inserted
  image:
    description:
      - URL of the image, V(http://), V(https://), V(nfs://), V(cifs://) or V(smb://). The BMC fetches it, so it has to
        reach that server.
      - Supermicro refuses URLs with V(?) or V(=).
      - Required with O(state=inserted).
    type: str
  slot:
    description:
      - Id of the slot, for example V(CD1).
      - If not set, the first that takes images by URL and has O(media_type). With several media in one machine, name
        the slots.
    type: str
  media_type:
    description:
      - What the machine sees. If not set, V(usb) for an image that is called C(.img), C(.ima), C(.raw) or C(.bin), else
        V(cd), else what there is.
      - Only with O(state=inserted).
    type: str
    choices: [cd, usb, floppy]
  write_protected:
    description:
      - Whether the machine can write to the medium. If not set, the BMC decides (nearly all protect it).
      - Only with O(state=inserted).
    type: bool
  image_username:
    description:
      - User name for the server that has the image. Only with O(state=inserted).
      - A BMC that demands one where none is needed is given V(none) by itself.
    type: str
  image_password:
    description: Password that belongs to O(image_username).
    type: str
seealso:
  - module: hearth.datacenter.redfish_boot
  - module: hearth.datacenter.redfish_power
"""

EXAMPLES = r"""
- name: Insert the live image
  hearth.datacenter.redfish_virtual_media:
    image: http://10.20.0.5/images/live.iso

- name: Insert a small second medium that the machine may write to
  hearth.datacenter.redfish_virtual_media:
    image: http://10.20.0.5/images/rack1-u07.img
    slot: "2"
    write_protected: false

- name: Take everything out
  hearth.datacenter.redfish_virtual_media:
    state: ejected
"""

RETURN = r"""
virtual_media:
  description: The machine's virtual media, in check mode as they would be.
  returned: success
  type: dict
  contains:
    system:
      description: Id of the system.
      type: str
      returned: success
      sample: System.Embedded.1
    slot:
      description: Id of the slot that has the image. V(null) with O(state=ejected).
      type: str
      returned: success
      sample: CD1
    slots:
      description: All slots.
      type: list
      elements: dict
      returned: success
      contains:
        slot:
          description: Id of the slot.
          type: str
          returned: success
          sample: CD1
        inserted:
          description: Whether something is in.
          type: bool
          returned: success
          sample: true
        image:
          description: URL of what is in. V(null) where nothing is, or the BMC does not tell.
          type: str
          returned: success
          sample: http://10.20.0.5/images/live.iso
        write_protected:
          description: Whether the machine cannot write to it. V(null) where the BMC does not tell.
          type: bool
          returned: success
          sample: true
        media_types:
          description: What the machine can be made to see.
          type: list
          elements: str
          returned: success
          sample: [cd, dvd]
        usable:
          description: Whether the slot takes images by URL.
          type: bool
          returned: success
          sample: true
error:
  description: What went wrong.
  returned: failure
  type: dict
  contains:
    type:
      description: The kind of error, for example V(Unsupported), V(Refused), V(BadInput) or V(VerificationFailed).
      type: str
      returned: failure
      sample: Refused
    expected:
      description: What was expected.
      type: str
      returned: failure
      sample: success (HTTP 2xx)
    found:
      description: What was found.
      type: str
      returned: failure
      sample: Base.1.18.CouldNotEstablishConnection
    where:
      description: Where it was found.
      type: str
      returned: failure
      sample: https://10.20.0.17/redfish/v1/Managers/1/VirtualMedia/CD1
    next:
      description: What to do next.
      type: str
      returned: failure
      sample: What slot CD1 held before is in it again. Check that the URI can be reached.
"""

from ansible_collections.hearth.datacenter.plugins.module_utils._glue.module import run_module
from ansible_collections.hearth.datacenter.plugins.module_utils._glue.redfish_virtual_media import REDFISH_VIRTUAL_MEDIA


def main() -> None:
    run_module(REDFISH_VIRTUAL_MEDIA)


if __name__ == "__main__":
    main()
