# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults inside the resources: a broken $expand, hostile strings, paging and links without end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import parse_qs

from tests.emulators.redfish.faults import Fault
from tests.emulators.redfish.http1 import Reply, Request
from tests.emulators.redfish.messages import Refusal
from tests.emulators.redfish.personality import SERVICE_ROOT, Json

if TYPE_CHECKING:
    from tests.emulators.redfish.bmc import Bmc


class BrokenExpand(Fault):
    """Says that $expand works and does it wrong.

    ``how``: ``references`` (nothing is expanded), ``empty`` (members are empty objects), ``error`` (500).
    """

    name = "broken_expand"
    defaults: ClassVar[Mapping[str, Any]] = {"how": "references"}

    def before(self, bmc: Bmc, request: Request) -> Reply | None:
        if "$expand" not in request.query or not self.strikes(request):
            return None
        body = bmc.body(request.path)
        if self.options["how"] == "error":
            raise Refusal(500, "InternalError")
        if body is None or ("x-auth-token" not in request.headers and "authorization" not in request.headers):
            return None
        if self.options["how"] == "empty" and isinstance(body.get("Members"), list):
            body["Members"] = [{} for _dummy in body["Members"]]
        return Reply(200, body)


HOSTILE: Mapping[str, str] = {
    "AssetTag": "{{ lookup('pipe', 'touch /tmp/hearth-was-here') }}",
    "Model": "M" * 1_000_000,
    "Manufacturer": "\x1b[31mAcme\x1b[2J\x07",
    "HostName": "{% for x in range(10**9) %}{{ x }}{% endfor %}",
    "SerialNumber": "../../etc/passwd\r\n\x00evil\u202ehost",
    "PartNumber": "{# \u2066never closed\u200b",
    "BiosVersion": "!unsafe '{{ 7 * 7 }}'",
    "FirmwareVersion": "\ud800{{ 7 * 7 }}\ufeff",
    "SKU": "__ansible_unsafe\u0085\u2028",
}


class HostileStrings(Fault):
    """Properties at the top of a resource that hold a string get values that mean harm; ``strings`` names others."""

    name = "hostile_strings"
    defaults: ClassVar[Mapping[str, Any]] = {"strings": HOSTILE}

    def body(self, bmc: Bmc, path: str, body: dict[str, Json]) -> dict[str, Json]:
        if path.startswith(self.options["path"]):
            for name, value in self.options["strings"].items():
                if isinstance(body.get(name), str):
                    body[name] = value
        return body


class EndlessPaging(Fault):
    """Every collection has a next page, and so has that one. ``fresh``: each page has members of its own."""

    name = "endless_paging"
    defaults: ClassVar[Mapping[str, Any]] = {"fresh": False}

    def before(self, bmc: Bmc, request: Request) -> Reply | None:
        """The later pages; whoever can guess them may read them without a login, for what they are worth."""
        page = parse_qs(request.query).get("hearth-page", [""])[0]
        if not page.isdigit():
            return None
        body = bmc.body(request.path)
        if body is None or not isinstance(body.get("Members"), list):
            return None
        if self.options["fresh"]:
            path = request.path.rstrip("/")
            body["Members"] = [{"@odata.id": f"{path}/page{page}-{number}"} for number in range(50)]
        body["Members@odata.nextLink"] = f"{request.path}?hearth-page={int(page) + 1}"
        return Reply(200, body)

    def body(self, bmc: Bmc, path: str, body: dict[str, Json]) -> dict[str, Json]:
        if isinstance(body.get("Members"), list) and path.startswith(self.options["path"]):
            body["Members@odata.nextLink"] = f"{path}?hearth-page=1"
        return body


class EndlessLinks(Fault):
    """Each collection has a member ``Loop`` that has collections of its own, and so on without end."""

    name = "endless_links"

    def before(self, bmc: Bmc, request: Request) -> Reply | None:
        path = request.path.rstrip("/")
        if "/Loop" not in path or request.method != "GET":
            return None
        name = path.rpartition("/")[2]
        deeper = {"@odata.id": f"{path}/Loop"}
        up = {"@odata.id": path}
        if name != "Loop":
            kind = {"Systems": "ComputerSystem", "Managers": "Manager"}.get(name, name)
            return Reply(200, {**up, "@odata.type": f"#{kind}Collection.{kind}Collection", "Name": name,
                               "Members": [deeper, up], "Members@odata.count": 2})  # fmt: skip
        names = ("Systems", "Chassis", "Managers", "Processors", "Memory", "Storage", "EthernetInterfaces")
        links = {key: {"@odata.id": f"{path}/{key}"} for key in names}
        around = {"Contains": [deeper, up], "ContainedBy": deeper, "Chassis": [deeper, up], "ManagedBy": [up]}
        return Reply(200, {**up, "@odata.type": "#ComputerSystem.v1_22_0.ComputerSystem", "Id": "Loop",
                           "Name": "Loop", **links, "Links": around})  # fmt: skip

    def body(self, bmc: Bmc, path: str, body: dict[str, Json]) -> dict[str, Json]:
        if isinstance(body.get("Members"), list) and path.startswith(SERVICE_ROOT):
            body["Members"] = [*body["Members"], {"@odata.id": f"{path}/Loop"}, {"@odata.id": path}]
            body["Members@odata.count"] = len(body["Members"])
        return body


FAULTS: tuple[type[Fault], ...] = (BrokenExpand, HostileStrings, EndlessPaging, EndlessLinks)
