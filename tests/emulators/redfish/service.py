# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Redfish service of a BMC: what a request has to pass on its way to a resource, and what every answer carries."""

from __future__ import annotations

import base64
import gzip
from typing import TYPE_CHECKING

from tests.emulators.redfish import changing, reading
from tests.emulators.redfish.accounts import Account
from tests.emulators.redfish.http1 import Reply, Request
from tests.emulators.redfish.messages import Refusal
from tests.emulators.redfish.personality import SERVICE_ROOT, Manners
from tests.emulators.redfish.reading import OPEN_TO_ALL
from tests.emulators.redfish.sessions import COLLECTION as SESSIONS

if TYPE_CHECKING:
    from tests.emulators.redfish.bmc import Bmc

_METHODS = frozenset({"GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"})


def answer(bmc: Bmc, request: Request) -> Reply:
    try:
        reply = _answer(bmc, request)
    except Refusal as refusal:
        reply = refusal.reply(bmc.manners)
    add_headers(bmc.manners, request, reply)
    return reply


def add_headers(manners: Manners, request: Request, reply: Reply) -> None:
    """The headers of every answer, and compression where the platform compresses."""
    headers = reply.headers
    headers.append(("OData-Version", "4.0"))
    headers.append(("Cache-Control", "no-cache"))
    if manners.server_header:
        headers.append(("Server", manners.server_header))
    headers += manners.extra_headers.items()
    if manners.compression == "never" or reply.stream is not None or reply.body is None:
        return
    if manners.compression == "always" or "gzip" in request.headers.get("accept-encoding", ""):
        reply.body = gzip.compress(reply.payload(), 1)
        headers.append(("Content-Encoding", "gzip"))


def _answer(bmc: Bmc, request: Request) -> Reply:
    manners = bmc.manners
    if request.method not in _METHODS:
        raise Refusal(501, "OperationNotAllowed")
    if request.headers.get("odata-version", "4.0").strip() != "4.0":
        raise Refusal(412, "HeaderInvalid", "OData-Version")
    if not manners.identity_encoding and request.headers.get("accept-encoding", "").strip() == "identity":
        raise Refusal(406, "HeaderInvalid", "Accept-Encoding")
    if request.scheme == "http" and manners.plain_http == "redirect":
        host = request.headers.get("host", "").partition(":")[0] or bmc.unit.address
        return Reply(308, headers=[("Location", f"https://{host}:{bmc.around.https_port}{request.target}")])
    path = _path(manners, request)
    account = _account(bmc, request)
    if account is None and not _anonymous(manners, request, path):
        raise _unauthorized(manners)
    if account is not None and account.change_required:
        _only_change_password(bmc, request, path, account)
    if manners.host_off_503 and path.startswith(manners.host_off_503) and not bmc.machine().powered_on:
        raise Refusal(503, "ResourceInStandby", headers=(("Retry-After", str(manners.retry_after)),))
    if request.method in ("GET", "HEAD"):
        return reading.get(bmc, request, path)
    if request.method == "OPTIONS":
        return Reply(204, headers=[("Allow", ", ".join(reading.methods(bmc, path)))])
    if request.method == "POST":
        return changing.post(bmc, request, path, account)
    if account is None:
        if not manners.anonymous:
            raise _unauthorized(manners)
        account = Account("", role="Administrator")
    if request.method == "PATCH":
        return changing.patch(bmc, request, path, account)
    if request.method == "DELETE":
        return changing.delete(bmc, path, account)
    raise reading.not_allowed(bmc, path)


def _path(manners: Manners, request: Request) -> str:
    path = request.path
    if len(path) > 1 and path.endswith("/"):
        stripped = path.rstrip("/")
        if stripped not in ("/redfish", SERVICE_ROOT):
            if manners.trailing_slash == "not_found":
                raise Refusal(404, "ResourceMissingAtURI", path)
            if manners.trailing_slash == "redirect":
                tail = f"?{request.query}" if request.query else ""
                raise Refusal(308, "Success", headers=(("Location", stripped + tail),))
        path = stripped
    return path


# who


def _unauthorized(manners: Manners) -> Refusal:
    challenge = (("WWW-Authenticate", 'Basic realm="Redfish"'),) if manners.www_authenticate else ()
    return Refusal(401, "NoValidSession", headers=challenge)


def _anonymous(manners: Manners, request: Request, path: str) -> bool:
    if manners.anonymous:
        return True
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return path in OPEN_TO_ALL
    return request.method == "POST" and path in (SESSIONS, f"{SESSIONS}/Members")


def _account(bmc: Bmc, request: Request) -> Account | None:
    """Whose request it is; None: no credentials. Raises 401 for credentials that do not hold."""
    token = request.headers.get("x-auth-token")
    if token is not None:
        session = bmc.sessions.use(token)
        if session is None or not session.account.enabled:
            raise _unauthorized(bmc.manners)
        return session.account
    header = request.headers.get("authorization")
    if header is None:
        return None
    scheme, _dummy, encoded = header.partition(" ")
    if scheme.lower() != "basic" or not bmc.manners.basic_auth:
        raise _unauthorized(bmc.manners)
    try:
        username, _dummy, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:  # no base64, no ASCII, no UTF-8
        raise _unauthorized(bmc.manners) from None
    account = bmc.accounts.check(username, password)
    if account is None:
        bmc.counters.failed_logins += 1
        raise _unauthorized(bmc.manners)
    bmc.counters.logins += 1
    return account


def _only_change_password(bmc: Bmc, request: Request, path: str, account: Account) -> None:
    """A login with a factory password may read and write its own account, and end its session; nothing else."""
    collection = bmc.platform.tree.first("ManagerAccountCollection")
    own = f"{collection}/{account.id}"
    if path == own and request.method in ("GET", "HEAD", "PATCH"):
        return
    if path in OPEN_TO_ALL or path.startswith(f"{SESSIONS}/"):
        return
    raise Refusal(403, "PasswordChangeRequired", own)
