# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When a machine booted, and whether it has done so since one began to look, as far as its BMC tells."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Optional

from .document import Document, part, word
from .host_record import power_state


def booted_at(document: Document) -> Optional[datetime]:
    """The system's LastResetTime (ComputerSystem 1.12); None where it is not told or is no time."""
    return moment(document.get("LastResetTime"))


def moment(value: object) -> Optional[datetime]:
    """An ISO 8601 time with its zone, UTC where it has none; None for what is none, zero dates too."""
    if not isinstance(value, str) or len(value) > 40:
        return None
    said = value.strip()
    said = said[:-1] + "+00:00" if said.endswith(("Z", "z")) else said
    try:
        found = datetime.fromisoformat(said)
    except ValueError:
        return None
    if found.year < 1990:  # 0000, 1970: a BMC that does not know
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=timezone.utc)


# How far a boot has come (BootProgressTypes of ComputerSystem).
_STAGES = (
    "none",
    "primaryprocessorinitializationstarted",
    "businitializationstarted",
    "memoryinitializationstarted",
    "secondaryprocessorinitializationstarted",
    "pciresourceconfigstarted",
    "systemhardwareinitializationcomplete",
    "setupentered",
    "osbootstarted",
    "osrunning",
)
_FAR = {stage: number for number, stage in enumerate(_STAGES)}


class BootEvidence:
    """What two looks at a system tell of a restart between them. Begins with the system as it was before."""

    def __init__(self, before: Document) -> None:
        self._booted_at = booted_at(before)
        self._progress = _progress(before)
        self.restarted = False
        #: the BMC would tell of a restart: to wait for that makes sense
        self.can_tell = self._booted_at is not None

    def see(self, document: Document) -> None:
        """Another look; ``restarted`` stays true once it was seen."""
        at, progress = booted_at(document), _progress(document)
        if power_state(document.get("PowerState")) in ("off", "powering_on"):
            self.restarted = True
        if self._booted_at is not None and at is not None and at > self._booted_at:
            self.restarted = True
        before, now = _FAR.get(self._progress, -1), _FAR.get(progress, -1)
        if 0 <= now < before:
            self.restarted = True  # it has begun again
        elif now > before >= 0:
            self._progress = progress  # still on its way up


def _progress(document: Document) -> str:
    return word(part(document, "BootProgress").get("LastState"))
