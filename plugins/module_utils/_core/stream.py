# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bytes to and from one peer, TCP or TLS. No wait here outlives its deadline or a Ctrl-C."""

from __future__ import annotations

import errno
import select
import socket
import ssl
import threading
from typing import Callable, List, Optional, Tuple, Union

from .deadline import Deadline
from .endpoint import Endpoint
from .errors import (
    Cancelled,
    CertificateUnverified,
    ConnectionLost,
    ConnectionRefused,
    TimedOut,
    TlsFailed,
    Unreachable,
)

#: A wait is cut into pieces of this many seconds, between which cancellation is seen.
_TICK = 0.5
_CHUNK = 32 * 1024

_Address = Tuple[int, Union[Tuple[str, int], Tuple[str, int, int, int]]]


class Watch:
    """What may end a wait early: a deadline, or an event that says "cancelled".

    ``grace``: None lets cancellation end the wait at once; a number of seconds lets what has begun go on for so long,
    because half a POST is worse than either none or all of it.
    """

    __slots__ = ("deadline", "cancelled", "grace", "where")

    def __init__(
        self,
        deadline: Deadline,
        where: str,
        cancelled: Optional[threading.Event] = None,
        grace: Optional[float] = None,
    ) -> None:
        self.deadline = deadline
        self.where = where
        self.cancelled = cancelled
        self.grace = grace

    def tick(self) -> float:
        """Seconds to wait before asking again; raises when there is nothing left to wait for."""
        if self.cancelled is not None and self.cancelled.is_set():
            self._cancel()
        left = self.deadline.remaining()
        if left <= 0.0:
            raise TimedOut(
                "no answer in time", where=self.where, next="give it more time (deadline, timeout), or try later"
            )
        return left if left < _TICK else _TICK

    def _cancel(self) -> None:
        if self.grace is None:
            raise Cancelled("interrupted", where=self.where)
        self.deadline = self.deadline.sooner(self.grace)
        self.cancelled = None


class Stream:
    """A connected socket. ``watch`` is replaced for each exchange."""

    def __init__(self, sock: socket.socket, watch: Watch, received: Callable[[int], None]) -> None:
        self._sock = sock
        self._received = received
        self._timeout: Optional[float] = None
        self.watch = watch

    def send(self, data: bytes) -> None:
        """All of ``data``. ConnectionLost has ``written`` set: how many bytes the kernel took."""
        view = memoryview(data)
        written = 0
        while written < len(data):
            self._arm()
            try:
                written += self._sock.send(view[written:])
            except socket.timeout:
                continue
            except OSError as exc:
                raise connection_lost(_reason(exc), self.watch.where, written=written) from exc

    def receive(self) -> bytes:
        """Some bytes; b"" when the peer has closed its side."""
        while True:
            self._arm()
            try:
                data = self._sock.recv(_CHUNK)
            except socket.timeout:
                continue
            except OSError as exc:
                raise connection_lost(_reason(exc), self.watch.where) from exc
            self._received(len(data))
            return data

    def is_idle(self) -> bool:
        """Still open, and nothing has come unasked: whether another request may be written to it."""
        self._timeout = 0.0
        self._sock.settimeout(0.0)
        try:
            self._sock.recv(1)
        except (ssl.SSLWantReadError, BlockingIOError):
            return True
        except OSError:
            return False
        return False

    def close(self) -> None:
        self._sock.close()

    def _arm(self) -> None:
        wait = self.watch.tick()
        if wait != self._timeout:
            self._timeout = wait
            self._sock.settimeout(wait)


def connection_lost(why: str, where: str, *, written: int = -1, answered: bool = False) -> ConnectionLost:
    lost = ConnectionLost(
        f"the connection broke: {why}", where=where, next="try again; a BMC that restarts is away for minutes"
    )
    lost.written = written
    lost.answered = answered
    return lost


