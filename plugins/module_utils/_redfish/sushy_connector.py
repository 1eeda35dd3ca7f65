# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""sushy's resource classes over our transport.

sushy knows ten years of vendors' ways with systems, media, BIOS and tasks; it takes any object that behaves as its
``sushy.connector.Connector``. This one brings our deadlines, our trust and our guard over credentials along. What
concerns HTTP (keep-alive, retries, redirects) is the transport's business; what concerns Redfish stays sushy's.

Errors: an answer with an error status is raised as sushy's own HTTPError, because sushy's workarounds wait for it, and
a broken connection as its ConnectionError; both have our typed error as ``__cause__`` (see ``typed_error``). What
sushy could only make worse is raised as it is: CredentialWithheld, PinMismatch, CertificateUnverified, Cancelled.
"""

from __future__ import annotations

import base64
from datetime import datetime, timezone
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Protocol, Set, Tuple, Type, Union

from .._core import etag as etags
from .._core.errors import HearthError, NotFound, ProtocolViolation, Unreachable, Unsupported
from .._core.hostile import clean
from .._core.missing_library import missing_library
from .._core.response import Headers, Response
from .._core.transport import Transport

try:
    import sushy
    from sushy import exceptions
    from sushy.resources.system.system import System
    from sushy.taskmonitor import TaskMonitor
except ImportError as exc:
    SUSHY_MISSING: Optional[ImportError] = exc
    SUSHY_ERRORS: Tuple[Type[BaseException], ...] = ()
else:
    SUSHY_MISSING = None
    SUSHY_ERRORS = (exceptions.SushyError,)

    class _Switch(System):  # type: ignore[misc]  # sushy has no types
        """sushy's System with its Id and its actions: its reset takes no more of its forty fields, and to read them all
        costs as much CPU as three requests.
        """

        def _parse_attributes(self, json_doc: Mapping[str, Any]) -> Dict[str, Any]:
            self.identity = json_doc.get("Id")
            # pylint: disable-next=protected-access
            self._actions = System._actions._load(json_doc, self)
            return {}

        def get_allowed_reset_system_values(self) -> Set[Any]:
            """What is on offer was asked before the reset was planned (power.offered_resets)."""
            return set(sushy.ResetType)


Timeout = Union[float, Tuple[float, float], None]

_TASK_SECONDS = 60.0


def _utc_now() -> datetime:
    return datetime.now(timezone.utc)


class SushyConnector:
    """The part of sushy's Connector that sushy and its OEM extensions use."""

    def __init__(
        self,
        transport: Transport,
        *,
        now: Callable[[], datetime] = _utc_now,
        known: Optional[Mapping[str, Mapping[str, Any]]] = None,
    ) -> None:
        """``known``: documents by path that have just been read; each answers the first GET of its path."""
        if SUSHY_MISSING is not None:
            raise missing_library("sushy", "what changes a machine over Redfish", str(SUSHY_MISSING))
        self._transport = transport
        self._now = now
        self._known = {_key(path): document for path, document in (known or {}).items()}
        self._auth: Any = None
        # The names that sushy reaches for.
        self._url = transport.endpoint.url
        self._sessions_uri: Optional[str] = None
        self._session = _SessionState(transport)

    # -- credentials

    def set_auth(self, auth: Any) -> None:
        self._auth = auth

    def set_http_basic_auth(self, username: str, password: str) -> None:
        pair = f"{username}:{password}".encode()
        self._transport.authorize("Authorization", "Basic " + base64.b64encode(pair).decode("ascii"))
        self._session.basic = True

    def set_http_session_auth(self, session_auth_token: str) -> None:
        self._transport.authorize("X-Auth-Token", session_auth_token)
        self._session.basic = False

    def uses_basic(self, basic: bool) -> None:
        """How the transport is authorized already."""
        self._session.basic = basic

    def close(self) -> None:
        self._transport.close()

    def __enter__(self) -> SushyConnector:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    # -- requests

    def get(
        self, path: str = "", data: Any = None, headers: Any = None, blocking: bool = False, timeout: Timeout = None
    ) -> SushyResponse:
        known = self._known.pop(_key(path), None)
        if known is not None:
            return _KnownAnswer(known, self._url + path, self._now())
        return self._operation("GET", path, data, headers, blocking, timeout)

    def post(
        self, path: str = "", data: Any = None, headers: Any = None, blocking: bool = False, timeout: Timeout = None
    ) -> SushyResponse:
        return self._operation("POST", path, data, headers, blocking, timeout)

    def put(
        self, path: str = "", data: Any = None, headers: Any = None, blocking: bool = False, timeout: Timeout = None
    ) -> SushyResponse:
        return self._operation("PUT", path, data, headers, blocking, timeout)

    def delete(
        self, path: str = "", data: Any = None, headers: Any = None, blocking: bool = False, timeout: Timeout = None
    ) -> SushyResponse:
        return self._operation("DELETE", path, data, headers, blocking, timeout)

    def patch(
        self,
        path: str = "",
        data: Any = None,
        headers: Any = None,
        etag: Optional[str] = None,
        blocking: bool = False,
        timeout: Timeout = None,
    ) -> SushyResponse:
        """With the whole ETag ladder, whether the ETag comes as ``etag`` or, as from virtual media, as If-Match."""
        others = {name: value for name, value in (headers or {}).items() if name.lower() != "if-match"}
        given = next((value for name, value in (headers or {}).items() if name.lower() == "if-match"), None)
        return self._operation("PATCH", path, data, others, blocking, timeout, etag=etag or given or "")

    def _operation(
        self,
        method: str,
        path: str,
        data: Any,
        headers: Optional[Mapping[str, Optional[str]]],
        blocking: bool,
        timeout: Timeout,
        *,
        etag: Optional[str] = None,
    ) -> SushyResponse:
        """``etag``: None where no ladder is wanted, "" where one is and no ETag is known."""
        seconds = timeout[1] if isinstance(timeout, tuple) else timeout

        def send(if_match: Optional[str] = None) -> Response:
            fields = dict(headers or {})
            if if_match:
                fields["If-Match"] = if_match
            return self._transport.request(
                method,
                path or "/",
                body=data,
                headers=fields,
                # Nothing is written to a peer that is not trusted: a body may hold a password anywhere.
                secret_body=data is not None,
                timeout=seconds,
                raise_busy=False,
            )

        def deliver() -> Response:
            if etag is None:
                return send()
            return etags.conditionally(send, lambda: self._transport.current_etag(path), etag)

        url = self._url + path if path.startswith("/") else path
        try:
            response = deliver()
            if response.status == 401 and self._may_refresh_session(method, path):
                self._auth.refresh_session()
                response = deliver()
        except (Unreachable, ProtocolViolation) as exc:
            raise exceptions.ConnectionError(url=url, error=exc.msg) from exc
        answer = SushyResponse(response, self._now())
        _raise_for(method, url, answer)
        if blocking and answer.status_code == 202:
            answer = self._wait_for_task(method, path, url, answer, seconds or _TASK_SECONDS)
        return answer

    def _may_refresh_session(self, method: str, path: str) -> bool:
        """A session that worked may have timed out; a password that was refused is never tried again."""
        if self._auth is None or self._session.basic or not self._auth.can_refresh_session():
            return False
        return not (method == "POST" and self._sessions_uri is not None and self._sessions_uri in path)

    def _wait_for_task(self, method: str, path: str, url: str, answer: SushyResponse, seconds: float) -> SushyResponse:
        if not answer.headers.get("Location"):
            raise exceptions.ConnectionError(url=url, error="status 202 without a Location")
        monitor = TaskMonitor.from_response(self, answer, path)
        monitor.wait(seconds)
        finished: SushyResponse = monitor.response
        _raise_for(method, url, finished)
        return finished


