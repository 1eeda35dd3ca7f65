# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Images in virtual media slots: inserted, replaced, ejected, and read back.

Inserting is sushy's: it knows who refuses Inserted and WriteProtected, who wants TransferProtocolType, TransferMethod
or credentials where none are needed, and who is written to by PATCH.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Callable, List, Optional
from urllib.parse import urlsplit

from .._core.errors import BadInput, HearthError, NotFound, Unsupported, VerificationFailed
from .._core.hostile import clean
from .access import ChosenSystem, Session
from .media_slots import EJECT, Slot, contents, listed, named, read_slots, reread, suitable
from .sushy_connector import SUSHY_ERRORS, typed_error

try:
    from sushy.resources.manager.virtual_media import VirtualMedia
except ImportError:
    pass  # Session.sushy says so

SCHEMES = ("https", "http", "nfs", "cifs", "smb")

_SETTLE_SECONDS = 30.0  # until a medium that was accepted is in, or out: iDRAC shows an ejected one for a while
_PAUSE = 0.5


@dataclass(frozen=True)
class MediaWanted:
    """What should be in. ``inserted=False``: nothing, or not ``image``."""

    inserted: bool
    image: str = ""
    slot: str = ""
    media_type: Optional[str] = None  # cd | usb | floppy
    write_protected: Optional[bool] = None  # None: as the BMC does it
    username: Optional[str] = None  # for the server that has the image
    password: Optional[str] = field(default=None, repr=False)


@dataclass(frozen=True)
class MediaPlan:
    """``eject`` first, then ``insert`` into the first of its slots that works. Both empty: nothing to do."""

    eject: List[Slot]
    insert: List[Slot]
    holding: Optional[Slot] = None
    """The slot that has the image already."""

    def __bool__(self) -> bool:
        return bool(self.eject or self.insert)


def check_image(session: Session, image: str) -> None:
    """BadInput for an image's URL that cannot be right here, before anything is changed."""
    try:
        parts = urlsplit(image)
    except ValueError:
        parts = urlsplit("")
    problem, expected = "", f"{', '.join(SCHEMES)}://server/path"
    if any(not char.isprintable() or char.isspace() for char in image):
        problem = "holds spaces or control characters"
    elif parts.scheme.lower() not in SCHEMES or not parts.hostname or parts.path in ("", "/"):
        problem = "is no URL of an image that a BMC could fetch"
    elif parts.username is not None or parts.password is not None:
        problem, expected = "holds credentials", "a URL without, and image_username and image_password"
    else:
        refused = [char for char in session.client.platform.media_url_refuses if char in image]
        if refused:
            problem = f"holds {' and '.join(refused)}, which this BMC refuses"
            expected = f"a URL without {' and '.join(session.client.platform.media_url_refuses)}"
    if problem:
        raise BadInput(
            f"The image's URL {problem}.",
            expected=expected,
            found="" if "credentials" in problem else clean(image, 200),
            where="image",
            next="Correct image.",
        )


def plan_media(session: Session, chosen: ChosenSystem, slots: List[Slot], wanted: MediaWanted) -> MediaPlan:
    """What has to be done. NotFound or Unsupported, with what there is, before anything is changed."""
    where = f"{session.access.endpoint.url}{chosen.path}"
    among = [named(slots, wanted.slot, where)] if wanted.slot else slots
    if not wanted.inserted:
        return _ejecting(among, wanted)
    fitting = suitable(among, wanted.image, wanted.media_type, where)
    for slot in fitting:
        if slot.holds(wanted.image) and wanted.write_protected in (None, slot.write_protected):
            return MediaPlan([], [], holding=slot)
    # With another write protection it has to come out and in again; else the first slot is the one, full or not.
    first = next((slot for slot in fitting if slot.holds(wanted.image)), fitting[0])
    order = [first, *(slot for slot in fitting if slot is not first and not slot.inserted)]
    return MediaPlan([first] if first.inserted else [], order)


def apply_media(session: Session, plan: MediaPlan, wanted: MediaWanted) -> Optional[Slot]:
    """Do it and read it back; the slot that has the image now.

    Where the BMC refuses the new image, what it replaced is put back, and the error says so.
    """
    for slot in plan.eject:
        eject(session, slot)
    if not plan.insert:
        return None
    try:
        return _insert_somewhere(session, plan.insert, wanted)
    except HearthError as error:
        if plan.eject:
            error.next = f"{_put_back(session, plan.eject[0])} {error.next}".strip()
        raise