def open_tcp(endpoint: Endpoint, watch: Watch) -> socket.socket:
    """A connected, non-blocking TCP socket; the addresses of a name are tried one after another."""
    error: Optional[Unreachable] = None
    addresses = _addresses(endpoint)
    for number, (family, address) in enumerate(addresses):
        # Each gets its share of the time: a name's IPv6 address may be a black hole and its IPv4 address well.
        share = watch.deadline.remaining() / (len(addresses) - number)
        try:
            return _connect(family, address, Watch(watch.deadline.sooner(share), watch.where, watch.cancelled))
        except Unreachable as exc:
            error = exc
    raise error if error is not None else Unreachable("the name has no address", where=endpoint.url)


def open_tls(sock: socket.socket, context: ssl.SSLContext, endpoint: Endpoint, watch: Watch) -> ssl.SSLSocket:
    """The TLS session over a connected socket, chain and name checked if the context says so."""
    name = endpoint.host.split("%", 1)[0].rstrip(".")
    try:
        tls = context.wrap_socket(sock, server_hostname=name, do_handshake_on_connect=False)
    except (OSError, ValueError) as exc:
        sock.close()
        raise TlsFailed(f"no TLS session: {_reason(exc)}", where=endpoint.url) from exc
    try:
        while True:
            tls.settimeout(watch.tick())
            try:
                tls.do_handshake()
                return tls
            except socket.timeout:
                continue
    except ssl.SSLCertVerificationError as exc:
        tls.close()
        raise CertificateUnverified(
            "the certificate is not verified",
            expected=f"a certificate for {name} from a trusted CA",
            found=exc.verify_message or _reason(exc),
            where=endpoint.url,
            next="give its CA (ca_path), or pin its key (trust: pin), or write trust: off",
        ) from exc
    except OSError as exc:
        tls.close()
        raise TlsFailed(
            f"no TLS session: {_reason(exc)}",
            expected="TLS 1.2 or newer",
            where=endpoint.url,
            next="check the port; is this a TLS service?",
        ) from exc
    except (TimedOut, Cancelled):
        tls.close()
        raise


def _addresses(endpoint: Endpoint) -> List[_Address]:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, endpoint.host)
        except OSError:
            continue
        if family == socket.AF_INET:
            return [(family, (endpoint.host, endpoint.port))]
        return [(family, (endpoint.host, endpoint.port, 0, 0))]
    try:
        found = socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as exc:
        raise Unreachable(
            f"the name does not resolve: {_reason(exc)}", where=endpoint.url, next="check the name, or give an address"
        ) from exc
    return [(family, address) for family, _type, _proto, _name, address in found]  # type: ignore[misc]


def _connect(family: int, address: Tuple[object, ...], watch: Watch) -> socket.socket:
    try:
        sock = socket.socket(family, socket.SOCK_STREAM)
    except OSError as exc:
        raise Unreachable(
            f"this machine has no socket left: {_reason(exc)}", where=watch.where, next="raise ulimit -n"
        ) from exc
    try:
        sock.setblocking(False)
        # Without it the first request waits for the ACK of the handshake's last flight: up to 40 ms.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        code = sock.connect_ex(address)
        if code == errno.EINPROGRESS:
            code = _await_connect(sock, watch)
        if code:
            raise _refusal(code, watch.where)
    except (Unreachable, Cancelled):
        sock.close()
        raise
    except OSError as exc:
        sock.close()
        raise Unreachable(f"no connection: {_reason(exc)}", where=watch.where) from exc
    return sock


def _await_connect(sock: socket.socket, watch: Watch) -> int:
    # poll, not select: file descriptors beyond 1023 are ordinary here.
    poller = select.poll()
    poller.register(sock, select.POLLOUT)
    while not poller.poll(watch.tick() * 1000.0):
        pass
    return sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)


def _refusal(code: int, where: str) -> Unreachable:
    reason = errno.errorcode.get(code, str(code))
    if code == errno.ECONNREFUSED:
        return ConnectionRefused("nobody listens there", found=reason, where=where, next="check address and port")
    return Unreachable("no connection", found=reason, where=where, next="check address, routing and cabling")


def _reason(exc: Exception) -> str:
    """What an OSError says, without the source lines that ssl adds."""
    if isinstance(exc, ssl.SSLError) and exc.reason:
        return exc.reason.replace("_", " ").lower()
    if isinstance(exc, OSError) and exc.strerror:
        return exc.strerror
    return str(exc) or type(exc).__name__
