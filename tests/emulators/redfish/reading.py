# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""GET, HEAD, and which methods a path has."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import unquote

from tests.emulators.redfish import etag, query, writable
from tests.emulators.redfish.body import with_absolute_links
from tests.emulators.redfish.http1 import Reply, Request, to_json
from tests.emulators.redfish.messages import Refusal
from tests.emulators.redfish.personality import SERVICE_ROOT, Json, Manners
from tests.emulators.redfish.registry import KEEPERS, ROUTES

if TYPE_CHECKING:
    from tests.emulators.redfish.bmc import Bmc

OPEN_TO_ALL = frozenset({"/redfish", SERVICE_ROOT, f"{SERVICE_ROOT}/odata", f"{SERVICE_ROOT}/$metadata"})


def methods(bmc: Bmc, path: str) -> list[str]:
    """Methods of a path; empty where there is nothing."""
    reading = ["GET", "HEAD"] if bmc.manners.head_allowed else ["GET"]
    if path in OPEN_TO_ALL:
        return reading
    body = bmc.body(path)
    if body is None:
        return ["POST"] if action_entry(bmc, path) is not None else []
    resource = bmc.platform.tree.resources.get(path)
    if resource is None:
        kept = bmc.keeper_of(path)
        return reading + list(kept[0].member_methods if kept is not None else ())
    keeper = KEEPERS.get(resource.kind)
    if keeper is not None:
        return reading + list(keeper.methods)
    return reading + (["PATCH"] if writable.rules_for(bmc.manners, resource.kind, body) else [])


def not_allowed(bmc: Bmc, path: str) -> Refusal:
    allowed = methods(bmc, path)
    if not allowed:
        return Refusal(404, "ResourceMissingAtURI", path)
    return Refusal(405, "OperationNotAllowed", headers=(("Allow", ", ".join(allowed)),))


def get(bmc: Bmc, request: Request, path: str) -> Reply:
    manners = bmc.manners
    if request.method == "HEAD" and not manners.head_allowed:
        raise not_allowed(bmc, path)
    resources = bmc.platform.tree.resources
    if path in ROUTES and path not in resources:
        return ROUTES[path](bmc, request)
    if request.query and (page := f"{path}?{unquote(request.query)}") in resources:  # a page of a replayed capture
        path, asked = page, query.Query()
    else:
        asked = query.parse(manners, request.query)
    resource = resources.get(path)
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
    allow = ", ".join(methods(bmc, path)) if resource is None or not resource.allow else resource.allow
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


def action_entry(bmc: Bmc, path: str) -> dict[str, Json] | None:
    """What the resource's Actions say of the action with that target."""
    owner, found, _dummy = path.partition("/Actions/")
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