class NotJson(ProtocolViolation, ValueError):
    """A ValueError, which sushy expects of broken JSON and mostly lets pass, and one of ours where it does."""

    @property
    def type(self) -> str:
        return ProtocolViolation.__name__


class SushyResponse:
    """An answer as sushy knows it from requests."""

    def __init__(self, response: Response, now: datetime) -> None:
        self._response = response
        self.status_code = response.status
        self.headers = SushyHeaders(response, now)
        self.content = response.body
        self.url = response.url
        self.ok = response.status < 400
        self.reason = ""

    @property
    def text(self) -> str:
        return self.content.decode("utf-8", "replace")

    def json(self) -> Dict[str, Any]:
        """The JSON object; NotJson for anything else."""
        try:
            document = self._response.json()
        except ProtocolViolation as exc:
            raise NotJson(exc.msg, expected=exc.expected, found=exc.found, where=exc.where, next=exc.next) from exc
        if not self.ok:
            document["error"] = _well_formed_error(document.get("error"))
        return document

    def typed_error(self) -> HearthError:
        return self._response.error()


class _KnownAnswer(SushyResponse):
    """A document that has just been read and parsed, as the answer that it was."""

    def __init__(self, document: Mapping[str, Any], url: str, now: datetime) -> None:
        super().__init__(Response(200, Headers([]), b"{}", url), now)
        self._document = document

    def json(self) -> Dict[str, Any]:
        return dict(self._document)


