# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The public part of a key in a TPM (TPMT_PUBLIC; TPM 2.0 Library, Part 2, 12.2.4)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Tuple

from . import algorithm
from .marshalling import Reader, malformed

# TPMA_OBJECT (Part 2, 8.3)
FIXED_TPM = 1 << 1
FIXED_PARENT = 1 << 4
SENSITIVE_DATA_ORIGIN = 1 << 5
USER_WITH_AUTH = 1 << 6
ADMIN_WITH_POLICY = 1 << 7
RESTRICTED = 1 << 16
DECRYPT = 1 << 17
SIGN = 1 << 18

_RH_ENDORSEMENT = struct.pack(">I", 0x4000000B)
_DEFAULT_EXPONENT = 65537


@dataclass(frozen=True)
class Symmetric:
    """A storage key's protection of its children; ``NULL`` for others."""

    algorithm: int
    bits: int = 0
    mode: int = 0


@dataclass(frozen=True)
class PublicArea:
    """One key: RSA by modulus and exponent, ECC by curve and point."""

    raw: bytes
    key_type: int
    name_algorithm: int
    attributes: int
    symmetric: Symmetric
    scheme: int
    scheme_hash: int
    """``NULL`` where the scheme has none."""
    modulus: int = 0
    exponent: int = 0
    bits: int = 0
    curve: int = 0
    point: Tuple[int, int] = (0, 0)

    @property
    def name(self) -> bytes:
        """What identifies the key, attributes included: nameAlg and digest of the public area."""
        return struct.pack(">H", self.name_algorithm) + algorithm.digest(self.name_algorithm, self.raw)

    def qualified_name_as_primary(self) -> bytes:
        """The qualified name of a primary key of the endorsement hierarchy (Part 1, 16.3)."""
        return self._qualified_below(_RH_ENDORSEMENT)

    def qualified_name_below(self, parent: PublicArea) -> bytes:
        """The qualified name of this key as a child of a primary key of the endorsement hierarchy."""
        return self._qualified_below(parent.qualified_name_as_primary())

    def _qualified_below(self, parent: bytes) -> bytes:
        return struct.pack(">H", self.name_algorithm) + algorithm.digest(self.name_algorithm, parent + self.name)


def parse_public(data: bytes, what: str) -> PublicArea:
    """A TPM2B_PUBLIC, as tpm2-tools write it; ProtocolViolation for what is none, or of a type not used here."""
    outer = Reader(data, what)
    raw = outer.sized()
    outer.finish()
    reader = Reader(raw, what)
    key_type, name_algorithm, attributes = reader.u16(), reader.u16(), reader.u32()
    reader.sized()  # authPolicy: part of the name, and nothing is concluded from it
    symmetric = _symmetric(reader)
    scheme = reader.u16()
    scheme_hash = algorithm.NULL if scheme == algorithm.NULL else reader.u16()
    if scheme == algorithm.ECDAA:
        reader.u16()
    if key_type == algorithm.RSA:
        bits, exponent = reader.u16(), reader.u32() or _DEFAULT_EXPONENT
        modulus = int.from_bytes(reader.sized(), "big")
        reader.finish()
        if not 2048 <= modulus.bit_length() == bits or exponent < _DEFAULT_EXPONENT:
            raise malformed(what, "an RSA key of 2048 bits or more", f"{modulus.bit_length()} bits, e={exponent}")
        return PublicArea(
            raw, key_type, name_algorithm, attributes, symmetric, scheme, scheme_hash, modulus, exponent, bits
        )
    if key_type == algorithm.ECC:
        curve = reader.u16()
        if reader.u16() != algorithm.NULL:  # kdf
            reader.u16()
        point = (int.from_bytes(reader.sized(), "big"), int.from_bytes(reader.sized(), "big"))
        reader.finish()
        return PublicArea(
            raw, key_type, name_algorithm, attributes, symmetric, scheme, scheme_hash, curve=curve, point=point
        )
    raise malformed(what, "an RSA or ECC key", f"type {key_type:#06x}")


def _symmetric(reader: Reader) -> Symmetric:
    kind = reader.u16()
    if kind == algorithm.NULL:
        return Symmetric(kind)
    return Symmetric(kind, reader.u16(), reader.u16())
