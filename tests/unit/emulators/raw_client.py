# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A client of sockets and http.client only, that looks at what really went over the wire."""

from __future__ import annotations

import base64
import http.client
import json
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from tests.emulators.redfish.fleet import Fleet

SESSIONS = "/redfish/v1/SessionService/Sessions"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found

    @property
    def message_id(self) -> str:
        """Of the first ExtendedInfo entry, without registry."""
        return str(self.json()["error"]["@Message.ExtendedInfo"][0]["MessageId"]).rpartition(".")[2]


class Client:
    """One kept-alive connection to one BMC; ``login`` gives it a session."""

    def __init__(self, fleet: Fleet, address: str, *, scheme: str = "https", timeout: float = 5.0) -> None:
        self.fleet = fleet
        self.address = address
        self.headers: dict[str, str] = {}
        self.session = ""
        if scheme == "https":
            context = ssl.create_default_context(cafile=fleet.ca)
            self.connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                address, fleet.https_port, timeout=timeout, context=context
            )
        else:
            self.connection = http.client.HTTPConnection(address, fleet.http_port, timeout=timeout)

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.connection.close()

    def request(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        self.connection.request(method, path, data, {**self.headers, **(headers or {})})
        response = self.connection.getresponse()
        return Answer(response.status, response.headers, response.read())

    def get(self, path: str, **headers: str) -> Answer:
        return self.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    @property
    def certificate(self) -> bytes:
        """The peer's, DER; the connection has to be up."""
        sock = self.connection.sock
        assert isinstance(sock, ssl.SSLSocket)
        return sock.getpeercert(binary_form=True) or b""

    def log_in(self, username: str = "", password: str = "") -> Answer:
        credentials = {"UserName": username or self.fleet.username, "Password": password or self.fleet.password}
        answer = self.request("POST", SESSIONS, credentials)
        if answer.status == 201:
            self.headers["X-Auth-Token"] = answer.headers["X-Auth-Token"]
            self.session = answer.headers["Location"]
        return answer

    def log_out(self) -> Answer:
        answer = self.request("DELETE", self.session)
        self.headers.pop("X-Auth-Token", None)
        return answer


def basic(username: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()}


def exchange(address: str, port: int, data: bytes, *, context: ssl.SSLContext | None = None) -> bytes:
    """Sends bytes, returns all bytes until the peer closes; raises TimeoutError where it does not."""
    with socket.create_connection((address, port), timeout=3) as plain:
        sock = plain if context is None else context.wrap_socket(plain, server_hostname=address)
        sock.sendall(data)
        got = b""
        while more := sock.recv(65536):
            got += more
        return got
