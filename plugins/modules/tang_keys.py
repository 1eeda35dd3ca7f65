#!/usr/bin/python

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: tang_keys
short_description: Which keys a Tang server advertises, still serves, and has no more
version_added: 0.1.0
author:
  - The hearth.datacenter authors (@hearth-datacenter)
description:
  - Makes keys where a Tang server has none to advertise, hides old ones, and deletes hidden ones. Keys are named by
    their thumbprints, so a task that is run again finds done what it wants done.
  - A rotation is three tasks that may lie days apart. One hides what RV(tang_keys.advertised) listed, and
    new keys are made; disks that are bound to the old keys still open. Then every disk is bound again. The last task
    deletes the old keys.
  - New keys are there before an old one is hidden. tangd makes keys of its own when it is asked and finds none that it
    could advertise.
  - The result holds the advertisement, whose signatures were checked, for binding disks without a network.
requirements:
  - "On the node: Python 3.9 or newer, jose, and a user who may change the key directory."
extends_documentation_fragment:
  - hearth.datacenter._attributes
attributes:
  check_mode:
    support: full
    details: The thumbprints of keys that would be made are not known.
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  directory:
    description: The key directory that tangd is started with. V(/var/lib/tang) on Debian, V(/var/db/tang) elsewhere.
    type: path
    required: true
  hidden:
    description:
      - Thumbprints of keys that are not advertised any more. Of a pair name both the signing and the exchange key.
      - Where no key of a use would be left to advertise, one is made.
      - A thumbprint that no key has is an error, unless O(deleted) lists it, too.
    type: list
    elements: str
    default: []
  deleted:
    description:
      - Thumbprints of keys whose files are gone. B(What is bound to such a key opens by this server no more.)
      - Only a key that was hidden before this task is deleted. Tang does not know its clients, so see by
        M(hearth.datacenter.luks_audit_info) on all of them that none is bound to the key.
      - The file is overwritten before it is removed. That does not reach backups, snapshots or spare blocks of an SSD.
    type: list
    elements: str
    default: []
  url:
    description:
      - Where this server answers, as the node reaches it. What it advertises must then be the keys of O(directory).
      - Without it the server is not asked.
    type: str
  backup_to:
    description:
      - Two or more public keys of the organisation, as JWK on elliptic curves. All keys of the server, hidden ones too,
        are encrypted to them on the node, and each holder opens the result alone.
      - A deleted key lives on in older backups. It is gone when those are.
    type: list
    elements: dict
  timeout:
    description: Seconds that jose, or the server, may take.
    type: float
    default: 60.0
notes:
  - Private keys are read by jose and by this module on the node, and are in no result but encrypted.
seealso:
  - module: hearth.datacenter.luks_binding
  - module: hearth.datacenter.luks_audit_info
"""

EXAMPLES = r"""
- name: The server has keys, and advertises them
  hearth.datacenter.tang_keys:
    directory: /var/lib/tang
    url: http://127.0.0.1
  register: tang

- name: It advertises new ones, and still serves the old
  hearth.datacenter.tang_keys:
    directory: /var/lib/tang
    hidden: "{{ tang.tang_keys.advertised }}"

- name: No disk is bound to the old ones any more, so they go
  hearth.datacenter.tang_keys:
    directory: /var/lib/tang
    hidden: "{{ tang.tang_keys.advertised }}"
    deleted: "{{ tang.tang_keys.advertised }}"
"""

RETURN = r"""
tang_keys:
  description: The keys. In check mode what there would be, as far as it is known.
  returned: success
  type: dict
  contains:
    directory:
      description: The key directory.
      type: str
      returned: success
      sample: /var/lib/tang
    advertised:
      description: Thumbprints of all keys that are advertised, of either use.
      type: list
      elements: str
      returned: success
      sample: [JlZRCjWOO3bI8yKfxbm5Z8r5oe2Qy4d0a6dNKPXQ8wM]
    hidden:
      description: Thumbprints of keys that are served and not advertised.
      type: list
      elements: str
      returned: success
      sample: []
    signing:
      description: Thumbprints of the signing keys that are advertised. One of them is what a client trusts.
      type: list
      elements: str
      returned: success
      sample: [JlZRCjWOO3bI8yKfxbm5Z8r5oe2Qy4d0a6dNKPXQ8wM]
    details:
      description: Every key, with C(thumbprint), C(use) (V(sign) or V(exchange)), C(hidden) and C(file).
      type: list
      elements: dict
      returned: success
      sample:
        - thumbprint: JlZRCjWOO3bI8yKfxbm5Z8r5oe2Qy4d0a6dNKPXQ8wM
          use: sign
          hidden: false
          file: JlZRCjWOO3bI8yKfxbm5Z8r5oe2Qy4d0a6dNKPXQ8wM.jwk
    made:
      description: Thumbprints of the keys that were made.
      type: list
      elements: str
      returned: success
      sample: []
    hid:
      description: Thumbprints of the keys that were hidden by this task.
      type: list
      elements: str
      returned: success
      sample: []
    removed:
      description: Thumbprints of the keys that were deleted by this task.
      type: list
      elements: str
      returned: success
      sample: []
    advertisement:
      description:
        - What the server advertises, for O(hearth.datacenter.luks_binding#module:tang.advertisement). With O(url) as
          the server gave it. Its signatures differ each time.
        - V(null) in check mode where keys would change.
      type: dict
      returned: success
      sample: {"payload": "eyJrZXlzIjpb…", "protected": "eyJhbGciOiJFUzUxMiIs…", "signature": "AD3vPyjD…"}
    backup:
      description:
        - With O(backup_to), the keys as C(document), a JWE, and as C(name) a digest of their thumbprints, which is the
          same for the same keys.
        - V(null) without O(backup_to), and in check mode where keys would change.
      type: dict
      returned: success
      sample: {"name": "0b0a6f6a3b5f0f4b", "document": {"protected": "eyJlbmMiOiJBMjU2R0NN…", "ciphertext": "…"}}
error:
  description: What went wrong.
  returned: failure
  type: dict
  contains:
    type:
      description:
        - The kind of error, for example V(NotFound), V(Refused), V(BadInput), V(Busy) or V(VerificationFailed).
      type: str
      returned: failure
      sample: Refused
    expected:
      description: What was expected.
      type: str
      returned: failure
      sample: a key that was hidden before, and that no client is bound to any more
    found:
      description: What was found.
      type: str
      returned: failure
      sample: JlZRCjWOO3bI8yKfxbm5Z8r5oe2Qy4d0a6dNKPXQ8wM
    where:
      description: Where it was found.
      type: str
      returned: failure
      sample: /var/lib/tang
    next:
      description: What to do next.
      type: str
      returned: failure
      sample: Hide it, bind all its clients again, and delete it then. Nothing was changed.
"""

from ansible_collections.hearth.datacenter.plugins.module_utils._glue.module import run_module
from ansible_collections.hearth.datacenter.plugins.module_utils._glue.tang_keys import TANG_KEYS


def main() -> None:
    run_module(TANG_KEYS)


if __name__ == "__main__":
    main()
