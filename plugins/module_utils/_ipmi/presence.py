# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who speaks IPMI over LAN: the RMCP/ASF presence ping.

A ping is one datagram of 12 bytes that needs no session and carries no credential (ASF 2.0, 3.2.4.2 and 3.2.4.3;
IPMI 2.0, 13.2.3). One unconnected UDP socket per address family asks any number of addresses from the calling thread.

What a pong proves: nothing about who answers. It only decides whether somebody is worth an IPMI login, which proves the
BMC to us before a digest of the password leaves this machine. A pong counts only if it comes from the very address and
port that was asked, bears the random tag of that ping, and says that IPMI is supported: one who cannot see our traffic
has to guess our ephemeral port and the tag (about 23 bits) while the ping is out. Who can see our traffic can fake one.
"""

from __future__ import annotations

import errno
import re
import secrets
import selectors
import socket
import struct
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import Callable, Deque, Dict, Iterable, Iterator, List, Optional, Set, Tuple

from .._core.deadline import Deadline
from .._core.errors import BadInput

IPMI_PORT = 623

# RMCP header: version 1.0 (06h), reserved, sequence FFh (wants no acknowledge), class 6 (ASF)
_RMCP_ASF = b"\x06\x00\xff\x06"
_ASF_ENTERPRISE = 4542
_PING = 0x80
_PONG = 0x40
_PONG_DATA = 16
_IPMI_SUPPORTED = 0x80
_TAGS = 255  # 00h-FEh; FFh stands for a message that wants no answer

# A ping that the kernel could not take now is tried again; every other refusal (no route, firewall) is silence.
_SEND_LATER = frozenset((errno.EAGAIN, errno.EWOULDBLOCK, errno.ENOBUFS, errno.EINTR))
_READ_AT_ONCE = 256
_BURST = 32
_CANCEL_CHECK = 0.2

_HOST_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252})")

# family, packed address, port, scope: what a sender's address is compared by, whatever way it was written
_Key = Tuple[int, bytes, int, int]


@dataclass
class _Ping:
    """One address that was asked and has not answered."""

    address: str
    port: int
    sockaddr: Tuple[object, ...]
    family: int
    tag: int
    sent: int = 0


def ping_packet(tag: int) -> bytes:
    """The presence ping with this message tag."""
    return _RMCP_ASF + struct.pack(">IBBBB", _ASF_ENTERPRISE, _PING, tag, 0, 0)


def pong_tag(datagram: bytes) -> Optional[int]:
    """The tag of a presence pong that says IPMI is supported; None for anything else."""
    if len(datagram) < 12 + _PONG_DATA or datagram[0] != 0x06 or (datagram[3] & 0x1F) != 0x06 or datagram[3] & 0x80:
        return None
    enterprise, kind, tag, _reserved, length = struct.unpack_from(">IBBBB", datagram, 4)
    if enterprise != _ASF_ENTERPRISE or kind != _PONG or length < _PONG_DATA:
        return None
    entities = datagram[20]
    return int(tag) if entities & _IPMI_SUPPORTED else None


def presence(address: str, *, port: int = IPMI_PORT, timeout: float = 2.0) -> bool:
    """Whether ``address`` answers the presence ping within ``timeout`` seconds."""
    return bool(presence_many([(address, port)], timeout=timeout))


def presence_many(
    addresses: Iterable[Tuple[str, int]],
    *,
    timeout: float = 2.0,
    in_flight: int = 512,
    rate: float = 2000.0,
    deadline: Optional[Deadline] = None,
    cancelled: Optional[threading.Event] = None,
) -> Set[Tuple[str, int]]:
    """The (address, port) pairs that answered, written as they were given. See ping_many."""
    return set(
        ping_many(addresses, timeout=timeout, in_flight=in_flight, rate=rate, deadline=deadline, cancelled=cancelled)
    )


def ping_many(
    addresses: Iterable[Tuple[str, int]],
    *,
    timeout: float = 2.0,
    in_flight: int = 512,
    attempts: int = 2,
    rate: float = 2000.0,
    deadline: Optional[Deadline] = None,
    cancelled: Optional[threading.Event] = None,
    clock: Callable[[], float] = time.monotonic,
    random_tag: Callable[[], int] = lambda: secrets.randbelow(_TAGS),
) -> Iterator[Tuple[str, int]]:
    """Ping addresses and yield each (address, port) that answered, as soon as it did.

    :param addresses: may be lazy; no more than ``in_flight`` of them are held at once
    :param timeout: seconds that one address gets, shared out evenly between the attempts
    :param in_flight: unanswered pings at once; small enough for the neighbour table of a flat network (1,024 on Linux)
    :param attempts: datagrams per address, since UDP loses some
    :param rate: datagrams per second at most
    :param deadline: ends the whole sweep; what has not answered by then is silent
    :param cancelled: ends the sweep within 0.2 seconds when set
    :raises BadInput: an address is neither numeric nor a host name

    A host name is looked up in the calling thread while the sweep waits, so many of them are the caller's to resolve.
    """
    if timeout <= 0 or in_flight < 1 or attempts < 1 or rate <= 0:
        raise BadInput(
            "the limits of a presence ping cannot be met",
            expected="timeout > 0, in_flight >= 1, attempts >= 1, rate > 0",
            found=f"timeout {timeout}, in_flight {in_flight}, attempts {attempts}, rate {rate}",
        )
    sweep = _Sweep(timeout / attempts, in_flight, attempts, rate, clock, random_tag)
    try:
        yield from sweep.run(iter(addresses), deadline, cancelled)
    finally:
        sweep.close()


class _Sweep:
    """One run over the addresses: sockets, who was asked, and when each is due again."""

    def __init__(
        self,
        interval: float,
        in_flight: int,
        attempts: int,
        rate: float,
        clock: Callable[[], float],
        random_tag: Callable[[], int],
    ) -> None:
        self._interval = interval
        self._in_flight = in_flight
        self._attempts = attempts
        self._spacing = 1.0 / rate
        self._clock = clock
        self._random_tag = random_tag
        self._selector = selectors.DefaultSelector()
        self._sockets: Dict[int, socket.socket] = {}
        self._waiting: Dict[_Key, _Ping] = {}
        # Every ping waits equally long, so the order of sending is the order in which they fall due.
        self._due: Deque[Tuple[float, _Key]] = deque()
        self._next_send = clock()
        self._kernel_full_until = 0.0

    def run(
        self, addresses: Iterator[Tuple[str, int]], deadline: Optional[Deadline], cancelled: Optional[threading.Event]
    ) -> Iterator[Tuple[str, int]]:
        exhausted = False
        while not (exhausted and not self._waiting):
            if (deadline is not None and deadline.expired) or (cancelled is not None and cancelled.is_set()):
                return
            self._expire()
            while not exhausted and len(self._waiting) < self._in_flight and self._may_send():
                try:
                    address, port = next(addresses)
                except StopIteration:
                    exhausted = True
                else:
                    self._begin(address, port)
            for ready, _events in self._selector.select(self._pause(exhausted, deadline, cancelled)):
                yield from self._receive(ready.fileobj)  # type: ignore[arg-type]

    def close(self) -> None:
        for udp in self._sockets.values():
            udp.close()
        self._selector.close()

    def _may_send(self) -> bool:
        return self._clock() >= self._send_time()

    def _send_time(self) -> float:
        """The moment from which the rate, and the kernel, allow the next datagram."""
        return max(self._next_send - _BURST * self._spacing, self._kernel_full_until)

    def _pause(self, exhausted: bool, deadline: Optional[Deadline], cancelled: Optional[threading.Event]) -> float:
        """Seconds until there is something to do even if nobody answers."""
        now = self._clock()
        moments: List[float] = []
        if self._due:
            due = self._due[0][0]
            moments.append(due if due > now else self._send_time())
        if not exhausted and len(self._waiting) < self._in_flight:
            moments.append(self._send_time())
        pauses = [moment - now for moment in moments]
        if deadline is not None:
            pauses.append(deadline.remaining())
        if cancelled is not None:
            pauses.append(_CANCEL_CHECK)
        return max(0.0, min(pauses, default=0.0))

    def _begin(self, address: str, port: int) -> None:
        where = _resolve(address, port)
        if where is None:
            return
        family, sockaddr = where
        key = _key(family, sockaddr)
        if key in self._waiting:
            return
        self._waiting[key] = _Ping(address, port, sockaddr, family, self._random_tag())
        self._send(key, self._waiting[key])

    def _expire(self) -> None:
        """Ask again, or give up on, every ping whose time is over."""
        now = self._clock()
        while self._due and self._due[0][0] <= now:
            _time, key = self._due[0]
            ping = self._waiting.get(key)
            if ping is not None and ping.sent < self._attempts and not self._may_send():
                return
            self._due.popleft()
            if ping is None:
                continue
            if ping.sent >= self._attempts:
                del self._waiting[key]
            else:
                self._send(key, ping)

    def _send(self, key: _Key, ping: _Ping) -> None:
        now = self._clock()
        self._next_send = max(self._next_send, now) + self._spacing
        ping.sent += 1  # also when the kernel refuses: that is a datagram lost early
        try:
            self._socket(ping.family).sendto(ping_packet(ping.tag), ping.sockaddr)
        except OSError as error:
            if error.errno in _SEND_LATER:
                self._kernel_full_until = now + 0.01
            else:
                del self._waiting[key]
                return
        self._due.append((now + self._interval, key))

    def _socket(self, family: int) -> socket.socket:
        if family not in self._sockets:
            udp = socket.socket(family, socket.SOCK_DGRAM)
            udp.setblocking(False)
            self._sockets[family] = udp
            self._selector.register(udp, selectors.EVENT_READ)
        return self._sockets[family]

    def _receive(self, udp: socket.socket) -> Iterator[Tuple[str, int]]:
        for _turn in range(_READ_AT_ONCE):  # whoever floods us shall not keep the sweep from its deadline
            try:
                datagram, sender = udp.recvfrom(128)
            except OSError:
                return  # nothing left, or an ICMP error about somebody: both are silence
            key = _key(udp.family, sender)
            ping = self._waiting.get(key)
            if ping is not None and pong_tag(datagram) == ping.tag:
                del self._waiting[key]
                yield (ping.address, ping.port)


def _resolve(address: str, port: int) -> Optional[Tuple[int, Tuple[object, ...]]]:
    """Family and socket address; None for a host name that leads nowhere."""
    if "\x00" in address:  # the resolver would read up to there only
        raise BadInput(f"cannot ping {address!r}", expected="an address or a host name")
    numeric = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
    try:
        found = socket.getaddrinfo(address, port, type=socket.SOCK_DGRAM, flags=numeric)
    except (OSError, ValueError, OverflowError):
        if not _HOST_NAME.fullmatch(address) or not 0 < port < 65536:
            raise BadInput(
                f"cannot ping {address!r} port {port}", expected="an address or a host name, and a UDP port"
            ) from None
        try:
            found = socket.getaddrinfo(address, port, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICSERV)
        except OSError:
            return None
    family, _kind, _protocol, _name, sockaddr = found[0]
    return int(family), sockaddr


def _key(family: int, sockaddr: Tuple[object, ...]) -> _Key:
    host = str(sockaddr[0]).partition("%")[0]
    scope = int(sockaddr[3]) if len(sockaddr) > 3 else 0  # type: ignore[call-overload]
    return (int(family), socket.inet_pton(family, host), int(sockaddr[1]), scope)  # type: ignore[call-overload]
