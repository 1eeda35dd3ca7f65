# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""sushy's own resource classes over our transport, against a small HTTPS server and against the emulated fleet."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import threading
from contextlib import ExitStack
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core import errors
from ansible_collections.hearth.datacenter.plugins.module_utils._core.response import Headers, Response
from ansible_collections.hearth.datacenter.plugins.module_utils._core.transport import (
    Deadline,
    Endpoint,
    Limits,
    Transport,
)
from ansible_collections.hearth.datacenter.plugins.module_utils._core.trust import Trust
from ansible_collections.hearth.datacenter.plugins.module_utils._redfish.sushy_connector import (
    SushyConnector,
    SushyResponse,
    open_service,
    typed_error,
)
from tests.emulators.redfish.fleet import Fleet
from tests.servers.certificates import Authority
from tests.servers.scripted_http import CLOSE, Received, ScriptedServer, reply

sushy = pytest.importorskip("sushy", reason="the Python library sushy is not installed")
exceptions = sushy.exceptions

ROOT = Path(__file__).parents[5]
USER, PASSWORD = "hearth", "canary-4711-hush"
SYSTEM = "/redfish/v1/Systems/1"


def resource(path: str, **properties: Any) -> Dict[str, Any]:
    return {"@odata.id": path, "Id": path.rsplit("/", 1)[-1], "Name": "a resource", **properties}


class SmallBmc:
    """One system, one manager, one chassis; Basic and Session authentication; ETags that it compares."""

    def __init__(self) -> None:
        self.token = "token-1"
        self.password = PASSWORD
        self.sessions: List[str] = []
        self.overrides: Dict[str, Any] = {}
        self.power = "On"
        self.version = 1
        self.if_match_form = 'W/"{}"'
        v1 = "/redfish/v1"
        self.tree: Dict[str, Dict[str, Any]] = {
            v1: resource(
                f"{v1}/",
                RedfishVersion="1.15.0",
                UUID="92384634-2938-2342-8820-489239905423",
                Systems={"@odata.id": f"{v1}/Systems"},
                Managers={"@odata.id": f"{v1}/Managers"},
                Chassis={"@odata.id": f"{v1}/Chassis"},
                SessionService={"@odata.id": f"{v1}/SessionService"},
                Links={"Sessions": {"@odata.id": f"{v1}/SessionService/Sessions"}},
            ),
            f"{v1}/Systems": resource(f"{v1}/Systems", Members=[{"@odata.id": SYSTEM}]),
            f"{v1}/Managers": resource(f"{v1}/Managers", Members=[{"@odata.id": f"{v1}/Managers/bmc"}]),
            f"{v1}/Chassis": resource(f"{v1}/Chassis", Members=[{"@odata.id": f"{v1}/Chassis/chassis"}]),
            SYSTEM: resource(
                SYSTEM,
                SystemType="Physical",
                SerialNumber="J7K2M03",
                Manufacturer="Contoso",
                PowerState="On",
                MemorySummary={"TotalSystemMemoryGiB": 96},
                Boot={
                    "BootSourceOverrideEnabled": "Disabled",
                    "BootSourceOverrideTarget": "None",
                    "BootSourceOverrideTarget@Redfish.AllowableValues": ["None", "Pxe", "Hdd"],
                    "BootSourceOverrideMode": "UEFI",
                },
                Actions={
                    "#ComputerSystem.Reset": {
                        "target": f"{SYSTEM}/Actions/ComputerSystem.Reset",
                        "ResetType@Redfish.AllowableValues": ["On", "ForceOff", "GracefulShutdown"],
                    }
                },
            ),
            f"{v1}/Managers/bmc": resource(f"{v1}/Managers/bmc", ManagerType="BMC", FirmwareVersion="2.14"),
            f"{v1}/Chassis/chassis": resource(
                f"{v1}/Chassis/chassis", ChassisType="RackMount", IndicatorLED="Off", SerialNumber="C1"
            ),
        }

    def __call__(self, request: Received) -> Any:
        path = request.target.rstrip("/")
        if path in self.overrides:
            return self.overrides[path](request)
        if request.method == "POST" and path.endswith("/Sessions"):
            return self._log_in(request)
        if path != "/redfish/v1" and not self._authorized(request):
            return reply({"error": {"code": "Base.1.0.AccessDenied", "message": "no"}}, 401)
        if request.method == "DELETE":
            self.sessions.remove(path)
            return reply(status=204)
        if request.method == "POST" and path.endswith(".Reset"):
            self.power = {"On": "On", "ForceOff": "Off"}[json.loads(request.body)["ResetType"]]
            self.tree[SYSTEM]["PowerState"] = self.power
            return reply(status=204)
        if path not in self.tree:
            return reply({"error": {"code": "Base.1.0.ResourceMissingAtURI", "message": "none"}}, 404)
        if request.method == "PATCH":
            return self._change(request, path)
        return reply(self.tree[path], ETag=f'W/"{self.version}"')

    def _authorized(self, request: Received) -> bool:
        pair = base64.b64encode(f"{USER}:{self.password}".encode()).decode()
        basic = request.headers.get("authorization") == f"Basic {pair}"
        return basic or (bool(self.sessions) and request.headers.get("x-auth-token") == self.token)

    def _log_in(self, request: Received) -> bytes:
        if json.loads(request.body) != {"UserName": USER, "Password": self.password}:
            return reply({"error": {}}, 401)
        self.sessions.append(f"/redfish/v1/SessionService/Sessions/{len(self.sessions) + 1}")
        return reply({}, 201, X_Auth_Token=self.token, Location=self.sessions[-1])

    def _change(self, request: Received, path: str) -> bytes:
        if request.headers.get("if-match") != self.if_match_form.format(self.version):
            return reply({"error": {}}, 412)
        for name, value in json.loads(request.body).items():
            if isinstance(value, dict):
                self.tree[path][name].update(value)
            else:
                self.tree[path][name] = value
        return reply(status=204)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def bmc() -> SmallBmc:
    return SmallBmc()