class SushyHeaders(Mapping[str, Any]):
    """Header fields as sushy reads them: None for an absent one, and Retry-After as a number whatever it was."""

    def __init__(self, response: Response, now: datetime) -> None:
        self._headers = response.headers
        self._retry_after = response.retry_after(now) if "retry-after" in response.headers else None

    def __getitem__(self, name: str) -> Any:
        if name.lower() == "retry-after" and self._retry_after is not None:
            return _Seconds(self._retry_after + 0.999)
        if name not in self._headers:
            raise KeyError(name)
        return self._headers.get(name)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name in self._headers

    def __iter__(self) -> Iterator[str]:
        return iter(dict(self._headers))

    def __len__(self) -> int:
        return len(dict(self._headers))


class _Seconds(int):
    """A number, since sushy's TaskMonitor hands it to sleep(); with isdigit, since sushy's Dell code asks for that."""

    def isdigit(self) -> bool:
        return True


class _SessionState:
    """What sushy does to the requests.Session of its own connector: take the credentials off."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.basic = False

    @property
    def auth(self) -> Optional[str]:
        return "basic" if self.basic and self._transport.authorized else None

    @auth.setter
    def auth(self, value: None) -> None:
        if value is not None:
            raise Unsupported("credentials go through set_http_basic_auth or set_http_session_auth")
        if self.basic:
            self._transport.deauthorize()
            self.basic = False

    @property
    def headers(self) -> _SessionState:
        return self

    def __contains__(self, name: str) -> bool:
        return name.lower() == "x-auth-token" and not self.basic and self._transport.authorized

    def __delitem__(self, name: str) -> None:
        if name in self:
            self._transport.deauthorize()


class NoInternet:
    """For sushy's ``public_connector``: a BMC's registry may name any URL, and sushy would fetch it with requests."""

    def get(self, url: str, *_args: object, **_keywords: object) -> None:
        raise exceptions.ConnectionError(url=clean(str(url)), error="only the BMC itself is asked")


def open_service(transport: Transport, auth: Any) -> Any:
    """A ``sushy.Sushy`` for the endpoint. ``auth``: one of sushy.auth's; each tries its password at once.

    SessionOrBasicAuth tries a refused password a second time, which counts towards a lockout: use SessionAuth or
    BasicAuth, as the platform record says.
    """
    connector = SushyConnector(transport)
    return sushy.Sushy(transport.endpoint.url, auth=auth, connector=connector, public_connector=NoInternet())


class LoggedIn(Protocol):
    """What is logged in already, and can do so again: our client."""

    transport: Transport

    @property
    def basic(self) -> bool: ...

    @property
    def can_renew(self) -> bool: ...

    def renew(self) -> None: ...


class _AlreadyLoggedIn:
    """An authentication as sushy wants one, for a transport that carries its token or password already."""

    def __init__(self, login: LoggedIn) -> None:
        self._login = login

    def set_context(self, _root: object, connector: SushyConnector) -> None:
        connector.set_auth(self)

    def authenticate(self) -> None:
        """Done before."""

    def can_refresh_session(self) -> bool:
        return self._login.can_renew

    def refresh_session(self) -> None:
        self._login.renew()

    def close(self) -> None:
        """The client logs out."""


def reset_system(system: Any, reset_type: str) -> None:
    """Reset a ``sushy.resources.system.System``; Unsupported for a ResetType that sushy does not know."""
    try:
        value = sushy.ResetType(reset_type)
    except ValueError:
        raise Unsupported(
            f"ResetType {clean(reset_type)} is unknown to sushy",
            expected=", ".join(one.value for one in sushy.ResetType),
        ) from None
    system.reset_system(value)


def service_of(login: LoggedIn, known: Mapping[str, Mapping[str, Any]]) -> Any:
    """A ``sushy.Sushy`` that acts with the login that there is: no second one, and no second read of what is known."""
    connector = SushyConnector(login.transport, known=known)
    connector.uses_basic(login.basic)
    return sushy.Sushy(
        login.transport.endpoint.url, auth=_AlreadyLoggedIn(login), connector=connector, public_connector=NoInternet()
    )


def system_of(login: LoggedIn, path: str, known: Mapping[str, Mapping[str, Any]]) -> Any:
    """A ``sushy.resources.system.System`` to be reset, with the login that there is, on documents that have been read.

    It stands alone, without a ``sushy.Sushy`` as its root, which a system's own actions do not need: parsing the root
    and its fields costs as much as parsing the system.
    """
    connector = SushyConnector(login.transport, known=known)
    connector.uses_basic(login.basic)
    connector.set_auth(_AlreadyLoggedIn(login))
    return _Switch(connector, path)


def typed_error(error: BaseException) -> HearthError:
    """Our error for one that sushy raised."""
    cause: Optional[BaseException] = error
    while cause is not None:
        if isinstance(cause, HearthError):
            return cause
        cause = cause.__cause__
    said = clean(str(error))
    if SUSHY_MISSING is None:
        if isinstance(error, (exceptions.MissingActionError, exceptions.OEMExtensionNotFoundError)):
            return Unsupported(said)
        if isinstance(error, (exceptions.MissingAttributeError, exceptions.MalformedAttributeError)):
            return ProtocolViolation(said, expected="a resource as its schema has it")
        if isinstance(error, exceptions.UnknownDefaultError):
            return NotFound(said)
        if isinstance(error, exceptions.ConnectionError):
            return Unreachable(said)
    return HearthError(said)


def _raise_for(method: str, url: str, answer: SushyResponse) -> None:
    try:
        exceptions.raise_for_response(method, url, answer)
    except exceptions.HTTPError as exc:
        # sushy 5.14 looks there for a message that demands credentials of virtual media, and never sets it.
        exc.response = answer
        raise exc from answer.typed_error()


def _well_formed_error(error: object) -> Dict[str, Any]:
    """The error object in the shape that sushy walks over without looking."""
    if not isinstance(error, dict):
        return {}
    entries = error.get("@Message.ExtendedInfo")
    entries = [entries] if isinstance(entries, dict) else entries
    messages: List[Any] = [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    return {**error, "@Message.ExtendedInfo": messages} if entries is not None else error


def _key(path: str) -> str:
    """Documents are known by their path without the slash at its end."""
    return path.rstrip("/")