def eject(session: Session, slot: Slot) -> None:
    """Take the medium out, and wait until it is. VerificationFailed where it stays."""
    target = slot.target(EJECT)
    try:
        if target:
            # Not sushy's eject_media: it passes over refusals. With a body: HPE wants one (field notes §6).
            session.sushy()._conn.post(target, data={})
        else:
            _resource(session, slot).eject_media()
    except SUSHY_ERRORS as error:
        refusal = typed_error(error)
        if reread(session, slot).inserted:
            raise _put(refusal, session, slot) from error
    _wait(session, slot, lambda now: not now.inserted, "nothing inserted")


def _insert_somewhere(session: Session, slots: List[Slot], wanted: MediaWanted) -> Slot:
    """Insert into the first slot that can: some list InsertMedia and have none (Cisco C845A: 405, field notes §6)."""
    incapable: Optional[HearthError] = None
    for slot in slots:
        try:
            return _insert(session, slot, wanted)
        except (Unsupported, NotFound) as error:
            incapable = incapable or error
    if incapable is None:
        raise Unsupported("No slot can be used.", where=session.access.endpoint.url)
    incapable.found = incapable.found or listed(slots)
    raise incapable


def _insert(session: Session, slot: Slot, wanted: MediaWanted) -> Slot:
    try:
        _resource(session, slot).insert_media(
            wanted.image,
            write_protected=wanted.write_protected is not False,
            username=wanted.username,
            password=wanted.password,
        )
    except SUSHY_ERRORS as error:
        refusal = typed_error(error)
        # A refusal after which the image is in, by itself: some answer with an error while they still fetch it.
        if isinstance(refusal, (Unsupported, NotFound)) or not reread(session, slot).holds(wanted.image):
            raise _put(refusal, session, slot) from error
    return _wait(session, slot, lambda now: now.holds(wanted.image), clean(wanted.image, 200))


def _put_back(session: Session, slot: Slot) -> str:
    """What became of the medium that was replaced, in a sentence."""
    if not slot.image:
        return f"Slot {slot.id} is empty now."
    try:
        back = MediaWanted(True, slot.image, write_protected=slot.write_protected)
        _insert(session, slot, back)
    except HearthError as error:
        return f"Slot {slot.id} is empty now: what it held could not be put back ({error.msg.rstrip('.')})."
    return f"What slot {slot.id} held before is in it again."


def _resource(session: Session, slot: Slot) -> Any:
    """sushy's own class for the slot, read anew."""
    service = session.sushy()
    return VirtualMedia(service._conn, slot.path, redfish_version=service.redfish_version, root=service)


def _wait(session: Session, slot: Slot, reached: Callable[[Slot], bool], expected: str) -> Slot:
    until = session.client.transport.deadline.sooner(_SETTLE_SECONDS)
    while True:
        now = reread(session, slot)
        if reached(now):
            return now
        if until.remaining() <= _PAUSE:
            break
        session.rest(_PAUSE)
    found = contents([now])[now.id]
    raise VerificationFailed(
        f"The BMC accepted it, and slot {slot.id} does not show it.",
        expected=expected,
        found=found or "nothing inserted",
        where=f"{session.access.endpoint.url}{slot.path}",
        next="Look into the BMC's log: it may not reach the server that has the image.",
    )


def _ejecting(slots: List[Slot], wanted: MediaWanted) -> MediaPlan:
    """What is in goes out; with an image, only that. What somebody shares from a console in the browser stays."""
    full = [slot for slot in slots if slot.inserted and (slot.usable or wanted.slot)]
    if wanted.image:
        full = [slot for slot in full if slot.holds(wanted.image)]
    return MediaPlan(full, [])


def _put(error: HearthError, session: Session, slot: Slot) -> HearthError:
    """The error with the place where it happened."""
    error.where = f"{session.access.endpoint.url}{slot.path}"
    if not error.next:
        error.next = "Look into the BMC's log; some want a licence for virtual media, or cannot reach the server."
    return error


__all__ = ["MediaPlan", "MediaWanted", "apply_media", "check_image", "plan_media", "read_slots"]
