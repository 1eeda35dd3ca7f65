# Copyright: (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Redfish service of a BMC: who may do what, which resource, which method; answers a Request with a Reply."""

from __future__ import annotations

import base64
import binascii
import gzip
import json
from typing import TYPE_CHECKING

from tests.emulators.redfish import etag, query, writable
from tests.emulators.redfish.accounts import Account
from tests.emulators.redfish.body import with_absolute_links
from tests.emulators.redfish.http1 import Reply, Request, to_json
from tests.emulators.redfish.messages import Refusal, success
from tests.emulators.redfish.personality import SERVICE_ROOT, Json, Manners
from tests.emulators.redfish.registry import ACTIONS, HOOKS, KEEPERS, ROUTES
from tests.emulators.redfish.sessions import COLLECTION as SESSIONS

if TYPE_CHECKING:
    from tests.emulators.redfish.bmc import Bmc

_OPEN_TO_ALL = frozenset({"/redfish", SERVICE_ROOT, f"{SERVICE_ROOT}/odata", f"{SERVICE_ROOT}/$metadata"})
_METHODS = frozenset({"GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"})
_PRIVILEGE = {
    "ManagerAccount": "ConfigureUsers",
    "ManagerAccountCollection": "ConfigureUsers",
    "AccountService": "ConfigureUsers",
    "Role": "ConfigureUsers",
    "Session": "ConfigureSelf",
    "ComputerSystem": "ConfigureComponents",
    "Chassis": "ConfigureComponents",
}


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
        return _get(bmc, request, path)
    if request.method == "OPTIONS":
        return Reply(204, headers=[("Allow", ", ".join(_methods(bmc, path)))])
    if request.method == "POST":
        return _post(bmc, request, path, account)
    if account is None:
        if not manners.anonymous:
            raise _unauthorized(manners)
        account = Account("", role="Administrator")
    if request.method == "PATCH":
        return _patch(bmc, request, path, account)
    if request.method == "DELETE":
        return _delete(bmc, path, account)
    raise _not_allowed(bmc, path)


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
        return path in _OPEN_TO_ALL
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
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic" or not bmc.manners.basic_auth:
        raise _unauthorized(bmc.manners)
    try:
        username, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
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
    if path in _OPEN_TO_ALL or path.startswith(f"{SESSIONS}/"):
        return
    raise Refusal(403, "PasswordChangeRequired", own)


def _demand(account: Account | None, kind: str) -> None:
    if account is not None and not account.may(_PRIVILEGE.get(kind, "ConfigureManager")):
        raise Refusal(403, "InsufficientPrivilege")


# what is allowed


def _methods(bmc: Bmc, path: str) -> list[str]:
    """Methods of a path; empty where there is nothing."""
    reading = ["GET", "HEAD"] if bmc.manners.head_allowed else ["GET"]
    if path in _OPEN_TO_ALL:
        return reading
    body = bmc.body(path)
    if body is None:
        return ["POST"] if _action_entry(bmc, path) is not None else []
    resource = bmc.platform.tree.resources.get(path)
    if resource is None:
        kept = bmc.keeper_of(path)
        return reading + list(kept[0].member_methods if kept is not None else ())
    keeper = KEEPERS.get(resource.kind)
    if keeper is not None:
        return reading + list(keeper.methods)
    return reading + (["PATCH"] if writable.rules_for(bmc.manners, resource.kind, body) else [])


def _not_allowed(bmc: Bmc, path: str) -> Refusal:
    methods = _methods(bmc, path)
    if not methods:
        return Refusal(404, "ResourceMissingAtURI", path)
    return Refusal(405, "OperationNotAllowed", headers=(("Allow", ", ".join(methods)),))


# reading


