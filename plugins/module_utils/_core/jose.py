# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The few forms of JOSE that clevis and Tang use: RFC 7515 base64url, RFC 7516 JWE, RFC 7638 thumbprints."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from typing import Any, Dict, FrozenSet, List, Mapping

#: Members of a thumbprint's input, in the order of their names (RFC 7638, 3.2).
REQUIRED = {"EC": ("crv", "kty", "x", "y"), "RSA": ("e", "kty", "n"), "oct": ("k", "kty")}
_JWE_PARTS = ("protected", "encrypted_key", "iv", "ciphertext", "tag")


def b64_decode(text: str) -> bytes:
    """base64url without padding; ValueError where it is not."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("not base64url") from error


def b64_encode(what: bytes) -> str:
    return base64.urlsafe_b64encode(what).rstrip(b"=").decode()


def protected_header(jwe: str) -> Dict[str, Any]:
    """The protected header of a compact JWE; ValueError where there is none."""
    header = json.loads(b64_decode(jwe.split(".", 1)[0]))
    if not isinstance(header, dict):
        raise ValueError("not a JWE header")
    return header


def flattened(compact: str) -> Dict[str, str]:
    """The flattened JSON form, without empty members: what clevis puts into a token."""
    parts = compact.strip().split(".")
    if len(parts) != len(_JWE_PARTS):
        raise ValueError("not a compact JWE")
    return {name: part for name, part in zip(_JWE_PARTS, parts) if part}


def compacted(jwe: Mapping[str, Any]) -> str:
    """The compact form of a flattened JWE."""
    parts = [jwe.get(name, "") for name in _JWE_PARTS]
    if not all(isinstance(part, str) for part in parts) or not parts[0] or not parts[4]:
        raise ValueError("not a JWE")
    return ".".join(parts)


def thumbprint(key: Mapping[str, Any]) -> str:
    """The key's thumbprint by SHA-256; ValueError for a key that is not whole."""
    canonical = _canonical(key)
    if not canonical:
        raise ValueError("not a whole JWK")
    return b64_encode(hashlib.sha256(canonical).digest())


def thumbprints(key: Mapping[str, Any]) -> FrozenSet[str]:
    """The key's thumbprints by SHA-256, and by SHA-1, which old Tang servers print; none of a key that is not whole."""
    canonical = _canonical(key)
    if not canonical:
        return frozenset()
    return frozenset(b64_encode(hashlib.new(name, canonical).digest()) for name in ("sha256", "sha1"))


def keys_of(jwks: Any) -> List[Mapping[str, Any]]:
    """The keys of a JWK set."""
    keys = jwks.get("keys") if isinstance(jwks, Mapping) else None
    if not isinstance(keys, list) or not all(isinstance(key, Mapping) for key in keys):
        raise ValueError("not a JWK set")
    return keys


def advertised(jws: Mapping[str, Any]) -> List[Mapping[str, Any]]:
    """The keys of a Tang advertisement; its signatures are the business of whoever relies on it."""
    payload = jws.get("payload")
    if not isinstance(payload, str):
        raise ValueError("not an advertisement")
    return keys_of(json.loads(b64_decode(payload)))


def signing_thumbprints(keys: List[Mapping[str, Any]]) -> FrozenSet[str]:
    """Thumbprints of those keys that sign advertisements."""
    return frozenset(found for key in keys if "verify" in key.get("key_ops", ()) for found in thumbprints(key))


def _canonical(key: Mapping[str, Any]) -> bytes:
    """What a thumbprint is computed over; empty where a member of it is missing."""
    names = REQUIRED.get(str(key.get("kty")), ())
    if not names or not all(isinstance(key.get(name), str) for name in names):
        return b""
    return json.dumps({name: key[name] for name in names}, sort_keys=True, separators=(",", ":")).encode()
