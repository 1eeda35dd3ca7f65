# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The option that names a key store, and opening the store that it names."""

from __future__ import annotations

from typing import Any, Dict, Mapping

from .._keystore.kmip_session import KmipServer
from .._keystore.kmip_store import KmipStore
from .._keystore.organisation_store import OrganisationStore
from .._keystore.store import KeyStore
from .._keystore.token_store import Token, TokenStore

KEY_STORE_OPTION: Dict[str, Any] = {
    "type": "dict",
    "required": True,
    # Names of files, and nothing that is secret itself.
    "no_log": False,
    "options": {
        "kind": {"type": "str", "choices": ["files", "kmip", "pkcs11"], "required": True},
        "directory": {"type": "path", "required": True},
        "organisation_keys": {"type": "list", "elements": "path", "default": [], "no_log": False},
        "private_key_file": {"type": "path", "no_log": False},
        "host": {"type": "str"},
        "port": {"type": "int", "default": 5696},
        "ca_file": {"type": "path"},
        "certificate_file": {"type": "path"},
        "key_file": {"type": "path", "no_log": False},
        "module": {"type": "path"},
        "token": {"type": "str", "no_log": False},
        "pin_file": {"type": "path", "no_log": False},
        "mechanism": {"type": "str", "choices": ["ECDH", "RSA-OAEP", "RSA-OAEP-256"], "default": "ECDH"},
    },
    "required_if": [
        ("kind", "files", ("organisation_keys",)),
        ("kind", "kmip", ("host", "ca_file", "certificate_file", "key_file")),
        ("kind", "pkcs11", ("module", "token", "pin_file")),
    ],
}


def key_store_of(said: Mapping[str, Any]) -> KeyStore:
    """The store, not connected yet. Close it."""
    if said["kind"] == "files":
        return OrganisationStore(
            said["directory"], said["organisation_keys"], private_key_file=said["private_key_file"] or ""
        )
    if said["kind"] == "kmip":
        server = KmipServer(
            said["host"], said["ca_file"], said["certificate_file"], said["key_file"], port=said["port"]
        )
        return KmipStore(said["directory"], server)
    token = Token(said["module"], said["token"], said["pin_file"], said["mechanism"])
    return TokenStore(said["directory"], token)
