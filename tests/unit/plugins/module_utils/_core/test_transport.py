# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests, their repetition, and an exact account of both."""

from __future__ import annotations

import socket
import threading
import time
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any, List

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core import stream
from ansible_collections.hearth.datacenter.plugins.module_utils._core.endpoint import Endpoint
from ansible_collections.hearth.datacenter.plugins.module_utils._core.errors import (
    AccessDenied,
    AuthenticationFailed,
    BadInput,
    Busy,
    Cancelled,
    ConnectionLost,
    ConnectionRefused,
    NotFound,
    PreconditionFailed,
    ProtocolViolation,
    TimedOut,
    Unreachable,
)
from ansible_collections.hearth.datacenter.plugins.module_utils._core.transport import Deadline, Limits, Transport
from ansible_collections.hearth.datacenter.plugins.module_utils._core.trust import Trust
from tests.servers.certificates import Authority
from tests.servers.scripted_http import CLOSE, RESET, Received, ScriptedServer, Step, reply

from .conftest import Open, Serve

NOW = datetime(2026, 11, 21, 15, 0, tzinfo=timezone.utc)


def answer(request: Received) -> bytes:
    return reply({"target": request.target})


def agrees(transport: Transport, server: ScriptedServer) -> bool:
    """The client's account is the server's."""
    counted = transport.counters
    return (counted.requests, counted.handshakes, counted.connects) == (
        len(server.log.requests),
        server.log.handshakes,
        server.log.connections,
    )


# -- what is sent


def test_one_connection_carries_all_requests(authority: Authority, serve: Serve, transport_to: Open) -> None:
    server = serve(answer, context=authority.issue("127.41.0.1").server_context())
    transport = transport_to(server)
    peer = transport.connect()
    assert transport.connect() is peer and server.log.bytes_in == 0
    for number in range(20):
        assert transport.get_json(f"/{number}") == {"target": f"/{number}"}
    assert agrees(transport, server) and transport.counters.requests == 20 and transport.counters.handshakes == 1
    assert transport.counters.retries == 0 and transport.counters.bytes_in > 20 * 50


def test_without_keep_alive_each_request_has_its_own(authority: Authority, serve: Serve, transport_to: Open) -> None:
    server = serve(answer, context=authority.issue("127.41.0.1").server_context())
    transport = transport_to(server, keep_alive=False)
    for _number in range(3):
        transport.get_json("/")
    assert agrees(transport, server) and transport.counters.handshakes == 3
    assert set(server.log.headers("connection")) == {"close"}
    transport.keep_alive = True
    for _number in range(3):
        transport.get_json("/")
    assert agrees(transport, server) and transport.counters.handshakes == 4


def test_header_fields_of_reading_and_writing(serve: Serve, transport_to: Open) -> None:
    server = serve(answer)
    transport = transport_to(server)
    transport.request("GET", "/")
    transport.request("PATCH", "/", body={"AssetTag": "\u00e9"})
    transport.request("POST", "/")
    transport.request("POST", "/", body=b"\0\1", headers={"Content-Type": "application/octet-stream", "Accept": None})
    get, patch, empty, upload = server.log.requests
    for request in server.log.requests:
        assert request.headers["host"] == f"127.41.0.1:{server.port}"
        assert request.headers["accept-encoding"] == "identity"
        assert request.headers["odata-version"] == "4.0"
        assert request.headers["user-agent"].startswith("hearth")
        assert request.headers["connection"] == "keep-alive"
    assert "content-type" not in get.headers and "content-length" not in get.headers
    assert (patch.headers["content-type"], patch.body) == ("application/json", b'{"AssetTag":"\\u00e9"}')
    assert (empty.headers["content-length"], empty.body) == ("0", b"")
    assert (upload.headers["content-type"], upload.body) == ("application/octet-stream", b"\0\1")
    assert "accept" in patch.headers and "accept" not in upload.headers


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/redfish/v1/Systems/1?$expand=*($levels=1)", "/redfish/v1/Systems/1?$expand=*($levels=1)"),
        ("/redfish/v1/Chassis/1/Thermal#/Fans/0", "/redfish/v1/Chassis/1/Thermal"),
        ("/redfish/v1/Sensors/CPU Temp\u00e9", "/redfish/v1/Sensors/CPU%20Temp%C3%A9"),
        ("/a%20b/", "/a%20b/"),
        ("redfish/v1", "/redfish/v1"),
        ("", "/"),
        ("http://127.41.0.1:{port}/redfish/v1/#x", "/redfish/v1/"),
        ("HTTP://127.41.0.1:{port}", "/"),
        ("/x//y", "/x//y"),
        ("/x:y@z", "/x:y@z"),
    ],
)
def test_links_become_targets(path: str, target: str, serve: Serve, transport_to: Open) -> None:
    server = serve(answer)
    transport_to(server).request("GET", path.format(port=server.port))
    assert [request.target for request in server.log.requests] == [target]


