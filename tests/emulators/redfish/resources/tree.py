# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tree under construction: path → template, written in a platform's dialect.

A dialect is what a vendor's firmware does to every body alike: which schema release it speaks, whether it repeats
``@odata.context``, whether it counts arrays, how it writes a MAC. The builders beside this file say *what* a resource
holds; the dialect says *how this vendor writes it down*.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.emulators.redfish.personality import SERVICE_ROOT, Template, link, links

# Schema releases of a firmware of about 2024. A platform overrides what its own firmware speaks.
SCHEMA_VERSIONS: Mapping[str, str] = {
    "AccountService": "v1_13_0",
    "ActionInfo": "v1_3_0",
    "Assembly": "v1_4_0",
    "Bios": "v1_2_0",
    "BootOption": "v1_0_5",
    "Certificate": "v1_7_0",
    "CertificateLocations": "v1_0_3",
    "CertificateService": "v1_0_4",
    "Chassis": "v1_23_0",
    "Circuit": "v1_7_0",
    "ComponentIntegrity": "v1_2_0",
    "ComputerSystem": "v1_20_0",
    "Drive": "v1_17_0",
    "EnvironmentMetrics": "v1_3_0",
    "EthernetInterface": "v1_9_0",
    "EventService": "v1_10_0",
    "Fan": "v1_5_0",
    "JsonSchemaFile": "v1_1_4",
    "LogEntry": "v1_15_0",
    "LogService": "v1_4_0",
    "Manager": "v1_18_0",
    "ManagerAccount": "v1_10_0",
    "ManagerDiagnosticData": "v1_2_0",
    "ManagerNetworkProtocol": "v1_9_0",
    "Memory": "v1_17_0",
    "MessageRegistryFile": "v1_1_3",
    "Outlet": "v1_4_0",
    "Power": "v1_7_1",
    "PowerDistribution": "v1_3_0",
    "PowerDistributionMetrics": "v1_3_0",
    "PowerEquipment": "v1_2_0",
    "PowerSubsystem": "v1_1_0",
    "PowerSupply": "v1_5_1",
    "PowerSupplyMetrics": "v1_1_0",
    "Processor": "v1_18_0",
    "Role": "v1_3_1",
    "SecureBoot": "v1_1_0",
    "SecureBootDatabase": "v1_0_1",
    "Sensor": "v1_7_0",
    "ServiceRoot": "v1_15_0",
    "SessionService": "v1_1_8",
    "SoftwareInventory": "v1_9_0",
    "Storage": "v1_15_0",
    "StorageController": "v1_7_0",
    "TaskService": "v1_2_0",
    "TelemetryService": "v1_3_1",
    "Thermal": "v1_7_1",
    "ThermalMetrics": "v1_1_0",
    "ThermalSubsystem": "v1_3_0",
    "TrustedComponent": "v1_2_0",
    "UpdateService": "v1_12_0",
    "VirtualMedia": "v1_6_2",
    "Volume": "v1_9_0",
}


@dataclass(frozen=True)
class Dialect:
    """What a firmware does to every body."""

    versions: Mapping[str, str] = field(default_factory=dict)
    context: bool = False  # repeats "@odata.context" (firmware that began before Redfish 1.5 made it optional)
    counts: bool = False  # "X@odata.count" beside every array of links
    action_info: bool = False  # reset types behind "@Redfish.ActionInfo" rather than "@Redfish.AllowableValues"
    descriptions: bool = True  # collections carry a Description


