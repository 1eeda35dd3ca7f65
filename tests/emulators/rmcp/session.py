# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One session of the peer: its keys, and packets in and out of it."""

from __future__ import annotations

import hmac
import os
import struct
from dataclasses import dataclass, field

from tests.emulators.rmcp.suites import Algorithms, decrypt, encrypt


@dataclass(frozen=True)
class Message:
    """An IPMI request (13.8)."""

    responder: int
    netfn: int
    requester: int
    sequence: int
    command: int
    data: bytes


def message_in(data: bytes) -> Message | None:
    """None where it is too short or a checksum is wrong."""
    if len(data) < 7 or sum(data[:3]) & 0xFF or sum(data[3:]) & 0xFF:
        return None
    return Message(data[0], data[1] >> 2, data[3], data[4] >> 2, data[5], data[6:-1])


def message_out(request: Message, code: int, data: bytes) -> bytes:
    head = bytes([request.requester, (request.netfn | 1) << 2])
    body = bytes([request.responder, request.sequence << 2, request.command, code]) + data
    return head + bytes([-sum(head) & 0xFF]) + body + bytes([-sum(body) & 0xFF])


@dataclass
class Session:
    number: int
    console: bytes
    """The other side's session id, as it gave it"""
    algorithms: Algorithms
    random: bytes = field(default_factory=lambda: os.urandom(16))
    challenge: bytes = b""
    established: bool = False
    privilege: int = 2
    limit: int = 4
    last_sequence: int = -1
    last_answer: tuple[int, bytes] | None = None
    sent: int = 0

    def challenged(self, challenge: bytes, role: int, name: bytes, password: bytes, guid: bytes) -> bytes:
        """Take RAKP 1; the code of RAKP 2."""
        self.challenge, self._password, self._role = challenge, password.ljust(20, b"\0"), role
        self._who = bytes([role, len(name)]) + name
        self.limit = role & 0x0F
        ours = struct.pack("<I", self.number)
        return self.algorithms.digest(self._password, self.console + ours + challenge + self.random + guid + self._who)

    def proved(self, code: bytes) -> bool:
        """Whether RAKP 3 shows that the other side knows the password; then the keys are there."""
        expected = self.algorithms.digest(self._password, self.random + self.console + self._who)
        if not hmac.compare_digest(expected, code[: len(expected)]):
            return False
        key = self.algorithms.digest(self._password, self.challenge + self.random + self._who)
        self._sik = key
        self._k1 = self.algorithms.digest(key, b"\x01" * 20)
        self._k2 = self.algorithms.digest(key, b"\x02" * 20)
        self.established = True
        return True

    def rakp4_code(self, guid: bytes) -> bytes:
        return self.algorithms.rakp4_code(self._sik, self.challenge + struct.pack("<I", self.number) + guid)

    def raise_privilege(self, data: bytes) -> tuple[int, bytes]:
        """Set Session Privilege Level (22.18)."""
        wanted = data[0] & 0x0F if data else 0
        if wanted > self.limit:
            return 0x81, b""
        self.privilege = wanted or self.privilege
        return 0, bytes([self.privilege])

    def opened(self, datagram: bytes) -> Message | None:
        """The request in a datagram; None unless it is protected as was agreed."""
        if not self.established:
            return None
        code_bytes = self.algorithms.code_bytes
        if code_bytes:
            if not datagram[5] & 0x40 or len(datagram) < 18 + code_bytes:
                return None
            if self.algorithms.code(self._k1, datagram[4:-code_bytes]) != datagram[-code_bytes:]:
                return None
        payload = datagram[16 : 16 + struct.unpack_from("<H", datagram, 14)[0]]
        if self.algorithms.confidentiality:
            if not datagram[5] & 0x80:
                return None
            try:
                payload = decrypt(self._k2, payload)
            except ValueError:
                return None
        return message_in(payload)

    def sealed(self, message: bytes, *, protected: bool = True) -> bytes:
        """A datagram that carries this answer."""
        self.sent += 1
        code_bytes = self.algorithms.code_bytes if protected else 0
        encrypted = protected and bool(self.algorithms.confidentiality)
        payload = encrypt(self._k2, message) if encrypted else message
        kind = (0x80 if encrypted else 0) | (0x40 if code_bytes else 0)
        packet = bytes([0x06, kind]) + self.console + struct.pack("<IH", self.sent, len(payload)) + payload
        if code_bytes:
            pad = -(len(packet) + 2) % 4
            packet += b"\xff" * pad + bytes([pad, 0x07])
            packet += self.algorithms.code(self._k1, packet)
        return bytes.fromhex("0600ff07") + packet
