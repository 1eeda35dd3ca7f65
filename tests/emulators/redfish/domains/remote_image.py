# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An image on a web server, read piece by piece as a BMC does: HTTP Range requests from the BMC's own address."""

from __future__ import annotations

import base64
import contextlib
import http.client
import re
import ssl
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.emulators.redfish.machine import MediumRefused, MediumUnreachable

_BLOCK = 256 * 1024
_MOST_AHEAD = 8  # blocks that one request fetches, while reads go straight on
_CACHED = 64  # blocks
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


class ReadFailed(Exception):
    """A piece of an image that was good at first cannot be had."""


@dataclass(frozen=True)
class Source:
    """Where an image is, and how to ask for it."""

    url: str
    own_address: str  # that the requests come from
    ca: str = ""  # file; "" = the server's certificate is not checked, as on most BMCs
    username: str = ""
    password: str = ""
    timeout: float = 10.0  # of each step of a connection
    patience: float = 20.0  # how long a read is tried again


class RemoteImage:
    """Open at once: ``size`` is known. Reads may come from several threads."""

    def __init__(
        self,
        source: Source,
        *,
        clock: Callable[[], float] = time.monotonic,
        said: Callable[[str], None] = lambda text: None,
    ) -> None:
        """``said`` hears of trouble, from the reading thread. Raises MediumUnreachable or MediumRefused."""
        self._source = source
        self._clock = clock
        self._said = said
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._connection: http.client.HTTPConnection | None = None
        self._blocks: OrderedDict[int, bytes] = OrderedDict()
        self._expected = -1  # the block that a reader who goes straight on asks for next
        self._ahead = 1
        self._tag: str | None = None
        self._troubled = False  # the last try of a read failed, and that was told
        self._reason = ""
        self._lost = False  # patience has run out
        self.size = 0
        parts = urlsplit(source.url)
        try:
            port = parts.port
        except ValueError as error:
            raise MediumRefused(f"the URL has no usable port: {error}") from error
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise MediumRefused("only http:// and https:// URLs can be read")
        self._host, self._port = parts.hostname, port
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._context = self._tls() if parts.scheme == "https" else None
        try:
            self._fetch(0, 2047)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise MediumUnreachable(_said_by(error)) from error
        except BaseException:
            self.close()
            raise

    def _tls(self) -> ssl.SSLContext:
        if self._source.ca:
            checking = ssl.create_default_context(cafile=self._source.ca)
            checking.verify_flags &= ~ssl.VERIFY_X509_STRICT  # a BMC is less particular than Python 3.13
            return checking
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context

    def close(self) -> None:
        """Reads fail from now on, those that are under way too."""
        self._closed.set()
        connection = self._connection
        sock = None if connection is None else connection.sock
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(2)  # wakes up who waits for it
        if self._lock.acquire(timeout=self._source.timeout):
            try:
                self._drop()
                self._blocks.clear()
            finally:
                self._lock.release()

    def read(self, offset: int, length: int) -> bytes:
        """Raises ReadFailed when patience has run out, or the image was closed."""
        pieces = []
        end = min(offset + length, self.size)
        while offset < end:
            number, within = divmod(offset, _BLOCK)
            piece = self._block(number)[within : within + end - offset]
            pieces.append(piece)
            offset += len(piece)
        return b"".join(pieces)

    def _block(self, number: int) -> bytes:
        with self._lock:
            found = self._blocks.get(number)
            if found is None:
                self._ahead = min(self._ahead * 2, _MOST_AHEAD) if number == self._expected else 1
                self._read_blocks(number, self._ahead)
                self._expected = number + self._ahead
                found = self._blocks[number]
            else:
                self._blocks.move_to_end(number)
            return found

    def _read_blocks(self, number: int, count: int) -> None:
        first = number * _BLOCK
        last = min(first + count * _BLOCK, self.size) - 1
        # Once patience has run out, the next reads are tried once each: a guest asks many times before it gives up.
        until = self._clock() + (0.0 if self._lost else self._source.patience)
        body = self._try_to_fetch(first, last)
        while body is None:
            if self._clock() >= until:
                self._lost = True
                raise ReadFailed(self._reason)
            self._closed.wait(0.5)
            body = self._try_to_fetch(first, last)
        self._lost = False
        if self._troubled:
            self._troubled = False
            self._said("the image can be read again")
        for place in range(0, len(body), _BLOCK):
            self._blocks[number + place // _BLOCK] = body[place : place + _BLOCK]
        while len(self._blocks) > max(_CACHED, count):
            self._blocks.popitem(last=False)

    def _try_to_fetch(self, first: int, last: int) -> bytes | None:
        """None for trouble that may pass. Raises ReadFailed for what will not."""
        if self._closed.is_set():
            raise ReadFailed("the medium was ejected")
        try:
            return self._fetch(first, last)
        except (OSError, http.client.HTTPException) as error:
            self._trouble(_said_by(error))
            return None
        except MediumRefused as error:
            self._trouble(str(error))
            raise ReadFailed(self._reason) from error

    def _trouble(self, reason: str) -> None:
        self._reason = reason
        if not self._troubled and not self._closed.is_set():
            self._troubled = True
            self._said(f"the image cannot be read: {reason}")

    def _fetch(self, first: int, last: int) -> bytes:
        """One request; a kept-alive connection that the server closed meanwhile is opened anew once."""
        fresh = self._connection is None
        try:
            return self._ask(first, last)
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            self._drop()
            if fresh or self._closed.is_set():
                raise
            return self._ask(first, last)
        except BaseException:
            self._drop()
            raise

    def _ask(self, first: int, last: int) -> bytes:
        connection = self._connected()
        headers = {"Range": f"bytes={first}-{last}", "Accept-Encoding": "identity"}
        if self._source.username:
            word = f"{self._source.username}:{self._source.password}".encode()
            headers["Authorization"] = "Basic " + base64.b64encode(word).decode("ascii")
        connection.request("GET", self._target, headers=headers)
        answer = connection.getresponse()
        if answer.status != 206:
            self._drop()
            raise self._refused(answer, opening=self.size == 0)
        match = _RANGE.fullmatch(answer.headers.get("Content-Range", ""))
        if match is None or int(match[1]) != first:
            self._drop()
            raise MediumRefused("the server answers with another range than it was asked for")
        self._same(int(match[3]), answer.headers.get("ETag") or answer.headers.get("Last-Modified"))
        body = answer.read()
        if len(body) != int(match[2]) - first + 1:
            raise http.client.IncompleteRead(body)
        if len(body) != min(last, self.size - 1) - first + 1:
            raise MediumRefused("the server answers with less than it was asked for")
        if answer.will_close:
            self._drop()
        return body

    def _refused(self, answer: http.client.HTTPResponse, *, opening: bool) -> Exception:
        reason = f"the server answered {answer.status} {answer.reason}"
        if answer.status == 200:
            return MediumRefused("the server does not serve parts of a file (Range)")
        if not opening and answer.status >= 500:
            return http.client.HTTPException(reason)  # may pass
        return MediumRefused(reason)

    def _same(self, size: int, tag: str | None) -> None:
        if not self.size:
            if size < 1:
                raise MediumRefused("the image is empty")
            self.size, self._tag = size, tag
        elif (size, tag) != (self.size, self._tag):
            self._drop()
            raise MediumRefused("the image has changed on its server")

    def _connected(self) -> http.client.HTTPConnection:
        if self._connection is None:
            source = (self._source.own_address, 0)
            timeout = self._source.timeout
            if self._context is not None:
                self._connection = http.client.HTTPSConnection(
                    self._host, self._port, timeout=timeout, source_address=source, context=self._context
                )
            else:
                self._connection = http.client.HTTPConnection(
                    self._host, self._port, timeout=timeout, source_address=source
                )
        return self._connection

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _said_by(error: BaseException) -> str:
    return str(error) or type(error).__name__