@pytest.fixture
def server(bmc: SmallBmc, authority: Authority) -> Iterator[ScriptedServer]:
    with ScriptedServer(bmc, context=authority.issue("127.41.0.1").server_context()) as running:
        yield running


@pytest.fixture
def transport(server: ScriptedServer, authority: Authority) -> Iterator[Transport]:
    trust = Trust("verify", ca_path=str(authority.ca))
    with Transport(Endpoint(server.host, server.port), trust, deadline=Deadline.after(20)) as opened:
        yield opened


@pytest.fixture
def connector(transport: Transport) -> SushyConnector:
    connector = SushyConnector(transport)
    connector.set_http_basic_auth(USER, PASSWORD)
    return connector


def basic() -> Any:
    return sushy.auth.BasicAuth(USER, PASSWORD)


# -- sushy's resources


def test_systems_managers_and_chassis_over_one_connection(transport: Transport, server: ScriptedServer) -> None:
    service = open_service(transport, basic())
    system = service.get_system(SYSTEM)
    assert (system.serial_number, system.manufacturer, system.memory_summary.size_gib) == ("J7K2M03", "Contoso", 96)
    assert system.power_state == sushy.PowerState.ON
    assert service.get_manager().firmware_version == "2.14"
    assert service.get_chassis().serial_number == "C1"
    assert [member.identity for member in service.get_system_collection().get_members()] == ["1"]
    assert server.log.handshakes == server.log.connections == 1
    assert transport.counters.requests == len(server.log.requests)


def test_a_change_goes_through_the_etag_ladder(transport: Transport, server: ScriptedServer, bmc: SmallBmc) -> None:
    """This BMC gives weak ETags and compares the text; the ladder begins with the strong form."""
    system = open_service(transport, basic()).get_system(SYSTEM)
    system.set_system_boot_options(target=sushy.BootSource.PXE, enabled=sushy.BootSourceOverrideEnabled.ONCE)
    assert bmc.tree[SYSTEM]["Boot"]["BootSourceOverrideTarget"] == "Pxe"
    sent = [request.headers["if-match"] for request in server.log.requests if request.method == "PATCH"]
    assert sent == ['"1"', 'W/"1"']
    service = open_service(transport, basic())
    service.get_chassis().set_indicator_led(sushy.IndicatorLED.LIT)
    assert bmc.tree["/redfish/v1/Chassis/chassis"]["IndicatorLED"] == "Lit"


def test_an_action_reaches_the_machine(transport: Transport, bmc: SmallBmc) -> None:
    system = open_service(transport, basic()).get_system(SYSTEM)
    system.reset_system(sushy.ResetType.FORCE_OFF)
    assert bmc.power == "Off"
    system.refresh()
    assert system.power_state == sushy.PowerState.OFF