def _get(bmc: Bmc, request: Request, path: str) -> Reply:
    manners = bmc.manners
    if request.method == "HEAD" and not manners.head_allowed:
        raise _not_allowed(bmc, path)
    special = ROUTES.get(path)
    if special is not None:
        return special(bmc, request)
    asked = query.parse(manners, request.query)
    resource = bmc.platform.tree.resources.get(path)
    if resource is not None and resource.served is not None and not request.query and _untouched(bmc, path):
        payload, tag = resource.served
        return _found(manners, request, payload, tag, resource.allow, resource.odata_type)
    body = bmc.body(path)
    if body is None:
        raise Refusal(404, "ResourceMissingAtURI", path)
    payload = to_json(body)
    tag = etag.tag_of(to_json(bmc.body(path, True)) if resource is not None and resource.volatile else payload)
    if request.query or manners.page_size or manners.absolute_links:
        body = query.apply(manners, asked, path, body, bmc.body)
        if manners.absolute_links:
            body = with_absolute_links(body, f"{request.scheme}://{request.headers.get('host', bmc.unit.address)}")
        payload = to_json(body)
    written = etag.quoted(manners, tag) if manners.etag_in_body else ""
    if written and "@odata.etag" not in body:
        payload = payload[:-1] + b',"@odata.etag":' + json.dumps(written).encode() + b"}"
    allow = ", ".join(_methods(bmc, path)) if resource is None or not resource.allow else resource.allow
    if resource is not None:
        resource.allow = allow
        if resource.constant and not request.query and _untouched(bmc, path) and not manners.absolute_links:
            resource.served = (payload, tag)
    return _found(manners, request, payload, tag, allow, body.get("@odata.type"))


def _untouched(bmc: Bmc, path: str) -> bool:
    return not bmc.faults and path not in bmc.overlay and not bmc.hidden


def _found(manners: Manners, request: Request, payload: bytes, tag: str, allow: str, odata_type: Json) -> Reply:
    headers = etag.headers(manners, tag)
    headers.append(("Allow", allow))
    if manners.link_header and isinstance(odata_type, str):
        schema = odata_type.lstrip("#").rpartition(".")[0]
        headers.append(("Link", f"<http://redfish.dmtf.org/schemas/v1/{schema}.json>; rel=describedby"))
    if etag.not_modified(manners, request.headers.get("if-none-match"), tag):
        return Reply(304, headers=headers)
    return Reply(200, payload, headers)


def tag_now(bmc: Bmc, path: str) -> str:
    """The tag that a GET of the path would show now."""
    return etag.tag_of(to_json(bmc.body(path, True)))


# changing


def _object(request: Request) -> dict[str, Json]:
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        raise Refusal(400, "MalformedJSON") from None
    if not isinstance(body, dict):
        raise Refusal(400, "UnrecognizedRequestBody")
    return body


def _patch(bmc: Bmc, request: Request, path: str, account: Account) -> Reply:
    methods = _methods(bmc, path)
    if "PATCH" not in methods:
        raise _not_allowed(bmc, path)
    manners = bmc.manners
    body = bmc.body(path) or {}
    resource = bmc.platform.tree.resources.get(path)
    kept = None if resource is not None else bmc.keeper_of(path)
    if kept is None:  # a keeper judges by itself: everybody may change the own password
        _demand(account, resource.kind if resource is not None else "")
    etag.check_if_match(manners, request.headers.get("if-match"), tag_now(bmc, path))
    change = {name: value for name, value in _object(request).items() if "@" not in name or "@Redfish" in name}
    if not change:
        raise Refusal(400, "NoOperation")
    if kept is not None:
        keeper, collection, member = kept
        keeper.change(bmc, collection, member, change, account)
    elif resource is not None:
        writable.check(writable.rules_for(manners, resource.kind, body), change, body)
        hook = HOOKS.get(resource.kind)
        if hook is not None:
            hook(bmc, path, change)
        if change:
            bmc.overlay[path] = _laid_over(bmc.overlay.get(path, {}), change, body)
    if manners.patch_answer == 204:
        return Reply(204, headers=etag.headers(manners, tag_now(bmc, path)))
    reply = _get(bmc, Request("GET", path, request.headers, b"", request.scheme, request.keep_alive), path)
    return reply if reply.status == 200 else Reply(204, headers=reply.headers)


