# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""UpdateService and the inventory of firmware."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tests.emulators.redfish.personality import SERVICE_ROOT, Json, Leaf, Template, links
from tests.emulators.redfish.resources.tree import TreeBuilder

UPDATE_SERVICE = f"{SERVICE_ROOT}/UpdateService"
FIRMWARE = f"{UPDATE_SERVICE}/FirmwareInventory"


@dataclass(frozen=True)
class Image:
    """One firmware in the inventory."""

    identifier: str
    name: str
    version: Json | Leaf
    updateable: bool = True
    manufacturer: str | None = None
    related: tuple[str, ...] = ()


def update_service(
    tree: TreeBuilder,
    images: Iterable[Image],
    *,
    push: str | None = "update",
    multipart: str | None = "update-multipart",
    simple_update: Iterable[str] = (),
    simple_target: str = "UpdateService.SimpleUpdate",
    software: bool = False,
    max_image: int | None = 419_430_400,
    apply_time: str | None = None,
    oem: Template | None = None,
    collection_name: str = "Firmware Inventory Collection",
) -> None:
    """``push`` and ``multipart`` are paths below the service; ``simple_update`` the protocols of SimpleUpdate."""
    protocols = list(simple_update)
    actions: Template = {}
    if protocols:
        actions["#UpdateService.SimpleUpdate"] = {
            "target": f"{UPDATE_SERVICE}/Actions/{simple_target}",
            "TransferProtocol@Redfish.AllowableValues": protocols,
        }
    body: Template = {
        "ServiceEnabled": True,
        "Status": {"State": "Enabled", "Health": "OK"},
        "HttpPushUri": f"{UPDATE_SERVICE}/{push}" if push else None,
        "MultipartHttpPushUri": f"{UPDATE_SERVICE}/{multipart}" if multipart else None,
        "MaxImageSizeBytes": max_image,
        "HttpPushUriOptions": {"HttpPushUriApplyTime": {"ApplyTime": apply_time}} if apply_time else None,
        "FirmwareInventory": tree.collect(FIRMWARE, "SoftwareInventory", collection_name),
        "Actions": actions or None,
        "Oem": oem,
    }
    if software:
        body["SoftwareInventory"] = tree.collect(
            f"{UPDATE_SERVICE}/SoftwareInventory", "SoftwareInventory", "Software Inventory Collection"
        )
    tree.add(UPDATE_SERVICE, "UpdateService", "Update Service", body)
    for image in images:
        tree.add(
            f"{FIRMWARE}/{image.identifier}",
            "SoftwareInventory",
            image.name,
            {
                "SoftwareId": image.identifier,
                "Manufacturer": image.manufacturer,
                "Version": image.version,
                "Updateable": image.updateable,
                "Status": {"State": "Enabled", "Health": "OK"},
                "RelatedItem": links(*image.related) if image.related else None,
            },
        )
