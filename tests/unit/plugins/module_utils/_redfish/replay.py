# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A small real Redfish server: serves a dict of documents over HTTP or HTTPS, with sessions, and counts.

It is for tests of one behaviour each; the emulated fleet (tests/emulators) is the one with manners.
"""

from __future__ import annotations

import base64
import gzip
import json
import ssl
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Optional
from urllib.parse import unquote, urlsplit

USER, PASSWORD = "hearth", "correct horse"
SESSIONS = "/redfish/v1/SessionService/Sessions"
ROOT = "/redfish/v1"
ACCOUNT = "/redfish/v1/AccountService/Accounts/1"

Tree = dict[str, Any]


@dataclass
class Manners:
    """How this BMC behaves; tests change it while it runs."""

    session_limit: int = 8
    session_full: int = 503  # status of the refusal
    session_full_id: str = "Base.1.8.SessionLimitExceeded"
    sessions: bool = True  # False: 404 on the collection
    location: str = "path"  # "path" | "absolute" | "none" | "elsewhere"
    session_body: bool = True
    basic: bool = True
    basic_realm_wrong: bool = False
    lockout_after: int = 0
    password_change: str = ""  # "" | "refused" (403 with the message) | "in_session" (201 with the message) | "later"
    guarded_root: bool = False
    expand: str = "works"  # "works" | "refused" | "broken" | "short" | "ignored"
    queries: bool = True
    page_size: int = 0
    close: bool = False
    gzip: bool = False
    server: str = "replay"
    etag: str = ""
    random_401: int = 0  # that many authorized GETs are answered 401, and the session is gone
    every_second_401: bool = False  # of the authorized GETs; the session stays
    delete_401: int = 0  # that many DELETEs are answered 401; the session stays
    status: dict[str, int] = field(default_factory=dict)  # path -> status instead of the document
    raw: dict[str, bytes] = field(default_factory=dict)  # path -> body as it stands
    slow: dict[str, float] = field(default_factory=dict)  # path -> seconds
    identity_406: bool = False  # "Accept-Encoding: identity" is answered 406
    delete_status: int = 204
    echo: str = ""  # said in the message of every error


class Replay:
    """``with Replay(tree) as bmc``: listens on a port of its own; ``requests`` is what was asked, in order."""

    def __init__(
        self, tree: Tree, manners: Optional[Manners] = None, *, address: str = "127.42.0.1", certificate: str = ""
    ) -> None:
        self.tree = {path.rstrip("/"): document for path, document in tree.items()}
        self.manners = manners or Manners()
        self.requests: list[tuple[str, str]] = []
        self.credentials_seen: list[str] = []
        self.logins: list[tuple[str, str]] = []
        self.open_sessions: dict[str, str] = {}
        self.created = 0
        self.odd = False
        self.connections = 0
        self.refused_encodings = 0
        self.lock = threading.Lock()
        bmc = self

        class Handler(_Handler):
            replay = bmc

        self.server = ThreadingHTTPServer((address, 0), Handler)
        self.server.daemon_threads = True
        self.scheme = "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.server.socket = context.wrap_socket(
                self.server.socket, server_side=True, do_handshake_on_connect=False
            )
            self.scheme = "https"
        self.address, self.port = self.server.server_address[0], self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.005,), daemon=True)

    def __enter__(self) -> Replay:
        self.thread.start()
        return self

    def __exit__(self, *unused: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(5)

    def asked(self, path: str, method: str = "GET") -> int:
        return sum(1 for entry in self.requests if entry == (method, path))

    def paths(self) -> list[str]:
        return [path for method, path in self.requests]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    replay: Replay
    timeout = 20
    disable_nagle_algorithm = True
    wbufsize = -1

    def setup(self) -> None:
        super().setup()
        with self.replay.lock:
            self.replay.connections += 1

    def log_message(self, *unused: Any) -> None:
        pass

    def version_string(self) -> str:
        return self.replay.manners.server

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except (ConnectionError, ssl.SSLError, OSError):
            self.close_connection = True

    def do_GET(self) -> None:
        path, manners = self._begin(), self.replay.manners
        if manners.identity_406 and "gzip" not in self.headers.get("Accept-Encoding", "gzip"):
            self.replay.refused_encodings += 1
            return self._error(406, "Base.1.8.GeneralError")
        anonymous = path == ROOT and not manners.guarded_root
        if not anonymous and not self._authorized():
            return self._error(401, "Base.1.8.NoValidSession")
        if manners.password_change == "later" and not anonymous:
            return self._error(403, "Base.1.8.PasswordChangeRequired", [ACCOUNT])
        if not anonymous and manners.random_401 > 0:
            manners.random_401 -= 1
            self.replay.open_sessions.clear()
            return self._error(401, "Base.1.8.NoValidSession")
        if manners.every_second_401 and not anonymous:
            self.replay.odd = not self.replay.odd
            if self.replay.odd:
                return self._error(401, "Base.1.8.NoValidSession")
        query = urlsplit(self.path).query
        if query and not manners.queries:
            return self._error(400, "Base.1.8.QueryNotSupported")
        time.sleep(manners.slow.get(path, 0))
        if path in manners.raw:
            return self._send(200, manners.raw[path])
        if path in manners.status:
            return self._error(manners.status[path], "Base.1.8.GeneralError")
        document = self.replay.tree.get(path)
        if document is None:
            return self._error(404, "Base.1.8.ResourceMissingAtURI")
        if "expand" in query:
            if manners.expand == "refused":
                return self._error(501, "Base.1.8.QueryNotSupported")
            document = self._expand(document)
        elif manners.page_size and isinstance(document, dict) and isinstance(document.get("Members"), list):
            document = self._page(path, document, query)
        self._send(200, json.dumps(document).encode())

    def do_POST(self) -> None:
        path, manners = self._begin(), self.replay.manners
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        if path != SESSIONS or not manners.sessions:
            return self._error(404, "Base.1.8.ResourceMissingAtURI")
        pair = (body.get("UserName"), body.get("Password"))
        self.replay.logins.append(pair)
        if manners.password_change == "refused":
            return self._error(403, "Base.1.8.PasswordChangeRequired", [ACCOUNT])
        if not self._right(*pair):
            return self._error(401, "Base.1.8.ResourceAtUriUnauthorized")
        with self.replay.lock:
            if len(self.replay.open_sessions) >= manners.session_limit:
                return self._error(manners.session_full, manners.session_full_id)
            self.replay.created += 1
            name = f"s{self.replay.created}"
            token = f"token-{name}"
            self.replay.open_sessions[token] = name
        uri = f"{SESSIONS}/{name}"
        document: dict[str, Any] = {"@odata.id": uri, "Id": name} if manners.session_body else {}
        if manners.password_change == "in_session":
            document["@Message.ExtendedInfo"] = [
                {
                    "MessageId": "Base.1.8.PasswordChangeRequired",
                    "MessageArgs": [ACCOUNT],
                }
            ]
        headers = {"X-Auth-Token": token}
        if manners.location == "path":
            headers["Location"] = uri
        elif manners.location == "absolute":
            headers["Location"] = f"{self.replay.scheme}://{self.replay.address}:{self.replay.port}{uri}"
        elif manners.location == "elsewhere":
            headers["Location"] = f"https://192.0.2.1{uri}"
        self._send(201, json.dumps(document).encode(), headers)

    def do_DELETE(self) -> None:
        path, manners = self._begin(), self.replay.manners
        if manners.delete_401 > 0:
            manners.delete_401 -= 1
            return self._error(401, "Base.1.8.NoValidSession")
        if not self._authorized():
            return self._error(401, "Base.1.8.NoValidSession")
        name = path.rpartition("/")[2]
        for token, session in list(self.replay.open_sessions.items()):
            if session == name:
                del self.replay.open_sessions[token]
                return self._send(manners.delete_status, b"")
        self._error(404, "Base.1.8.ResourceMissingAtURI")

    def _begin(self) -> str:
        path = unquote(urlsplit(self.path).path).rstrip("/")
        with self.replay.lock:
            self.replay.requests.append((self.command, self.path.rstrip("/") if "?" not in self.path else self.path))
            for name in ("Authorization", "X-Auth-Token"):
                if self.headers.get(name):
                    self.replay.credentials_seen.append(f"{name}: {self.headers[name]}")
        return path

    def _right(self, user: Any, password: Any) -> bool:
        limit = self.replay.manners.lockout_after
        if limit and len(self.replay.logins) > limit:
            return False
        return (user, password) == (USER, PASSWORD)

    def _authorized(self) -> bool:
        token = self.headers.get("X-Auth-Token")
        if token is not None:
            return token in self.replay.open_sessions
        basic = self.headers.get("Authorization", "")
        if basic.startswith("Basic "):
            user, unused, password = base64.b64decode(basic[6:]).decode().partition(":")
            return self.replay.manners.basic and self._right(user, password)
        return False

    def _expand(self, document: Any) -> Any:
        how = self.replay.manners.expand
        if how == "ignored" or not isinstance(document.get("Members"), list):
            return document
        bodies = [self.replay.tree.get(entry["@odata.id"].rstrip("/"), entry) for entry in document["Members"]]
        if how == "broken":
            bodies = [{"@odata.id": entry["@odata.id"]} for entry in document["Members"]]
        if how == "short":
            bodies = bodies[:1]
        return {**document, "Members": bodies, "Members@odata.count": len(document["Members"])}

    def _page(self, path: str, document: Any, query: str) -> Any:
        size = self.replay.manners.page_size
        start = int(query.partition("$skip=")[2] or 0)
        page = {**document, "Members": document["Members"][start : start + size]}
        if start + size < len(document["Members"]):
            page["Members@odata.nextLink"] = f"{path}?$skip={start + size}"
        return page

    def _error(self, status: int, message: str, args: Optional[list[str]] = None) -> None:
        entry = {
            "MessageId": message,
            "Message": f"said {message} {self.replay.manners.echo}",
            "MessageArgs": args or [],
        }
        body = {"error": {"code": message, "message": "an error", "@Message.ExtendedInfo": [entry]}}
        self._send(status, json.dumps(body).encode())

    def _send(self, status: int, body: bytes, headers: Optional[dict[str, str]] = None) -> None:
        manners = self.replay.manners
        self.send_response(status)
        if manners.gzip and "gzip" in self.headers.get("Accept-Encoding", ""):
            body = gzip.compress(body)
            self.send_header("Content-Encoding", "gzip")
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if manners.etag:
            self.send_header("ETag", manners.etag)
        if manners.close:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def load(directory: Path) -> Tree:
    """The tree of an unpacked capture: Systems/1/index.json is /redfish/v1/Systems/1."""
    tree: Tree = {}
    for file in directory.rglob("index.json"):
        parts = file.parent.relative_to(directory).parts
        try:
            tree["/".join((ROOT, *parts)).rstrip("/")] = json.loads(file.read_text(encoding="utf-8-sig"))
        except ValueError:
            continue  # what was no JSON on the BMC either
    return tree