def test_a_session_is_opened_used_renewed_and_deleted(
    transport: Transport, server: ScriptedServer, bmc: SmallBmc
) -> None:
    auth = sushy.auth.SessionAuth(USER, PASSWORD)
    service = open_service(transport, auth)
    assert service.get_system(SYSTEM).identity == "1"
    assert len(bmc.sessions) == 1 and "authorization" not in server.log.requests[-1].headers
    bmc.token = "token-2"  # the session timed out
    assert service.get_manager().identity == "bmc"
    logins = [request for request in server.log.requests if request.method == "POST"]
    assert len(logins) == 2 and all("x-auth-token" not in request.headers for request in logins)
    auth.close()
    assert len(bmc.sessions) == 1  # the timed-out one is the BMC's to forget
    assert not transport.authorized


def test_a_refused_password_is_tried_once(transport: Transport, server: ScriptedServer, bmc: SmallBmc) -> None:
    bmc.password = "changed meanwhile"
    with pytest.raises(exceptions.AccessError) as caught:
        open_service(transport, sushy.auth.SessionAuth(USER, PASSWORD))
    assert isinstance(typed_error(caught.value), errors.AuthenticationFailed)
    assert [request.method for request in server.log.requests].count("POST") == 1
    service = open_service(transport, basic())
    before = len(server.log.requests)
    with pytest.raises(exceptions.AccessError):
        service.get_system(SYSTEM)
    assert len(server.log.requests) == before + 1


def test_the_internet_is_not_asked_for_a_registry(transport: Transport, bmc: SmallBmc) -> None:
    thief = ScriptedServer(lambda request: reply({}), host="127.41.0.66")
    with thief:
        v1 = "/redfish/v1"
        bmc.tree[v1]["Registries"] = {"@odata.id": f"{v1}/Registries"}
        bmc.tree[f"{v1}/Registries"] = resource(f"{v1}/Registries", Members=[{"@odata.id": f"{v1}/Registries/X"}])
        bmc.tree[f"{v1}/Registries/X"] = resource(
            f"{v1}/Registries/X",
            Registry="X.1.0",
            Languages=["en"],
            Location=[{"Language": "en", "PublicationUri": f"http://127.41.0.66:{thief.port}/x.json"}],
        )
        assert "X.1.0" not in open_service(transport, basic()).registries
        assert thief.log.connections == 0


# -- the connector by itself


def test_answers_are_what_sushy_knows_from_requests(connector: SushyConnector, bmc: SmallBmc) -> None:
    bmc.overrides["/x"] = lambda request: reply({"a": "\u00e9"}, 200, Location="/y", ETag='"1"')
    response = connector.get("/x")
    assert (response.status_code, response.ok, response.json()) == (200, True, {"a": "\u00e9"})
    assert response.headers["etag"] == response.headers.get("ETag") == '"1"' and "LOCATION" in response.headers
    assert response.headers.get("absent") is None and dict(response.headers)["location"] == "/y"
    assert len(response.headers) == len(list(response.headers))
    assert json.loads(response.text) == json.loads(response.content) and response.url.endswith("/x")
    bmc.overrides["/x"] = lambda request: reply(body=b"<html>")
    with pytest.raises(ValueError, match="JSON"):
        connector.get("/x").json()


@pytest.mark.parametrize(
    ("status", "kind", "typed"),
    [
        (400, "BadRequestError", errors.Refused),
        (403, "AccessError", errors.AccessDenied),
        (404, "ResourceNotFoundError", errors.NotFound),
        (409, "HTTPError", errors.Busy),
        (500, "ServerSideError", errors.ServerFailure),
    ],
)
@pytest.mark.parametrize(
    "body",
    [
        {"error": {"code": "c", "@Message.ExtendedInfo": [{"MessageId": "Base.1.0.X", "Message": "why"}]}},
        {"error": {"@Message.ExtendedInfo": {"Message": "why"}}},
        {"error": "text"},
        {"error": {"@Message.ExtendedInfo": ["text", None]}},
        {"error": {"@Message.ExtendedInfo": 7}},
        None,
    ],
)
def test_error_answers_are_sushy_s_errors_whatever_they_hold(
    status: int, kind: str, typed: type, body: Any, connector: SushyConnector, bmc: SmallBmc
) -> None:
    bmc.overrides["/x"] = lambda request: reply(body, status)
    with pytest.raises(getattr(exceptions, kind)) as caught:
        connector.post("/x", data={})
    assert caught.value.status_code == status
    assert typed_error(caught.value).type == typed.__name__


