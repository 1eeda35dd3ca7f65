# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Answers in every shape that real servers have, and in those that only an attacker has."""

from __future__ import annotations

import gzip
import time
import zlib
from typing import Any, Iterator

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core.errors import (
    ConnectionLost,
    ProtocolViolation,
    TimedOut,
)
from ansible_collections.hearth.datacenter.plugins.module_utils._core.transport import Limits
from ansible_collections.hearth.datacenter.plugins.module_utils._core.trust import Trust
from tests.servers.certificates import Authority
from tests.servers.scripted_http import CLOSE, Received, Step, reply

from .conftest import Open, Serve

TIGHT = Limits(request_timeout=1.0, max_body=100_000, max_head=8192, max_headers=50, reconnects=0)
JSON = b'{"a": 1}'


def chunked(*chunks: bytes, trailer: bytes = b"") -> bytes:
    body = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body + b"0\r\n" + trailer + b"\r\n"


GOOD = {
    "content-length": reply({"a": 1}),
    "chunked": chunked(b'{"a"', b": ", b"1}"),
    "chunk extensions and trailers": chunked(JSON, trailer=b"Checksum: x\r\nOther: y\r\n").replace(
        b"8\r\n", b"8;x=y\r\n"
    ),
    "bare line feeds": b"HTTP/1.1 200 OK\nContent-Length: 8\nETag: x\n\n" + JSON,
    "no reason": b"HTTP/1.1 200\r\nContent-Length: 8\r\n\r\n" + JSON,
    "the same length twice": b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\ncontent-length: 8\r\n\r\n" + JSON,
    "a folded field": b"HTTP/1.1 200 OK\r\nX: a\r\n  b\r\nContent-Length: 8\r\n\r\n" + JSON,
    "continue first": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + reply({"a": 1}),
    "identity named": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\nContent-Length: 8\r\n\r\n" + JSON,
    "http 1.0 kept alive": b"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 8\r\n\r\n" + JSON,
    "gzip": reply(body=gzip.compress(JSON), Content_Encoding="gzip"),
    "deflate": reply(body=zlib.compress(JSON), Content_Encoding="deflate"),
    "bare deflate": reply(body=zlib.compress(JSON)[2:-4], Content_Encoding="deflate"),
}


@pytest.mark.parametrize("shape", sorted(GOOD))
def test_a_good_answer_is_read_and_its_connection_kept(shape: str, serve: Serve, transport_to: Open) -> None:
    server = serve(lambda request: GOOD[shape])
    transport = transport_to(server, limits=TIGHT)
    assert [transport.get_json("/x") for _request in range(3)] == [{"a": 1}] * 3
    assert (transport.counters.requests, transport.counters.connects) == (3, 1) == (3, server.log.connections)


CLOSING = {
    "no length": b"HTTP/1.1 200 OK\r\n\r\n" + JSON,
    "http 1.0": b"HTTP/1.0 200 OK\r\n\r\n" + JSON,
    "http 1.0 with a length": b"HTTP/1.0 200 OK\r\nContent-Length: 8\r\n\r\n" + JSON,
    "connection close": reply({"a": 1}, Connection="close"),
}


@pytest.mark.parametrize("shape", sorted(CLOSING))
@pytest.mark.parametrize("encrypted", [False, True])
def test_an_answer_that_ends_with_the_connection(
    shape: str, encrypted: bool, serve: Serve, transport_to: Open, authority: Authority
) -> None:
    context = authority.issue("127.41.0.1").server_context() if encrypted else None
    server = serve(lambda request: [CLOSING[shape], CLOSE], context=context)
    transport = transport_to(server, limits=TIGHT)
    assert [transport.get_json("/x") for _request in range(2)] == [{"a": 1}] * 2
    assert transport.counters.connects == server.log.connections == 2 and transport.counters.retries == 0


@pytest.mark.parametrize(
    ("method", "raw"),
    [
        ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 4711\r\n\r\n"),
        ("GET", b"HTTP/1.1 204 No Content\r\n\r\n"),
        ("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n"),
        ("POST", b"HTTP/1.1 204 No Content\r\n\r\n"),
    ],
)
def test_an_answer_without_a_body_is_not_waited_for(method: str, raw: bytes, serve: Serve, transport_to: Open) -> None:
    server = serve(lambda request: raw)
    transport = transport_to(server, limits=TIGHT)
    assert [transport.request(method, "/").body for _request in range(2)] == [b"", b""]
    assert server.log.connections == 1


