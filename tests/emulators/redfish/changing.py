# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""PATCH, DELETE and POST: changes, what keepers make, actions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.emulators.redfish import etag, reading, writable
from tests.emulators.redfish.accounts import Account
from tests.emulators.redfish.http1 import Reply, Request
from tests.emulators.redfish.messages import Refusal, success
from tests.emulators.redfish.personality import Json
from tests.emulators.redfish.registry import ACTIONS, HOOKS, KEEPERS

if TYPE_CHECKING:
    from tests.emulators.redfish.bmc import Bmc

# what a change of each type needs; ConfigureManager where nothing is said
_PRIVILEGE = {
    "ManagerAccount": "ConfigureUsers",
    "ManagerAccountCollection": "ConfigureUsers",
    "AccountService": "ConfigureUsers",
    "Role": "ConfigureUsers",
    "Session": "ConfigureSelf",
    "ComputerSystem": "ConfigureComponents",
    "Chassis": "ConfigureComponents",
}


def _demand(account: Account | None, kind: str) -> None:
    if account is not None and not account.may(_PRIVILEGE.get(kind, "ConfigureManager")):
        raise Refusal(403, "InsufficientPrivilege")


def _object(request: Request) -> dict[str, Json]:
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        raise Refusal(400, "MalformedJSON") from None
    if not isinstance(body, dict):
        raise Refusal(400, "UnrecognizedRequestBody")
    return body


def patch(bmc: Bmc, request: Request, path: str, account: Account) -> Reply:
    methods = reading.methods(bmc, path)
    if "PATCH" not in methods:
        raise reading.not_allowed(bmc, path)
    manners = bmc.manners
    body = bmc.body(path) or {}
    resource = bmc.platform.tree.resources.get(path)
    kept = None if resource is not None else bmc.keeper_of(path)
    if kept is None:  # a keeper judges by itself: everybody may change the own password
        _demand(account, resource.kind if resource is not None else "")
    etag.check_if_match(manners, request.headers.get("if-match"), reading.tag_now(bmc, path))
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
        return Reply(204, headers=etag.headers(manners, reading.tag_now(bmc, path)))
    reply = reading.get(bmc, Request("GET", path, request.headers, b"", request.scheme, request.keep_alive), path)
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


def delete(bmc: Bmc, path: str, account: Account) -> Reply:
    kept = bmc.keeper_of(path)
    if "DELETE" not in reading.methods(bmc, path) or kept is None:
        raise reading.not_allowed(bmc, path)
    keeper, collection, member = kept
    keeper.delete(bmc, collection, member, account)
    return Reply(204)


def post(bmc: Bmc, request: Request, path: str, account: Account | None) -> Reply:
    if path.endswith("/Members") and path.rpartition("/")[0] in bmc.platform.tree.resources:
        path = path.rpartition("/")[0]
    entry = reading.action_entry(bmc, path)
    if entry is not None:
        return _act(bmc, request, path, entry, account)
    resource = bmc.platform.tree.resources.get(path)
    keeper = KEEPERS.get(resource.kind) if resource is not None else None
    if resource is None or keeper is None or "POST" not in keeper.methods:
        raise reading.not_allowed(bmc, path)
    if resource.kind != "SessionCollection":
        _demand(account, resource.kind)
    return keeper.create(bmc, path, request, account)


def _act(bmc: Bmc, request: Request, path: str, entry: dict[str, Json], account: Account | None) -> Reply:
    owner, _dummy, rest = path.partition("/Actions/")
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
