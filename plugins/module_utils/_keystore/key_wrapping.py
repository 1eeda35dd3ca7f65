# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a content key is wrapped for one recipient and unwrapped again (RFC 7518, section 4).

The step that needs the private key, an ECDH exchange or an RSA decryption, is a function that the caller brings: with a
key in memory it is one line, with a token it is the token that computes it.
"""

from __future__ import annotations

import hashlib
import struct
from typing import Any, Callable

from .._core.cryptography_library import require_cryptography
from .._core.errors import BadInput, DecryptionFailed, Unsupported
from . import base64url
from .jwe import Jwe, Recipient
from .jwk import EC_ALGORITHM, PrivateKey, PublicKey, curve_of, public_key, public_of

try:
    from cryptography.hazmat.primitives import hashes, keywrap
    from cryptography.hazmat.primitives.asymmetric import ec, padding
except ImportError:
    HAS_CRYPTOGRAPHY = False
else:
    HAS_CRYPTOGRAPHY = True

RSA_OAEP = "RSA-OAEP"
RSA_OAEP_256 = "RSA-OAEP-256"
#: Bytes of the key that wraps the content key.
_WRAPPING_KEY = {"ECDH-ES+A128KW": 16, "ECDH-ES+A192KW": 24, EC_ALGORITHM: 32}
#: What is in apu and apv is the sender's business; more than a name it cannot be.
_LONGEST_PARTY = 256


def for_public_key(key: PublicKey, *, rsa_algorithm: str = RSA_OAEP_256) -> Callable[[bytes], Recipient]:
    """What wraps a content key for the holder of ``key``."""
    if key.kind == "EC":
        return lambda content_key: _for_curve(key, content_key)
    return lambda content_key: _for_rsa(key, content_key, rsa_algorithm)


def content_key(document: Jwe, key: PrivateKey) -> bytes:
    """The content key by a private key in memory: of the recipient with its kid, else of any that it fits."""
    named = [one for one in document.recipients if one.kid == key.public.kid]
    unnamed = [one for one in document.recipients if not one.kid]
    for recipient in named or unnamed:
        try:
            if key.public.kind == "EC" and recipient.algorithm in _WRAPPING_KEY:
                return by_exchange(recipient, key.public, lambda peer: key.native.exchange(ec.ECDH(), peer))
            if key.public.kind == "RSA" and recipient.algorithm in (RSA_OAEP, RSA_OAEP_256):
                return bytes(key.native.decrypt(recipient.encrypted_key, _oaep(recipient.algorithm)))
        except (DecryptionFailed, ValueError):
            continue
    raise DecryptionFailed(
        "The private key is of no recipient of the document.",
        expected="one of " + ", ".join(one.kid or "an unnamed key" for one in document.recipients),
        found=key.public.kid,
    )


def by_exchange(recipient: Recipient, own: PublicKey, exchange: Callable[[Any], bytes]) -> bytes:
    """Unwrap ECDH-ES+A*KW: ``exchange`` gives the shared secret of the private half of ``own`` and a public key."""
    require_cryptography("keeping keys")
    peer = public_key(recipient.header.get("epk", {}), "the ephemeral key of a recipient")
    curve = dict(own.members).get("crv")
    if dict(peer.members).get("crv") != curve:
        raise DecryptionFailed("The ephemeral key is on another curve than the recipient's key.", expected=str(curve))
    apu, apv = (_party(recipient, name) for name in ("apu", "apv"))
    shared = exchange(peer.native())
    wrapping_key = _concat_kdf(shared, recipient.algorithm, _WRAPPING_KEY[recipient.algorithm], apu, apv)
    try:
        return bytes(keywrap.aes_key_unwrap(wrapping_key, recipient.encrypted_key))
    except (keywrap.InvalidUnwrap, ValueError):
        raise DecryptionFailed("The content key does not unwrap with this private key.", found=own.kid) from None


def _for_curve(key: PublicKey, content_key: bytes) -> Recipient:
    ephemeral = ec.generate_private_key(curve_of(dict(key.members)["crv"]))
    shared = ephemeral.exchange(ec.ECDH(), key.native())
    wrapping_key = _concat_kdf(shared, EC_ALGORITHM, _WRAPPING_KEY[EC_ALGORITHM], b"", b"")
    header = {"alg": EC_ALGORITHM, "kid": key.kid, "epk": dict(public_of(ephemeral).members)}
    return Recipient(header, keywrap.aes_key_wrap(wrapping_key, content_key))


def _for_rsa(key: PublicKey, content_key: bytes, algorithm: str) -> Recipient:
    wrapped = key.native().encrypt(content_key, _oaep(algorithm))
    return Recipient({"alg": algorithm, "kid": key.kid}, wrapped)


def _oaep(algorithm: str) -> Any:
    if algorithm not in (RSA_OAEP, RSA_OAEP_256):
        raise Unsupported("This way to wrap a content key is not used here.", found=algorithm)
    # RFC 7518, section 4.3: RSA-OAEP is the one with SHA-1. OAEP needs no collision resistance of its hash.
    digest: Any = hashes.SHA1() if algorithm == RSA_OAEP else hashes.SHA256()
    return padding.OAEP(mgf=padding.MGF1(algorithm=digest), algorithm=digest, label=None)


def _party(recipient: Recipient, name: str) -> bytes:
    value = base64url.decode(recipient.header.get(name, ""), name)
    if len(value) > _LONGEST_PARTY:
        raise BadInput(f"The header parameter {name} is too long.", expected=f"at most {_LONGEST_PARTY} bytes")
    return value


def _concat_kdf(shared: bytes, algorithm: str, size: int, apu: bytes, apv: bytes) -> bytes:
    """RFC 7518, section 4.6.2: one round of NIST SP 800-56A's Concat KDF with SHA-256 gives up to 32 bytes."""
    name = algorithm.encode("ascii")
    other = b"".join(struct.pack(">I", len(part)) + part for part in (name, apu, apv)) + struct.pack(">I", size * 8)
    return hashlib.sha256(struct.pack(">I", 1) + shared + other).digest()[:size]
