# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wrapped recovery keys of machines, one file for each keyslot, and each in the ledger.

A document is never overwritten: its file is named after the LUKS UUID and the fingerprint of the keyslot's salt, so the
new key of a rotation lies beside the old one until the old keyslot is gone.
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from typing import Dict, List, Mapping, Optional, Sequence, Tuple

from .._core.errors import BadInput, IdentityMismatch, KeyNotFound, NotFound, VerificationFailed
from . import jwe
from .escrow import Escrow
from .key_directory import write_durably
from .ledger import MADE, SECRET, Copy, digest
from .own_directory import require_own

#: What the protected header says of a document that is kept here.
PURPOSE = "luks-recovery-key"
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SALT = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Kept:
    """A document on record."""

    path: str
    said: Mapping[str, object]

    @property
    def salt_fingerprint(self) -> str:
        return str(self.said.get("salt_fingerprint", ""))

    @property
    def luks_uuid(self) -> str:
        return str(self.said.get("luks_uuid", ""))


class Documents:
    """A directory with documents, on the controller."""

    def __init__(self, directory: str, escrow: Escrow) -> None:
        self.directory = os.path.normpath(directory)
        self._escrow = escrow

    def require(self) -> None:
        """BadInput where it is no directory that only this user can write."""
        require_own(self.directory, "The directory for documents", writing=False)

    def path_of(self, luks_uuid: str, salt_fingerprint: str) -> str:
        if not _UUID.fullmatch(luks_uuid) or not _SALT.fullmatch(salt_fingerprint):
            raise BadInput(
                "The document does not say which keyslot it is of.",
                expected="luks_uuid and salt_fingerprint in the protected header",
                found=f"{ascii(luks_uuid)[:40]} and {ascii(salt_fingerprint)[:70]}",
                next="Take what luks_recovery_key returns.",
            )
        return os.path.join(self.directory, f"{luks_uuid}-{salt_fingerprint[:16]}.jwe")

    def of(self, fru: str) -> List[Kept]:
        """The machine's documents on record here, in the order in which they came. None of a key that was destroyed."""
        try:
            kid = self._escrow.public_key(fru).kid
        except KeyNotFound:
            return []
        return [
            Kept(copy.place, copy.context)
            for copy in self._made(fru)
            if copy.kid == kid and os.path.dirname(copy.place) == self.directory
        ]

    def is_kept(self, document: bytes, *, fru: str) -> bool:
        """Whether it is on record, and there; checks it before."""
        path = self._checked(document, fru)
        on_record = any((copy.place, copy.sha256) == (path, digest(document)) for copy in self._made(fru))
        there = _content(path)
        if there is not None and there != document:
            raise IdentityMismatch(
                "Another document of the same keyslot lies there; it was not replaced.",
                expected=digest(document),
                found=digest(there),
                where=path,
                next="Open both, and see which one has the key that opens the device. Take the other away.",
            )
        return on_record and there is not None

    def keep(self, document: bytes, *, fru: str) -> None:
        """Write it and list it; seen afterwards."""
        if self.is_kept(document, fru=fru):
            return
        path = self._checked(document, fru)
        self._escrow.keep(document, path, fru=fru)
        if _content(path) != document:
            raise VerificationFailed("The document does not show when it is read back.", where=path)

    def retire(self, salts: Sequence[str], *, fru: str, dry: bool = False) -> List[str]:
        """Take documents away whose keyslots are gone; the salt fingerprints of those that were there."""
        went: List[str] = []
        for copy in self._copies(fru):
            salt = str(copy.context.get("salt_fingerprint", ""))
            if salt not in salts or os.path.dirname(copy.place) != self.directory:
                continue
            went.append(salt)
            if dry:
                continue
            try:
                os.unlink(copy.place)
            except FileNotFoundError:
                pass
            except OSError as error:
                raise BadInput(f"The document can't be removed: {error.strerror}.", where=copy.place) from error
            self._escrow.gone(fru, copy)
        return went

    def unwrapped(self, *, fru: str, luks_uuid: str, salt_fingerprint: str = "") -> Tuple[Kept, bytes]:
        """A recovery key in clear: the newest of this device, or the one of this keyslot."""
        found = [kept for kept in self.of(fru) if kept.luks_uuid == luks_uuid]
        if salt_fingerprint:
            found = [kept for kept in found if kept.salt_fingerprint == salt_fingerprint]
        if not found:
            raise NotFound(
                "No recovery key of this device is on record.",
                expected=f"a document of {luks_uuid} {salt_fingerprint}".strip(),
                found=", ".join(sorted({kept.luks_uuid for kept in self.of(fru)})) or "none of this machine",
                where=self.directory,
                next="The device may still have it in its header: luks_recovery_key gives it again.",
            )
        newest = max(found, key=lambda kept: str(kept.said.get("made", "")))
        document = _content(newest.path)
        if document is None:
            raise NotFound(
                "The document is on record, and not there.",
                expected="a file",
                where=newest.path,
                next="Take another copy of it from where the ledger says, or from the device's header.",
            )
        context = {
            "purpose": PURPOSE,
            "luks_uuid": newest.luks_uuid,
            "salt_fingerprint": newest.salt_fingerprint,
        }
        return newest, self._escrow.unwrap(document, fru=fru, context=context)

    def _checked(self, document: bytes, fru: str) -> str:
        said = self._escrow.check(document, fru=fru, context={"purpose": PURPOSE})
        key = self._escrow.public_key(fru).kid
        if said.get("key") != key:
            raise IdentityMismatch(
                "The document is encrypted to another key than the machine has now.",
                expected=key,
                found=ascii(said.get("key"))[:80],
                where="protected header",
                next="Make a new recovery key on the node.",
            )
        return self.path_of(str(said.get("luks_uuid")), str(said.get("salt_fingerprint")))

    def _copies(self, fru: str) -> List[Copy]:
        return [copy for copy in self._escrow.copies(fru) if copy.content == SECRET]

    def _made(self, fru: str) -> List[Copy]:
        return [copy for copy in self._copies(fru) if copy.state == MADE]


def write_secret(path: str, content: bytes) -> bool:
    """A file with mode 0600 and this content; whether that is a change."""
    if holds_secret(path, content):
        return False
    write_durably(path, content)
    return True


def holds_secret(path: str, content: bytes) -> bool:
    """Whether the file is there as :func:`write_secret` leaves it."""
    try:
        found = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and stat.S_IMODE(found.st_mode) == 0o600 and _content(path) == content


def _content(path: str) -> Optional[bytes]:
    try:
        with open(path, "rb") as file:
            return file.read(jwe.LARGEST)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BadInput(f"The file can't be read: {error.strerror}.", where=path) from error


def shown(kept: Kept) -> Dict[str, object]:
    """A document as a result has it."""
    names = ("luks_uuid", "host", "keyslot", "salt_fingerprint", "made")
    return {"path": kept.path, **{name: kept.said.get(name) for name in names}}
