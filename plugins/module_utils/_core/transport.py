# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTTP to one endpoint: one kept-alive connection, deadlines, retries, no credential to a peer that is not trusted."""

from __future__ import annotations

import random
import threading
import time
from datetime import datetime, timezone
from typing import Any, Callable, Dict, Mapping, Optional

from . import etag as etags
from .connection import Connection, open_connection
from .counters import Counters
from .deadline import Deadline
from .endpoint import Endpoint
from .errors import (
    Busy,
    Cancelled,
    ConnectionLost,
    ProtocolViolation,
    TimedOut,
    Unreachable,
)
from .guard import CredentialGuard
from .limits import Limits
from .redaction import Redactor
from .request import Body, Request, common_fields
from .response import Response
from .retry import backoff, busy_pause, says_busy
from .stream import Watch, connection_lost
from .tls import CONTEXTS, TlsContexts
from .trust import Peer, Trust

__all__ = ["Counters", "Deadline", "Endpoint", "Limits", "Transport"]

DEFAULT_LIMITS = Limits()

_REDIRECTS = frozenset((301, 302, 303, 307, 308))


def _utc_now() -> datetime:
    return datetime.now(timezone.utc)


class Transport:
    """One endpoint, one connection at a time. A lock makes a second thread wait; it does not make it fast.

    ``deadline`` bounds all of it, ``limits`` each step. ``on_progress`` is called when bytes arrive, ``cancelled`` ends
    waits with Cancelled. ``sleep``, ``jitter``, ``now`` are for tests to hold.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        trust: Trust,
        *,
        deadline: Deadline,
        limits: Limits = DEFAULT_LIMITS,
        keep_alive: bool = True,
        on_progress: Optional[Callable[[], None]] = None,
        cancelled: Optional[threading.Event] = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Optional[Callable[[float], None]] = None,
        now: Callable[[], datetime] = _utc_now,
        jitter: Callable[[], float] = random.random,
        contexts: TlsContexts = CONTEXTS,
    ) -> None:
        self.endpoint = endpoint
        self.trust = trust
        self.deadline = deadline
        self.limits = limits
        #: whom the last handshake showed; None before the first
        self.peer: Optional[Peer] = None
        self.counters = Counters()
        #: fields that this peer wants with each request, under those of the request
        self.headers: Dict[str, Optional[str]] = {}
        self._url = endpoint.url
        self._keep_alive = keep_alive
        self._on_progress = on_progress
        self._cancelled = cancelled
        self._clock = clock
        self._sleep = sleep
        self._now = now
        self._jitter = jitter
        self._contexts = contexts
        self._connection: Optional[Connection] = None
        self._common = common_fields(endpoint, keep_alive)
        self._guard = CredentialGuard(trust, self._url)
        self._redactor = Redactor()
        self._lock = threading.RLock()

    # -- connection

    @property
    def keep_alive(self) -> bool:
        return self._keep_alive

    @keep_alive.setter
    def keep_alive(self, wanted: bool) -> None:
        """Whether the connection outlives a request: some platforms hang on the second one."""
        self._keep_alive = wanted
        self._common = common_fields(self.endpoint, wanted)

    def connect(self) -> Peer:
        """TCP and TLS, unless there is a connection already; no byte of HTTP is sent."""
        with self._lock:
            return self._connected().peer

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def wind_down(self, seconds: float = 5.0) -> None:
        """From here on a fresh deadline of ``seconds``, and ``cancelled`` stops nothing.

        For deleting a session after the deadline has passed or the run was interrupted.
        """
        self.deadline = Deadline.after(seconds, self._clock)
        self._cancelled = None

    def __enter__(self) -> Transport:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def _connected(self) -> Connection:
        if self._connection is None:
            self._check()
            context = self._contexts.get(self.trust) if self.endpoint.scheme == "https" else None
            self._connection = open_connection(
                self.endpoint,
                self.trust,
                context,
                deadline=self.deadline,
                limits=self.limits,
                counters=self.counters,
                on_progress=self._on_progress,
                cancelled=self._cancelled,
            )
            self.peer = self._connection.peer
        return self._connection

    # -- credentials

    def authorize(self, header: str, value: str) -> None:
        """Attach a credential to every request that is not anonymous, from now on and to this peer only.

        Connects if nobody has yet. Raises CredentialWithheld unless the peer is trusted.
        """
        with self._lock:
            self._redactor.add(value)
            self._guard.attach(header, value, self.peer or self.connect())

    def deauthorize(self) -> None:
        self._guard.detach()

    @property
    def authorized(self) -> bool:
        return self._guard.holds_one

    # -- requests

    def request(
        self,
        method: str,
        path: str,
        *,
        body: Body = None,
        headers: Optional[Mapping[str, Optional[str]]] = None,
        anonymous: bool = False,
        secret_body: bool = False,
        idempotent: Optional[bool] = None,
        patience: Optional[float] = None,
        timeout: Optional[float] = None,
        raise_busy: bool = True,
    ) -> Response:
        """One request, repeated where that is safe, and its answer whatever the status.

        ``path``: path and query, or an absolute URI of this endpoint. ``body``: a mapping goes as JSON.
        ``headers``: None as a value leaves a default field out. ``secret_body``: the body is a secret and goes to a
        trusted peer only. ``idempotent``: whether it may be sent twice (default: GET, HEAD, OPTIONS).
        ``patience``: seconds to wait, in all, for a peer that says "busy" (default limits.patience); then, or at once
        with 0, Busy is raised, or the answer returned if not ``raise_busy``. ``timeout``: seconds for one answer
        (default limits.request_timeout).

        Raises Unreachable (ConnectionRefused, ConnectionLost, TlsFailed, TimedOut), CertificateUnverified,
        CredentialWithheld, PinMismatch, ProtocolViolation, Busy, Cancelled.
        """
        request = Request(
            method,
            self.endpoint.target(path),
            body,
            {**self.headers, **(headers or {})},
            anonymous=anonymous,
            secret_body=secret_body,
            idempotent=idempotent,
            timeout=self.limits.request_timeout if timeout is None else timeout,
        )
        if patience is None:
            patience = self.limits.patience
        with self._lock:
            for secret in request.secrets:
                self._redactor.add(secret)
            for _redirect in range(self.limits.max_redirects + 1):
                response = self._patiently(request, patience, raise_busy)
                if response.status == 406 and request.repeatable and request.accept_encoding:
                    # HPE's registries exist compressed only (field notes, section 6).
                    request.accept_encoding = False
                    self.counters.retries += 1
                    response = self._patiently(request, patience, raise_busy)
                location = response.headers.get("location")
                if response.status not in _REDIRECTS or not location:
                    return response
                if not request.repeatable and response.status not in (307, 308):
                    return response
                request.target = self.endpoint.target(location)
            raise ProtocolViolation("redirects without end", found=request.target[:200], where=self._url)

    def get_json(self, path: str, **kw: Any) -> Dict[str, Any]:
        """The JSON object at ``path``; a typed error for every other answer. Keywords as for request."""
        response = self.request("GET", path, **kw)
        response.raise_for_status()
        return response.json()

    def modify(self, method: str, path: str, payload: Mapping[str, Any], *, etag: Optional[str] = None) -> Response:
        """PATCH or PUT with If-Match as far as the peer can do it; a typed error for every status from 300.

        See etag.conditionally for what is tried; PreconditionFailed: the resource did change since it was read.
        """

        def send(if_match: Optional[str]) -> Response:
            return self.request(method, path, body=payload, headers={"If-Match": if_match} if if_match else None)

        response = etags.conditionally(send, lambda: self.current_etag(path), etag)
        response.raise_for_status()
        return response

    def current_etag(self, path: str) -> str:
        """The resource's ETag, from the header field or the annotation; "" when it has none."""
        response = self.request("GET", path)
        response.raise_for_status()
        if response.etag:
            return response.etag
        annotation = response.json().get("@odata.etag")
        return annotation if isinstance(annotation, str) else ""

    # -- attempts

    def _patiently(self, request: Request, patience: float, raise_busy: bool) -> Response:
        """The answer once the peer is no longer busy."""
        attempt = 0
        while True:
            response = self._reliably(request, patience)
            if not says_busy(response, request.repeatable):
                return response
            pause = busy_pause(response, attempt, self._now(), self._jitter)
            if attempt >= self.limits.busy_retries or pause > patience or pause >= self.deadline.remaining():
                if not raise_busy:
                    return response
                raise self._busy(response, pause, attempt)
            patience -= pause
            attempt += 1
            self._pause(pause)
            self.counters.retries += 1

    def _reliably(self, request: Request, patience: float) -> Response:
        """The answer although the connection may break, where sending twice does no harm."""
        lost = away = 0
        while True:
            known = self.peer is not None
            try:
                return self._once(request)
            except (TimedOut, Cancelled):
                raise
            except ConnectionLost as exc:
                # written == 0: it had gone stale before the request, of which the peer saw nothing.
                if not request.repeatable and exc.written != 0:
                    raise
                pause = backoff(lost - 1, self._jitter) if lost else 0.0
                self._consider_repetition(exc, lost < self.limits.reconnects, pause, patience)
                lost += 1
            except Unreachable as exc:
                # It was there and is not now, and nothing has been sent: it restarts.
                if not known:
                    raise
                pause = backoff(away, self._jitter)
                self._consider_repetition(exc, away < self.limits.busy_retries, pause, patience)
                away += 1
            patience -= pause
            if pause:
                self._pause(pause)
            self.counters.retries += 1

    def _consider_repetition(self, error: Unreachable, allowed: bool, pause: float, patience: float) -> None:
        if not allowed or pause > patience or pause >= self.deadline.remaining():
            raise error

    def _once(self, request: Request) -> Response:
        self._check()
        connection = self._connected()
        if connection.answers and not request.repeatable and not connection.is_idle():
            # Found out before a byte of what must not be sent twice is written.
            self.close()
            connection = self._connected()
        url = self._url + request.target
        wire = request.wire(self._common, self._guard.credential_for(request, connection.peer))
        watch = Watch(
            self.deadline.sooner(request.timeout),
            url,
            self._cancelled,
            None if request.repeatable else self.limits.cancel_grace,
        )
        before = self.counters.requests
        try:
            answer = connection.exchange(request.method, wire, watch, self._sent)
        except ConnectionLost as exc:
            self.close()
            if connection.answers and not exc.answered:
                self.counters.requests = before
            raise
        except BaseException:
            self.close()
            raise
        if not answer.reusable or not self._keep_alive:
            self.close()
        if answer.status == 408 and connection.answers > 1 and request.repeatable:
            # Some servers say that an idle connection is over before they close it; it is no answer to this request.
            self.counters.requests = before
            raise connection_lost("the peer had given up waiting for a request", url)
        return Response(answer.status, answer.headers, answer.body, url, self._redactor.text)

    def _sent(self) -> None:
        self.counters.requests += 1

    def _pause(self, seconds: float) -> None:
        if self._sleep is not None:
            self._sleep(seconds)
        elif self._cancelled is not None:
            self._cancelled.wait(seconds)
        else:
            time.sleep(seconds)
        self._check()

    def _check(self) -> None:
        if self._cancelled is not None and self._cancelled.is_set():
            raise Cancelled("interrupted", where=self._url)
        self.deadline.check(self._url)

    def _busy(self, response: Response, pause: float, attempt: int) -> Busy:
        said = response.error()
        return Busy(
            f"the peer says that it is busy ({said.msg})",
            expected="an answer within its patience and deadline",
            found=f"{said.found}; {attempt + 1} attempts, the next in {pause:.1f} s",
            where=response.url,
            next="try again later, or give it more time (deadline)",
        )
