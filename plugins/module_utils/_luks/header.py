# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A LUKS2 header as cryptsetup shows it (``luksDump --dump-json-metadata``); LUKS2 On-Disk Format 1.1.2, chapter 3."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass
from typing import Any, Dict, FrozenSet, List, Mapping, Tuple

from .._core.errors import ProtocolViolation
from .._core.hostile import clean

#: The specification's LUKS2_KEYSLOTS_MAX; a small header has room for fewer.
MOST_KEYSLOTS = 32


@dataclass(frozen=True)
class Keyslot:
    """One keyslot. ``salt_fingerprint``: SHA-256 of the salt of its key derivation, hexadecimal: who knows it knows
    which slot is meant, and nothing of the secret."""

    kind: str
    salt_fingerprint: str
    cipher: str
    size: int
    """Bits of the key that it holds."""
    kdf: str
    iterations: int
    kdf_hash: str


@dataclass(frozen=True)
class Token:
    type: str
    keyslots: Tuple[int, ...]
    raw: Mapping[str, Any]


@dataclass(frozen=True)
class Header:
    """A header at one moment."""

    uuid: str
    keyslots: Mapping[int, Keyslot]
    tokens: Mapping[int, Token]
    segments: Mapping[int, Mapping[str, Any]]
    room: int
    """How many keyslots it can hold."""
    fingerprint: str
    """SHA-256 of what never changes while the volume lives: UUID, segments, and the digests of the volume key."""
    state_fingerprint: str
    """SHA-256 of that, all keyslots and all tokens: changes with each binding, and with nothing else."""

    @property
    def with_token(self) -> FrozenSet[int]:
        """Keyslots that a token names."""
        return frozenset(slot for token in self.tokens.values() for slot in token.keyslots)

    def free_keyslot(self) -> int:
        """The lowest free number, or -1."""
        if len(self.keyslots) >= self.room:
            return -1
        return next(number for number in range(MOST_KEYSLOTS) if number not in self.keyslots)


def parse_header(uuid: str, dumped: bytes, where: str) -> Header:
    """From the UUID and the JSON that cryptsetup prints."""
    try:
        area = json.loads(dumped)
        keyslots = {int(number): _keyslot(slot) for number, slot in area["keyslots"].items()}
        tokens = {
            int(number): Token(clean(str(token["type"]), 64), tuple(int(slot) for slot in token["keyslots"]), token)
            for number, token in area["tokens"].items()
        }
        segments = {int(number): segment for number, segment in area["segments"].items()}
        lasting = {"uuid": uuid, "segments": area["segments"], "digests": _digests(area["digests"])}
        slot_bytes = max([int(slot["area"]["size"]) for slot in area["keyslots"].values()] or [258048])
        room = min(MOST_KEYSLOTS, int(area["config"]["keyslots_size"]) // slot_bytes)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ProtocolViolation(
            "not metadata of a LUKS2 header",
            expected="JSON as cryptsetup prints it",
            found=type(error).__name__,
            where=where,
            next="See what cryptsetup luksDump says of the device.",
        ) from error
    everything = {**lasting, "keyslots": area["keyslots"], "tokens": area["tokens"]}
    return Header(uuid, keyslots, tokens, segments, room, _sha256(lasting), _sha256(everything))


def _keyslot(slot: Mapping[str, Any]) -> Keyslot:
    kdf = slot.get("kdf", {})
    try:
        salt = base64.b64decode(kdf.get("salt", ""), validate=True)
    except binascii.Error as error:
        raise ValueError("salt") from error
    return Keyslot(
        kind=str(slot["type"]),
        salt_fingerprint=hashlib.sha256(salt).hexdigest() if salt else "",
        cipher=clean(str(slot["area"].get("encryption", "")), 64),
        size=8 * int(slot["key_size"]),
        kdf=str(kdf.get("type", "")),
        iterations=int(kdf.get("iterations", kdf.get("time", 0))),
        kdf_hash=str(kdf.get("hash", "")),
    )


def _digests(digests: Mapping[str, Mapping[str, Any]]) -> List[Dict[str, Any]]:
    """Without the keyslots that each vouches for: those come and go."""
    return [
        {key: value for key, value in digest.items() if key != "keyslots"}
        for _number, digest in sorted(digests.items())
    ]


def _sha256(what: Any) -> str:
    return hashlib.sha256(json.dumps(what, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
