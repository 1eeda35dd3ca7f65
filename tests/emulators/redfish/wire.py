# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One accepted TCP connection on the event loop, plain or TLS, and the listener that accepts it.

asyncio's own TLS transport would do, at a price that this fleet cannot pay: it costs three times the CPU of this file
per connection, reserves a 256 KiB buffer for each, and cannot stall half-way through a handshake on purpose.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import ssl
from collections.abc import Callable, Iterator
from typing import Protocol

_CHUNK = 65536


class Receiver(Protocol):
    """Who is told what comes in."""

    def established(self) -> None: ...  # TCP or, with TLS, the handshake is done

    def failed(self) -> None: ...  # the TLS handshake failed

    def received(self, data: bytes) -> None: ...

    def lost(self) -> None: ...  # called once, whoever closed


class Wire:
    __slots__ = (
        "_closing",
        "_established",
        "_incoming",
        "_loop",
        "_outgoing",
        "_pending",
        "_receiver",
        "_sock",
        "_source",
        "_stall_after",
        "_tls",
        "_writing",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        sock: socket.socket,
        receiver: Receiver,
        context: ssl.SSLContext | None = None,
        stall_after: int | None = None,
    ) -> None:
        """``stall_after``: the TLS handshake sends that many bytes and then nothing more."""
        self._loop = loop
        self._sock: socket.socket | None = sock
        self._receiver = receiver
        self._pending = bytearray()
        self._source: Iterator[bytes] | None = None
        self._writing = False
        self._closing = False
        self._stall_after = stall_after
        self._established = False
        self._tls: ssl.SSLObject | None = None
        if context is not None:
            self._incoming = ssl.MemoryBIO()
            self._outgoing = ssl.MemoryBIO()
            self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        loop.add_reader(sock.fileno(), self._readable)
        if context is None:
            self._established = True
            receiver.established()

    def closed(self) -> bool:
        return self._sock is None

    def write(self, data: bytes, source: Iterator[bytes] | None = None, *, close: bool = False) -> None:
        """Sends data, then what the source yields (as fast as the peer reads), then closes if asked to."""
        if self._sock is None:
            return
        self._source = source
        self._closing = close
        if self._tls is None:
            self._pending += data
        else:
            self._tls.write(data)
        self._flush()

    def close(self) -> None:
        """Ends the connection now; what is not sent is lost."""
        sock, self._sock = self._sock, None
        if sock is None:
            return
        self._loop.remove_reader(sock.fileno())
        if self._writing:
            self._loop.remove_writer(sock.fileno())
        self._source = None
        sock.close()
        self._receiver.lost()

    # reading

    def _readable(self) -> None:
        if self._sock is None:
            return
        try:
            data = self._sock.recv(_CHUNK)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self.close()
            return
        if not data:
            self.close()
        elif self._tls is None:
            self._receiver.received(data)
        else:
            self._incoming.write(data)
            if self._established or self._shake_hands(self._tls):
                self._decrypt(self._tls)

    def _shake_hands(self, tls: ssl.SSLObject) -> bool:
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            self._flush()
            return False
        except ssl.SSLError:
            self._flush()  # the alert
            self._receiver.failed()
            self.close()
            return False
        self._established = True
        self._flush()
        self._receiver.established()
        return not self.closed()

    def _decrypt(self, tls: ssl.SSLObject) -> None:
        while self._sock is not None:
            try:
                data = tls.read(_CHUNK)
            except ssl.SSLWantReadError:
                return
            except ssl.SSLError:  # SSLZeroReturnError: the peer said good-bye
                self.close()
                return
            if not data:
                self.close()
                return
            self._receiver.received(data)
            if not self._incoming.pending and not tls.pending():
                return  # asking once more would only raise SSLWantReadError

    # writing

    def _flush(self) -> None:
        """Sends what is there; the rest when the socket takes it."""
        while self._sock is not None:
            if self._tls is not None and self._outgoing.pending:
                self._pending += self._outgoing.read()
            if self._stall_after is not None:
                del self._pending[self._stall_after :]
                self._stall_after -= len(self._pending)
            if self._pending:
                try:
                    sent = self._sock.send(self._pending)
                except (BlockingIOError, InterruptedError):
                    sent = 0
                except OSError:
                    self.close()
                    return
                del self._pending[:sent]
                if self._pending:
                    self._wait_writable(self._sock)
                    return
            elif not self._next_from_source():
                break
        if self._sock is None:
            return
        if self._writing:
            self._writing = False
            self._loop.remove_writer(self._sock.fileno())
        if self._closing:
            self._say_good_bye(self._sock)

    def _next_from_source(self) -> bool:
        data = next(self._source, None) if self._source is not None else None
        if data is None:
            self._source = None
            return False
        if self._tls is None:
            self._pending += data
        else:
            self._tls.write(data)
        return True

    def _wait_writable(self, sock: socket.socket) -> None:
        if not self._writing:
            self._writing = True
            self._loop.add_writer(sock.fileno(), self._flush)

    def _say_good_bye(self, sock: socket.socket) -> None:
        if self._tls is not None and self._established:
            with contextlib.suppress(ssl.SSLError):
                self._tls.unwrap()  # close_notify; the peer's answer is not waited for
            with contextlib.suppress(OSError):
                sock.send(self._outgoing.read())
        self.close()


class Mute:
    """A receiver for a peer that is never answered: it only holds the connection until the peer goes."""

    __slots__ = ("_lost",)

    def __init__(self, lost: Callable[[], None]) -> None:
        self._lost = lost

    def established(self) -> None:
        return

    def failed(self) -> None:
        return

    def received(self, data: bytes) -> None:
        return

    def lost(self) -> None:
        self._lost()


class Listener:
    """Listens on one address and port and hands over each accepted socket."""

    __slots__ = ("_accepted", "_loop", "_sock", "address", "port")

    def __init__(
        self, loop: asyncio.AbstractEventLoop, address: str, port: int, accepted: Callable[[socket.socket], None]
    ) -> None:
        self._loop = loop
        self._accepted = accepted
        self.address = address
        self.port = port
        self._sock: socket.socket | None = None

    def open(self) -> None:
        if self._sock is not None:
            return
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((self.address, self.port))
            sock.listen(128)
        except BaseException:
            sock.close()
            raise
        self.port = sock.getsockname()[1]
        self._sock = sock
        self._loop.add_reader(sock.fileno(), self._accept)

    def close(self) -> None:
        sock, self._sock = self._sock, None
        if sock is not None:
            self._loop.remove_reader(sock.fileno())
            sock.close()

    def _accept(self) -> None:
        if self._sock is None:
            return
        try:
            sock, _dummy = self._sock.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return
        except OSError as error:
            if error.errno not in (errno.EMFILE, errno.ENFILE):
                raise
            # Out of file descriptors: the peer waits in the backlog until others have gone.
            self._loop.remove_reader(self._sock.fileno())
            self._loop.call_later(0.05, self._resume)
            return
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._accepted(sock)

    def _resume(self) -> None:
        if self._sock is not None:
            self._loop.add_reader(self._sock.fileno(), self._accept)
