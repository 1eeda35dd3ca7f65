# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The peer on the network: a UDP socket and a thread, from ``with`` to its end (IPMI 2.0, 13; ASF 2.0, 3.2.4)."""

from __future__ import annotations

import os
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType

from tests.emulators.rmcp.machine import DENIED, Machine
from tests.emulators.rmcp.session import Session, message_in, message_out
from tests.emulators.rmcp.suites import SUITES, Algorithms

OPEN, OPENED, RAKP1, RAKP2, RAKP3, RAKP4 = range(0x10, 0x16)
NAMES = {OPEN: "open", OPENED: "opened", RAKP1: "rakp1", RAKP2: "rakp2", RAKP3: "rakp3", RAKP4: "rakp4"}

# Status codes (table 13-15)
NO_RESOURCES, BAD_SESSION, ROLE_REFUSED, NO_SUCH_NAME, WRONG_DIGEST, NO_SUCH_SUITE = 0x01, 0x02, 0x09, 0x0D, 0x0F, 0x11


@dataclass(frozen=True)
class Account:
    password: str
    privilege: int = 4


@dataclass(frozen=True)
class Manners:
    """How the peer behaves; the defaults are a BMC as it should be."""

    suites: tuple[int, ...] = (17, 3)
    """Cipher suites that it takes when they are proposed"""
    answers_with: int | None = None
    """Whatever is proposed, it says that it chose this suite, and goes on with it"""
    ipmi_2: bool = True
    """Whether it says that it can do RMCP+ at all"""
    session_limit: int = 4
    unprotected_answers: bool = False
    """Inside a session it answers without integrity code and encryption, as somebody in between could"""
    loses: Callable[[str, int], bool] = field(default=lambda _kind, _count: False)
    """Which of its answers get lost: by kind ("rakp4", "message", ...) and how many of that kind there were"""


