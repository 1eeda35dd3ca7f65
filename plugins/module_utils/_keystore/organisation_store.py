# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The store without hardware: key files sealed to two or more keys of the organisation, each of which opens them.

Destroying a key is destroying its file. Nothing reaches a copy of that file, so whoever keeps one must say so in the
ledger, and the machine counts as erased only when that copy is gone, too.
"""

from __future__ import annotations

import os
from typing import Callable, Dict, List, Mapping, Sequence

from .._core.errors import BadInput
from . import jwe, key_wrapping
from .jwk import PrivateKey, PublicKey, private_key, public_key
from .secret_file import read_secret
from .store import KeyStore

#: One key lost must not be every secret lost.
FEWEST = 2


class OrganisationStore(KeyStore):
    """``organisation_keys``: files with public JWKs. ``private_key_file``: one private JWK (mode 0600), needed only to
    unwrap; a controller that makes keys and wraps has none, and could open nothing."""

    kind = "files"
    reaches_copies = False

    def __init__(
        self,
        directory: str,
        organisation_keys: Sequence[str],
        *,
        private_key_file: str = "",
        random: Callable[[int], bytes] = os.urandom,
    ) -> None:
        super().__init__(directory, random=random)
        self._organisation = organisation(organisation_keys)
        self._private_key_file = private_key_file

    def describe(self) -> Dict[str, object]:
        self.directory.require()
        return {
            "kind": self.kind,
            "directory": self.directory.path,
            "organisation_keys": [key.kid for key in self._organisation],
            "reaches_copies": self.reaches_copies,
            "unwraps": bool(self._private_key_file),
        }

    def close(self) -> None:
        """There is nothing to close."""

    def _require(self, fru: str) -> None:
        if self._private_key_file:
            self._private()

    def _seal(self, plaintext: bytes, fru: str, context: Mapping[str, object]) -> jwe.Jwe:
        recipients = [key_wrapping.for_public_key(key) for key in self._organisation]
        return jwe.encrypt(plaintext, context, recipients, random=self._random)

    def _content_key(self, document: jwe.Jwe, fru: str) -> bytes:
        return key_wrapping.content_key(document, self._private())

    def _can_unseal(self) -> bool:
        # An old key of the organisation, at hand to seal again, does not open what is sealed to the new ones only.
        return bool(self._private_key_file) and self._private().public in self._organisation

    def _destroy_sealing_key(self, fru: str) -> bool:
        return False

    def _private(self) -> PrivateKey:
        if not self._private_key_file:
            raise BadInput(
                "No private key of the organisation is at hand, so nothing can be unwrapped.",
                expected="a file with a private JWK, mode 0600",
                next="Do this where one of the organisation's keys is: "
                + ", ".join(key.kid for key in self._organisation),
            )
        return private_key(
            read_secret(self._private_key_file, "The organisation's private key"), self._private_key_file
        )


def organisation(paths: Sequence[str]) -> List[PublicKey]:
    """The public keys in these files; BadInput unless they are two different ones or more."""
    keys: Dict[str, PublicKey] = {}
    for path in paths:
        try:
            with open(path, "rb") as file:
                key = public_key(file.read(jwe.LARGEST), path)
        except OSError as error:
            raise BadInput(
                f"A public key of the organisation can't be read: {error.strerror}.", expected="a JWK", where=path
            ) from error
        keys[key.kid] = key
    if len(keys) < FEWEST:
        raise BadInput(
            "Secrets are kept for two or more keys of the organisation, so that one lost key loses nothing.",
            expected=f"at least {FEWEST} different public keys",
            found=f"{len(keys)} in {len(paths)} files",
            next='Make one for each holder: jose jwk gen -i \'{"alg":"ECDH-ES+A256KW"}\' -o private.jwk;'
            " jose jwk pub -i private.jwk -o public.jwk",
        )
    return list(keys.values())
