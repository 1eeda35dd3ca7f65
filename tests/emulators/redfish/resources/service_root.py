# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The service root: what anyone may read, and what a platform is known by."""

from __future__ import annotations

from typing import Any

from tests.emulators.redfish.personality import SERVICE_ROOT, Leaf, Template, link
from tests.emulators.redfish.resources.leaves import SERVICE_UUID
from tests.emulators.redfish.resources.tree import TreeBuilder


def protocol_features(
    *,
    expand_levels: int = 0,
    filters: bool = False,
    select: bool = True,
    only_member: bool = True,
    excerpt: bool = False,
    deep_patch: bool = False,
    deep_post: bool = False,
) -> Template:
    """What the root says that the service can; whether it is true stands in the manners. 0 levels: no $expand."""
    works = expand_levels > 0
    expand: Template = {"ExpandAll": works, "Levels": works, "Links": works, "NoLinks": works}
    if works:
        expand["MaxLevels"] = expand_levels
    return {
        "ExpandQuery": expand,
        "FilterQuery": filters,
        "SelectQuery": select,
        "OnlyMemberQuery": only_member,
        "ExcerptQuery": excerpt,
        "DeepOperations": {"DeepPATCH": deep_patch, "DeepPOST": deep_post},
    }


def service_root(
    tree: TreeBuilder,
    *,
    redfish_version: str,
    vendor: str | None = None,
    product: str | None = None,
    features: Template | None = None,
    uuid: Leaf | None = SERVICE_UUID,
    oem: Template | None = None,
    managed_by: str | None = None,
    name: str = "Root Service",
    identifier: str = "RootService",
    links_oem: Template | None = None,
    **more: Any,
) -> None:
    """Put the root. Services that the tree does not hold at the end are taken out again by ``prune_root``."""
    root_links: Template = {"Sessions": link(f"{SERVICE_ROOT}/SessionService/Sessions")}
    if managed_by:
        root_links["ManagerProvidingService"] = link(managed_by)
    if links_oem:
        root_links["Oem"] = links_oem
    body: Template = {
        "RedfishVersion": redfish_version,
        "UUID": uuid,
        "Vendor": vendor,
        "Product": product,
        "ProtocolFeaturesSupported": features,
    }
    body.update({key: link(f"{SERVICE_ROOT}/{path}") for key, path in SERVICES.items()})
    body["Links"] = root_links
    body["Oem"] = oem
    body.update(more)
    tree.add(SERVICE_ROOT, "ServiceRoot", name, body, identifier=identifier)


SERVICES = {
    "Systems": "Systems",
    "Chassis": "Chassis",
    "Managers": "Managers",
    "PowerEquipment": "PowerEquipment",
    "AccountService": "AccountService",
    "SessionService": "SessionService",
    "UpdateService": "UpdateService",
    "Tasks": "TaskService",
    "EventService": "EventService",
    "CertificateService": "CertificateService",
    "TelemetryService": "TelemetryService",
    "ComponentIntegrity": "ComponentIntegrity",
    "Registries": "Registries",
    "JsonSchemas": "JsonSchemas",
}


def prune_root(tree: TreeBuilder) -> None:
    """Leave only services in the root that the finished tree holds."""
    root = tree[SERVICE_ROOT]
    for key, path in SERVICES.items():
        if f"{SERVICE_ROOT}/{path}" not in tree:
            root.pop(key, None)
