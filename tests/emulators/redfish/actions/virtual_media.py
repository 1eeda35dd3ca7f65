# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""VirtualMedia.InsertMedia and EjectMedia, or a PATCH in their place, by the platform's manners.

Where the BMC's machine is simulated nothing is fetched; an image is refused whose host can't be there: a name below
``.invalid`` (RFC 2606). A real machine reads the image, so a server that does not serve it is a refusal.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests.emulators.redfish import changing
from tests.emulators.redfish.body import merged
from tests.emulators.redfish.http1 import Reply
from tests.emulators.redfish.machine import MachineFailed, MediumRefused, MediumUnreachable, SlotBusy
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
    shown = _judged(bmc, slot, parameters)
    reply = changing.done(bmc)
    if _is_real(bmc, slot):
        reply.until = partial(_insert_really, bmc, slot, parameters, shown)
    elif shown:
        _show(bmc, slot, **shown)
    return reply


@action("VirtualMedia.EjectMedia")
def eject(bmc: Bmc, slot: str, parameters: dict[str, Json]) -> Reply:
    _licence(bmc)
    reply = changing.done(bmc)
    if _is_real(bmc, slot):
        reply.until = partial(_eject_really, bmc, slot)
    else:
        _eject(bmc, slot)
    return reply


@hook("VirtualMedia")
def change(bmc: Bmc, slot: str, wanted: dict[str, Json]) -> None:
    """Lenovo SD530: no actions; Image and Inserted are written."""
    if wanted.get("Image"):
        if not wanted.get("Inserted"):
            raise Refusal(400, "PropertyMissing", "Inserted", related="Inserted")
        shown = _judged(bmc, slot, wanted)
        if shown:
            _show(bmc, slot, **shown)
    else:
        _eject(bmc, slot)
    wanted.clear()


def _licence(bmc: Bmc) -> None:
    if not bmc.manners.media_licensed:
        raise Refusal(403, "SMC.1.0.OemLicenseNotPassed")


def _is_real(bmc: Bmc, slot: str) -> bool:
    return bmc.real is not None and bmc.real.has(slot)


def _judged(bmc: Bmc, slot: str, parameters: dict[str, Json]) -> dict[str, Json]:
    """What the slot shows once the image is inserted; nothing where the platform only says that it did."""
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
        return {}
    return {
        "Image": image,
        "ImageName": image.rpartition("/")[2],
        "Inserted": parameters.get("Inserted", True),
        "ConnectedVia": "URI" if not manners.media_stale_name else "NotConnected",
        "WriteProtected": parameters.get("WriteProtected", True),
    }


async def _insert_really(bmc: Bmc, slot: str, parameters: dict[str, Json], shown: dict[str, Json]) -> None:
    image = parameters["Image"]
    if bmc.real is None or not shown:
        return
    try:
        await bmc.real.insert(slot, image, parameters.get("UserName") or "", parameters.get("Password") or "")
    except MediumUnreachable as error:
        raise Refusal(400, "HearthLab.1.0.MediumUnreachable", image, str(error), related="Image") from error
    except MediumRefused as error:
        raise Refusal(400, "HearthLab.1.0.MediumRefused", image, str(error), related="Image") from error
    except SlotBusy as error:
        raise Refusal(409, "ResourceInUse") from error
    except MachineFailed as error:
        raise Refusal(500, "HearthLab.1.0.MachineFailed", str(error)) from error
    _show(bmc, slot, **(shown | {"WriteProtected": True}))  # a CD is


async def _eject_really(bmc: Bmc, slot: str) -> None:
    if bmc.real is None:
        return
    try:
        await bmc.real.eject(slot)
    except SlotBusy as error:
        raise Refusal(409, "ResourceInUse") from error
    except MachineFailed as error:
        _empty(bmc, slot)
        raise Refusal(500, "HearthLab.1.0.MachineFailed", str(error)) from error
    _eject(bmc, slot)


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