def test_header_fields_are_found_without_case_and_each_of_several(serve: Serve, transport_to: Open) -> None:
    raw = b'HTTP/1.1 200 OK\r\neTaG:  "one" \r\nETag: "two"\r\nEmpty:\r\nContent-Length: 0\r\n\r\n'
    response = transport_to(serve(lambda request: raw)).request("GET", "/")
    assert response.headers.get("ETAG") == '"one"' == response.etag
    assert response.headers.get_all("etag") == ['"one"', '"two"']
    assert "empty" in response.headers and response.headers.get("empty", "x") == ""
    assert "absent" not in response.headers and response.headers.get_all("absent") == []


BAD = {
    "not http": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    "http 2": b"HTTP/2 200 OK\r\n\r\n",
    "status of four digits": b"HTTP/1.1 2000 OK\r\n\r\n",
    "status 600": b"HTTP/1.1 600 X\r\n\r\n",
    "switching protocols": b"HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\n\r\n",
    "field without a colon": b"HTTP/1.1 200 OK\r\nnonsense\r\n\r\n",
    "field name with a space": b"HTTP/1.1 200 OK\r\nContent-Length : 8\r\n\r\n" + JSON,
    "carriage return in a field": b"HTTP/1.1 200 OK\r\nX: a\rb\r\nContent-Length: 8\r\n\r\n" + JSON,
    "nul in a field": b"HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 8\r\n\r\n" + JSON,
    "begins with a fold": b"HTTP/1.1 200 OK\r\n x: y\r\nContent-Length: 8\r\n\r\n" + JSON,
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\nContent-Length: 9\r\n\r\n" + JSON,
    "negative length": b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    "length in other digits": "HTTP/1.1 200 OK\r\nContent-Length: \u00b2\r\n\r\n".encode("latin-1"),
    "unknown transfer encoding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "unknown content encoding": reply(body=JSON, Content_Encoding="br"),
    "chunk size is no number": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "chunk size without end": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1" * 5000,
    "chunk longer than it said": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
    "compressed and not": reply(body=JSON, Content_Encoding="gzip"),
    "compressed and cut": reply(body=gzip.compress(JSON * 20)[:-9], Content_Encoding="gzip"),
    "too many fields": b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 51 + b"Content-Length: 0\r\n\r\n",
    "head too large": b"HTTP/1.1 200 OK\r\nX: " + b"y" * 9000 + b"\r\nContent-Length: 0\r\n\r\n",
    "body too large": b"HTTP/1.1 200 OK\r\nContent-Length: 100001\r\n\r\n",
    "body beyond all numbers": b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n",
}


@pytest.mark.parametrize("shape", sorted(BAD))
def test_what_is_not_http_is_a_protocol_violation(shape: str, serve: Serve, transport_to: Open) -> None:
    transport = transport_to(serve(lambda request: [BAD[shape], 30.0]), limits=TIGHT)
    with pytest.raises(ProtocolViolation) as caught:
        transport.request("GET", "/")
    assert caught.value.where.endswith("/")


def test_what_the_error_shows_of_it_is_cleaned(serve: Serve, transport_to: Open) -> None:
    transport = transport_to(serve(lambda request: b"{{ lookup('pipe', 'id') }}\x1b[2J\r\n\r\n"), limits=TIGHT)
    with pytest.raises(ProtocolViolation) as caught:
        transport.request("GET", "/")
    assert caught.value.found == "{ { lookup('pipe', 'id') } }"


def endless(prefix: bytes, piece: bytes) -> Iterator[Step]:
    yield prefix
    while True:
        yield piece


ENDLESS: dict[str, tuple[bytes, bytes]] = {
    "header fields": (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 100),
    "one header field": (b"HTTP/1.1 200 OK\r\nX: ", b"y" * 1000),
    "interim answers": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "a body without length": (b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 10_000),
    "chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1000\r\n" + b"x" * 4096 + b"\r\n"),
    "trailers": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n" * 100),
    "chunks of one byte": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"1;" + b"e" * 200 + b"\r\nx\r\n",
    ),
}


