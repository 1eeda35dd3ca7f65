# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""/redfish, the OData service document and $metadata, made from the platform's tree."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

from tests.emulators.redfish.body import type_name
from tests.emulators.redfish.http1 import Reply, Request
from tests.emulators.redfish.personality import SERVICE_ROOT
from tests.emulators.redfish.registry import KEEPERS, route

if TYPE_CHECKING:
    from tests.emulators.redfish.bmc import Bmc

_SCHEMAS = "http://redfish.dmtf.org/schemas/v1"
# types that stand inside other resources, or that keepers make
_ALWAYS = ("Resource", "Message", "Redundancy", "Session", "ManagerAccount", "LogEntry", "Settings")


@route("/redfish")
def versions(bmc: Bmc, request: Request) -> Reply:
    return Reply(200, {"v1": f"{SERVICE_ROOT}/"})


@route(f"{SERVICE_ROOT}/odata")
def service_document(bmc: Bmc, request: Request) -> Reply:
    root = bmc.body(SERVICE_ROOT) or {}
    entries = [{"name": "Service", "kind": "Singleton", "url": f"{SERVICE_ROOT}/"}]
    entries += [
        {"name": name, "kind": "Singleton", "url": value["@odata.id"]}
        for name, value in root.items()
        if isinstance(value, dict) and "@odata.id" in value
    ]
    return Reply(200, {"@odata.context": f"{SERVICE_ROOT}/$metadata", "value": entries})


@route(f"{SERVICE_ROOT}/$metadata")
def metadata(bmc: Bmc, request: Request) -> Reply:
    if bmc.platform.metadata is None:
        bmc.platform.metadata = _metadata(bmc)
    return Reply(200, bmc.platform.metadata, [("Allow", "GET, HEAD")], content_type="application/xml; charset=utf-8")


def _metadata(bmc: Bmc) -> bytes:
    found: dict[str, set[str]] = {kind: set() for kind in _ALWAYS}
    for path in bmc.platform.tree.resources:
        _collect(bmc.body(path), found)
    for kind in KEEPERS:
        found.setdefault(kind.removesuffix("Collection"), set())
    root = found.pop("ServiceRoot", set())
    parts = [
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<edmx:Edmx xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx" Version="4.0">\n'
    ]
    for kind in sorted(found):
        parts.append(_reference(kind, found[kind]))
    parts.append(_reference("ServiceRoot", root))
    parts.append(
        f'<edmx:Reference Uri="{_SCHEMAS}/RedfishExtensions_v1.xml">\n'
        '  <edmx:Include Namespace="RedfishExtensions.v1_0_0" Alias="Redfish"/>\n</edmx:Reference>\n'
    )
    newest = max(root, default="ServiceRoot.v1_0_0")
    parts.append(
        "<edmx:DataServices>\n"
        '  <Schema xmlns="http://docs.oasis-open.org/odata/ns/edm" Namespace="Service">\n'
        f'    <EntityContainer Name="Service" Extends={quoteattr(newest + ".ServiceContainer")}/>\n'
        "  </Schema>\n</edmx:DataServices>\n</edmx:Edmx>\n"
    )
    return "".join(parts).encode()


def _collect(node: object, found: dict[str, set[str]]) -> None:
    if isinstance(node, dict):
        kind = node.get("@odata.type")
        if isinstance(kind, str):
            namespace = kind.lstrip("#").rpartition(".")[0]
            # the schema is named after its namespace; the type may be one of several in it
            found.setdefault(namespace.partition(".")[0] or type_name(kind), set()).add(namespace)
        for value in node.values():
            _collect(value, found)
    elif isinstance(node, list):
        for value in node:
            _collect(value, found)


def _reference(kind: str, namespaces: set[str]) -> str:
    includes = sorted({kind, *namespaces})
    lines = [f'<edmx:Reference Uri="{_SCHEMAS}/{kind}_v1.xml">']
    lines += [f"  <edmx:Include Namespace={quoteattr(name)}/>" for name in includes]
    return "\n".join([*lines, "</edmx:Reference>\n"])
