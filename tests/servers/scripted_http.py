# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A real HTTP server, over TCP or TLS, whose every byte a test decides.

Its handler gets each request and gives a script: bytes are sent as they are, a number is a pause in seconds, CLOSE and
RESET end the connection. What arrived is kept, to be compared with what the client says it sent.
"""

from __future__ import annotations

import json
import socket
import ssl
import struct
import threading
from dataclasses import dataclass, field
from typing import Any, Callable, Iterable, Union

CLOSE = "close"
RESET = "reset"

Step = Union[bytes, float, str]


@dataclass
class Received:
    """One request as it arrived."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    #: which connection it came on, and the how-manieth on it, both from 0
    connection: int
    number: int


Handler = Callable[[Received], Union[bytes, Iterable[Step]]]


def reply(document: Any = None, status: int = 200, *, body: bytes | None = None, **headers: str) -> bytes:
    """An answer with a Content-Length; underscores in the names of header fields stand for hyphens."""
    payload = body if body is not None else b"" if document is None else json.dumps(document).encode()
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(payload)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + payload


@dataclass
class Log:
    connections: int = 0
    handshakes: int = 0
    #: every byte of HTTP that came, whether or not it made a request
    bytes_in: int = 0
    requests: list[Received] = field(default_factory=list)

    def headers(self, name: str) -> list[str]:
        """That header field of every request; "" where it was absent."""
        return [request.headers.get(name.lower(), "") for request in self.requests]


class ScriptedServer:
    """``context``: may be replaced while it runs, for a certificate that changes."""

    def __init__(self, handler: Handler, *, host: str = "127.41.0.1", context: ssl.SSLContext | None = None) -> None:
        self.handler = handler
        self.context = context
        self.log = Log()
        self.stopping = threading.Event()
        self._listener = socket.create_server((host, 0), backlog=512)
        self.host, self.port = self._listener.getsockname()[:2]
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    def __enter__(self) -> ScriptedServer:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.stop()

    def stop(self) -> None:
        self.stopping.set()
        self.refuse()
        self.drop_connections()
        for thread in [self._acceptor, *self._threads]:
            thread.join()

    def refuse(self) -> None:
        """Stop listening; connections that exist go on."""
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._listener.close()

    def drop_connections(self) -> None:
        """As a BMC that restarts does."""
        with self._lock:
            for sock in self._open:
                try:
                    sock.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def _accept(self) -> None:
        while True:
            try:
                sock, _peer = self._listener.accept()
            except OSError:
                return
            with self._lock:
                index = self.log.connections
                self.log.connections += 1
                self._open.add(sock)
            thread = threading.Thread(target=self._serve, args=(sock, index), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, plain: socket.socket, index: int) -> None:
        sock = plain
        try:
            if self.context is not None:
                sock = self.context.wrap_socket(plain, server_side=True)
                with self._lock:
                    self._open.discard(plain)
                    self._open.add(sock)
                    self.log.handshakes += 1
            self._converse(sock, index)
        except (OSError, ValueError):
            pass  # the client went away, or would not shake hands: its own side of the test says whether that is right
        finally:
            with self._lock:
                self._open.discard(plain)
                self._open.discard(sock)
            sock.close()

    def _converse(self, sock: socket.socket, index: int) -> None:
        buffer = b""
        number = 0
        while True:
            while b"\r\n\r\n" not in buffer:
                data = sock.recv(65536)
                if not data:
                    return
                self.log.bytes_in += len(data)
                buffer += data
            head, buffer = buffer.split(b"\r\n\r\n", 1)
            first, *lines = head.decode("latin-1").split("\r\n")
            method, target, _version = first.split(" ")
            headers = {name.lower(): value.strip() for name, _colon, value in (line.partition(":") for line in lines)}
            length = int(headers.get("content-length", "0"))
            while len(buffer) < length:
                data = sock.recv(65536)
                if not data:
                    return
                self.log.bytes_in += len(data)
                buffer += data
            body, buffer = buffer[:length], buffer[length:]
            received = Received(method, target, headers, body, index, number)
            number += 1
            with self._lock:
                self.log.requests.append(received)
            script = self.handler(received)
            for step in [script] if isinstance(script, bytes) else script:
                if not self._play(sock, step):
                    return

    def _play(self, sock: socket.socket, step: Step) -> bool:
        if isinstance(step, bytes):
            sock.sendall(step)
            return True
        if isinstance(step, str):
            if step == RESET:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return False
        return not self.stopping.wait(step)
