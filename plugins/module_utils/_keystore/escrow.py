# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Escrow: a key store and the ledger of copies, in the order that a killed run can be taken up from.

What roles and modules use. Each step is safe to repeat; the ledger says before a step what is about to be, and after it
what was seen.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Dict, List, Mapping, Optional, Tuple

from .._core.errors import BadInput, IdentityMismatch, KeyCopiesRemain, KeyNotFound, VerificationFailed
from . import jwe
from .jwk import PublicKey
from .key_directory import FruKey, write_durably
from .ledger import DESTROYED, GONE, KEY_FILE, LIVE, SECRET, Copy, KnownKey, Ledger, digest
from .store import KeyStore


@dataclass(frozen=True)
class Destruction:
    """What was destroyed, for the machine's record."""

    kids: Tuple[str, ...]
    """Keys that are gone now; those of earlier destructions are in the ledger."""
    copies: Tuple[Copy, ...]
    """Copies of secrets and key files that still lie somewhere, and open with nothing any more."""


class Escrow:
    """One key store with one ledger."""

    def __init__(self, store: KeyStore, ledger: Ledger) -> None:
        self._store = store
        self._ledger = ledger

    def make_key(self, fru: str) -> PublicKey:
        """The public half of a machine's key, made where it has none. What the ledger knows must be what is there."""
        known = self._ledger.present_key(fru)
        if known is not None:
            return self._known_key(fru, known).public
        made = self._store.make_key(fru)
        # The key file itself is the first copy. A run that was killed before this line finds the same key again.
        kept = self._store.key_of(fru)
        if kept is None or kept.public != made:
            raise VerificationFailed("The key file is not what was just written.", where=fru)
        self._ledger.key_made(fru, made.kid, self._store.kind)
        return made

    def public_key(self, fru: str) -> PublicKey:
        """What the node encrypts to. KeyNotFound without a key in the ledger: a key file alone proves nothing."""
        return self._present(fru).public

    def wrap(self, plaintext: bytes, *, fru: str, context: Mapping[str, object]) -> bytes:
        """See :meth:`.store.KeyStore.wrap`; only to the key that the ledger knows."""
        self._present(fru)
        return self._store.wrap(plaintext, fru=fru, context=context)

    def unwrap(self, document: bytes, *, fru: str, context: Mapping[str, object]) -> bytes:
        """See :meth:`.store.KeyStore.unwrap`."""
        self._present(fru)
        return self._store.unwrap(document, fru=fru, context=context)

    def check(self, document: bytes, *, fru: str, context: Mapping[str, object]) -> Dict[str, object]:
        """The protected header of a document that a node encrypted, once it is for this machine and says what is
        expected. That it opens is what a drill shows: this needs no private key."""
        self._present(fru)
        found = jwe.parse(document, "the document")
        for name, expected in {**jwe.checked_context(context), "fru": fru}.items():
            if found.protected.get(name) != expected:
                raise IdentityMismatch(
                    f"The document is about another {name}.",
                    expected=str(expected),
                    found=ascii(found.protected.get(name))[:80],
                    where="protected header",
                )
        return dict(found.protected)

    def announce(self, document: bytes, *, fru: str, place: str) -> Copy:
        """Before a copy of a wrapped secret is made anywhere by anybody."""
        found = jwe.parse(document, "the document").protected
        if found.get("fru") != fru:
            raise IdentityMismatch(
                "The document is another machine's.", expected=fru, found=ascii(found.get("fru"))[:80], where=place
            )
        context = {name: value for name, value in found.items() if name not in jwe.RESERVED and name != "fru"}
        kid = self._present(fru).kid
        return self._ledger.announce(fru, document, place=place, content=SECRET, kid=kid, context=context)

    def announce_key_file(self, fru: str, *, place: str) -> Copy:
        """Before a copy of the machine's key file is made (a backup, a second controller)."""
        kept = self._present(fru)
        with open(self._store.directory.path_of(fru), "rb") as file:
            content = file.read()
        return self._ledger.announce(fru, content, place=place, content=KEY_FILE, kid=kept.kid, context={})

    def made(self, fru: str, copy: Copy) -> None:
        self._ledger.made(fru, copy)

    def gone(self, fru: str, copy: Copy) -> None:
        self._ledger.gone(fru, copy)

    def keep(self, document: bytes, path: str, *, fru: str, place: str = "") -> Copy:
        """Write a wrapped secret to a file (mode 0600) and to the ledger, so that it never lies there unlisted."""
        copy = self.announce(document, fru=fru, place=place or path)
        if not _holds(path, copy.sha256):
            write_durably(path, document)
        self._ledger.made(fru, copy)
        return copy

    def copies(self, fru: str) -> List[Copy]:
        """Every copy that may still lie somewhere."""
        return [copy for copy in self._ledger.copies(fru) if copy.state != GONE]

    def destroy(self, fru: str) -> Destruction:
        """Destroy the machine's key. What was interrupted is finished by the next call.

        KeyCopiesRemain, before anything is changed, where the store does not reach copies of the key file and the
        ledger lists some: delete those first, and say so (:meth:`gone`).
        """
        known = [key for key in self._ledger.keys(fru) if key.state != DESTROYED]
        kept = self._readable(fru)
        if not known and kept is None and not os.path.lexists(self._store.directory.path_of(fru)):
            # A run that was killed while it made the key may have left one in the store that sealed nothing yet.
            if not self._store.destroy(fru) and not self._ledger.keys(fru):
                raise KeyNotFound(
                    "There was never a key of this machine here.",
                    where=f"{self._store.kind} store, {self._store.directory.path}",
                    next="See whether the machine's name and the key store are right.",
                )
            return Destruction((), tuple(self.copies(fru)))
        self._refuse_other_store(fru, known)
        self._refuse_remaining_copies(fru)
        kids = {key.kid for key in known} | ({kept.kid} if kept is not None else set())
        for kid in sorted(kids):
            self._ledger.key_destroying(fru, kid, self._store.kind)
        self._store.destroy(fru)
        if os.path.lexists(self._store.directory.path_of(fru)):
            raise VerificationFailed(
                "The key file is still there after it was destroyed.", where=self._store.directory.path_of(fru)
            )
        for kid in sorted(kids):
            self._ledger.key_destroyed(fru, kid, self._store.kind)
        return Destruction(tuple(sorted(kids)), tuple(self.copies(fru)))

    def _refuse_other_store(self, fru: str, known: List[KnownKey]) -> None:
        others = sorted({key.store for key in known} - {self._store.kind})
        if others:
            raise BadInput(
                "The machine's key is in a key store of another kind.",
                expected=self._store.kind,
                found=", ".join(others),
                where=fru,
                next="Destroy it with that key store.",
            )

    def _refuse_remaining_copies(self, fru: str) -> None:
        if self._store.reaches_copies:
            return
        left = [copy for copy in self.copies(fru) if copy.content == KEY_FILE]
        if left:
            raise KeyCopiesRemain(
                "Copies of this machine's key file lie where destroying the key does not reach them; nothing was"
                " destroyed.",
                expected="no copy of the key file left",
                found="; ".join(f"{copy.state} at {copy.place}" for copy in left),
                where=fru,
                next="Delete them there and record that they are gone; then destroy the key.",
            )

    def _present(self, fru: str) -> FruKey:
        known = self._ledger.present_key(fru)
        if known is None:
            raise KeyNotFound(
                "The ledger knows no key of this machine: none was made, or it was destroyed.",
                where=fru,
                next="Make one for a new machine; what was encrypted to a destroyed key is gone.",
            )
        return self._known_key(fru, known)

    def _known_key(self, fru: str, known: KnownKey) -> FruKey:
        if known.state != LIVE:
            raise KeyNotFound(
                "This machine's key was being destroyed when a run ended.",
                found=f"key {known.kid}",
                where=fru,
                next="Destroy it once more, which finishes that; then a new one can be made.",
            )
        self._refuse_other_store(fru, [known])
        kept = self._store.key_of(fru)
        if kept is None:
            raise KeyNotFound(
                "The machine's key file is missing, and the ledger says that it was not destroyed.",
                expected=self._store.directory.path_of(fru),
                where=fru,
                next="Restore it from its backup; or destroy the key, which gives up what was encrypted to it.",
            )
        if kept.kid != known.kid:
            raise IdentityMismatch(
                "The key file holds another key than the ledger knows; nothing was encrypted to it.",
                expected=f"key {known.kid}",
                found=f"key {kept.kid}",
                where=self._store.directory.path_of(fru),
                next="Restore the file from its backup, and find out who replaced it.",
            )
        return kept

    def _readable(self, fru: str) -> Optional[FruKey]:
        try:
            return self._store.key_of(fru)
        except BadInput:
            # Overwritten by a run that was killed: it still is to be removed.
            return None


def _holds(path: str, sha256: str) -> bool:
    try:
        with open(path, "rb") as file:
            return digest(file.read(jwe.LARGEST + 1)) == sha256
    except OSError:
        return False
