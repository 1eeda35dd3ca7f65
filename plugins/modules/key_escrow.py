#!/usr/bin/python

# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: key_escrow
short_description: Keeps the recovery keys of machines so that the organisation can read them, and nobody else
version_added: 0.1.0
author:
  - The hearth.datacenter authors (@hearth-datacenter)
description:
  - Gives the public half of a machine's key, which M(hearth.datacenter.luks_recovery_key) encrypts to on the node, and
    makes that key where there is none yet. The private half lies in a key store.
  - Keeps the documents that the node gives back, one file for each keyslot, and lists each copy in the state store.
  - Writes a recovery key in clear into a file that only its owner can read, and nowhere else.
notes:
  - The task runs inside Ansible's own process on the controller, whatever the host's connection, C(become) and
    interpreter are. Files are the controller's.
  - What unwraps sees the machine's private key in its memory. Do that on a machine that you trust with it.
requirements:
  - cryptography
  - PyKMIP (only for O(store.kind=kmip))
  - python-pkcs11 (only for O(store.kind=pkcs11))
extends_documentation_fragment:
  - hearth.datacenter._attributes
  - hearth.datacenter._attributes.in_process
  - hearth.datacenter._state
attributes:
  check_mode:
    support: full
    details: With O(state=recovered) the document is unwrapped to see whether the file would change.
  diff_mode:
    support: full
    details: Shows keys by their thumbprints, and no secret.
  idempotent:
    support: full
