# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading one BMC's tree: documents, and the members of its collections, by the manners of its platform.

A document is read once per client: four systems behind one BMC share their manager's. What can't be read is a warning
and None (``try_get``) or an error (``get``); the caller says which.
"""

from __future__ import annotations

import re
import threading
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence

from .._core.attempts import Attempts, attempts
from .._core.errors import (
    AccessDenied,
    AuthenticationFailed,
    Cancelled,
    CertificateUnverified,
    CredentialWithheld,
    HearthError,
    NotFound,
    PasswordChangeRequired,
    PinMismatch,
    ProtocolViolation,
    TimedOut,
    Unreachable,
)
from .._core.hostile import clean
from .._core.response import Response
from .._core.transport import Transport
from .credential import Credential
from .document import items, last_segment, link, number
from .login import Login, demands_password_change, in_order, log_in, log_out, must_change, sessions_of
from .own_sessions import own_session
from .platforms.record import Platform

ROOT = "/redfish/v1/"  # with the slash: iLO redirects the other form; DSP0266 wants both served

# What no later document could make good: an interruption, a peer that is not the one that was verified, a password
# that has to be changed first.
FATAL = (Cancelled, CertificateUnverified, PinMismatch, CredentialWithheld, PasswordChangeRequired)

MAX_REQUESTS = 600  # in one client: a full read of a DGX H100 takes about a tenth of it
MAX_MEMBERS = 1024  # of one collection
MAX_PAGES = 64  # of one collection
MAX_WARNINGS = 32
LOGOUT_SECONDS = 3.0
_REPETITIONS = 2  # of a GET that was answered 401 although the session is open


class RedfishClient:
    """Not thread-safe: one client, one BMC, one thread. Use as a context manager, so that the session is deleted.

    ``run_directory``: where the run remembers what BMCs have refused (see _core/attempts.py); None: nowhere.
    """

    def __init__(
        self,
        transport: Transport,
        platform: Platform,
        *,
        max_requests: int = MAX_REQUESTS,
        run_directory: Optional[str] = None,
        cancelled: Optional[threading.Event] = None,
    ) -> None:
        self.transport = transport
        self._run_directory = run_directory
        self._cancelled = cancelled
        self.warnings: List[str] = []
        self.logins = 0
        self._headers: Optional[Dict[str, str]] = None
        self._asleep: Optional[re.Pattern[str]] = None
        self.platform = platform
        self._login: Optional[Login] = None
        self._relogged = False
        #: False after a logout of which the BMC did not say that it was done
        self.logged_out = True
        self._sessions = ""
        self._seen: Dict[str, Dict[str, Any]] = {}
        self._missing: set[str] = set()
        self._expand_fails = False
        self._out_of_time = False
        self._requests_left = max_requests

    def __enter__(self) -> RedfishClient:
        return self

    def __exit__(self, *unused: object) -> None:
        self.close()

    @property
    def platform(self) -> Platform:
        return self._platform

    @platform.setter
    def platform(self, platform: Platform) -> None:
        """What a later document told (see platforms.index.refined)."""
        self._platform = platform
        self._headers = dict(platform.headers) or None
        self.transport.headers = dict(platform.headers)  # of changes, and of sushy's requests, too
        self._asleep = re.compile(platform.asleep) if platform.asleep else None
        if self.transport.keep_alive != platform.keep_alive:
            self.transport.keep_alive = platform.keep_alive

    # Login

    def login(
        self,
        credentials: Sequence[Credential],
        *,
        remembered: str = "",
        root: Optional[Mapping[str, Any]] = None,
        sessions: str = "",
        context: str = "",
    ) -> Credential:
        """Log in by the rules of login.py and tell which credential it was.

        ``sessions``: the path of their collection where no ``root`` tells it now; Unsupported or NotFound where it is
        not there.
        """
        root = root or {}
        self._sessions = sessions or sessions_of(root)
        proof = link(root.get("Systems")) or link(root.get("Chassis")) or f"{ROOT}Systems"
        ordered = in_order(credentials, remembered, self._platform)
        with self._attempts(ordered) as tried:
            self._login, answer = log_in(
                self.transport,
                self._platform,
                tried,
                sessions=self._sessions,
                may_have_moved=bool(sessions),
                proof=proof,
                headers=self._headers,
                context=context,
            )
        self.logins += 1
        if answer is not None and answer.status == 200:
            self._remember(proof, answer.json())
        return self._login.credential

    @property
    def basic(self) -> bool:
        """Whether requests carry the password itself (Basic), since there is no session."""
        return self._login is not None and self._login.basic

    @property
    def session_path(self) -> str:
        """The session to delete at the end; "" where there is none."""
        return self._login.session if self._login is not None else ""

    @property
    def session_context(self) -> str:
        return self._login.context if self._login is not None else ""

    @property
    def session_created(self) -> str:
        return self._login.created if self._login is not None else ""

    @property
    def sessions(self) -> str:
        """The collection of sessions, once ``login`` was called."""
        return self._sessions

    @property
    def username(self) -> str:
        return self._login.credential.username if self._login is not None else ""

    @property
    def can_renew(self) -> bool:
        """Whether a login that was dropped may be repeated: once, with the credential that worked."""
        return self._login is not None and not self._relogged

    def renew(self) -> None:
        """Log in once more where the BMC has dropped a login."""
        if self._login is not None and self.can_renew:
            self._relogged = True
            self._log_in_again(self._login)

    def close(self) -> None:
        """Delete the session, if there is one, and close the connection; takes LOGOUT_SECONDS at most."""
        login, self._login = self._login, None
        try:
            if login is not None and not login.basic:
                self.transport.wind_down(LOGOUT_SECONDS)
                if not login.session:
                    login = replace(login, session=own_session(self, login))
                self.logged_out = log_out(self.transport, login, self._headers)
                if not self.logged_out:
                    self.warn("the session could not be deleted; it stays on the BMC until it ages out")
        finally:
            self.transport.close()

    # Documents

    def get(self, path: str) -> Dict[str, Any]:
        """The document at ``path``. Raises NotFound, AccessDenied and what the transport raises."""
        path = self.transport.endpoint.target(path)
        seen = self._seen.get(_key(path))
        if seen is not None:
            return seen
        if _key(path) in self._missing:
            raise NotFound("the resource does not exist", where=f"{self.transport.endpoint.url}{path}")
        answer = self._request(path)
        if demands_password_change(answer):
            raise must_change(answer, f"{self.transport.endpoint.url}{path}")
        if answer.status in (404, 410):
            self._missing.add(_key(path))
        answer.raise_for_status(f"{self.transport.endpoint.url}{path}")
        return self._remember(path, answer.json())

    def fresh(self, path: str) -> Dict[str, Any]:
        """As ``get``, read again although it has been read: for what changes while one waits."""
        key = _key(self.transport.endpoint.target(path))
        self._seen.pop(key, None)
        self._missing.discard(key)
        return self.get(path)

    def change(self, path: str, payload: Mapping[str, Any]) -> Response:
        """PATCH with the ETag that the document had when it was read, as far as the peer can do it.

        A typed error for every status from 300. A 401 is answered by one more login, as for reading.
        """
        path = self.transport.endpoint.target(path)
        etag = self._seen.pop(_key(path), {}).get("@odata.etag")
        known = etag if isinstance(etag, str) else None
        try:
            return self.transport.modify("PATCH", path, payload, etag=known)
        except AuthenticationFailed:
            if self.basic or not self.can_renew:
                raise
            self.renew()
            return self.transport.modify("PATCH", path, payload, etag=known)

    def find(self, path: str, what: str = "") -> Optional[Dict[str, Any]]:
        """As ``try_get``, for what may well not be there: no warning then."""
        try:
            return self.get(path)
        except FATAL:
            raise
        except NotFound:
            return None
        except HearthError as error:
            self.note(error, what or last_segment(path))
            return None

    def try_get(self, path: str, what: str = "") -> Optional[Dict[str, Any]]:
        """As ``get``; None, with a warning that names ``what``, where it can't be read."""
        if not path:
            return None
        try:
            return self.get(path)
        except FATAL:
            raise
        except HearthError as error:
            self.note(error, what or last_segment(path))
            return None

    @property
    def documents(self) -> Mapping[str, Dict[str, Any]]:
        """All that has been read, each as it was then, by path without the slash at its end."""
        return self._seen

    def is_missing(self, path: str) -> bool:
        """Whether the BMC has answered that there is no such resource."""
        return _key(path) in self._missing

    def warn(self, message: str) -> None:
        if len(self.warnings) < MAX_WARNINGS and message not in self.warnings:
            self.warnings.append(message)

    # Collections

    def members(self, path: str, what: str = "") -> Iterator[Dict[str, Any]]:
        """The members of the collection at ``path`` as documents, those that can be read.

        One request where the platform's record says that ``$expand`` works (and it does: the members have bodies),
        else one for each page and one for each member.
        """
        if not path:
            return
        expanded = self.expanded(path)
        if expanded is not None:
            yield from expanded
            return
        for uri in self.member_links(path, what):
            document = self.try_get(uri, what)
            if document is not None:
                yield document

    def member_links(self, path: str, what: str = "") -> List[str]:
        """The URIs of a collection's members over all its pages; empty where it can't be read."""
        found: List[str] = []
        pages = 0
        visited = set()
        page: Optional[str] = path
        while page:
            if _key(page) in visited or pages >= MAX_PAGES:
                self.warn(f"{_named(what, path)}: the pages of the collection have no end; read {len(found)} members")
                break
            visited.add(_key(page))
            pages += 1
            document = self.try_get(page, what)
            if document is None:
                break
            found.extend(uri for uri in (link(entry) for entry in items(document.get("Members"))) if uri)
            if len(found) > MAX_MEMBERS:
                self.warn(f"{_named(what, path)}: more than {MAX_MEMBERS} members; the rest is left out")
                break
            page = self._next_page(document)
        return list(dict.fromkeys(found))[:MAX_MEMBERS]

    def _next_page(self, document: Mapping[str, Any]) -> str:
        """The next page's URI; some firmware says ``@odata.nextLink`` instead of ``Members@odata.nextLink``."""
        return link(document.get("Members@odata.nextLink")) or link(document.get("@odata.nextLink"))

    def expanded(self, path: str) -> Optional[List[Dict[str, Any]]]:
        """All members by one request, or None where that does not work here."""
        platform = self._platform
        if not (platform.expand and platform.queries) or self._expand_fails or "?" in path:
            return None
        try:
            document = self.get(f"{path}?{platform.expand}")
        except FATAL:
            raise
        except (Unreachable, NotFound, AccessDenied):
            return None  # the plain request meets the same and tells it
        except HearthError:
            self._expand_fails = True  # refused: 400, 405, 501…
            return None
        members = items(document.get("Members"))
        bodies = [entry for entry in members if isinstance(entry, dict) and len(entry) > 1 and link(entry)]
        claimed = number(document.get("Members@odata.count"))
        if len(bodies) != len(members) or self._next_page(document) or (claimed or 0) > len(members):
            # Members without bodies, or not all of them: advertised and broken (field notes §8.12).
            self._expand_fails = True
            return None
        for entry in bodies[:MAX_MEMBERS]:
            self._seen.setdefault(_key(link(entry)), entry)
        return bodies[:MAX_MEMBERS]

    # One request

    def _request(self, path: str) -> Response:
        if self._requests_left <= 0:
            raise ProtocolViolation(
                "the BMC's tree has no end",
                expected=f"at most {MAX_REQUESTS} requests",
                where=self.transport.endpoint.url,
            )
        self._requests_left -= 1
        patience = 0.0 if self._asleep is not None and self._asleep.search(path) else None
        answer = self.transport.request("GET", path, headers=self._headers, patience=patience)
        if answer.status == 401 and self._login is not None:
            # Some BMCs answer 401 at random after a login that worked (field notes §5: infra-controller#5349): the same
            # request again is no guess, since the token or the credential is proven. Some drop sessions early: one more
            # login with the credential that worked.
            for _time in range(_REPETITIONS if not self._login.basic else 0):
                answer = self.transport.request("GET", path, headers=self._headers, patience=patience)
                if answer.status != 401:
                    return answer
            if answer.status == 401 and not self._relogged:
                self.renew()
                answer = self.transport.request("GET", path, headers=self._headers, patience=patience)
        return answer

    def _log_in_again(self, login: Login) -> None:
        log_out(self.transport, login, self._headers)
        with self._attempts((login.credential,)) as tried:
            self._login, unused = log_in(
                self.transport,
                self._platform,
                tried,
                sessions=self._sessions,
                headers=self._headers,
                context=login.context,
            )
        self.logins += 1
        self.warn("the BMC dropped a login that had worked; logged in once more")

    def _attempts(self, credentials: Sequence[Credential]) -> AbstractContextManager[Attempts[Credential]]:
        return attempts(
            self._run_directory,
            self.transport.endpoint.key,
            credentials,
            self._platform.attempts(),
            deadline=self.transport.deadline,
            cancelled=self._cancelled,
        )

    def _remember(self, path: str, document: Dict[str, Any]) -> Dict[str, Any]:
        self._seen[_key(path)] = document
        return document

    def note(self, error: HearthError, what: str) -> None:
        """One warning for each thing that could not be read, and one only when the time is up."""
        if isinstance(error, TimedOut) and self.transport.deadline.expired:
            if not self._out_of_time:
                self._out_of_time = True
                self.warn(f"{clean(what)}: out of time; this and what follows is not read")
            return
        detail = f" ({error.found})" if error.found and not isinstance(error, (NotFound, AuthenticationFailed)) else ""
        self.warn(clean(f"{what}: {error.msg}{detail}", 200))


def _named(what: str, path: str) -> str:
    return clean(what or last_segment(path))


def _key(path: str) -> str:
    """Documents are known by their path without the slash at its end."""
    return path.rstrip("/")
