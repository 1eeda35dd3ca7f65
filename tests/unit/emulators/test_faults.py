# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each fault as a client meets it, switched on and off at run time."""

from __future__ import annotations

import http.client
import json
import re
import socket
import ssl
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from tests.emulators.redfish.faults import faults_by_name
from tests.emulators.redfish.fleet import Fleet, FleetFailed
from tests.unit.emulators.raw_client import Answer, Client, exchange

ROOT = "/redfish/v1"
SYSTEM = f"{ROOT}/Systems/1"
SYSTEMS = f"{ROOT}/Systems"


def read_for(sock: socket.socket, seconds: float) -> bytes:
    """What arrives within that time."""
    got, until = b"", time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        sock.settimeout(left)
        try:
            more = sock.recv(65536)
        except TimeoutError:
            break
        if not more:
            break
        got += more
    return got


def client_hello() -> bytes:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.create_default_context()
    tls = context.wrap_bio(incoming, outgoing, server_hostname="127.43.1.4")
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    return outgoing.read()


def test_every_fault_has_its_test_here() -> None:
    named = set(re.findall(r"^def test_([a-z0-9_]+?)(?:__\w+)?\(", Path(__file__).read_text(encoding="utf-8"), re.M))
    assert not set(faults_by_name()) - named


@pytest.mark.parametrize("port", ["https_port", "http_port"])
def test_black_hole(fleet: Fleet, address: str, port: str) -> None:
    fleet.faults(address, black_hole={})
    with socket.create_connection((address, getattr(fleet, port)), timeout=2) as sock:
        sock.sendall(client_hello() if port == "https_port" else b"GET /redfish/v1 HTTP/1.1\r\nHost: x\r\n\r\n")
        assert read_for(sock, 0.3) == b""


def test_black_hole__lets_go_when_it_ends(fleet: Fleet, address: str) -> None:
    fleet.faults(address, black_hole={})
    socket.create_connection((address, fleet.https_port), timeout=2).close()
    fleet.faults(address)
    with Client(fleet, address) as client:
        assert client.get(ROOT).status == 200


def test_refused(fleet: Fleet, address: str) -> None:
    fleet.faults(address, refused={})
    for port in (fleet.https_port, fleet.http_port):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((address, port), timeout=2)
    fleet.faults(address)
    with Client(fleet, address) as client:
        assert client.get(ROOT).status == 200


def test_tls_stall(fleet: Fleet, address: str) -> None:
    fleet.faults(address, tls_stall={"bytes": 7})
    with socket.create_connection((address, fleet.https_port), timeout=2) as sock:
        sock.sendall(client_hello())
        got = read_for(sock, 0.3)
    assert len(got) == 7 and got[:1] == b"\x16", "the beginning of a handshake record, and no more"
    with Client(fleet, address, scheme="http") as client:
        assert client.get(ROOT).status == 200


def test_random_401(client: Client) -> None:
    client.log_in()
    client.fleet.faults(client.address, random_401={"rate": 0.5})
    statuses = [client.get(SYSTEM).status for _dummy in range(60)]
    assert {200, 401} == set(statuses)
    assert 15 < statuses.count(401) < 45
    client.headers.clear()
    assert {client.get(ROOT).status for _dummy in range(20)} == {200}, "who shows no credentials is not refused"


def test_random_401__is_the_same_in_each_run(client: Client) -> None:
    client.log_in()
    runs = []
    for _dummy in range(2):
        client.fleet.faults(client.address, random_401={"rate": 0.5})
        runs.append([client.get(SYSTEM).status for _dummy in range(30)])
    assert runs[0] == runs[1]


def test_unavailable(client: Client) -> None:
    client.fleet.faults(client.address, unavailable={"retry_after": 9})
    answer = client.get(SYSTEM)
    assert (answer.status, answer.headers["Retry-After"], answer.message_id) == (
        503,
        "9",
        "ServiceTemporarilyUnavailable",
    )
    assert client.get(ROOT).status == 200


def test_unavailable__tells_a_date(client: Client) -> None:
    client.fleet.faults(client.address, unavailable={"retry_after": 3600, "date": True, "root": True})
    when = parsedate_to_datetime(client.get(ROOT).headers["Retry-After"])
    assert 3500 < (when - datetime.now(timezone.utc)).total_seconds() <= 3600


def test_unavailable__ends_after_its_times(client: Client) -> None:
    client.log_in()
    client.fleet.faults(client.address, unavailable={"times": 2})
    assert [client.get(SYSTEM).status for _dummy in range(3)] == [503, 503, 200]


def test_drop_mid_body(client: Client) -> None:
    client.fleet.faults(client.address, drop_mid_body={})
    with pytest.raises(http.client.IncompleteRead) as broken:
        client.get(ROOT)
    assert 0 < len(broken.value.partial) and broken.value.expected is not None


def test_truncated(client: Client) -> None:
    client.fleet.faults(client.address, truncated={})
    answer = client.get(ROOT)
    assert answer.status == 200 and len(answer.body) == int(answer.headers["Content-Length"])
    with pytest.raises(json.JSONDecodeError):
        answer.json()


