# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bytes as a TPM writes them: big-endian integers and byte strings with their length in front (TPM2B)."""

from __future__ import annotations

import struct

from .._core.errors import ProtocolViolation


class Reader:
    """Reads one structure from its beginning to its end; ProtocolViolation for what is too short or too long."""

    def __init__(self, data: bytes, what: str) -> None:
        self._data = data
        self._what = what
        self._at = 0

    def take(self, size: int) -> bytes:
        end = self._at + size
        if end > len(self._data):
            raise malformed(self._what, "more bytes", f"{len(self._data)} bytes, truncated")
        taken = self._data[self._at : end]
        self._at = end
        return taken

    def u8(self) -> int:
        return self.take(1)[0]

    def u16(self) -> int:
        return int(struct.unpack(">H", self.take(2))[0])

    def u32(self) -> int:
        return int(struct.unpack(">I", self.take(4))[0])

    def u64(self) -> int:
        return int(struct.unpack(">Q", self.take(8))[0])

    def sized(self) -> bytes:
        """The contents of a TPM2B."""
        return self.take(self.u16())

    def finish(self) -> None:
        if self._at != len(self._data):
            raise malformed(self._what, "nothing behind it", f"{len(self._data) - self._at} bytes more")


def sized(data: bytes) -> bytes:
    """As TPM2B."""
    return struct.pack(">H", len(data)) + data


def malformed(what: str, expected: str, found: str) -> ProtocolViolation:
    return ProtocolViolation(f"the TPM's {what} cannot be read", expected=expected, found=found, where=what)
