# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""VirtualMedia.InsertMedia and EjectMedia, or a PATCH in their place, by the platform's manners.

Nothing is fetched. A BMC refuses an image whose host can't be there: a name below ``.invalid`` (RFC 2606).
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests.emulators.redfish import changing
from tests.emulators.redfish.body import merged
from tests.emulators.redfish.http1 import Reply
from tests.emulators.redfish.messages import Refusal
from tests.emulators.redfish.personality import Json
from tests.emulators.redfish.registry import action, hook

if TYPE_CHECKING:
    from tests.emulators.redfish.bmc import Bmc

_INSERT = "VirtualMedia.InsertMedia"
_PARAMETERS = ("Image", "Inserted", "WriteProtected", "UserName", "Password", "TransferMethod", "TransferProtocolType")
_SCHEMES = ("http", "https", "nfs", "cifs", "smb")


@action(_INSERT)
def insert(bmc: Bmc, slot: str, parameters: dict[str, Json]) -> Reply:
    if slot.rpartition("/")[2] in bmc.manners.media_broken_slots:
        raise Refusal(405, "OperationNotAllowed")
    _insert(bmc, slot, parameters)
    return changing.done(bmc)


@action("VirtualMedia.EjectMedia")
def eject(bmc: Bmc, slot: str, parameters: dict[str, Json]) -> Reply:
    _licence(bmc)
    _eject(bmc, slot)
    return changing.done(bmc)


@hook("VirtualMedia")
def change(bmc: Bmc, slot: str, wanted: dict[str, Json]) -> None:
    """Lenovo SD530: no actions; Image and Inserted are written."""
    if wanted.get("Image"):
        if not wanted.get("Inserted"):
            raise Refusal(400, "PropertyMissing", "Inserted", related="Inserted")
        _insert(bmc, slot, wanted)
    else:
        _eject(bmc, slot)
    wanted.clear()


def _licence(bmc: Bmc) -> None:
    if not bmc.manners.media_licensed:
        raise Refusal(403, "SMC.1.0.OemLicenseNotPassed")


def _insert(bmc: Bmc, slot: str, parameters: dict[str, Json]) -> None:
    _licence(bmc)
    manners = bmc.manners
    for name in parameters:
        if name not in _PARAMETERS or name in manners.media_refuses:
            raise Refusal(400, "ActionParameterUnknown", _INSERT, name, related=name)
    for name in ("Image", *manners.media_needs):
        if name not in parameters:
            raise Refusal(400, "ActionParameterMissing", _INSERT, name, related=name)
    image = parameters["Image"]
    if not isinstance(image, str):
        raise Refusal(400, "ActionParameterValueTypeError", image, "Image", _INSERT, related="Image")
    _judge(bmc, image)
    body = bmc.body(slot) or {}
    if body.get("Inserted"):
        raise Refusal(409, "ResourceInUse")
    if not manners.media_mounts:
        return
    name = image.rpartition("/")[2]
    _show(
        bmc,
        slot,
        Image=image,
        ImageName=name,
        Inserted=parameters.get("Inserted", True),
        ConnectedVia="URI" if not manners.media_stale_name else "NotConnected",
        WriteProtected=parameters.get("WriteProtected", True),
    )


def _judge(bmc: Bmc, image: str) -> None:
    parts = urlsplit(image)
    if parts.scheme not in _SCHEMES or any(char in image for char in bmc.manners.media_url_refuses):
        raise Refusal(400, "ActionParameterValueFormatError", image, "Image", _INSERT, related="Image")
    if (parts.hostname or "").endswith(".invalid"):
        raise Refusal(400, "CouldNotEstablishConnection", image, related="Image")


def _eject(bmc: Bmc, slot: str) -> None:
    seconds = bmc.manners.media_lingers
    if seconds:
        bmc.around.loop.call_later(seconds, _empty, bmc, slot)
    else:
        _empty(bmc, slot)


def _empty(bmc: Bmc, slot: str) -> None:
    empty: dict[str, Json] = {"Image": None, "Inserted": False, "ConnectedVia": "NotConnected", "WriteProtected": True}
    if not bmc.manners.media_stale_name:
        empty["ImageName"] = None
    _show(bmc, slot, **empty)


def _show(bmc: Bmc, slot: str, **shown: Json) -> None:
    bmc.overlay[slot] = merged(bmc.overlay.get(slot, {}), shown)