def test_who_is_busy_is_waited_for_and_then_is_sushy_s_error(server: ScriptedServer, bmc: SmallBmc) -> None:
    pauses: List[float] = []
    # No CA needed: what is tested is the wait.
    endpoint = Endpoint(server.host, server.port)
    with Transport(endpoint, Trust("off"), deadline=Deadline.after(60), sleep=pauses.append) as transport:
        connector = SushyConnector(transport)
        said = {"error": {"@Message.ExtendedInfo": [{"MessageId": "iLO.2.14.InvalidOperationForSystemState"}]}}
        bmc.overrides["/x"] = lambda request: reply(said, 400)
        with pytest.raises(exceptions.BadRequestError) as caught:
            connector.post("/x", data={})
        assert len(pauses) == Limits().busy_retries
        assert "InvalidOperationForSystemState" in typed_error(caught.value).found
        bmc.overrides["/x"] = lambda request: reply(status=503)
        with pytest.raises(exceptions.ServerSideError):
            connector.get("/x")


def test_broken_connections_are_sushy_s_and_keep_ours_as_the_cause(connector: SushyConnector, bmc: SmallBmc) -> None:
    bmc.overrides["/x"] = lambda request: [CLOSE]
    with pytest.raises(exceptions.ConnectionError) as caught:
        connector.post("/x", data={})
    assert isinstance(typed_error(caught.value), errors.ConnectionLost)
    bmc.overrides["/x"] = lambda request: [5.0]
    with pytest.raises(exceptions.ConnectionError) as caught:
        connector.get("/x", timeout=(1, 0.2))
    assert isinstance(typed_error(caught.value), errors.TimedOut)
    with pytest.raises(exceptions.ConnectionError) as caught:
        connector.get("https://127.41.0.66/x")
    assert isinstance(typed_error(caught.value), errors.ProtocolViolation)


def test_interruption_is_not_sushy_s_to_handle(server: ScriptedServer, bmc: SmallBmc) -> None:
    cancelled = threading.Event()
    cancelled.set()
    endpoint = Endpoint(server.host, server.port)
    with Transport(endpoint, Trust("off"), deadline=Deadline.after(10), cancelled=cancelled) as transport:
        with pytest.raises(errors.Cancelled):
            SushyConnector(transport).get("/redfish/v1")


@pytest.mark.parametrize("trust", [Trust("anonymous"), Trust("pin")])
@pytest.mark.parametrize("auth", ["BasicAuth", "SessionAuth", "SessionOrBasicAuth"])
def test_an_untrusted_peer_gets_no_password_by_any_of_sushy_s_ways(
    auth: str, trust: Trust, server: ScriptedServer
) -> None:
    with Transport(Endpoint(server.host, server.port), trust, deadline=Deadline.after(10)) as transport:
        with pytest.raises(errors.CredentialWithheld):
            open_service(transport, getattr(sushy.auth, auth)(USER, PASSWORD))
        # Nor anything else that may hold a secret somewhere inside.
        connector = SushyConnector(transport)
        with pytest.raises(errors.CredentialWithheld):
            connector.post("/x", data={"Oem": {"Vendor": [{"Login": {"Key": PASSWORD}}]}})
    assert PASSWORD.encode() not in b"".join(request.body for request in server.log.requests)
    assert not any(server.log.headers("authorization"))
    assert {request.method for request in server.log.requests} == {"GET"}


def test_an_etag_comes_as_argument_or_as_header_field(
    connector: SushyConnector, bmc: SmallBmc, server: ScriptedServer
) -> None:
    for arguments in ({"etag": 'W/"1"'}, {"headers": {"If-Match": 'W/"1"'}}):
        assert connector.patch(SYSTEM, data={"AssetTag": "x"}, **arguments).status_code == 204
    assert bmc.tree[SYSTEM]["AssetTag"] == "x"
    bmc.if_match_form = "nothing {}"
    with pytest.raises(exceptions.HTTPError) as caught:
        connector.patch(SYSTEM, data={"AssetTag": "y"}, headers={"If-Match": ""})
    assert caught.value.status_code == 412 and "if-match" not in server.log.requests[-1].headers