def test_a_name_in_another_case_and_the_scheme_s_own_port_are_the_same_host() -> None:
    endpoint = Endpoint("bmc.example", 443)
    assert endpoint.target("https://BMC.example/x") == endpoint.target("https://bmc.example:443/x") == "/x"
    assert endpoint.authority == "bmc.example" and Endpoint("fe80::1", 8443).authority == "[fe80::1]:8443"
    assert Endpoint("fe80::1").target("https://[fe80::1]/x") == "/x"
    assert Endpoint("fe80::1%eth0").authority == "[fe80::1]" and "%eth0" in Endpoint("fe80::1%eth0").key


@pytest.mark.parametrize("text", ["", "a b", "user@host", "host:0", "host:70000", "host:x", "ftp://host", "-x"])
def test_what_is_no_endpoint_is_bad_input(text: str) -> None:
    with pytest.raises(BadInput):
        Endpoint.parse(text)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("10.0.0.1", "https://10.0.0.1"),
        ("bmc-1.example:8443", "https://bmc-1.example:8443"),
        ("http://10.0.0.1", "http://10.0.0.1"),
        ("https://[2001:db8::1]:444/redfish", "https://[2001:db8::1]:444"),
    ],
)
def test_endpoints_as_people_write_them(text: str, url: str) -> None:
    assert str(Endpoint.parse(text)) == url


def test_the_method_is_no_way_in(serve: Serve, transport_to: Open) -> None:
    with pytest.raises(BadInput):
        transport_to(serve(answer)).request("GET / HTTP/1.1\r\nX: y\r\n\r\nGET", "/")


# -- redirects


def test_a_redirect_within_the_host_is_followed(serve: Serve, transport_to: Open) -> None:
    def handler(request: Received) -> bytes:
        if request.target == "/redfish/v1":
            return reply(status=308, Location="/redfish/v1/")
        return reply({"method": request.method, "body": request.body.decode()})

    server = serve(handler)
    transport = transport_to(server)
    assert transport.get_json("/redfish/v1")["method"] == "GET"
    posted = transport.request("POST", "/redfish/v1", body={"a": 1})
    assert posted.json() == {"method": "POST", "body": '{"a":1}'}
    assert agrees(transport, server) and transport.counters.retries == 0


def test_redirects_in_a_circle_end(serve: Serve, transport_to: Open) -> None:
    server = serve(lambda request: reply(status=302, Location="/again"))
    with pytest.raises(ProtocolViolation):
        transport_to(server).request("GET", "/")
    assert len(server.log.requests) == Limits().max_redirects + 1


def test_a_write_is_not_turned_into_another_request(serve: Serve, transport_to: Open) -> None:
    server = serve(lambda request: reply(status=303, Location="/elsewhere"))
    assert transport_to(server).request("POST", "/", body={}).status == 303
    assert len(server.log.requests) == 1


# -- connections that break


