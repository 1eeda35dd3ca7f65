# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Key stores: what keeps a machine's secrets readable for the organisation, and can end that for good.

Every machine (FRU) has one key pair. Its secrets are encrypted to the public half, by jose on the node or by
:meth:`KeyStore.wrap`. The private half lies in a key file, sealed by what makes one store differ from another: keys of
the organisation, a key in a KMIP server, a key in a PKCS#11 token. Where that is a key for this machine alone,
destroying it ends every copy of every secret of the machine, wherever copies lie.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from typing import Callable, Dict, Mapping, Optional

from .._core.errors import BadInput, IdentityMismatch, KeyNotFound, VerificationFailed
from . import jwe, key_wrapping
from .jwk import PrivateKey, PublicKey, new_private_key, private_key
from .key_directory import FruKey, KeyDirectory

#: Says in the protected header of a sealed private key that it is one.
_PURPOSE = "fru-key"


class KeyStore(ABC):
    """A key store. Not thread-safe. ``random`` gives that many bytes; asymmetric keys come from the library's own."""

    #: the name of the kind, as it stands in key files and in the ledger
    kind: str = ""
    #: whether destroying a machine's key reaches copies of its key file
    reaches_copies: bool = True

    def __init__(self, directory: str, *, random: Callable[[int], bytes] = os.urandom) -> None:
        self.directory = KeyDirectory(directory, random=random)
        self._random = random

    def make_key(self, fru: str) -> PublicKey:
        """The public half of a machine's key, made where there is none yet."""
        checked_fru(fru)
        with self.directory.locked(fru):
            found = self.directory.read(fru)
            if found is not None:
                self._own(found)
                if self._can_unseal():
                    # Nobody put another public half there, for which he has the private one.
                    self._unsealed(found)
                return found.public
            self._require(fru)
            made = new_private_key()
            sealed = self._sealed(made, fru)
            self._prove(made, sealed)
            self.directory.write(FruKey(fru, self.kind, made.public, sealed.as_json()))
            return made.public

    def key_of(self, fru: str) -> Optional[FruKey]:
        """The machine's key as it is kept, or None."""
        return self.directory.read(checked_fru(fru))

    def public_key(self, fru: str) -> PublicKey:
        """What the machine encrypts its secrets to; KeyNotFound where no key was made, or it was destroyed."""
        return self._existing(fru).public

    def wrap(self, plaintext: bytes, *, fru: str, context: Mapping[str, object]) -> bytes:
        """Encrypt a secret of a machine to its key: JWE, general JSON serialization (RFC 7516).

        :param context: what the secret is of (host, LUKS UUID, keyslot, fingerprint of the salt): readable by
            everybody in the protected header, and changed by nobody.
        """
        recipient = key_wrapping.for_public_key(self.public_key(fru))
        return jwe.encrypt(plaintext, {**context, "fru": fru}, [recipient], random=self._random).as_json()

    def unwrap(self, document: bytes, *, fru: str, context: Mapping[str, object]) -> bytes:
        """The secret. IdentityMismatch, before any key is used, where the document is of another machine or says
        something else than ``context`` (which may name less than the document does)."""
        found = jwe.parse(document, "the document")
        for name, expected in {**jwe.checked_context(context), "fru": checked_fru(fru)}.items():
            if found.protected.get(name) != expected:
                raise IdentityMismatch(
                    f"The document is about another {name}.",
                    expected=str(expected),
                    found=ascii(found.protected.get(name))[:80],
                    where="protected header",
                )
        content_key = key_wrapping.content_key(found, self._unsealed(self._existing(fru)))
        return found.plaintext(content_key)

    def destroy(self, fru: str) -> bool:
        """Destroy the machine's key, and see that it is gone: nothing that was encrypted to it opens any more.

        False where there was none. May be repeated after it was interrupted, whatever is left.
        """
        checked_fru(fru)
        with self.directory.locked(fru):
            # What the store holds goes first: without it the file is worth nothing, and the file says where to look.
            sealing = self._destroy_sealing_key(fru)
            return self.directory.erase(fru) or sealing

    def seal_again(self, fru: str) -> PublicKey:
        """Seal the private half anew (the organisation's keys have changed); the key stays, and so do its secrets."""
        with self.directory.locked(checked_fru(fru)):
            found = self._existing(fru)
            key = self._unsealed(found)
            self._require(fru)
            self.directory.write(FruKey(fru, self.kind, found.public, self._sealed(key, fru).as_json()))
            return found.public

    @abstractmethod
    def describe(self) -> Dict[str, object]:
        """What this store is, without secrets; an error where it can't be used."""

    @abstractmethod
    def close(self) -> None:
        """End sessions and connections. May be called twice."""

    @abstractmethod
    def _require(self, fru: str) -> None:
        """Raise what would stop making a key, before anything is changed."""

    @abstractmethod
    def _seal(self, plaintext: bytes, fru: str, context: Mapping[str, object]) -> jwe.Jwe:
        """Encrypt with the store's key; it makes one for this machine where it needs it and there is none."""

    @abstractmethod
    def _content_key(self, document: jwe.Jwe, fru: str) -> bytes:
        """The content key of what :meth:`_seal` encrypted; KeyNotFound where the store's key is gone."""

    def _can_unseal(self) -> bool:
        return True

    @abstractmethod
    def _destroy_sealing_key(self, fru: str) -> bool:
        """Destroy what the store holds for this machine alone; False where it holds nothing."""

    def _sealed(self, key: PrivateKey, fru: str) -> jwe.Jwe:
        context = {"purpose": _PURPOSE, "fru": fru, "key": key.public.kid}
        return self._seal(key.as_json(), fru, context)

    def _unsealed(self, kept: FruKey) -> PrivateKey:
        document = jwe.parse(kept.sealed, self.directory.path_of(kept.fru))
        said = document.protected
        if (said.get("purpose"), said.get("fru"), said.get("key")) != (_PURPOSE, kept.fru, kept.kid):
            raise IdentityMismatch(
                "The key file holds the private half of another key.",
                expected=f"key {kept.kid} of {kept.fru}",
                found=ascii(said.get("key"))[:80],
                where=self.directory.path_of(kept.fru),
            )
        key = private_key(document.plaintext(self._content_key(document, kept.fru)), "the sealed private key")
        if key.public.members != kept.public.members:
            raise IdentityMismatch(
                "The key file's public half is not of its private half.",
                expected=key.public.kid,
                found=kept.kid,
                where=self.directory.path_of(kept.fru),
            )
        return key

    def _prove(self, key: PrivateKey, sealed: jwe.Jwe) -> None:
        """What was sealed opens again, seen before anything depends on it."""
        if not self._can_unseal():
            return
        opened = self._unsealed(FruKey(str(sealed.protected["fru"]), self.kind, key.public, sealed.as_json()))
        if opened.as_json() != key.as_json():
            raise VerificationFailed("The key store gives back another key than it was given.", where=self.kind)

    def _existing(self, fru: str) -> FruKey:
        found = self.directory.read(checked_fru(fru))
        if found is None:
            raise KeyNotFound(
                "There is no key of this machine: none was made, or it was destroyed.",
                expected=self.directory.path_of(fru),
                where=fru,
                next="Make one for a new machine; what was encrypted to a destroyed key is gone.",
            )
        return self._own(found)

    def _own(self, found: FruKey) -> FruKey:
        if found.store != self.kind:
            raise BadInput(
                "The machine's key is in a key store of another kind.",
                expected=self.kind,
                found=ascii(found.store)[:40],
                where=self.directory.path_of(found.fru),
                next="Use that key store for this machine.",
            )
        return found


def checked_fru(fru: str) -> str:
    """BadInput for what names no machine."""
    if not fru.strip() or "\0" in fru or len(fru) > 512:
        raise BadInput("A FRU needs a name.", expected="1 to 512 characters", found=ascii(fru)[:40])
    return fru
