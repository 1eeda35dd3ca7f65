# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Event subscriptions: kept, judged, and served with what the BMC logs."""

from __future__ import annotations

import http.server
import json
import queue
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.emulators.redfish.bmc import Bmc
from tests.emulators.redfish.fleet import Fleet
from tests.unit.emulators.in_process import ask, get
from tests.unit.emulators.raw_client import Client, basic

EVENTS = "/redfish/v1/EventService"
SUBSCRIPTIONS = f"{EVENTS}/Subscriptions"
SUBMIT = f"{EVENTS}/Actions/EventService.SubmitTestEvent"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "MalformedJSON"),
        ({"Protocol": "Redfish"}, "CreateFailedMissingReqProperties"),
        ({"Protocol": "FTP", "Destination": "http://127.0.0.1/"}, "PropertyValueNotInList"),
        ({"Protocol": "Redfish", "Destination": "gopher://127.0.0.1/"}, "PropertyValueFormatError"),
        ({"Protocol": "Redfish", "Destination": "http://127.0.0.1:99999/"}, "PropertyValueFormatError"),
        ({"Protocol": "Redfish", "Destination": "http://127.0.0.1/", "Colour": 1}, "PropertyUnknown"),
    ],
)
def test_a_bad_subscription_is_refused(make_bmc: Callable[..., Bmc], body: Any, message: str) -> None:
    answer = ask(make_bmc(), "POST", SUBSCRIPTIONS, body)
    assert (answer.status, answer.message_id) == (400, message)


def test_a_subscription_comes_changes_and_goes(make_bmc: Callable[..., Bmc]) -> None:
    bmc = make_bmc()
    wanted = {
        "Protocol": "Redfish",
        "Destination": "https://127.0.0.1:9/x",
        "HttpHeaders": [{"Authorization": "secret"}],
    }
    made = ask(bmc, "POST", SUBSCRIPTIONS, wanted)
    path = made.header("Location") or ""
    assert made.status == 201 and made.json()["HttpHeaders"] == []
    assert ask(bmc, "PATCH", path, {"Context": "mine"}).status == 200
    assert get(bmc, path).json()["Context"] == "mine"
    assert ask(bmc, "PATCH", path, {"Destination": "https://127.0.0.2/"}).message_id == "PropertyNotWritable"
    assert get(bmc, SUBSCRIPTIONS).json()["Members"] == [{"@odata.id": path}]
    assert ask(bmc, "DELETE", path).status == 204
    assert get(bmc, path).status == 404


@pytest.fixture
def listener() -> Iterator[tuple[str, queue.Queue[tuple[str, str | None, dict[str, Any]]]]]:
    heard: queue.Queue[tuple[str, str | None, dict[str, Any]]] = queue.Queue()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            heard.put((self.client_address[0], self.headers.get("X-Secret"), body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:
            return

    with http.server.ThreadingHTTPServer(("127.43.6.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.43.6.1:{server.server_address[1]}/events", heard
        server.shutdown()
        thread.join()


def test_events_reach_the_listener_from_the_bmcs_address(
    fleet: Fleet, listener: tuple[str, queue.Queue[tuple[str, str | None, dict[str, Any]]]]
) -> None:
    url, heard = listener
    address = fleet.addresses[8]
    with Client(fleet, address) as client:
        client.headers = basic(fleet.username, fleet.password)
        wanted = {"Protocol": "Redfish", "Destination": url, "Context": "rack 1", "HttpHeaders": [{"X-Secret": "s"}]}
        path = client.request("POST", SUBSCRIPTIONS, wanted).headers["Location"]
        assert (
            client.request("POST", f"{EVENTS}/Actions/EventService.SubmitTestEvent", {"Message": "hello"}).status == 200
        )
        source, secret, event = heard.get(timeout=5)
        assert (source, secret, event["Context"]) == (address, "s", "rack 1")
        assert event["Events"][0]["Message"] == "hello"
        client.request("POST", "/redfish/v1/Systems/1/Actions/ComputerSystem.Reset", {"ResetType": "ForceRestart"})
        _dummy, _dummy, event = heard.get(timeout=5)
        assert "ForceRestart" in event["Events"][0]["Message"]
        origin = event["Events"][0]["OriginOfCondition"]["@odata.id"]
        assert client.get(origin).json()["Message"] == event["Events"][0]["Message"]
        assert client.request("DELETE", path).status == 204
        client.request("POST", SUBMIT, {})
        with pytest.raises(queue.Empty):
            heard.get(timeout=0.3)
    assert fleet.statistics()["internal_errors"] == 0


def test_no_event_leaves_the_machine(fleet: Fleet) -> None:
    with Client(fleet, fleet.addresses[9]) as client:
        client.headers = basic(fleet.username, fleet.password)
        body = {"Protocol": "Redfish", "Destination": "http://192.0.2.1/"}
        assert client.request("POST", SUBSCRIPTIONS, body).status == 201
        client.request("POST", SUBMIT, {})
        worker = fleet.description["pids"]
        tcp = Path(f"/proc/{worker[1]}/net/tcp").read_text(encoding="ascii")
        assert "010200C0" not in tcp, "192.0.2.1, as the kernel writes it"