@pytest.mark.parametrize("what", sorted(ENDLESS))
def test_no_end_is_cut_off_by_its_size(what: str, serve: Serve, transport_to: Open) -> None:
    server = serve(lambda request: endless(*ENDLESS[what]))
    transport = transport_to(server, limits=Limits(request_timeout=20.0, max_body=100_000, max_head=8192))
    with pytest.raises(ProtocolViolation):
        transport.request("GET", "/")
    assert transport.counters.bytes_in < 300_000


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_decompression_bomb_goes_no_further_than_the_bound(encoding: str, serve: Serve, transport_to: Open) -> None:
    bomb = b"\0" * 50_000_000
    packed = gzip.compress(bomb) if encoding == "gzip" else zlib.compress(bomb)
    assert len(packed) < 100_000
    transport = transport_to(serve(lambda request: reply(body=packed, Content_Encoding=encoding)), limits=TIGHT)
    with pytest.raises(ProtocolViolation) as caught:
        transport.request("GET", "/")
    assert "100000" in caught.value.expected


def test_a_body_that_is_announced_too_large_is_not_read(serve: Serve, transport_to: Open) -> None:
    server = serve(lambda request: [b"HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n", b"x" * 1_000_000, 30.0])
    transport = transport_to(server, limits=TIGHT)
    with pytest.raises(ProtocolViolation):
        transport.request("GET", "/")
    assert transport.counters.bytes_in <= 64 * 1024


def drip(data: bytes, interval: float = 0.05) -> Iterator[Step]:
    for at in range(len(data)):
        yield data[at : at + 1]
        yield interval


SLOW: dict[str, Any] = {
    "header fields": lambda: drip(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 2000),
    "a body": lambda: (step for part in ([reply({"a": "b" * 2000})[:60]], drip(b"x" * 2000)) for step in part),
    "chunks": lambda: (
        step
        for part in ([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"], drip(b"1\r\nx\r\n" * 500))
        for step in part
    ),
    "a body without length": lambda: (s for part in ([b"HTTP/1.1 200 OK\r\n\r\n"], drip(b"x" * 2000)) for s in part),
    "nothing": lambda: [60.0],
}


@pytest.mark.parametrize("encrypted", [False, True])
@pytest.mark.parametrize("what", sorted(SLOW))
def test_drip_feeding_ends_on_time(
    what: str, encrypted: bool, serve: Serve, transport_to: Open, authority: Authority
) -> None:
    context = authority.issue("127.41.0.1").server_context() if encrypted else None
    transport = transport_to(serve(lambda request: SLOW[what](), context=context), limits=TIGHT)
    started = time.monotonic()
    with pytest.raises(TimedOut):
        transport.request("GET", "/")
    assert 0.9 < time.monotonic() - started < 2.5


def test_the_endpoint_s_deadline_counts_even_if_the_request_s_own_is_later(serve: Serve, transport_to: Open) -> None:
    transport = transport_to(serve(lambda request: drip(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 2000)), seconds=0.5)
    started = time.monotonic()
    with pytest.raises(TimedOut):
        transport.request("GET", "/")
    assert time.monotonic() - started < 2.0


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + JSON,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n" + JSON,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n" + JSON[:4],
    ],
)
def test_a_connection_that_breaks_inside_an_answer(raw: bytes, serve: Serve, transport_to: Open) -> None:
    transport = transport_to(serve(lambda request: [raw, CLOSE]), limits=TIGHT)
    with pytest.raises(ConnectionLost):
        transport.request("GET", "/")


def test_an_answer_that_nobody_asked_for_is_not_taken_for_the_next(serve: Serve, transport_to: Open) -> None:
    """Two answers to one request: the second must not become that of the next request."""

    def handler(request: Received) -> bytes:
        return reply({"for": request.target}) + reply({"for": "poison"})

    server = serve(handler)
    transport = transport_to(server, Trust("off"))
    assert [transport.get_json(path)["for"] for path in ("/1", "/2", "/3")] == ["/1", "/2", "/3"]
    assert server.log.connections == 3
