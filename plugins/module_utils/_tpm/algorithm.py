# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Identifiers of algorithms (TCG Algorithm Registry), as far as they are used here."""

from __future__ import annotations

import hashlib
from typing import Dict

from .._core.errors import ProtocolViolation

RSA = 0x0001
SHA1 = 0x0004
AES = 0x0006
SHA256 = 0x000B
SHA384 = 0x000C
SHA512 = 0x000D
NULL = 0x0010
SM3_256 = 0x0012
RSASSA = 0x0014
RSAPSS = 0x0016
ECDSA = 0x0018
ECDAA = 0x001A
ECC = 0x0023
CFB = 0x0043

NIST_P256 = 0x0003
NIST_P384 = 0x0004

#: Bytes of a digest.
DIGEST_SIZE: Dict[int, int] = {SHA1: 20, SHA256: 32, SHA384: 48, SHA512: 64, SM3_256: 32}
BANK_NAME: Dict[int, str] = {SHA1: "sha1", SHA256: "sha256", SHA384: "sha384", SHA512: "sha512", SM3_256: "sm3_256"}


def digest(algorithm: int, data: bytes) -> bytes:
    """By an algorithm that may make a name or a digest that somebody relies on: SHA-1 may not."""
    if algorithm not in (SHA256, SHA384, SHA512):
        raise ProtocolViolation(
            "the TPM uses a digest that is not relied on",
            expected="sha256, sha384 or sha512",
            found=BANK_NAME.get(algorithm, f"{algorithm:#06x}"),
        )
    return hashlib.new(BANK_NAME[algorithm], data).digest()
