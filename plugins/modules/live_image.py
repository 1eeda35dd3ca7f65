#!/usr/bin/python

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: live_image
short_description: Makes a live image from a package list
version_added: 0.1.0
author:
  - The hearth.datacenter authors (@hearth-datacenter)
description:
  - Makes a Debian system that UEFI firmware boots from virtual media with Secure Boot on, and that runs from RAM.
  - The same package list, overlays and options make the same bytes, wherever and whenever the image is made.
  - Beside the image lie its manifest (what is in it, and what each boot of it will measure into the TPM), its package
    list, and the checksums of all three, signed where O(signing_key) is given.
  - The role P(hearth.datacenter.live_image#role) calls it, and brings the overlay that makes a live system of the
    packages.
notes:
  - It runs on the machine that builds images, as root, with C(mmdebstrap), C(squashfs-tools), C(xorriso), C(mtools) and
    C(dosfstools). For another architecture than its own, programs of that architecture must run there
    (C(qemu-user-static)).
  - It takes a minute or two. C(build.log) in O(directory) says what happens.
  - One run at a time works in O(directory). Others wait, and find the image there if it is the one that they want.
  - A run that is killed takes the programs along that it has started. What it left in O(work_directory), C(hearth-live-
    image-*), is removed by the next run there, and so is what it left in O(directory).
  - The kernel is told of the emulator for another architecture, and C(binfmt_misc) is mounted, only for as long as it
    is needed, and where it is not so already.
extends_documentation_fragment:
  - hearth.datacenter._attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
    details: The image that is there is compared with its checksums, and made anew if it was changed.
options:
  package_list:
    description: Made by M(hearth.datacenter.live_image_packages).
    type: path
    required: true
  directory:
    description: Where the finished files go. It is made.
    type: path
    required: true
  name:
    description:
      - Name of the files without their endings.
      - Defaults to V(hearth-live-) and the architecture.
    type: str
  overlays:
    description:
      - Directories that are laid over the root file system, later ones over earlier ones. Their files become
        root's.
    type: list
    elements: path
    required: true
  customize:
    description: Program that is called with the root directory once everything is in it. It makes C(/boot/initrd.img).
    type: path
    required: true
  kernel_command_line:
    description: Words for the kernel beside V(boot=hearth) and the consoles. They are measured into PCR 8.
    type: str
    default: panic=30 ima_policy=tcb ima_hash=sha256
  consoles:
    description:
      - The kernel's consoles. The last one gets what programs say.
      - An empty list is the screen and the first serial port.
    type: list
    elements: str
    default: []
  excluded_paths:
    description: Patterns of files that packages do not bring along, as dpkg's C(path-exclude) takes them.
    type: list
    elements: str
    default: []
  package_cache:
    description: Directory with the packages. Those that are missing are fetched.
    type: path
    required: true
  work_directory:
    description: Where the image is made, about 2 GB. Nothing of it stays.
    type: path
    default: /var/tmp
  lock_timeout:
    description: Seconds to wait for other runs that work in the same directory, or fetch packages into the same cache.
    type: int
    default: 1800
  signing_key:
    description:
      - Private key of OpenSSH that signs the checksums (C(ssh-keygen -Y sign), namespace C(hearth-live-image)).
      - If not set, the checksums are not signed.
    type: path
seealso:
  - module: hearth.datacenter.live_image_packages
  - module: hearth.datacenter.live_image_node
"""

EXAMPLES = r"""
- name: Make the image
  hearth.datacenter.live_image:
    package_list: /var/cache/hearth/live-image/amd64/packages.json
    directory: /var/cache/hearth/live-image/amd64
    package_cache: /var/cache/hearth/live-image/packages
    overlays:
      - /var/cache/hearth/live-image/overlay
    customize: /var/cache/hearth/live-image/customize
    signing_key: /root/.ssh/live-image-signing-key
"""

RETURN = r"""
live_image:
  description: The image.
  returned: success
  type: dict
  contains:
    image_id:
      description:
        - Digest of everything that the image is made from. The running system says it in C(/etc/hearth-live-
          image.json).
      type: str
      returned: success
      sample: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
    was_current:
      description: Whether it was there before this run as it is wanted, signature included.
      type: bool
      returned: success
      sample: true
    iso:
      description: The image.
      type: str
      returned: success
      sample: /var/cache/hearth/live-image/amd64/hearth-live-amd64.iso
    manifest:
      description: What is known of it, for publishing, booting and judging it.
      type: str
      returned: success
      sample: /var/cache/hearth/live-image/amd64/hearth-live-amd64.manifest.json
    package_list:
      description: The list that it was made from, to make it again.
      type: str
      returned: success
      sample: /var/cache/hearth/live-image/amd64/hearth-live-amd64.packages.json
    checksums:
      description: As C(sha256sum --check) reads them.
      type: str
      returned: success
      sample: /var/cache/hearth/live-image/amd64/hearth-live-amd64.sha256
    signature:
      description: Signature of the checksums. V(null) where there is none.
      type: str
      returned: success
      sample: /var/cache/hearth/live-image/amd64/hearth-live-amd64.sha256.sig
    size_bytes:
      description: Size of the image. V(null) in check mode where it would be made.
      type: int
      returned: success
      sample: 199370752
    sha256:
      description: SHA-256 of the image. V(null) in check mode where it would be made.
      type: str
      returned: success
      sample: 5addcaf6c6a0839551fdd7cbb2732e47dd6c219501857acfd69997c2f33e902f
    seconds:
      description: How long this run took.
      type: float
      returned: success
      sample: 74.2
error:
  description: What went wrong.
  returned: failure
  type: dict
  contains:
    type:
      description: The kind of error, for example V(BadInput), V(Busy), V(MissingTool) or V(CommandFailed).
      type: str
      returned: failure
      sample: MissingTool
    expected:
      description: What was expected.
      type: str
      returned: failure
      sample: mmdebstrap, xorriso
    found:
      description: What was found.
      type: str
      returned: failure
      sample: no xorriso in /usr/sbin:/usr/bin:/sbin:/bin
    where:
      description: Where it was found.
      type: str
      returned: failure
      sample: /var/cache/hearth/live-image/amd64/build.log
    next:
      description: What to do next.
      type: str
      returned: failure
      sample: Install them, or let the role install what it needs.
"""

from ansible_collections.hearth.datacenter.plugins.module_utils._glue.live_image import LIVE_IMAGE
from ansible_collections.hearth.datacenter.plugins.module_utils._glue.module import run_module


def main() -> None:
    run_module(LIVE_IMAGE)


if __name__ == "__main__":
    main()
