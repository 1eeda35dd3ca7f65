# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Logging in: which credentials, how often, by session or by Basic, and logging out again.

The rules, each of which has a test:

- nothing is sent to a peer that is not trusted (the transport enforces it a second time);
- each credential is tried at most once in a run, the remembered one first, and no more of them than the platform's
  lockout threshold leaves room for (_core/attempts.py remembers);
- a refused credential (401) is refused: it is not tried again by Basic;
- Basic stands in for a session only where the BMC has none to give, and where the platform's record allows it;
- a session that was opened is deleted.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import Any, List, Mapping, Optional, Sequence, Tuple

from .._core.attempts import Attempts
from .._core.errors import (
    AccessDenied,
    AuthenticationFailed,
    Busy,
    CredentialWithheld,
    HearthError,
    PasswordChangeRequired,
    ProtocolViolation,
    Unsupported,
)
from .._core.hostile import clean
from .._core.response import Response
from .._core.transport import Transport
from .credential import Credential
from .document import link, links, part
from .platforms.record import Platform

SESSIONS = "/redfish/v1/SessionService/Sessions"  # DSP0266 clause 13.3.4 wants it here where the root does not tell

_LOGOUTS = 8  # attempts to delete a session
_NEVER_A_LOGIN = frozenset((404, 405, 501))  # there is no SessionService here
_PASSWORD_CHANGE = re.compile(r"PasswordChangeRequired|PasswordExpired", re.IGNORECASE)
_REFUSED_CONTEXT = re.compile(rb"PropertyUnknown|\bContext\b")
_REFUSED_LOGIN = re.compile(
    r"InvalidUser|UnauthorizedLogin|Unauthorized|AuthenticationFail|BadCredential|NoValidSession"
    r"|Login\w*Fail|InvalidCredential|AccountLocked|UserNameOrPassword|ResourceAtUriUnauthorized",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Login:
    """A login that worked. ``session`` is the path to delete, "" with Basic or where the BMC did not tell."""

    credential: Credential
    session: str
    basic: bool
    context: str = ""
    """What was sent as the session's Context, where the BMC keeps that."""
    created: str = ""
    """The session's CreatedTime as the BMC answered it."""


def in_order(credentials: Sequence[Credential], remembered: str, platform: Platform) -> List[Credential]:
    """The credentials to try, each once, the remembered one first, cut off below the lockout threshold."""
    ordered = sorted(credentials, key=lambda credential: credential.name != remembered)  # stable
    once: List[Credential] = []
    seen: set[Tuple[str, str]] = set()
    for credential in ordered:
        key = (credential.username, credential.password)
        if key not in seen:  # the same pair under two names is still one attempt
            seen.add(key)
            once.append(credential)
    return once[: platform.attempts()]


def log_in(
    transport: Transport,
    platform: Platform,
    attempts: Attempts[Credential],
    *,
    sessions: str = SESSIONS,
    may_have_moved: bool = False,
    proof: str = "/redfish/v1/Systems",
    headers: Optional[Mapping[str, str]] = None,
    context: str = "",
) -> Tuple[Login, Optional[Response]]:
    """Log in with the first that is accepted of the credentials that may be tried.

    ``sessions`` is the collection to POST to; Basic takes its place where there is none, unless it ``may_have_moved``:
    then Unsupported. ``proof`` is a resource that only a login can read: where Basic is used it
    is read to learn whether the credential is right, and that answer is returned, so that it need not be read twice.
    ``context`` is stored with the session, "" for none: for platforms that can.
    Raises AuthenticationFailed, PasswordChangeRequired, AccessDenied, Busy, CredentialWithheld or what the transport
    raises.
    """
    where = transport.endpoint.url
    if transport.peer is None or not transport.peer.trusted:
        raise CredentialWithheld("no credential goes to a peer that is not verified", where=where)
    if not attempts.credentials:
        raise AuthenticationFailed(
            "there is no credential for this BMC", where=where, next="set username and password, or credentials"
        )
    refused: List[str] = []
    last: Optional[HearthError] = None
    while True:
        credential = attempts.next()
        if credential is None:
            break
        try:
            if platform.login == "basic":
                found = _basic(transport, credential, proof, headers)
            else:
                found = _session_or_basic(
                    transport, platform, credential, sessions, may_have_moved, proof, headers, context
                )
        except PasswordChangeRequired:
            raise
        except AuthenticationFailed as error:
            attempts.refused(credential)
            refused.append(credential.name)
            last = error
        else:
            attempts.worked(credential)
            return found
    if last is None:
        raise attempts.refusal(where)
    raise AuthenticationFailed(
        "the BMC refused the credentials",
        expected="one of the credentials to be accepted",
        found=last.found or last.msg,
        where=where,
        next=f"tried once each: {', '.join(refused)}; correct them, or see whether the account is locked",
    )


def log_out(transport: Transport, login: Login, headers: Optional[Mapping[str, str]] = None) -> bool:
    """Delete the session. True when the BMC said that it is gone."""
    if not login.session:
        transport.deauthorize()
        return login.basic
    try:
        for _time in range(_LOGOUTS):
            # Twice does no harm: whoever has been deleted may delete nothing.
            answer = transport.request("DELETE", login.session, headers=headers, patience=2.0, idempotent=True)
            if answer.status != 401:  # at random, from a BMC whose session is still there
                break
    except HearthError as error:
        return error.begun is not None and error.begun.status < 300
    finally:
        transport.deauthorize()
    return answer.status < 300 or answer.status in (401, 404, 410)


def sessions_of(root: Mapping[str, Any]) -> str:
    """The path of the session collection by the service root."""
    return link(part(root, "Links").get("Sessions")) or SESSIONS


def _sessions_now(transport: Transport, known: str) -> str:
    """Where the root says that the sessions are; ``known`` where it says nothing of it."""
    answer = transport.request("GET", "/redfish/v1/", anonymous=True)
    try:
        return sessions_of(answer.json()) if answer.status == 200 else known
    except ProtocolViolation:
        return known


def _session_or_basic(
    transport: Transport,
    platform: Platform,
    credential: Credential,
    sessions: str,
    may_have_moved: bool,
    proof: str,
    headers: Optional[Mapping[str, str]],
    context: str,
) -> Tuple[Login, Optional[Response]]:
    try:
        answer = _post(transport, platform, credential, sessions, headers, context)
        if context and answer.status == 400 and _REFUSED_CONTEXT.search(answer.body):
            # Refused for its form, before anybody looked at the password: no attempt yet.
            context = ""
            answer = _post(transport, platform, credential, sessions, headers, context)
    except Busy as error:
        # Either the session table is full or the BMC is not ready; Basic finds out which, if it may.
        if not platform.basic_allowed:
            raise
        return _instead_of_session(transport, credential, proof, headers, error)
    if answer.status in (200, 201, 202, 204):
        return _opened(transport, credential, answer, context), None
    said = " ".join(f"{message.id} {message.text}" for message in answer.messages())
    where = f"{transport.endpoint.url}{sessions}"
    if _PASSWORD_CHANGE.search(said):
        raise must_change(answer, where)
    if re.search(platform.session_full, said, re.IGNORECASE):
        full = Busy(
            "the BMC has no session left",
            expected=f"one of its {platform.session_limit} sessions" if platform.session_limit else "a free session",
            found=answer.error().found,
            where=where,
            next="end sessions that nobody uses, or wait until they age out",
        )
        if not platform.basic_allowed:
            raise full
        return _instead_of_session(transport, credential, proof, headers, full)
    if answer.status in _NEVER_A_LOGIN:
        missing = Unsupported("the BMC has no sessions", found=f"HTTP {answer.status}", where=where)
        if may_have_moved or not platform.basic_allowed:
            raise missing
        return _instead_of_session(transport, credential, proof, headers, missing)
    if may_have_moved and answer.status in (401, 403) and _sessions_now(transport, sessions) != sessions:
        # Many answer so to a path that does not exist: nobody has looked at the password.
        raise Unsupported("the BMC has its sessions elsewhere now", found=f"HTTP {answer.status}", where=where)
    if answer.status in (401, 403) or (answer.status == 400 and _REFUSED_LOGIN.search(said)):
        raise AuthenticationFailed("the BMC refused the credential", found=answer.error().msg, where=where)
    answer.raise_for_status(where)
    raise ProtocolViolation("an answer to a login that is none", found=f"HTTP {answer.status}", where=where)


def _post(
    transport: Transport,
    platform: Platform,
    credential: Credential,
    sessions: str,
    headers: Optional[Mapping[str, str]],
    context: str,
) -> Response:
    """The answer to a login; status and header fields are enough of it, since they hold the token."""
    body = {"UserName": credential.username, "Password": credential.password}
    try:
        return transport.request(
            "POST",
            sessions,
            body={**body, "Context": context} if context else body,
            headers=headers,
            secret_body=True,
            idempotent=False,
            patience=0.0 if platform.basic_allowed else None,
        )
    except HearthError as error:
        if error.begun is None or not 200 <= error.begun.status < 300:
            raise
        return Response(error.begun.status, error.begun.headers, b"", f"{transport.endpoint.url}{sessions}")


def _opened(transport: Transport, credential: Credential, answer: Response, context: str) -> Login:
    token = answer.headers.get("X-Auth-Token")
    where = f"{transport.endpoint.url}{SESSIONS}"
    try:
        body: Mapping[str, Any] = answer.json()
    except ProtocolViolation:
        body = {}  # the token and the Location are what matters
    # Some BMCs leave Location out (field notes §6: "missing Location on session"); the body has it then, mostly.
    session = answer.headers.get("Location") or link(body)
    if not token:
        raise ProtocolViolation(
            "the BMC opened a session and gave no token", expected="X-Auth-Token", found="no such header", where=where
        )
    transport.authorize("X-Auth-Token", token)
    created = body.get("CreatedTime")
    login = Login(
        credential,
        _own_path(transport, session),
        basic=False,
        context=context,
        created=created if isinstance(created, str) else "",
    )
    said = " ".join(message.id for message in answer.messages())
    if _PASSWORD_CHANGE.search(said):
        error = must_change(answer, where)
        log_out(transport, login)
        raise error
    return login


def _own_path(transport: Transport, session: str) -> str:
    """The session's path; "" where it leads elsewhere or nowhere: better a session that ages out."""
    try:
        return transport.endpoint.target(session) if session else ""
    except ProtocolViolation:
        return ""


def _instead_of_session(
    transport: Transport, credential: Credential, proof: str, headers: Optional[Mapping[str, str]], why: HearthError
) -> Tuple[Login, Optional[Response]]:
    try:
        return _basic(transport, credential, proof, headers)
    except AuthenticationFailed as error:
        if isinstance(why, Busy):  # Basic may be switched off there: the full table is the better reason to tell
            raise why from error
        raise


def _basic(
    transport: Transport, credential: Credential, proof: str, headers: Optional[Mapping[str, str]]
) -> Tuple[Login, Optional[Response]]:
    pair = f"{credential.username}:{credential.password}".encode()
    transport.authorize("Authorization", "Basic " + base64.b64encode(pair).decode("ascii"))
    accepted = False
    try:
        answer = transport.request("GET", proof, headers=headers)
        said = " ".join(f"{message.id} {message.text}" for message in answer.messages())
        if answer.status in (401, 403) and _PASSWORD_CHANGE.search(said):
            raise must_change(answer, answer.url or proof)
        if answer.status == 401:
            raise AuthenticationFailed(
                "the BMC refused the credential", found=answer.error().msg, where=answer.url or proof
            )
        if answer.status == 403:
            raise AccessDenied(
                "the login lacks the privilege to read", found=answer.error().msg, where=answer.url or proof
            )
        accepted = True
    finally:
        if not accepted:
            transport.deauthorize()
    return Login(credential, "", basic=True), answer


def demands_password_change(answer: Response) -> bool:
    """Whether a refusal (403) is about the password's age and not about privileges."""
    return answer.status == 403 and any(_PASSWORD_CHANGE.search(message.id) for message in answer.messages())


def must_change(answer: Response, where: str) -> PasswordChangeRequired:
    """The error for it, with the account's URI as the BMC's message gives it."""
    account = ""
    for message in answer.messages():
        if _PASSWORD_CHANGE.search(message.id):
            account = next((arg for arg in message.args if arg.startswith("/redfish/")), "")
    if not account:
        try:
            account = next(iter(links(part(answer.json(), "Links").get("Account"))), "")
        except ProtocolViolation:
            account = ""
    return PasswordChangeRequired(
        "the password must be changed before this BMC serves anything else",
        expected="a password that the BMC accepts as final",
        found="PasswordChangeRequired",
        where=where,
        next=(
            f"change it with a PATCH of Password at {clean(account)}"
            if account
            else "change it at the account's resource"
        ),
    )