@pytest.mark.parametrize("retry_after", ["0", "Sat, 21 Nov 2015 15:00:00 GMT", None])
def test_a_task_is_waited_for(retry_after: Optional[str], connector: SushyConnector, bmc: SmallBmc) -> None:
    monitor = "/redfish/v1/TaskService/TaskMonitors/7"
    task = resource(monitor, TaskState="Running")  # older sushy insists on the whole task
    polls: List[int] = []
    fields = {"Retry_After": retry_after} if retry_after else {}

    def poll(request: Received) -> bytes:
        polls.append(1)
        return reply(task, 202, Location=monitor, **fields) if len(polls) < 2 else reply({"done": True}, 200)

    bmc.overrides["/x"] = lambda request: reply(task, 202, Location=monitor, **fields)
    bmc.overrides[monitor] = poll
    assert connector.post("/x", data={}, blocking=True, timeout=10).json() == {"done": True}
    assert connector.post("/x", data={}).status_code == 202
    bmc.overrides["/x"] = lambda request: reply({}, 202)
    with pytest.raises(exceptions.ConnectionError, match="Location"):
        connector.post("/x", data={}, blocking=True)


@pytest.mark.parametrize(("value", "seconds"), [("5", 5), ("0.2", 1), ("Sat, 21 Nov 2015 15:00:00 GMT", 0)])
def test_retry_after_is_a_number_to_both_of_sushy_s_readers(
    value: str, seconds: int, connector: SushyConnector, bmc: SmallBmc
) -> None:
    """sushy's TaskMonitor hands text to sleep() (field notes, section 2.6), its Dell code asks a number for isdigit."""
    bmc.overrides["/x"] = lambda request: reply({}, 202, Location="/m", Retry_After=value)
    found = connector.post("/x", data={}).headers.get("Retry-After")
    assert found == seconds and isinstance(found, int) and found.isdigit()


def test_without_sushy_the_file_still_loads_and_says_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "sushy.py").write_text("raise ImportError('no sushy here')\n")
    code = (
        "from ansible_collections.hearth.datacenter.plugins.module_utils._redfish import sushy_connector as c\n"
        "from ansible_collections.hearth.datacenter.plugins.module_utils._core.errors import MissingLibrary\n"
        "try:\n    c.SushyConnector(None)\nexcept MissingLibrary as exc:\n    print(exc.msg, exc.found, exc.next)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": f"{tmp_path}:{ROOT / 'build' / 'dev'}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "no sushy here" in done.stdout and "pip install sushy" in done.stdout


# -- the emulated fleet


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    platforms = {"openbmc": 1, "idrac9": 1, "ilo6": 1, "xcc": 1, "supermicro": 1, "generic": 1}
    with Fleet(bmcs=6, network="127.41.10.0/24", platforms=platforms) as running:
        yield running


@pytest.mark.parametrize("platform", ["openbmc", "idrac9", "ilo6", "xcc", "supermicro", "generic"])
@pytest.mark.parametrize("auth", ["SessionAuth", "BasicAuth"])
def test_sushy_drives_every_platform_of_the_fleet(platform: str, auth: str, fleet: Fleet) -> None:
    description = fleet.description
    address = next(bmc["address"] for bmc in description["bmcs"] if bmc["platform"] == platform)
    trust = Trust("verify", ca_path=description["ca"])
    with ExitStack() as stack:
        endpoint = Endpoint(address, description["https_port"])
        transport = stack.enter_context(Transport(endpoint, trust, deadline=Deadline.after(30)))
        credentials = getattr(sushy.auth, auth)(description["username"], description["password"])
        stack.callback(credentials.close)
        service = open_service(transport, credentials)
        system = service.get_system_collection().get_members()[0]
        assert system.serial_number and system.power_state in sushy.PowerState
        assert service.get_manager_collection().get_members()[0].firmware_version
        assert service.get_chassis_collection().get_members()[0].identity
        wanted = sushy.ResetType.FORCE_OFF if system.power_state == sushy.PowerState.ON else sushy.ResetType.ON
        assert wanted in system.get_allowed_reset_system_values()
        assert transport.counters.handshakes == transport.counters.connects


def test_broken_json_that_sushy_lets_pass_is_one_of_our_errors() -> None:
    answer = SushyResponse(Response(200, Headers([]), b'{"Id": ', "https://bmc/x", str), datetime.now(timezone.utc))
    with pytest.raises(ValueError) as caught:  # what sushy waits for
        answer.json()
    assert isinstance(caught.value, errors.ProtocolViolation) and caught.value.as_dict()["type"] == "ProtocolViolation"
