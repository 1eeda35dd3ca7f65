# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a TPM signs when it is asked for a quote (TPMS_ATTEST; TPM 2.0 Library, Part 2, 10.12.8)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Tuple

from . import algorithm
from .marshalling import Reader, malformed

GENERATED_VALUE = 0xFF544347
QUOTE = 0x8018

#: Banks in one selection; more than a TPM has.
_MOST_SELECTIONS = 16


@dataclass(frozen=True)
class PcrSelection:
    bank: int
    pcrs: Tuple[int, ...]
    """Ascending."""


@dataclass(frozen=True)
class Attestation:
    """A TPMS_ATTEST. Clock and firmware version are signed, and nothing is concluded from them."""

    raw: bytes
    magic: int
    kind: int
    qualified_signer: bytes
    extra_data: bytes
    selections: Tuple[PcrSelection, ...]
    pcr_digest: bytes


def parse_attestation(raw: bytes) -> Attestation:
    """The attested structure with the body of a quote, whatever magic and type say: they are judged elsewhere."""
    reader = Reader(raw, "quote")
    magic, kind = reader.u32(), reader.u16()
    qualified_signer, extra_data = reader.sized(), reader.sized()
    reader.take(17)  # clockInfo: clock, resetCount, restartCount, safe
    reader.u64()  # firmwareVersion
    selections = _selections(reader)
    pcr_digest = reader.sized()
    reader.finish()
    return Attestation(raw, magic, kind, qualified_signer, extra_data, selections, pcr_digest)


def _selections(reader: Reader) -> Tuple[PcrSelection, ...]:
    count = reader.u32()
    if count > _MOST_SELECTIONS:
        raise malformed("quote", f"at most {_MOST_SELECTIONS} banks", str(count))
    selections = []
    for _index in range(count):
        bank = reader.u16()
        bits = int.from_bytes(reader.take(reader.u8()), "little")
        selections.append(PcrSelection(bank, tuple(pcr for pcr in range(bits.bit_length()) if bits >> pcr & 1)))
    return tuple(selections)


@dataclass(frozen=True)
class Signature:
    """A TPMT_SIGNATURE (Part 2, 11.3.4)."""

    scheme: int
    hash_algorithm: int
    rsa: bytes = b""
    ecdsa: Tuple[int, int] = (0, 0)


def parse_signature(raw: bytes) -> Signature:
    reader = Reader(raw, "signature")
    scheme, hash_algorithm = reader.u16(), reader.u16()
    if scheme in (algorithm.RSASSA, algorithm.RSAPSS):
        signature = Signature(scheme, hash_algorithm, rsa=reader.sized())
    elif scheme == algorithm.ECDSA:
        ecdsa = (int.from_bytes(reader.sized(), "big"), int.from_bytes(reader.sized(), "big"))
        signature = Signature(scheme, hash_algorithm, ecdsa=ecdsa)
    else:
        raise malformed("signature", "RSASSA, RSAPSS or ECDSA", f"{scheme:#06x}")
    reader.finish()
    return signature
