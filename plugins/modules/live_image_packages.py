#!/usr/bin/python

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: live_image_packages
short_description: Keeps the list of a live image's packages, and the packages
version_added: 0.1.0
author:
  - The hearth.datacenter authors (@hearth-datacenter)
description:
  - Asks a Debian mirror once which packages exactly an image needs, writes them down with version, URL and SHA-256, and
    fetches them. M(hearth.datacenter.live_image) makes an image from that list and from nothing else.
  - A list that is there is kept until the wishes change or O(update) asks for what the mirror serves today. With the
    list and the fetched packages an image can be made again without a network.
  - The role P(hearth.datacenter.live_image#role) calls it.
notes:
  - It runs on the machine that builds images, a Debian or one of its kin, and needs apt there. It changes nothing of
    that machine's own apt; the indexes are kept in a directory of their own while it works.
  - The indexes must be signed by the keys that O(sources) names. Packages are trusted by the SHA-256 of those indexes.
extends_documentation_fragment:
  - hearth.datacenter._attributes
attributes:
  check_mode:
    support: full
    details: Where a list has to be made, it asks the mirror for its indexes. It fetches no package.
  diff_mode:
    support: full
  idempotent:
    support: full
    details: With O(update=true) as long as the mirror serves the same.
options:
  path:
    description: The list, a JSON file. Its directory is made.
    type: path
    required: true
  architecture:
    description: Architecture of the image.
    type: str
    choices:
      - amd64
      - arm64
    default: amd64
  suite:
    description: Debian's release, for the record. Which suites are searched is said by O(sources).
    type: str
    default: bookworm
  sources:
    description: Where packages come from, lines of C(sources.list), each with the keyring that its index is signed by.
    type: list
    elements: str
    required: true
  packages:
    description:
      - Packages of the image. What they depend on comes along, what they only recommend does not.
      - The kernel of O(architecture) and the signed boot loaders are added.
    type: list
    elements: str
    required: true
  given_list:
    description:
      - A list that was made earlier, here or elsewhere. It becomes the list, and its packages are fetched.
      - What the mirror has replaced since then is found in O(archives), if they still serve it.
    type: path
  archives:
    description:
      - Roots of archives that are searched for packages that their own URL serves no more, for example
        V(https://snapshot.debian.org/archive/debian/20261121T000000Z).
    type: list
    elements: str
    default: []
  update:
    description: Whether to ask the mirror again although there is a list for the same wishes.
    type: bool
    default: false
  package_cache:
    description: Directory that keeps the packages. It may serve many lists.
    type: path
    required: true
  work_directory:
    description: Where the indexes lie while it works, about 100 MB.
    type: path
    default: /var/tmp
  lock_timeout:
    description: Seconds to wait for other runs that work in the same directory, or fetch packages into the same cache.
    type: int
    default: 1800
seealso:
  - module: hearth.datacenter.live_image
"""

EXAMPLES = r"""
- name: Know the packages of the image
  hearth.datacenter.live_image_packages:
    path: /var/cache/hearth/live-image/amd64/packages.json
    package_cache: /var/cache/hearth/live-image/packages
    sources:
      - deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian bookworm main
      - >-
        deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian-security
        bookworm-security main
    packages:
      - busybox
      - initramfs-tools
      - zstd
      - systemd-sysv
      - systemd-resolved
      - udev
      - openssh-server
      - python3
"""

RETURN = r"""
live_image_packages:
  description: The list.
  returned: success
  type: dict
  contains:
    path:
      description: Its file.
      type: str
      returned: success
      sample: /var/cache/hearth/live-image/amd64/packages.json
    sha256:
      description: SHA-256 of the file, in check mode of what it would be.
      type: str
      returned: success
      sample: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
    source_date_epoch:
      description: When the newest index was published, in seconds since 1970. Files of an image are not newer.
      type: int
      returned: success
      sample: 1795000000
    size_bytes:
      description: Size of all packages together.
      type: int
      returned: success
      sample: 210763776
    fetched:
      description: How many packages were fetched, in check mode would be.
      type: int
      returned: success
      sample: 0
    packages:
      description: Version by name.
      type: dict
      returned: success
      sample:
        busybox: 1:1.35.0-4+deb12u1
error:
  description: What went wrong.
  returned: failure
  type: dict
  contains:
    type:
      description: The kind of error, for example V(NotResolvable), V(NotFound) or V(BadInput).
      type: str
      returned: failure
      sample: NotFound
    expected:
      description: What was expected.
      type: str
      returned: failure
      sample: stress-ng 0.15.06-2
    found:
      description: What was found.
      type: str
      returned: failure
      sample: not served, or with another SHA-256
    where:
      description: Where it was found.
      type: str
      returned: failure
      sample: http://deb.debian.org/debian/pool/main/s/stress-ng/stress-ng_0.15.06-2_amd64.deb
    next:
      description: What to do next.
      type: str
      returned: failure
      sample: Name an archive that still serves these versions, or make a new list.
"""

from ansible_collections.hearth.datacenter.plugins.module_utils._glue.live_image_packages import LIVE_IMAGE_PACKAGES
from ansible_collections.hearth.datacenter.plugins.module_utils._glue.module import run_module


def main() -> None:
    run_module(LIVE_IMAGE_PACKAGES)


if __name__ == "__main__":
    main()