@pytest.mark.parametrize("encrypted", [False, True])
@pytest.mark.parametrize("ending", [CLOSE, RESET])
def test_a_connection_gone_stale_is_replaced_before_reading_and_before_writing(
    ending: str, encrypted: bool, authority: Authority, serve: Serve, transport_to: Open
) -> None:
    """The BMC closes an idle connection without a word; then comes a request."""
    context = authority.issue("127.41.0.1").server_context() if encrypted else None
    server = serve(lambda request: [answer(request), 0.05, ending], context=context)
    transport = transport_to(server)
    transport.get_json("/1")
    time.sleep(0.2)
    assert transport.request("POST", "/2", body={"a": 1}).status == 200
    time.sleep(0.2)
    assert transport.get_json("/3") == {"target": "/3"}
    assert [request.target for request in server.log.requests] == ["/1", "/2", "/3"]
    assert agrees(transport, server)


def test_a_write_whose_answer_is_lost_is_not_repeated(serve: Serve, transport_to: Open) -> None:
    server = serve(lambda request: [CLOSE])
    transport = transport_to(server)
    for method in ("POST", "PATCH", "DELETE"):
        with pytest.raises(ConnectionLost):
            transport.request(method, "/", body={})
    assert [request.method for request in server.log.requests] == ["POST", "PATCH", "DELETE"]
    assert transport.counters.retries == 0 and agrees(transport, server)


def test_a_write_that_may_be_repeated_is(serve: Serve, transport_to: Open) -> None:
    server = serve(lambda request: [CLOSE] if request.connection == 0 else answer(request))
    transport = transport_to(server)
    assert transport.request("DELETE", "/Sessions/1", idempotent=True).status == 200
    assert agrees(transport, server) and transport.counters.retries == 1