options:
  state:
    description:
      - V(present) makes sure that the machine has a key, that O(kept) are on record, and that O(retired) are not.
      - V(recovered) writes the recovery key of O(luks_uuid) to O(file).
    type: str
    choices: [present, recovered]
    default: present
  fru:
    description: The machine, by a name that stays the same for as long as it lives, as its maker, model and serial.
    type: str
    required: true
  store:
    description: The key store. The guide on key stores says which kind does what.
    type: dict
    required: true
    suboptions:
      kind:
        description: What seals the private half of a machine's key.
        type: str
        choices: [files, kmip, pkcs11]
        required: true
      directory:
        description: The directory with the key files, which only this user can write.
        type: path
        required: true
      organisation_keys:
        description: With V(files), two or more files with a public JWK of the organisation each.
        type: list
        elements: path
        default: []
      private_key_file:
        description: With V(files), the private JWK of one holder, mode 0600. Needed only to unwrap.
        type: path
      host:
        description: With V(kmip), the server's name or address, for which its certificate must be.
        type: str
      port:
        description: With V(kmip), its TCP port.
        type: int
        default: 5696
      ca_file:
        description: With V(kmip), the authority that issued the server's certificate, in PEM.
        type: path
      certificate_file:
        description: With V(kmip), the client's certificate, in PEM.
        type: path
      key_file:
        description: With V(kmip), the client's private key, in PEM, mode 0600.
        type: path
      module:
        description: With V(pkcs11), the token's library, as V(/usr/lib/softhsm/libsofthsm2.so).
        type: path
      token:
        description: With V(pkcs11), the token's label.
        type: str
      pin_file:
        description: With V(pkcs11), a file with the PIN, mode 0600. Keep it on tmpfs.
        type: path
      mechanism:
        description: With V(pkcs11), how the token unwraps.
        type: str
        choices: [ECDH, RSA-OAEP, RSA-OAEP-256]
        default: ECDH
  documents:
    description: The directory with the documents, which only this user can write. No document is overwritten.
    type: path
    required: true
  kept:
    description:
      - Documents that are on record, as RV(hearth.datacenter.luks_recovery_key#module:luks_recovery_key.document).
      - One that is another machine's, or encrypted to another key than the machine has now, is an error.
    type: list
    elements: dict
    default: []
  retired:
    description:
      - Salt fingerprints of keyslots that are gone. Their documents are removed, and the ledger says so.
    type: list
    elements: str
    default: []
  luks_uuid:
    description: The device whose recovery key is wanted. Needed with O(state=recovered).
    type: str
  salt_fingerprint:
    description: The keyslot whose recovery key is wanted. Without it, the newest of the device.
    type: str
  file:
    description:
      - Where the recovery key is written, with mode 0600. Needed with O(state=recovered).
      - Choose a tmpfs, as C(/run), and remove the file when it has served.
    type: path
seealso:
  - module: hearth.datacenter.luks_recovery_key
  - module: hearth.datacenter.luks_audit_info
"""

EXAMPLES = r"""
- name: The machine has a key
  hearth.datacenter.key_escrow: &escrow
    fru: "{{ machine_fru }}"
    store:
      kind: files
      directory: /srv/hearth/keys
      organisation_keys: [/srv/hearth/alice.pub.jwk, /srv/hearth/bob.pub.jwk]
    documents: /srv/hearth/documents
  register: escrow

- name: The device has a recovery key for it
  hearth.datacenter.luks_recovery_key: &recovery
    device: /dev/disk/by-id/nvme-root
    fru: "{{ machine_fru }}"
    host: "{{ inventory_hostname }}"
    public_key: "{{ escrow.key_escrow.public_key }}"
  register: recovery

- name: Its document is on record
  hearth.datacenter.key_escrow:
    <<: *escrow
    kept: ["{{ recovery.luks_recovery_key.document }}"]

- name: Only now an older one goes
  hearth.datacenter.luks_recovery_key:
    <<: *recovery
    escrowed: ["{{ recovery.luks_recovery_key.salt_fingerprint }}"]
  register: rotated

- name: So does its document
  hearth.datacenter.key_escrow:
    <<: *escrow
    retired: "{{ rotated.luks_recovery_key.removed }}"

- name: Somebody needs the key
  hearth.datacenter.key_escrow:
    fru: "{{ machine_fru }}"
    store:
      kind: files
      directory: /srv/hearth/keys
      organisation_keys: [/srv/hearth/alice.pub.jwk, /srv/hearth/bob.pub.jwk]
      private_key_file: /run/user/0/alice.jwk
    documents: /srv/hearth/documents
    state: recovered
    luks_uuid: 6f0d7a0e-3b1c-4d58-9b2c-0f3d1f9f8a11
    file: /run/user/0/recovery.key
"""

RETURN = r"""
key_escrow:
  description: The machine's key and documents, without a secret.
  returned: success
  type: dict
  contains:
    fru:
      description: The machine.
      type: str
      returned: success
      sample: Dell Inc. PowerEdge R650 ABC1234
    public_key:
      description:
        - The public half of the machine's key, a JWK. V(null) in check mode where the key would be made, and with
          O(state=recovered).
      type: dict
      returned: success
      sample: {"kty": "EC", "crv": "P-256", "x": "…", "y": "…", "kid": "…", "use": "enc", "alg": "ECDH-ES+A256KW"}
    documents:
      description:
        - Documents on record, each with C(path), C(luks_uuid), C(host), C(keyslot), C(salt_fingerprint) and C(made).
          With O(state=recovered), the one that was unwrapped.
      type: list
      elements: dict
      returned: success
      sample:
        - path: /srv/hearth/documents/6f0d7a0e-3b1c-4d58-9b2c-0f3d1f9f8a11-0b0a6f6a3b5f0f4b.jwe
          luks_uuid: 6f0d7a0e-3b1c-4d58-9b2c-0f3d1f9f8a11
          host: rack1-u07
          keyslot: 1
          salt_fingerprint: 0b0a6f6a3b5f0f4b8a2f3c0d1e9f7a6b5c4d3e2f1a0b9c8d7e6f5a4b3c2d1e0f
          made: "2026-11-21T22:30:00Z"
    retired:
      description: Salt fingerprints of documents that were removed.
      type: list
      elements: str
      returned: success
      sample: []
    file:
      description: The file with the recovery key. V(null) with O(state=present).
      type: str
      returned: success
      sample: /run/user/0/recovery.key
error:
  description: What went wrong.
  returned: failure
  type: dict
  contains:
    type:
      description:
        - The kind of error, for example V(BadInput), V(KeyNotFound), V(NotFound), V(IdentityMismatch) or
          V(UnsafeSecretFile).
      type: str
      returned: failure
      sample: IdentityMismatch
    expected:
      description: What was expected.
      type: str
      returned: failure
      sample: Dell Inc. PowerEdge R650 ABC1234
    found:
      description: What was found.
      type: str
      returned: failure
      sample: "'Dell Inc. PowerEdge R650 XYZ9876'"
    where:
      description: Where it was found.
      type: str
      returned: failure
      sample: protected header
    next:
      description: What to do next.
      type: str
      returned: failure
      sample: Make a new recovery key on the node.
"""

from ansible_collections.hearth.datacenter.plugins.module_utils._glue.key_escrow import KEY_ESCROW
from ansible_collections.hearth.datacenter.plugins.module_utils._glue.module import run_module


def main() -> None:
    run_module(KEY_ESCROW)


if __name__ == "__main__":
    main()
