# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""TPM2_MakeCredential without a TPM: a secret that only one endorsement key, with one other key beside it, gives out.

TPM 2.0 Library, Part 1, 24 ("Credential Protection"), B.10.4 (RSA) and C.6.4 (ECC). The TPM that holds the endorsement
key opens it with TPM2_ActivateCredential, and only if a key with the given name is loaded into that same TPM.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from dataclasses import dataclass
from typing import Callable, Tuple

from .._core.errors import ProtocolViolation
from . import algorithm
from .keys import curve, hash_of, public_key
from .marshalling import sized
from .public_area import PublicArea, Symmetric

try:
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
except ImportError:
    HAS_CRYPTOGRAPHY = False
else:
    HAS_CRYPTOGRAPHY = True

_IDENTITY = b"IDENTITY\0"
_STORAGE = b"STORAGE\0"
_INTEGRITY = b"INTEGRITY\0"
_BLOCK = 16

#: In front of what tpm2_activatecredential reads: magic number and version of the file.
_FILE_HEADER = struct.pack(">II", 0xBADCC0DE, 1)


@dataclass(frozen=True)
class Credential:
    id_object: bytes
    encrypted_secret: bytes

    def as_file(self) -> bytes:
        """As tpm2_activatecredential reads it."""
        return _FILE_HEADER + sized(self.id_object) + sized(self.encrypted_secret)


def make_credential(
    endorsement_key: PublicArea, name: bytes, secret: bytes, *, random: Callable[[int], bytes]
) -> Credential:
    """Protect ``secret`` so that only the TPM with ``endorsement_key`` and the key called ``name`` recovers it.

    ``random`` gives that many bytes; an ECC key uses the library's own randomness besides. ProtocolViolation for an
    endorsement key that is no storage key with AES in CFB mode.
    """
    cipher = endorsement_key.symmetric
    if cipher not in (Symmetric(algorithm.AES, bits, algorithm.CFB) for bits in (128, 256)):
        raise ProtocolViolation(
            "the endorsement key does not protect with AES",
            expected="AES-128 or AES-256 in CFB mode",
            found=f"algorithm {cipher.algorithm:#06x}, {cipher.bits} bits, mode {cipher.mode:#06x}",
        )
    hash_name = hash_of(endorsement_key.name_algorithm).name
    seed, encrypted_secret = _seed(endorsement_key, hash_name, random)
    symmetric_key = _kdfa(hash_name, seed, _STORAGE, name, cipher.bits)
    encrypted_identity = _cfb(symmetric_key, sized(secret))
    integrity_key = _kdfa(hash_name, seed, _INTEGRITY, b"", 8 * hashlib.new(hash_name).digest_size)
    outer = hmac.new(integrity_key, encrypted_identity + name, hash_name).digest()
    return Credential(sized(outer) + encrypted_identity, encrypted_secret)


def _seed(key: PublicArea, hash_name: str, random: Callable[[int], bytes]) -> Tuple[bytes, bytes]:
    """The seed of the protection, and how the endorsement key learns it."""
    public = public_key(key)
    size = hashlib.new(hash_name).digest_size
    if isinstance(public, rsa.RSAPublicKey):
        seed = random(size)
        chosen = hash_of(key.name_algorithm)
        oaep = padding.OAEP(mgf=padding.MGF1(algorithm=chosen), algorithm=chosen, label=_IDENTITY)
        return seed, public.encrypt(seed, oaep)
    ephemeral = ec.generate_private_key(curve(key))
    shared = ephemeral.exchange(ec.ECDH(), public)
    width = (public.curve.key_size + 7) // 8
    numbers = ephemeral.public_key().public_numbers()
    x, y = numbers.x.to_bytes(width, "big"), numbers.y.to_bytes(width, "big")
    seed = _kdfe(hash_name, shared, _IDENTITY, x, key.point[0].to_bytes(width, "big"))
    return seed, sized(x) + sized(y)


def _kdfa(hash_name: str, key: bytes, label: bytes, context: bytes, bits: int) -> bytes:
    """Part 1, 11.4.10.2: SP 800-108 in counter mode; one or two blocks are all that is needed."""
    made = b""
    counter = 0
    while 8 * len(made) < bits:
        counter += 1
        block = struct.pack(">I", counter) + label + context + struct.pack(">I", bits)
        made += hmac.new(key, block, hash_name).digest()
    return made[: bits // 8]


def _kdfe(hash_name: str, shared: bytes, label: bytes, party_u: bytes, party_v: bytes) -> bytes:
    """Part 1, 11.4.10.3; as many bits as the digest has."""
    return hashlib.new(hash_name, struct.pack(">I", 1) + shared + label + party_u + party_v).digest()


def _cfb(key: bytes, data: bytes) -> bytes:
    """AES in CFB mode with an initial vector of zeros. cryptography moves its own CFB to where old ciphers go."""
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    previous = bytes(_BLOCK)
    made = b""
    for at in range(0, len(data), _BLOCK):
        block = data[at : at + _BLOCK]
        mask = encryptor.update(previous)
        previous = bytes(a ^ b for a, b in zip(block, mask))
        made += previous
    return made
