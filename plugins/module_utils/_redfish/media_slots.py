# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The virtual media slots of a system: where they are, what is in them, which may be used."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional

from .._core.errors import NotFound, Unsupported
from .._core.hostile import clean
from .access import ChosenSystem, Session
from .document import Document, flag, items, last_segment, link, part, text, word
from .managers import manager_of

INSERT, EJECT = "#VirtualMedia.InsertMedia", "#VirtualMedia.EjectMedia"

# Our media types → Redfish's. A CD and a DVD are the same disc to whoever boots from it.
MEDIA_TYPES = {"cd": ("cd", "dvd"), "usb": ("usbstick",), "floppy": ("floppy",)}
_SPELLED = {"cd": "cd", "dvd": "dvd", "usbstick": "usb", "floppy": "floppy"}

_MOST_SLOTS = 64
# A disk's image by its name; every other image is a disc.
_DISK = re.compile(r"\.(img|ima|raw|bin)$", re.IGNORECASE)


@dataclass(frozen=True)
class Slot:
    """One slot as it was read."""

    path: str
    document: Document
    usable: bool
    """Whether an image can be put in by its URL, as far as the BMC and the platform's record tell."""

    @property
    def id(self) -> str:
        return text(self.document.get("Id")) or clean(last_segment(self.path))

    @property
    def types(self) -> List[str]:
        return [word(entry) for entry in items(self.document.get("MediaTypes"))]

    @property
    def image(self) -> str:
        """The URL of the image, "" where there is none or none is told."""
        said = self.document.get("Image")
        return said if isinstance(said, str) else ""

    @property
    def inserted(self) -> bool:
        """Inserted decides; ImageName and ConnectedVia are left over from before (Supermicro, field notes §6)."""
        said = flag(self.document.get("Inserted"))
        if said is not None:
            return said
        return bool(self.image) and word(self.document.get("ConnectedVia")) != "notconnected"

    @property
    def write_protected(self) -> Optional[bool]:
        return flag(self.document.get("WriteProtected"))

    def target(self, action: str) -> str:
        """Where the action is posted to, "" where the slot has none."""
        target = part(self.document, "Actions", action).get("target")
        return target if isinstance(target, str) else ""

    def holds(self, image: str) -> bool:
        """Whether that image is in: by its URL, or by its name where the BMC tells no URL."""
        if not self.inserted:
            return False
        if self.image:
            return self.image == image
        return text(self.document.get("ImageName")) == image.rstrip("/").rpartition("/")[2]

    def takes(self, media_type: str) -> bool:
        return not self.types or any(one in MEDIA_TYPES[media_type] for one in self.types)

    def shown(self) -> Dict[str, Any]:
        return {
            "slot": self.id,
            "inserted": self.inserted,
            "image": clean(self.image, 2048) or None if self.inserted else None,
            "write_protected": self.write_protected,
            "media_types": [_SPELLED.get(one, clean(one)) for one in self.types],
            "usable": self.usable,
        }


def read_slots(session: Session, chosen: ChosenSystem) -> List[Slot]:
    """All slots, in the order of the BMC. Unsupported where there are none.

    The system's own collection first: iDRAC has one at each, and the manager's is the deprecated one (from 6.00.02 on,
    field notes §6).
    """
    client = session.client
    collection = link(chosen.document.get("VirtualMedia"))
    documents = list(client.members(collection, "virtual media")) if collection else []
    if not documents:
        manager = manager_of(client, session.root, chosen.document, chosen.path)
        collection = link(manager[1].get("VirtualMedia")) if manager else ""
        documents = list(client.members(collection, "virtual media")) if collection else []
    if not documents:
        raise Unsupported(
            "This BMC offers no virtual media.",
            expected="VirtualMedia at the system or at its manager",
            found="; ".join(session.warnings) or "none",
            where=f"{session.access.endpoint.url}{chosen.path}",
            next="Boot this machine over the network instead.",
        )
    return [_slot(session, link(document), document) for document in documents[:_MOST_SLOTS] if link(document)]


def reread(session: Session, slot: Slot) -> Slot:
    return _slot(session, slot.path, session.fresh(slot.path))


def default_type(image: str) -> str:
    """cd, or usb for what is called a disk's image."""
    return "usb" if _DISK.search(image.partition("?")[0]) else "cd"


def named(slots: List[Slot], name: str, where: str) -> Slot:
    """The slot of that Id, whatever its case."""
    for slot in slots:
        if slot.id.casefold() == name.casefold():
            return slot
    raise NotFound(
        f"This BMC has no virtual media slot {clean(name)}.",
        expected=f"slot {clean(name)}",
        found=listed(slots),
        where=where,
        next="Name one of those, or leave slot out.",
    )


def suitable(slots: List[Slot], image: str, media_type: Optional[str], where: str) -> List[Slot]:
    """The slots that take such an image, first choice first. Unsupported where none does.

    A type that was asked for is kept to. One that was guessed by the image's name is not: Cisco UCS has nothing but
    DVD, and every BMC reads an ISO image from a stick.
    """
    usable = [slot for slot in slots if slot.usable]
    wanted = media_type or default_type(image)
    fitting = [slot for slot in usable if slot.takes(wanted)]
    if not fitting and media_type is None:
        fitting = usable
    if not fitting:
        raise Unsupported(
            f"No virtual media slot of this BMC takes an image as {wanted} by its URL.",
            expected=f"a slot for {wanted} with {INSERT}",
            found=listed(slots),
            where=where,
            next="Ask for a media type that is offered, or name a slot.",
        )
    # What says how to insert before what has to be tried (Lenovo SD530: by PATCH, field notes §6).
    return sorted(fitting, key=lambda slot: not slot.target(INSERT))


def listed(slots: List[Slot]) -> str:
    """``CD1 (cd, dvd), RDOC1 (cd, takes no URL)``"""
    return ", ".join(
        f"{slot.id} ({', '.join([*slot.shown()['media_types'], *([] if slot.usable else ['takes no URL'])])})"
        for slot in slots
    )


def contents(slots: List[Slot]) -> Dict[str, Optional[str]]:
    """Slot → image, for a diff."""
    return {slot.id: slot.shown()["image"] or ("(unknown)" if slot.inserted else None) for slot in slots}


def _slot(session: Session, path: str, document: Mapping[str, Any]) -> Slot:
    slot = Slot(path, document, usable=True)
    unusable = session.client.platform.media_unusable
    if unusable and re.search(unusable, slot.id):
        return Slot(path, document, usable=False)
    # Actions without InsertMedia: listed, and not for us. No actions at all: a PATCH may do.
    has_actions = bool(part(document, "Actions"))
    return Slot(path, document, usable=bool(slot.target(INSERT)) or not has_actions)
