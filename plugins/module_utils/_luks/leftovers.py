# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a killed run of ours left in a header, and what the header would be without it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, List, Optional, Sequence

from . import systemd
from .bindings import PENDING, RECOVERY
from .header import Header


@dataclass(frozen=True)
class Leftover:
    keyslot: Optional[int]
    token: Optional[int]
    words: str


def leftovers(header: Header) -> List[Leftover]:
    """What a killed run of ours left in a header."""
    found: List[Leftover] = []
    for number, token in sorted(header.tokens.items()):
        if token.type == PENDING:
            for slot in _half_made(header, token.raw):
                found.append(Leftover(slot, None, f"keyslot {slot}, half made by a run that was killed"))
            found.append(Leftover(None, number, f"token {number}, the note of a run that was killed"))
        elif token.type in ("clevis", systemd.TOKEN, RECOVERY) and not token.keyslots:
            found.append(Leftover(None, number, f"token {number}, whose keyslot is gone"))
    return found


def _half_made(header: Header, note: Any) -> List[int]:
    """Keyslots that a note stands for: without a token, and with the mark that was noted."""
    orphans = {slot: keyslot for slot, keyslot in header.keyslots.items() if slot not in header.with_token}
    if note.get("systemd"):
        known = note.get("known", [])
        return [
            slot
            for slot, keyslot in orphans.items()
            if keyslot.salt_fingerprint not in known
            and (keyslot.kdf, keyslot.iterations, keyslot.kdf_hash) == systemd.KDF
        ]
    return [
        slot
        for slot, keyslot in orphans.items()
        if str(slot) == note.get("keyslot") and (keyslot.kdf, keyslot.iterations) == ("pbkdf2", note.get("iterations"))
    ]


def cleared(header: Header, steps: Sequence[Leftover]) -> Header:
    gone_slots = {step.keyslot for step in steps}
    gone_tokens = {step.token for step in steps}
    return Header(
        header.uuid,
        {number: slot for number, slot in header.keyslots.items() if number not in gone_slots},
        {number: token for number, token in header.tokens.items() if number not in gone_tokens},
        header.segments,
        header.room,
        header.fingerprint,
        header.state_fingerprint,
    )