def test_lost_answer(client: Client) -> None:
    client.log_in()
    client.fleet.faults(client.address, lost_answer={"methods": ["PATCH"]})
    with pytest.raises((http.client.HTTPException, OSError)):
        client.request("PATCH", SYSTEM, {"AssetTag": "done-all-the-same"})
    assert client.get(SYSTEM).json()["AssetTag"] == "done-all-the-same"
    client.fleet.faults(client.address)
    client.request("PATCH", SYSTEM, {"AssetTag": "HEARTH-000004"})


def test_forgets(client: Client) -> None:
    client.fleet.faults(client.address, forgets={})
    client.log_in()
    assert client.request("PATCH", SYSTEM, {"AssetTag": "never"}).status == 204
    assert client.get(SYSTEM).json()["AssetTag"] == "HEARTH-000004"
    target = f"{SYSTEM}/Actions/ComputerSystem.Reset"
    assert client.request("POST", target, {"ResetType": "ForceOff"}).status == 204
    (state,) = {client.fleet.admin("GET", "/state")[client.address]["power"][SYSTEM]}
    assert state == "On"


def test_not_json(client: Client) -> None:
    client.fleet.faults(client.address, not_json={})
    answer = client.get(ROOT)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html")
    assert answer.body.startswith(b"<!DOCTYPE html>")


def test_slow_resource(client: Client) -> None:
    client.log_in()
    client.fleet.faults(client.address, slow_resource={"path": SYSTEM, "seconds": 0.4})
    started = time.monotonic()
    client.get(f"{ROOT}/Chassis")
    assert time.monotonic() - started < 0.3
    client.get(SYSTEM)
    assert time.monotonic() - started >= 0.4


def test_wrong_etag(client: Client) -> None:
    client.log_in()
    client.fleet.faults(client.address, wrong_etag={})
    first, second = client.get(SYSTEM).headers["ETag"], client.get(SYSTEM).headers["ETag"]
    assert first != second
    assert client.request("PATCH", SYSTEM, {"AssetTag": "x"}, {"If-Match": second}).status == 412
    assert client.request("PATCH", SYSTEM, {"AssetTag": "HEARTH-000004"}).status == 200


def test_duplicate_etag(client: Client) -> None:
    client.log_in()
    client.fleet.faults(client.address, duplicate_etag={})
    tags = client.get(SYSTEM).headers.get_all("ETag") or []
    assert len(tags) == 2
    statuses = {
        client.request("PATCH", SYSTEM, {"AssetTag": "HEARTH-000004"}, {"If-Match": tag}).status for tag in tags
    }
    assert statuses == {200, 412}


@pytest.mark.parametrize(("how", "member"), [("references", {"@odata.id": SYSTEM}), ("empty", {})])
def test_broken_expand(client: Client, how: str, member: dict[str, str]) -> None:
    client.log_in()
    assert client.get(f"{SYSTEMS}?$expand=.").json()["Members"][0]["Id"] == "1"
    client.fleet.faults(client.address, broken_expand={"how": how})
    assert client.get(f"{SYSTEMS}?$expand=.").json()["Members"] == [member]
    assert client.get(SYSTEMS).json()["Members"] == [{"@odata.id": SYSTEM}]


def test_broken_expand__can_be_an_error(client: Client) -> None:
    client.log_in()
    client.fleet.faults(client.address, broken_expand={"how": "error"})
    assert client.get(f"{SYSTEMS}?$expand=.").status == 500


def test_broken_expand__needs_a_login_as_before(client: Client) -> None:
    client.fleet.faults(client.address, broken_expand={})
    assert client.get(f"{SYSTEMS}?$expand=.").status == 401


def test_restart(fleet: Fleet, address: str) -> None:
    with Client(fleet, address) as client:
        client.log_in()
        fleet.faults(address, restart={"after": 2, "seconds": 0.5})
        assert [client.get(SYSTEM).status for _dummy in range(2)] == [200, 200]
        with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError, ssl.SSLError)):
            client.get(SYSTEM)
        client.connection.close()
        with pytest.raises(ConnectionRefusedError):
            client.get(ROOT)
        client.connection.close()
        until = time.monotonic() + 5
        while time.monotonic() < until:
            try:
                status = client.get(SYSTEM).status
            except ConnectionRefusedError:
                client.connection.close()
                time.sleep(0.05)
                continue
            assert status == 401, "sessions are gone"
            break
        else:
            pytest.fail("the BMC did not come back")


def key_of(fleet: Fleet, address: str) -> bytes:
    with Client(fleet, address) as client:
        client.get(ROOT)
        return client.certificate


def test_changed_certificate(fleet: Fleet, address: str) -> None:
    before = key_of(fleet, address)
    assert key_of(fleet, address) == before
    fleet.faults(address, changed_certificate={})
    changed = key_of(fleet, address)
    assert changed != before
    fleet.faults(address)
    assert key_of(fleet, address) == before


