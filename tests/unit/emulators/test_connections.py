# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTTP and TLS on real sockets: keep-alive, pipelining, what is no HTTP, latency, BMC reset."""

from __future__ import annotations

import http.client
import ssl
import time
from collections.abc import Iterator

import pytest

from tests.emulators.redfish.fleet import Fleet
from tests.unit.emulators.raw_client import SESSIONS, Client, basic, exchange

ROOT = "/redfish/v1"
SYSTEM = f"{ROOT}/Systems/1"


def test_the_certificate_is_the_fleets_and_names_the_address(fleet: Fleet, client: Client) -> None:
    assert client.get(ROOT).status == 200
    sock = client.connection.sock
    assert isinstance(sock, ssl.SSLSocket)
    assert sock.version() == "TLSv1.3"
    peer = sock.getpeercert() or {}
    assert peer["subjectAltName"] == (("IP Address", client.address),)


def test_each_bmc_has_its_own_key(fleet: Fleet) -> None:
    found = set()
    for address in fleet.addresses[:4]:
        with Client(fleet, address) as client:
            client.get(ROOT)
            found.add(client.certificate)
    assert len(found) == 4


def test_one_connection_serves_many_requests(fleet: Fleet, client: Client) -> None:
    fleet.reset_statistics()
    client.log_in()
    for _dummy in range(20):
        assert client.get(SYSTEM).status == 200
    client.log_out()
    found = fleet.statistics()
    assert (found["requests"], found["connections"], found["handshakes"]) == (22, 1, 1)


def test_plain_http_serves_the_same(fleet: Fleet, address: str, client: Client) -> None:
    with Client(fleet, address, scheme="http") as plain:
        assert plain.get(ROOT).json() == client.get(ROOT).json()


def test_requests_in_one_packet_are_answered_in_order(fleet: Fleet, address: str) -> None:
    head = b" HTTP/1.1\r\nHost: x\r\n"
    data = b"GET /redfish" + head + b"\r\nHEAD /redfish/v1" + head + b"\r\nGET /redfish" + head
    got = exchange(address, fleet.http_port, data + b"Connection: close\r\n\r\n")
    assert got.count(b"HTTP/1.1 200 OK") == 3
    assert got.count(b'{"v1":"/redfish/v1/"}') == 2


def test_a_body_in_chunks_is_read(fleet: Fleet, address: str) -> None:
    body = b'{"UserName":"hearth","Password":"emulated-fleet"}'
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:10], body[10:])) + b"0\r\n\r\n"
    head = f"POST {SESSIONS} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    assert exchange(address, fleet.http_port, head.encode() + chunks).startswith(b"HTTP/1.1 201")


def test_who_waits_for_100_gets_it(fleet: Fleet, address: str) -> None:
    head = (
        f"POST {SESSIONS} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\n"
    )
    got = exchange(address, fleet.http_port, head.encode() + b"{}")
    assert got.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 400 Bad Request")


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"\x16\x03\x01\x00\x05hello", b"400"),
        (b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"400"),
        (b"FETCH /redfish/v1 HTTP/1.1\r\nHost: x\r\n\r\n", b"501"),
    ],
)
def test_what_is_no_http_gets_a_status_and_the_door(fleet: Fleet, address: str, data: bytes, status: bytes) -> None:
    assert exchange(address, fleet.http_port, data).startswith(b"HTTP/1.1 " + status)


def test_http_1_0_closes(fleet: Fleet, address: str) -> None:
    assert exchange(address, fleet.http_port, b"GET /redfish HTTP/1.0\r\n\r\n").endswith(b'{"v1":"/redfish/v1/"}')


def test_no_tls_where_tls_is_due_is_a_failed_handshake(fleet: Fleet, address: str) -> None:
    fleet.reset_statistics()
    exchange(address, fleet.https_port, b"GET /redfish/v1 HTTP/1.1\r\nHost: x\r\n\r\n")
    found = fleet.admin("GET", f"/bmcs/{address}")["statistics"]
    assert (found["connections"], found["handshakes"], found["failed_handshakes"], found["requests"]) == (1, 0, 1, 0)


def test_a_client_that_trusts_nobody_leaves_no_request(fleet: Fleet, address: str) -> None:
    connection = http.client.HTTPSConnection(address, fleet.https_port, timeout=3)
    with pytest.raises(ssl.SSLCertVerificationError):
        connection.request("GET", ROOT)
    connection.close()


def test_a_bmc_reset_answers_then_goes_away_and_comes_back_without_sessions(fleet: Fleet, address: str) -> None:
    with Client(fleet, address) as client:
        client.log_in()
        answer = client.request("POST", f"{ROOT}/Managers/1/Actions/Manager.Reset", {"ResetType": "ForceRestart"})
        assert answer.status == 200 and answer.headers["Connection"] == "close"
        client.connection.close()
        # whoever knocks in the moment in which it goes is let in and thrown out
        away = (ConnectionRefusedError, ConnectionResetError)
        with pytest.raises(away):
            client.get(ROOT)
        client.connection.close()
        until = time.monotonic() + 15
        while True:
            try:
                assert client.get(SYSTEM).status == 401
                break
            except away:
                assert time.monotonic() < until, "the BMC did not come back"
                client.connection.close()
                time.sleep(0.1)
        client.headers = basic(fleet.username, fleet.password)
        assert client.get(SYSTEM).json()["PowerState"] == "On", "the machine ran on"


@pytest.fixture(scope="module")
def slow() -> Iterator[Fleet]:
    with Fleet(2, "127.43.3.0/24", platforms="generic", latency="80-160") as started:
        yield started


def test_latency_is_within_its_range_for_each_request(slow: Fleet) -> None:
    with Client(slow, slow.addresses[0]) as client:
        client.get(ROOT)
        taken = []
        for _dummy in range(6):
            started = time.monotonic()
            client.get(ROOT)
            taken.append(time.monotonic() - started)
    assert min(taken) >= 0.08
    assert sum(taken) / len(taken) < 0.3


def test_latency_of_one_bmc_does_not_hold_another_up(slow: Fleet) -> None:
    with Client(slow, slow.addresses[0]) as one, Client(slow, slow.addresses[1]) as two:
        one.get(ROOT)
        two.get(ROOT)
        started = time.monotonic()
        for client in (one, two):
            client.connection.request("GET", ROOT)
        for client in (one, two):
            client.connection.getresponse().read()
        assert time.monotonic() - started < 0.3