@pytest.mark.parametrize(
    "raw", [b"", b"HTTP/1.1 200 OK\r\nContent-Le", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"]
)
def test_a_read_is_repeated_over_a_new_connection(raw: bytes, serve: Serve, transport_to: Open) -> None:
    server = serve(lambda request: [raw, CLOSE] if request.connection < 2 else answer(request))
    transport = transport_to(server)
    assert transport.get_json("/x") == {"target": "/x"}
    assert agrees(transport, server) and transport.counters.retries == 2


def test_an_idle_connection_s_farewell_is_no_answer(serve: Serve, transport_to: Open) -> None:
    """A server that answers 408 to a request that it never read, then closes."""
    farewell = reply(status=408, Connection="close")
    server = serve(
        lambda request: [answer(request), 0.1, farewell, CLOSE] if request.connection == 0 else answer(request)
    )
    transport = transport_to(server)
    transport.get_json("/1")
    time.sleep(0.3)
    assert transport.get_json("/2") == {"target": "/2"}
    assert agrees(transport, server)
    fresh = serve(lambda request: reply(status=408))
    assert transport_to(fresh).request("GET", "/").status == 408  # to the first request on a connection it is one


def test_a_read_is_not_repeated_for_ever(serve: Serve, transport_to: Open) -> None:
    server = serve(lambda request: [RESET])
    transport = transport_to(server, sleep=lambda seconds: None)
    with pytest.raises(ConnectionLost):
        transport.request("GET", "/")
    assert len(server.log.requests) == Limits().reconnects + 1 and agrees(transport, server)


def test_a_bmc_that_restarts_is_waited_for_within_reason(serve: Serve, transport_to: Open) -> None:
    server = serve(lambda request: [answer(request), CLOSE])
    transport = transport_to(server)
    transport.get_json("/1")
    server.stop()
    back: List[ScriptedServer] = []

    def restart(seconds: float) -> None:
        back.append(ScriptedServer.__new__(ScriptedServer))
        _listen_again(back[0], server)

    transport._sleep = restart
    assert transport.get_json("/2") == {"target": "/2"}
    back[0].stop()


def _listen_again(again: ScriptedServer, before: ScriptedServer) -> None:
    """The same server on the same port."""
    original = socket.create_server
    socket.create_server = lambda address, **kw: original((before.host, before.port), **kw)  # type: ignore[assignment]
    try:
        again.__init__(answer)  # type: ignore[misc]
    finally:
        socket.create_server = original


def test_one_that_does_not_come_back_is_refused_at_last(serve: Serve, transport_to: Open) -> None:
    server = serve(lambda request: [answer(request), CLOSE])
    pauses: List[float] = []
    transport = transport_to(server, sleep=pauses.append)
    transport.get_json("/1")
    server.stop()
    with pytest.raises(ConnectionRefused):
        transport.get_json("/2")
    assert len(pauses) == Limits().busy_retries


def test_one_that_was_never_there_is_refused_at_once(serve: Serve, transport_to: Open) -> None:
    server = serve(answer)
    transport = transport_to(server, sleep=pytest.fail)
    server.stop()
    with pytest.raises(ConnectionRefused) as caught:
        transport.connect()
    assert caught.value.where == f"http://127.41.0.1:{server.port}" and transport.counters.connects == 0


def test_a_name_with_a_dead_address_before_the_live_one(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve(answer)
    with socket.socket() as dead:
        dead.bind(("127.41.0.2", 0))
        dead.listen(0)
        fillers = [socket.socket() for _filler in range(4)]
        for filler in fillers:  # a full backlog drops what else comes
            filler.setblocking(False)
            filler.connect_ex(dead.getsockname())
        found = [(socket.AF_INET, dead.getsockname()), (socket.AF_INET, (server.host, server.port))]
        monkeypatch.setattr(stream, "_addresses", lambda endpoint: found)
        limits = Limits(connect_timeout=2.0)
        endpoint = Endpoint("two.example", server.port, "http")
        with Transport(endpoint, Trust("off"), deadline=Deadline.after(10), limits=limits) as transport:
            assert transport.get_json("/x") == {"target": "/x"}
        for filler in fillers:
            filler.close()


def test_a_name_that_does_not_resolve() -> None:
    transport = Transport(Endpoint("no-such-bmc.invalid"), Trust("off"), deadline=Deadline.after(10))
    with pytest.raises(Unreachable) as caught:
        transport.connect()
    assert "resolve" in caught.value.msg


# -- busy peers


def busy_then(times: int, raw: bytes) -> Any:
    """A handler that gives ``raw`` so many times, then answers."""
    return lambda request: raw if request.number < times else answer(request)


def messages(identifier: str, status: int, **headers: str) -> bytes:
    return reply({"error": {"@Message.ExtendedInfo": [{"MessageId": identifier}]}}, status, **headers)


NOT_READY = {
    "503": reply(status=503),
    "429": reply(status=429),
    "iDRAC starts": messages("IDRAC.2.8.SYS518", 400),
    "iDRAC's controller starts": messages("IDRAC.2.8.SWC0700", 500),
    "iLO in POST": messages("iLO.2.14.UnableToModifyDuringSystemPOST", 400),
    "iLO in another state": messages("iLO.2.14.InvalidOperationForSystemState", 400),
}


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("how", sorted(NOT_READY))
def test_who_says_busy_is_asked_again(how: str, method: str, serve: Serve, transport_to: Open) -> None:
    server = serve(busy_then(2, NOT_READY[how]))
    pauses: List[float] = []
    transport = transport_to(server, sleep=pauses.append, jitter=lambda: 1.0)
    assert transport.request(method, "/", body=None if method == "GET" else {}).status == 200
    assert pauses == [0.5, 1.0]
    assert transport.counters.retries == 2 and agrees(transport, server)


@pytest.mark.parametrize(
    ("raw", "method"),
    [
        (messages("Base.1.8.PropertyValueNotInList", 400), "PATCH"),
        (messages("IDRAC.2.8.SYS403", 400), "POST"),
        (messages("IDRAC.2.8.SYS518", 401), "GET"),
        (reply(status=500), "GET"),
        (reply(status=502), "POST"),
        (reply(status=401), "GET"),
        (reply({"Note": "SYS518"}, 200), "GET"),
    ],
)
def test_who_does_not_is_not(raw: bytes, method: str, serve: Serve, transport_to: Open) -> None:
    server = serve(lambda request: raw)
    transport_to(server, sleep=pytest.fail).request(method, "/")
    assert len(server.log.requests) == 1


def test_a_gateway_without_its_service_is_busy_to_reads(serve: Serve, transport_to: Open) -> None:
    server = serve(busy_then(1, reply(status=502)))
    assert transport_to(server, sleep=lambda seconds: None).get_json("/") == {"target": "/"}


@pytest.mark.parametrize(
    ("value", "least", "most"),
    [
        ("3", 3.0, 3.3),
        ("0", 0.0, 0.2),
        (format_datetime(NOW + timedelta(seconds=4), usegmt=True), 4.0, 4.4),
        (format_datetime(NOW - timedelta(hours=1), usegmt=True), 0.0, 0.2),
        ("soon", 0.25, 0.5),
        ("", 0.25, 0.5),
        ("-5", 0.0, 0.2),
        ("inf", 0.25, 0.5),
    ],
)
def test_retry_after_as_number_date_or_nonsense(
    value: str, least: float, most: float, serve: Serve, transport_to: Open
) -> None:
    server = serve(busy_then(1, reply(status=503, Retry_After=value)))
    pauses: List[float] = []
    transport_to(server, sleep=pauses.append, now=lambda: NOW).get_json("/")
    assert len(pauses) == 1 and least <= pauses[0] <= most


def test_one_that_stays_busy_is_left_after_a_bound(serve: Serve, transport_to: Open) -> None:
    server = serve(lambda request: messages("Base.1.8.ServiceTemporarilyUnavailable", 503))
    pauses: List[float] = []
    with pytest.raises(Busy) as caught:
        transport_to(server, sleep=pauses.append).request("GET", "/x")
    assert len(server.log.requests) == Limits().busy_retries + 1 and len(pauses) == Limits().busy_retries
    assert caught.value.where.endswith("/x") and "ServiceTemporarilyUnavailable" in caught.value.found


@pytest.mark.parametrize(
    ("seconds", "kw"),
    [(10.0, {"patience": 0.0}), (10.0, {"patience": 2.9}), (2.0, {})],
    ids=["none", "little", "deadline"],
)
def test_patience_and_deadline_are_not_slept_through(
    seconds: float, kw: dict[str, Any], serve: Serve, transport_to: Open
) -> None:
    server = serve(lambda request: reply(status=503, Retry_After="3"))
    transport = transport_to(server, seconds=seconds, sleep=pytest.fail)
    with pytest.raises(Busy):
        transport.request("GET", "/", **kw)
    assert transport.request("GET", "/", raise_busy=False, **kw).status == 503


def test_compression_is_allowed_once_to_who_cannot_do_without(serve: Serve, transport_to: Open) -> None:
    server = serve(lambda request: reply(status=406) if "accept-encoding" in request.headers else answer(request))
    transport = transport_to(server)
    assert transport.get_json("/registries/x") == {"target": "/registries/x"}
    assert server.log.headers("accept-encoding") == ["identity", ""] and transport.counters.retries == 1
    stubborn = serve(lambda request: reply(status=406))
    assert transport_to(stubborn).request("GET", "/").status == 406 and len(stubborn.log.requests) == 2


# -- deadlines and interruption


def test_a_black_hole_costs_its_time_and_no_more(serve: Serve, transport_to: Open) -> None:
    transport = transport_to(serve(lambda request: [60.0]), limits=Limits(request_timeout=0.4))
    started = time.monotonic()
    with pytest.raises(TimedOut):
        transport.request("GET", "/")
    assert 0.3 < time.monotonic() - started < 1.5 and transport.counters.requests == 1


def test_a_timeout_of_one_request(serve: Serve, transport_to: Open) -> None:
    transport = transport_to(serve(lambda request: [0.6, answer(request)]))
    with pytest.raises(TimedOut):
        transport.request("GET", "/", timeout=0.2)
    assert transport.request("GET", "/", timeout=5.0).status == 200


@pytest.mark.parametrize("accepts", [True, False])
def test_a_handshake_or_connect_that_stalls_ends_on_time(accepts: bool) -> None:
    with socket.socket() as listener:
        listener.bind(("127.41.0.1", 0))
        listener.listen(0)
        endpoint = Endpoint("127.41.0.1", listener.getsockname()[1])
        fillers = []
        if not accepts:  # a full backlog drops what else comes, as a firewall does
            for _filler in range(4):
                filler = socket.socket()
                filler.setblocking(False)
                filler.connect_ex(listener.getsockname())
                fillers.append(filler)
        transport = Transport(endpoint, Trust("off"), deadline=Deadline.after(10), limits=Limits(connect_timeout=0.4))
        started = time.monotonic()
        with pytest.raises(TimedOut):
            transport.connect()
        assert 0.3 < time.monotonic() - started < 1.5
        assert transport.counters.handshakes == 0 and transport.counters.connects == int(accepts)
        for filler in fillers:
            filler.close()


def test_nothing_begins_after_the_deadline(serve: Serve, transport_to: Open) -> None:
    server = serve(answer)
    transport = transport_to(server, seconds=0.0)
    with pytest.raises(TimedOut):
        transport.get_json("/")
    assert server.log.connections == 0


def test_cancelling_ends_a_read_that_waits(serve: Serve, transport_to: Open) -> None:
    cancelled = threading.Event()
    transport = transport_to(serve(lambda request: [60.0]), cancelled=cancelled)
    threading.Timer(0.2, cancelled.set).start()
    started = time.monotonic()
    with pytest.raises(Cancelled):
        transport.request("GET", "/")
    assert time.monotonic() - started < 2.0


def test_cancelling_ends_the_wait_for_a_busy_peer(serve: Serve, transport_to: Open) -> None:
    cancelled = threading.Event()
    transport = transport_to(serve(lambda request: reply(status=503, Retry_After="8")), cancelled=cancelled)
    threading.Timer(0.2, cancelled.set).start()
    started = time.monotonic()
    with pytest.raises(Cancelled):
        transport.request("GET", "/")
    assert time.monotonic() - started < 2.0


def test_a_login_under_way_is_heard_out_so_that_its_session_can_be_deleted(serve: Serve, transport_to: Open) -> None:
    cancelled = threading.Event()

    def handler(request: Received) -> List[Step]:
        if request.method == "POST":
            cancelled.set()
            return [0.7, reply({}, 201, Location="/Sessions/1")]
        return [answer(request)]

    server = serve(handler)
    transport = transport_to(server, cancelled=cancelled)
    session = transport.request("POST", "/Sessions", body={"Password": "x"}, secret_body=True)
    with pytest.raises(Cancelled):
        transport.request("GET", "/Systems")
    transport.wind_down(2.0)
    assert transport.request("DELETE", session.headers.get("location")).status == 200
    assert [request.method for request in server.log.requests] == ["POST", "DELETE"]


def test_but_not_for_ever(serve: Serve, transport_to: Open) -> None:
    cancelled = threading.Event()
    limits = Limits(cancel_grace=0.3)
    transport = transport_to(serve(lambda request: [60.0]), cancelled=cancelled, limits=limits)
    cancelled_soon = threading.Timer(0.1, cancelled.set)
    cancelled_soon.start()
    started = time.monotonic()
    with pytest.raises(TimedOut):
        transport.request("POST", "/Sessions", body={})
    assert time.monotonic() - started < 2.5


def test_winding_down_works_after_the_deadline(serve: Serve, transport_to: Open) -> None:
    server = serve(answer)
    transport = transport_to(server, seconds=0.3)
    transport.get_json("/")
    time.sleep(0.4)
    with pytest.raises(TimedOut):
        transport.get_json("/")
    transport.wind_down(2.0)
    assert transport.request("DELETE", "/Sessions/1").status == 200


def test_progress_is_told_when_bytes_come(authority: Authority, serve: Serve, transport_to: Open) -> None:
    beats: List[float] = []
    server = serve(lambda r: [reply({})[:10], 0.1, reply({})[10:]], context=authority.issue("x").server_context())
    transport_to(server, on_progress=lambda: beats.append(1)).request("GET", "/")
    assert len(beats) >= 4  # TCP, TLS, two pieces


def test_a_second_thread_waits_its_turn(serve: Serve, transport_to: Open) -> None:
    server = serve(lambda request: [0.05, answer(request)])
    transport = transport_to(server)
    answers: List[Any] = []
    threads = [
        threading.Thread(target=lambda at=at: answers.append((at, transport.get_json(f"/{at}")))) for at in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [(at, {"target": f"/{at}"}) for at in range(6)] and server.log.connections == 1


def test_no_descriptor_is_left_behind(authority: Authority, serve: Serve, transport_to: Open, monkeypatch: Any) -> None:
    opened: List[socket.socket] = []
    original = stream.open_tcp
    monkeypatch.setattr(
        "ansible_collections.hearth.datacenter.plugins.module_utils._core.connection.open_tcp",
        lambda *args: opened.append(original(*args)) or opened[-1],
    )
    server = serve(lambda request: b"nonsense\r\n\r\n", context=authority.issue("127.41.0.9").server_context())
    for trust in (Trust("off"), Trust("verify", ca_path=str(authority.ca))):
        for _attempt in range(3):
            with pytest.raises(Exception, match="proper|verified"):
                transport_to(server, trust).request("GET", "/")
    assert len(opened) == 6 and all(sock.fileno() == -1 for sock in opened)


# -- typed answers


@pytest.mark.parametrize(
    ("status", "error"), [(401, AuthenticationFailed), (403, AccessDenied), (404, NotFound), (302, ProtocolViolation)]
)
def test_get_json_raises_what_the_status_means(
    status: int, error: type[Exception], serve: Serve, transport_to: Open
) -> None:
    with pytest.raises(error) as caught:
        transport_to(serve(lambda request: reply({}, status))).get_json("/Systems/1")
    assert caught.value.where.endswith("/Systems/1")  # type: ignore[attr-defined]


# -- changes and ETags, over the wire; the ladder itself is in test_etag


def test_modify_finds_the_form_that_the_bmc_compares(serve: Serve, transport_to: Open) -> None:
    def handler(request: Received) -> bytes:
        if request.method == "GET":
            return reply({}, ETag='W/"7"')
        return reply(status=204 if request.headers.get("if-match") == 'W/"7"' else 412)

    server = serve(handler)
    assert transport_to(server).modify("PATCH", "/x", {"a": 1}, etag='W/"7"').status == 204
    assert [r.headers.get("if-match") for r in server.log.requests if r.method == "PATCH"] == ['"7"', 'W/"7"']


def test_modify_does_not_overwrite_what_somebody_else_changed(serve: Serve, transport_to: Open) -> None:
    server = serve(lambda request: reply({}, 200 if request.method == "GET" else 412, ETag='"8"'))
    with pytest.raises(PreconditionFailed):
        transport_to(server).modify("PATCH", "/x", {"a": 1}, etag='"7"')
    assert [request.method for request in server.log.requests].count("PATCH") == 1


def test_modify_asks_for_the_etag_that_is_demanded(serve: Serve, transport_to: Open) -> None:
    def handler(request: Received) -> bytes:
        if request.method == "GET":
            return reply({"@odata.etag": '"9"'})
        return reply(status=200 if request.headers.get("if-match") == '"9"' else 428)

    server = serve(handler)
    assert transport_to(server).modify("PATCH", "/x", {"a": 1}, etag=None).status == 200
    assert [request.method for request in server.log.requests] == ["PATCH", "GET", "PATCH"]
