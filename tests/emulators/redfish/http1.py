# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTTP/1.1 over a wire: requests in (parsed by httptools), one at a time; replies out."""

from __future__ import annotations

import http
import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any
from urllib.parse import unquote

import httptools

from tests.emulators.redfish.wire import Wire

MAX_BODY = 64 * 1024 * 1024
_REASONS = {status.value: status.phrase for status in http.HTTPStatus}

_ENCODER = json.JSONEncoder(separators=(",", ":"))


def to_json(value: Any) -> bytes:
    """Compact JSON; what is no ASCII is escaped, lone surrogates included."""
    return _ENCODER.encode(value).encode("ascii")


class Request:
    __slots__ = ("body", "headers", "keep_alive", "method", "path", "query", "scheme", "target")

    def __init__(self, method: str, target: str, headers: dict[str, str], body: bytes, scheme: str, keep_alive: bool):
        self.method = method
        self.target = target
        path, _dummy, self.query = target.partition("?")
        path = path.partition("#")[0]
        self.path = unquote(path) if "%" in path else path
        self.headers = headers  # lower-case names; repeated ones joined by ", "
        self.body = body
        self.scheme = scheme
        self.keep_alive = keep_alive


@dataclass(slots=True)
class Reply:
    """An answer. A body that is not bytes is sent as JSON."""

    status: int
    body: Any = None
    headers: list[tuple[str, str]] = field(default_factory=list)
    content_type: str = "application/json; charset=utf-8"
    after: Callable[[], None] | None = None  # called when the answer has left
    close: bool = False
    until: Callable[[], Awaitable[None]] | None = None  # the answer waits for this; a Refusal takes its place
    # faults only
    stream: Iterator[bytes] | None = None  # sent after the body
    content_length: int | None = None  # stated instead of the true one
    cut_at: int | None = None  # body bytes to send before the connection drops
    lost: bool = False  # not a byte of it is sent, and the connection drops

    def payload(self) -> bytes:
        if self.body is None:
            return b""
        if isinstance(self.body, bytes):
            return self.body
        return to_json(self.body)

    def header(self, name: str) -> str | None:
        for key, value in self.headers:
            if key.lower() == name.lower():
                return value
        return None


def encode(reply: Reply, *, head: bool, close: bool, date: str) -> bytes:
    payload = reply.payload()
    lines = [f"HTTP/1.1 {reply.status} {_REASONS.get(reply.status, 'Unknown')}", f"Date: {date}"]
    lines += [f"{name}: {value}" for name, value in reply.headers]
    if payload or reply.stream is not None:
        lines.append(f"Content-Type: {reply.content_type}")
    length = len(payload) if reply.content_length is None else reply.content_length
    if reply.status not in (204, 304):
        lines.append(f"Content-Length: {length}")
    if close:
        lines.append("Connection: close")
    lines.append("\r\n")
    head_bytes = "\r\n".join(lines).encode("utf-8")
    if head or reply.status in (204, 304):
        return head_bytes
    return head_bytes + (payload if reply.cut_at is None else payload[: reply.cut_at])


class DateHeader:
    """The Date header's text, made once a second."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._second = -1
        self._text = ""

    def __call__(self) -> str:
        second = int(self._now())
        if second != self._second:
            self._second = second
            self._text = formatdate(second, usegmt=True)
        return self._text


class HttpConnection:
    """Receiver of a wire. ``handle`` gets each request and calls ``answer`` once, now or later."""

    __slots__ = (
        "_body",
        "_busy",
        "_date",
        "_ended",
        "_established",
        "_failed",
        "_handle",
        "_headers",
        "_lost",
        "_parser",
        "_queue",
        "_scheme",
        "_size",
        "_target",
        "served",
        "wire",
    )

    def __init__(
        self,
        scheme: str,
        date: DateHeader,
        handle: Callable[[HttpConnection, Request], None],
        *,
        established: Callable[[], None] | None = None,
        failed: Callable[[], None] | None = None,
        lost: Callable[[HttpConnection], None] | None = None,
    ) -> None:
        self._scheme = scheme
        self._date = date
        self._handle = handle
        self._established = established
        self._failed = failed
        self._lost = lost
        self._parser: httptools.HttpRequestParser | None = None
        self._queue: list[Request] = []
        self._busy = False
        self._ended = False  # no further request is read
        self._target = b""
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []
        self._size = 0
        self.served = 0
        self.wire: Wire | None = None

    # from the wire

    def established(self) -> None:
        self._parser = httptools.HttpRequestParser(self)
        if self._established is not None:
            self._established()

    def failed(self) -> None:
        if self._failed is not None:
            self._failed()

    def received(self, data: bytes) -> None:
        if self._parser is None or self._ended:
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserInvalidMethodError:
            self._refuse(501 if data[:1].isalpha() else 400)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._refuse(400)

    def lost(self) -> None:
        self._ended = True
        self._parser = None
        self._queue.clear()
        if self._lost is not None:
            self._lost(self)

    # from the parser

    def on_message_begin(self) -> None:
        self._target = b""
        self._headers = {}
        self._body = []
        self._size = 0

    def on_url(self, url: bytes) -> None:
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        key = name.decode("latin-1").lower()
        text = value.decode("latin-1")
        self._headers[key] = f"{self._headers[key]}, {text}" if key in self._headers else text

    def on_headers_complete(self) -> None:
        if self._headers.get("expect", "").lower() == "100-continue" and self.wire is not None:
            self.wire.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        self._size += len(body)
        if self._size <= MAX_BODY:
            self._body.append(body)

    def on_message_complete(self) -> None:
        if self._parser is None or self._ended:
            return
        if self._size > MAX_BODY:
            self._refuse(413)
            return
        request = Request(
            self._parser.get_method().decode("ascii"),
            self._target.decode("latin-1"),
            self._headers,
            b"".join(self._body),
            self._scheme,
            self._parser.should_keep_alive(),
        )
        if self._busy:
            self._queue.append(request)
        else:
            self._busy = True
            self._handle(self, request)

    # to the wire

    def answer(self, request: Request, reply: Reply) -> None:
        wire = self.wire
        if wire is None or wire.closed():
            return
        self.served += 1
        if reply.lost:
            wire.close()
            return
        close = reply.close or not request.keep_alive or self._ended
        head = request.method == "HEAD"
        data = encode(reply, head=head, close=close, date=self._date())
        wire.write(data, None if head else reply.stream, close=close or reply.cut_at is not None)
        if reply.after is not None:
            reply.after()
        if self._queue:
            self._handle(self, self._queue.pop(0))
        else:
            self._busy = False

    def _refuse(self, status: int) -> None:
        """What is no HTTP gets a bare answer and the door."""
        self._ended = True
        if self.wire is not None:
            self.wire.write(encode(Reply(status), head=False, close=True, date=self._date()), close=True)