def _laid_over(written: dict[str, Json], change: dict[str, Json], shown: Json) -> dict[str, Json]:
    """What was written so far with a change on top of it; ``shown`` is the same object as a GET showed it before.

    In an array ``{}`` leaves an element as it is and null takes it out (DSP0266, PATCH on array properties).
    """
    out = dict(written)
    shown = shown if isinstance(shown, dict) else {}
    for name, value in change.items():
        before = shown.get(name)
        if isinstance(value, dict):
            nested = out.get(name)
            out[name] = _laid_over(nested if isinstance(nested, dict) else {}, value, before)
        elif isinstance(value, list):
            kept = before if isinstance(before, list) else []
            elements = [
                kept[place] if element == {} and place < len(kept) else element for place, element in enumerate(value)
            ]
            out[name] = [element for element in elements if element is not None]
        else:
            out[name] = value
    return out


def _delete(bmc: Bmc, path: str, account: Account) -> Reply:
    kept = bmc.keeper_of(path)
    if "DELETE" not in _methods(bmc, path) or kept is None:
        raise _not_allowed(bmc, path)
    keeper, collection, member = kept
    keeper.delete(bmc, collection, member, account)
    return Reply(204)


def _post(bmc: Bmc, request: Request, path: str, account: Account | None) -> Reply:
    if path.endswith("/Members") and path.rpartition("/")[0] in bmc.platform.tree.resources:
        path = path.rpartition("/")[0]
    entry = _action_entry(bmc, path)
    if entry is not None:
        return _act(bmc, request, path, entry, account)
    resource = bmc.platform.tree.resources.get(path)
    keeper = KEEPERS.get(resource.kind) if resource is not None else None
    if resource is None or keeper is None or "POST" not in keeper.methods:
        raise _not_allowed(bmc, path)
    if resource.kind != "SessionCollection":
        _demand(account, resource.kind)
    return keeper.create(bmc, path, request, account)


def _action_entry(bmc: Bmc, path: str) -> dict[str, Json] | None:
    """What the resource's Actions say of the action with that target."""
    owner, found, _ = path.partition("/Actions/")
    body = bmc.body(owner) if found else None
    actions = body.get("Actions") if body is not None else None
    if not isinstance(actions, dict):
        return None
    oem = actions.get("Oem")
    for entry in [*actions.values(), *(oem.values() if isinstance(oem, dict) else ())]:
        target = entry.get("target") if isinstance(entry, dict) else None
        if isinstance(target, str) and target.rstrip("/").endswith(path):
            found_entry: dict[str, Json] = entry
            return found_entry
    return None


def _act(bmc: Bmc, request: Request, path: str, entry: dict[str, Json], account: Account | None) -> Reply:
    owner, _, rest = path.partition("/Actions/")
    name = rest.rpartition("/")[2]
    resource = bmc.platform.tree.resources.get(owner)
    _demand(account, resource.kind if resource is not None else "")
    if not request.body and not bmc.manners.empty_post_body:
        raise Refusal(400, "UnrecognizedRequestBody")
    parameters = _object(request) if request.body else {}
    for parameter, value in parameters.items():
        allowed = _allowed(bmc, entry, parameter)
        if allowed is None:
            continue
        if not isinstance(value, str):
            raise Refusal(400, "ActionParameterValueTypeError", value, parameter, name, related=parameter)
        if value not in allowed:
            raise Refusal(400, "ActionParameterValueNotInList", value, parameter, name, related=parameter)
    handler = ACTIONS.get(name)
    if handler is None:
        raise Refusal(400, "ActionNotSupported", name)
    return handler(bmc, owner, parameters)


def _allowed(bmc: Bmc, entry: dict[str, Json], parameter: str) -> list[Json] | None:
    """The values that the action states for a parameter, beside it or in its ActionInfo."""
    beside = entry.get(f"{parameter}@Redfish.AllowableValues")
    if isinstance(beside, list):
        return beside
    info = bmc.body(entry["@Redfish.ActionInfo"]) if isinstance(entry.get("@Redfish.ActionInfo"), str) else None
    for described in (info or {}).get("Parameters", ()):
        if described.get("Name") == parameter and isinstance(described.get("AllowableValues"), list):
            values: list[Json] = described["AllowableValues"]
            return values
    return None


def done(bmc: Bmc) -> Reply:
    """What this platform answers to an action that has nothing else to say."""
    return success(bmc.manners, bmc.manners.action_answer)
