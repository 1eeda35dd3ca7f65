# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ledger of copies: which keys a machine has had, and where every copy of its secrets and key files lies.

Records of kind ``key_copy`` in the state store, keyed by FRU, append-only. A copy is announced before it is made and
confirmed after, so that none lies anywhere unlisted, whenever a run is killed. No record holds a secret or a document.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Dict, List, Mapping, Optional, Tuple

from .._core.errors import BadInput
from .._core.state.records import Records

KIND = "key_copy"

# Events, as they stand in records.
_KEY_MADE = "key_made"
_KEY_DESTROYING = "key_destroying"
_KEY_DESTROYED = "key_destroyed"
_ANNOUNCED = "copy_announced"
_MADE = "copy_made"
_GONE = "copy_gone"

#: What a copy is a copy of.
SECRET = "secret"
KEY_FILE = "key_file"

#: States of a copy. Announced: a run that was killed may have made it, or not.
ANNOUNCED, MADE, GONE = "announced", "made", "gone"
#: States of a key.
LIVE, DESTROYING, DESTROYED = "live", "destroying", "destroyed"


@dataclass(frozen=True)
class Copy:
    """One copy of one document at one place."""

    sha256: str
    """Of the document, lower-case hex: which of several it is, without being it."""
    place: str
    """Where it lies, in words that a person finds it by: ``git ops/escrow@4f1c…``, ``controller:/srv/escrow/…``."""
    content: str
    kid: str
    """The machine's key that it is encrypted to; of a key file the key in it."""
    state: str
    context: Mapping[str, object]


@dataclass(frozen=True)
class KnownKey:
    """One key of a machine, present or past."""

    kid: str
    store: str
    state: str


class Ledger:
    """The ledger over an open state store."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def keys(self, fru: str) -> List[KnownKey]:
        """All keys that the machine has ever had, oldest first. Of the last one the secrets may live."""
        found: Dict[str, KnownKey] = {}
        for event, said in self._events(fru):
            if event in (_KEY_MADE, _KEY_DESTROYING, _KEY_DESTROYED):
                state = {_KEY_MADE: LIVE, _KEY_DESTROYING: DESTROYING, _KEY_DESTROYED: DESTROYED}[event]
                kid = str(said["kid"])
                found[kid] = KnownKey(kid, str(said["store"]), state)
        return list(found.values())

    def present_key(self, fru: str) -> Optional[KnownKey]:
        """The key that is not destroyed, or not wholly; None where there is none."""
        keys = [key for key in self.keys(fru) if key.state != DESTROYED]
        return keys[-1] if keys else None

    def copies(self, fru: str) -> List[Copy]:
        """All copies of a machine's documents, with what became of them, in the order in which they were announced."""
        found: Dict[object, Copy] = {}
        for event, said in self._events(fru):
            if event not in (_ANNOUNCED, _MADE, _GONE):
                continue
            name = (said["sha256"], said["place"])
            if event == _ANNOUNCED:
                context = said["context"] if isinstance(said["context"], dict) else {}
                found[name] = Copy(
                    str(said["sha256"]),
                    str(said["place"]),
                    str(said["content"]),
                    str(said["kid"]),
                    ANNOUNCED,
                    context,
                )
            elif name in found:
                found[name] = replace(found[name], state=MADE if event == _MADE else GONE)
        return list(found.values())

    def announce(
        self, fru: str, document: bytes, *, place: str, content: str, kid: str, context: Mapping[str, object]
    ) -> Copy:
        """Say that a copy is about to be made. Saying it again changes nothing."""
        copy = Copy(digest(document), place, content, kid, ANNOUNCED, dict(context))
        there = [one for one in self.copies(fru) if (one.sha256, one.place) == (copy.sha256, place)]
        if there and there[0].state != GONE:
            return there[0]
        self._append(
            fru,
            _ANNOUNCED,
            sha256=copy.sha256,
            place=place,
            content=content,
            kid=kid,
            context=dict(context),
        )
        return copy

    def made(self, fru: str, copy: Copy) -> None:
        """Confirm a copy that was announced: it lies there, and was seen."""
        if self._state(fru, copy) != MADE:
            self._append(fru, _MADE, sha256=copy.sha256, place=copy.place)

    def gone(self, fru: str, copy: Copy) -> None:
        """Somebody deleted the copy, or found that it was never made."""
        if self._state(fru, copy) != GONE:
            self._append(fru, _GONE, sha256=copy.sha256, place=copy.place)

    def key_made(self, fru: str, kid: str, store: str) -> None:
        self._append(fru, _KEY_MADE, kid=kid, store=store)

    def key_destroying(self, fru: str, kid: str, store: str) -> None:
        self._append(fru, _KEY_DESTROYING, kid=kid, store=store)

    def key_destroyed(self, fru: str, kid: str, store: str) -> None:
        self._append(fru, _KEY_DESTROYED, kid=kid, store=store)

    def _state(self, fru: str, copy: Copy) -> str:
        for one in self.copies(fru):
            if (one.sha256, one.place) == (copy.sha256, copy.place):
                return one.state
        raise BadInput(
            "The copy was never announced.",
            expected="a copy that the ledger lists",
            found=f"{copy.sha256[:16]}… at {copy.place}",
            where=fru,
            next="Announce a copy before it is made.",
        )

    def _append(self, fru: str, event: str, **said: object) -> None:
        self._records.append_record(KIND, fru, {"event": event, **said})

    def _events(self, fru: str) -> List[Tuple[str, Dict[str, object]]]:
        return [(str(one.payload.get("event")), one.payload) for one in self._records.records(KIND, fru)]


def digest(document: bytes) -> str:
    return hashlib.sha256(document).hexdigest()