class RmcpPeer:
    """One BMC. Everything that it counts may be read while it runs."""

    def __init__(
        self,
        address: str,
        *,
        accounts: dict[str, Account] | None = None,
        manners: Manners | None = None,
        machine: Machine | None = None,
        port: int = 0,
    ) -> None:
        self.address = address
        self.accounts = accounts or {"hearth": Account("correct-horse")}
        self.manners = manners or Manners()
        self.machine = machine or Machine()
        self.received: Counter[str] = Counter()
        """Datagrams by kind: ping, other, open, rakp1, rakp3, message"""
        self.answered: Counter[str] = Counter()
        self.commands: Counter[tuple[int, int]] = Counter()
        """(netfn, command) of every command inside a session"""
        self.proposals: list[tuple[int, int, int]] = []
        self.most_sessions = 0
        self._sessions: dict[int, Session] = {}
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind((address, port))
        self._udp.settimeout(0.05)
        self.port = int(self._udp.getsockname()[1])
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> RmcpPeer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        self._udp.close()

    @property
    def sessions(self) -> int:
        """How many are open: those that got as far as RAKP 4 and did not close."""
        return sum(session.established for session in list(self._sessions.values()))

    def _serve(self) -> None:
        while not self._stop.is_set():
            try:
                datagram, sender = self._udp.recvfrom(4096)
            except TimeoutError:
                continue
            answer = self._answer(datagram)
            if answer is None:
                continue
            kind, packet = answer
            self.answered[kind] += 1
            if not self.manners.loses(kind, self.answered[kind]):
                self._udp.sendto(packet, sender)

    def _answer(self, datagram: bytes) -> tuple[str, bytes] | None:
        """Kind and bytes of what is said to a datagram; None: it is no concern of ours."""
        if len(datagram) >= 12 and datagram[3] == 0x06:
            self.received["ping"] += 1
            return "pong", _pong(datagram)
        if len(datagram) < 14 or datagram[3] != 0x07:
            return None
        if datagram[4] == 0x00:
            self.received["other"] += 1
            return self._before_the_session(datagram)
        if datagram[4] != 0x06 or len(datagram) < 16:
            return None
        kind = datagram[5] & 0x3F
        self.received[NAMES.get(kind, "message")] += 1
        body = datagram[16 : 16 + struct.unpack_from("<H", datagram, 14)[0]]
        if kind == OPEN and len(body) >= 32:
            return "opened", _plain(OPENED, self._open(body))
        if kind == RAKP1 and len(body) >= 28:
            return "rakp2", _plain(RAKP2, self._rakp1(body))
        if kind == RAKP3 and len(body) >= 8:
            return "rakp4", _plain(RAKP4, self._rakp3(body))
        return self._inside(datagram) if kind == 0 else None

    def _before_the_session(self, datagram: bytes) -> tuple[str, bytes] | None:
        """IPMI 1.5 framing: only Get Channel Authentication Capabilities (22.13) is answered there."""
        request = message_in(datagram[14 : 14 + datagram[13]])
        if request is None:
            return None
        code, data = DENIED, b""
        if (request.netfn, request.command) == (0x06, 0x38):
            # MD5 and, where IPMI 2.0 is on offer, its bit; per-message authentication, no anonymous login; 1.5 and 2.0
            code, data = 0, bytes([0x01, 0x84 if self.manners.ipmi_2 else 0x04, 0x04])
            data += bytes([0x03 if self.manners.ipmi_2 else 0x01, 0, 0, 0, 0])
        answer = message_out(request, code, data)
        return "other", bytes.fromhex("0600ff07") + bytes(9) + bytes([len(answer)]) + answer

    def _open(self, body: bytes) -> bytes:
        tag, console = body[0], body[4:8]
        proposed = (body[12] & 0x3F, body[20] & 0x3F, body[28] & 0x3F)
        self.proposals.append(proposed)
        taken = [suite for suite in self.manners.suites if SUITES[suite] == proposed]
        if self.manners.answers_with is not None:
            taken = [self.manners.answers_with]
        if not taken:
            return bytes([tag, NO_SUCH_SUITE, 0, 0]) + console
        if self.sessions >= self.manners.session_limit:
            return bytes([tag, NO_RESOURCES, 0, 0]) + console
        number = int.from_bytes(os.urandom(3), "little") + 1
        chosen = SUITES[taken[0]]
        self._sessions[number] = Session(number, console, Algorithms(*chosen))
        parts = b"".join(bytes([kind, 0, 0, 8, algorithm, 0, 0, 0]) for kind, algorithm in enumerate(chosen))
        return bytes([tag, 0, 4, 0]) + console + struct.pack("<I", number) + parts

    def _rakp1(self, body: bytes) -> bytes:
        tag, session = body[0], self._sessions.get(struct.unpack_from("<I", body, 4)[0])
        if session is None:
            return bytes([tag, BAD_SESSION, 0, 0]) + bytes(4)
        name = body[28 : 28 + body[27]]
        account = self.accounts.get(name.decode("utf-8", "replace"))
        if account is None:
            return bytes([tag, NO_SUCH_NAME, 0, 0]) + session.console
        if body[24] & 0x0F > account.privilege:
            return bytes([tag, ROLE_REFUSED, 0, 0]) + session.console
        code = session.challenged(body[8:24], body[24], name, account.password.encode(), self.machine.guid)
        return bytes([tag, 0, 0, 0]) + session.console + session.random + self.machine.guid + code

    def _rakp3(self, body: bytes) -> bytes:
        tag, session = body[0], self._sessions.get(struct.unpack_from("<I", body, 4)[0])
        if session is None or not session.challenge:
            return bytes([tag, BAD_SESSION, 0, 0]) + bytes(4)
        if not session.proved(body[8:]):
            return bytes([tag, WRONG_DIGEST, 0, 0]) + session.console
        self.most_sessions = max(self.most_sessions, self.sessions)
        return bytes([tag, 0, 0, 0]) + session.console + session.rakp4_code(self.machine.guid)

    def _inside(self, datagram: bytes) -> tuple[str, bytes] | None:
        session = self._sessions.get(struct.unpack_from("<I", datagram, 6)[0])
        request = session.opened(datagram) if session is not None else None
        if session is None or request is None:
            return None
        self.commands[request.netfn, request.command] += 1
        code, data, closes = 0, b"", False
        if (request.netfn, request.command) == (0x06, 0x3B):
            code, data = session.raise_privilege(request.data)
        elif (request.netfn, request.command) == (0x06, 0x3C):
            closes = True
        elif request.sequence == session.last_sequence and session.last_answer is not None:
            code, data = session.last_answer  # a request that was repeated is not carried out twice (5.3)
        else:
            code, data = self.machine.do(request.netfn, request.command, request.data, session.privilege)
        session.last_sequence, session.last_answer = request.sequence, (code, data)
        packet = session.sealed(message_out(request, code, data), protected=not self.manners.unprotected_answers)
        if closes:
            del self._sessions[session.number]
        return "message", packet


def _plain(kind: int, body: bytes) -> bytes:
    """A payload of the session setup, outside any session."""
    return bytes.fromhex("0600ff0706") + bytes([kind]) + bytes(8) + struct.pack("<H", len(body)) + body


def _pong(ping: bytes) -> bytes:
    return bytes.fromhex("0600ff06 000011be 40") + bytes([ping[9], 0, 16]) + struct.pack(">IIBB6x", 4542, 0, 0x81, 0)
