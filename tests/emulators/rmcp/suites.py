# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cipher suites of RMCP+ and what is derived with them (IPMI 2.0, 13.28 to 13.33 and table 22-20).

Checked against ipmitool, which shares no code with this.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

# number -> (authentication, integrity, confidentiality); 2, 4 and 5 are MD5's, left out but for suite 8
SUITES: dict[int, tuple[int, int, int]] = {
    0: (0, 0, 0),
    1: (1, 0, 0),
    2: (1, 1, 0),
    3: (1, 1, 1),
    8: (2, 2, 1),
    15: (3, 0, 0),
    16: (3, 4, 0),
    17: (3, 4, 1),
}
_DIGESTS = {1: hashlib.sha1, 2: hashlib.md5, 3: hashlib.sha256}
# bytes of the code at the end of a packet and of RAKP 4, by integrity and by authentication algorithm
_INTEGRITY_BYTES = {0: 0, 1: 12, 2: 16, 4: 16}
_RAKP4_BYTES = {0: 0, 1: 12, 2: 16, 3: 16}


@dataclass(frozen=True)
class Algorithms:
    """What two sides agreed on."""

    authentication: int
    integrity: int
    confidentiality: int

    def digest(self, key: bytes, data: bytes) -> bytes:
        """The HMAC of RAKP 2 and 3, and of the keys; b"" without authentication."""
        if not self.authentication:
            return b""
        return hmac.new(key, data, _DIGESTS[self.authentication]).digest()

    def rakp4_code(self, key: bytes, data: bytes) -> bytes:
        return self.digest(key, data)[: _RAKP4_BYTES[self.authentication]]

    @property
    def code_bytes(self) -> int:
        return _INTEGRITY_BYTES[self.integrity]

    def code(self, k1: bytes, data: bytes) -> bytes:
        """The integrity check value at the end of a packet."""
        if not self.integrity:
            return b""
        return hmac.new(k1, data, _DIGESTS[{1: 1, 2: 2, 4: 3}[self.integrity]]).digest()[: self.code_bytes]


def encrypt(k2: bytes, data: bytes) -> bytes:
    """AES-CBC-128 with its initialization vector in front (13.29)."""
    pad = -(len(data) + 1) % 16
    padded = data + bytes(range(1, pad + 1)) + bytes([pad])
    vector = os.urandom(16)
    encryptor = Cipher(algorithms.AES(k2[:16]), modes.CBC(vector)).encryptor()
    return vector + encryptor.update(padded) + encryptor.finalize()


def decrypt(k2: bytes, data: bytes) -> bytes:
    """The opposite; ValueError for what is no such payload."""
    if len(data) < 32 or len(data) % 16:
        raise ValueError("no whole AES blocks")
    decryptor = Cipher(algorithms.AES(k2[:16]), modes.CBC(data[:16])).decryptor()
    padded = decryptor.update(data[16:]) + decryptor.finalize()
    return padded[: -1 - padded[-1]]