class TreeBuilder(dict[str, Template]):
    """A personality's tree while it grows: absolute path → template."""

    def __init__(self, dialect: Dialect) -> None:
        super().__init__()
        self.dialect = dialect

    def odata_type(self, schema: str) -> str:
        version = self.dialect.versions.get(schema) or SCHEMA_VERSIONS[schema]
        return f"#{schema}.{version}.{schema}"

    def add(
        self, path: str, schema: str, name: Any, body: Mapping[str, Any], *, identifier: str | None = None
    ) -> Template:
        """Put one resource, give back the link to it. The Id is the last segment of the path unless stated.

        Properties that are None in ``body`` are left out: a builder's way of saying "this platform has none".
        A null that the platform really serves is written into the finished tree by its personality.
        """
        self._refuse_twice(path)
        template = self._annotations(path, schema, self.odata_type(schema))
        template["Id"] = path.rsplit("/", 1)[1] if identifier is None else identifier
        template["Name"] = name
        template.update({key: value for key, value in body.items() if value is not None})
        self[path] = dict(_with_counts(template)) if self.dialect.counts else template
        return link(path)

    def collect(self, path: str, schema: str, name: str, members: Iterable[str] | None = None) -> Template:
        """Put a collection. Without ``members`` the server lists its children in the tree; else these paths."""
        self._refuse_twice(path)
        kind = f"{schema}Collection"
        template = self._annotations(path, kind, f"#{kind}.{kind}")
        template["Name"] = name
        if self.dialect.descriptions:
            template["Description"] = f"{name} of this service"
        if members is not None:
            template["Members"] = links(*members)
            template["Members@odata.count"] = len(template["Members"])
        self[path] = template
        return link(path)

    def reset_action(self, path: str, action: str, values: Iterable[str], parameter: str = "ResetType") -> Template:
        """An action with one enumerated parameter, its values told in the way of the dialect."""
        target = f"{path}/Actions/{action}"
        if not self.dialect.action_info:
            return {"target": target, f"{parameter}@Redfish.AllowableValues": list(values)}
        info = f"{path}/{action.rsplit('.', 1)[1]}ActionInfo"
        self.add(
            info,
            "ActionInfo",
            f"{parameter} of {action}",
            {
                "Parameters": [
                    {"Name": parameter, "Required": True, "DataType": "String", "AllowableValues": list(values)}
                ]
            },
        )
        return {"target": target, "@Redfish.ActionInfo": info}

    def _refuse_twice(self, path: str) -> None:
        if path in self:
            raise ValueError(f"{path} is built twice")

    def _annotations(self, path: str, kind: str, odata_type: str) -> Template:
        template: Template = {"@odata.id": path, "@odata.type": odata_type}
        if self.dialect.context:
            template["@odata.context"] = f"{SERVICE_ROOT}/$metadata#{kind}.{kind}"
        return template


def _with_counts(body: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in body.items():
        yield key, dict(_with_counts(value)) if isinstance(value, dict) else value
        if isinstance(value, list) and "@" not in key and f"{key}@odata.count" not in body and _are_links(value):
            yield f"{key}@odata.count", len(value)


def _are_links(value: list[Any]) -> bool:
    return bool(value) and all(isinstance(entry, dict) and list(entry) == ["@odata.id"] for entry in value)


def with_trailing_slashes(tree: Mapping[str, Template], kept: Iterable[str] = ()) -> dict[str, Template]:
    """The tree as HPE writes it: each ``@odata.id`` ends in a slash (the paths of the tree stay without).

    Collections get their members written out, since the server would list them without; those of the ``kept`` types
    (sessions, accounts, log entries, tasks) stay with the server.
    """
    kept_types = {f"#{kind}Collection.{kind}Collection" for kind in kept}
    made: dict[str, Template] = {}
    for path, body in tree.items():
        slashed: Template = _slashed(body)
        slashed["@odata.id"] = f"{path}/"
        odata_type = str(body.get("@odata.type", ""))
        if odata_type.endswith("Collection") and "Members" not in body and odata_type not in kept_types:
            members = [key for key in tree if key.rpartition("/")[0] == path]
            slashed["Members"] = links(*(f"{member}/" for member in members))
            slashed["Members@odata.count"] = len(members)
        made[path] = slashed
    return made


def _slashed(node: Any) -> Any:
    if isinstance(node, dict):
        if list(node) == ["@odata.id"] and "#" not in node["@odata.id"]:
            return {"@odata.id": node["@odata.id"].rstrip("/") + "/"}
        made = {key: _slashed(value) for key, value in node.items()}
        pointer = node.get("@odata.id")
        if isinstance(pointer, str) and "#/" in pointer:  # a member embedded in an array: "…/Power/#/PowerControl/0"
            made["@odata.id"] = pointer.replace("#/", "/#/", 1)
        return made
    if isinstance(node, list):
        return [_slashed(value) for value in node]
    return node