def test_hostile_strings(client: Client) -> None:
    client.log_in()
    client.fleet.faults(client.address, hostile_strings={})
    body = client.get(SYSTEM).json()
    assert "{{ lookup(" in body["AssetTag"]
    assert len(body["Model"]) == 1_000_000
    assert "\x1b[" in body["Manufacturer"] and "\u202e" in body["SerialNumber"]


def test_hostile_strings__can_be_ones_own(client: Client) -> None:
    client.log_in()
    client.fleet.faults(client.address, hostile_strings={"strings": {"Model": "\ud83d"}})
    body = client.get(SYSTEM).json()
    assert body["Model"] == "\ud83d" and body["SerialNumber"] != ""


@pytest.mark.parametrize("fresh", [False, True])
def test_endless_paging(client: Client, fresh: bool) -> None:
    client.log_in()
    client.fleet.faults(client.address, endless_paging={"fresh": fresh})
    target, seen, members = SYSTEMS, set(), []
    for _dummy in range(20):
        body = client.get(target).json()
        members += [member["@odata.id"] for member in body["Members"]]
        target = body["Members@odata.nextLink"]
        assert target not in seen
        seen.add(target)
    assert len(set(members)) == (951 if fresh else 1)


def test_huge_body(fleet: Fleet, address: str) -> None:
    with Client(fleet, address) as client:
        client.log_in()
        fleet.faults(address, huge_body={"bytes": 3_000_000})
        answer = client.get(SYSTEMS)
        assert len(answer.body) == 3_000_000 == int(answer.headers["Content-Length"])
        assert len(answer.json()["Name"]) > 2_999_000
    fleet.faults(address, huge_body={})
    with Client(fleet, address) as client:
        before = fleet.statistics()["rss_bytes"]
        client.connection.request("GET", SYSTEMS)
        response = client.connection.getresponse()
        assert response.headers["Content-Length"] == "10000000000"
        for _dummy in range(200):
            assert len(response.read(65536)) == 65536
        response.close()
        assert fleet.statistics()["rss_bytes"] - before < 8_000_000, "it is made as it is read"


def test_endless_links(client: Client) -> None:
    client.log_in()
    client.fleet.faults(client.address, endless_links={})
    path = client.get(SYSTEMS).json()["Members"][1]["@odata.id"]
    for _dummy in range(12):
        body = client.get(path).json()
        path = client.get(body["Systems"]["@odata.id"]).json()["Members"][0]["@odata.id"]
    assert path.count("/Loop") == 13


# switching


def test_an_unknown_fault_or_option_is_refused_with_what_there_is(fleet: Fleet, address: str) -> None:
    with pytest.raises(FleetFailed, match=r"there is no fault gremlins; there are black_hole"):
        fleet.faults(address, gremlins={})
    with pytest.raises(FleetFailed, match=r"has no option speed; it has after"):
        fleet.faults(address, slow_resource={"speed": 1})
    with pytest.raises(FleetFailed, match=r"seconds is a number"):
        fleet.faults(address, slow_resource={"seconds": "long"})
    with pytest.raises(FleetFailed, match=r"404.*no BMC 127\.43\.99\.99"):
        fleet.faults("127.43.99.99", refused={})


def test_faults_can_be_shared_out_over_the_fleet(fleet: Fleet) -> None:
    try:
        found = fleet.admin("PUT", "/faults", {"refused": "25%", "unavailable": {"share": "2", "retry_after": 3}})
        assert (len(found["refused"]), len(found["unavailable"])) == (3, 2)
        assert not set(found["refused"]) & set(found["unavailable"])
        described = fleet.admin("GET", "/bmcs")
        assert {address for address, bmc in described.items() if "refused" in bmc["faults"]} == set(found["refused"])
        assert described[found["unavailable"][0]]["faults"]["unavailable"]["retry_after"] == 3
    finally:
        fleet.admin("DELETE", "/faults")
    assert not any(bmc["faults"] for bmc in fleet.admin("GET", "/bmcs").values())


@pytest.fixture(scope="module")
def faulty() -> Iterator[Fleet]:
    faults = "black_hole=25%,refused=1,unavailable=2:retry_after=3:root=true"
    with Fleet(8, "127.43.2.0/24", platforms="generic", faults=faults, workers=2) as started:
        yield started


def test_faults_of_the_command_line_are_there_at_start(faulty: Fleet) -> None:
    of = {name: [bmc["address"] for bmc in faulty.bmcs if name in bmc["faults"]] for name in faults_by_name()}
    assert (len(of["black_hole"]), len(of["refused"]), len(of["unavailable"])) == (2, 1, 2)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((of["refused"][0], faulty.https_port), timeout=2)
    with socket.create_connection((of["black_hole"][0], faulty.https_port), timeout=2) as sock:
        sock.sendall(client_hello())
        assert read_for(sock, 0.2) == b""
    with Client(faulty, of["unavailable"][0]) as client:
        answer: Answer = client.get(ROOT)
        assert (answer.status, answer.headers["Retry-After"]) == (503, "3")


def test_addresses_without_a_bmc_refuse(faulty: Fleet) -> None:
    with pytest.raises(ConnectionRefusedError):
        exchange("127.43.2.100", faulty.https_port, b"")
