# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The store in a KMIP server: each machine has an AES-256 key there, which never leaves the server.

It seals the private half of the machine's key pair (A256GCMKW, RFC 7518, 4.7, computed by the server), so KMIP's
Destroy makes every copy of the key file worthless, and with it every copy of a secret.
"""

from __future__ import annotations

import hashlib
import os
from typing import Callable, Dict, List, Mapping, Optional, Tuple

from .._core.errors import BadInput, KeyNotFound, Refused, VerificationFailed
from . import base64url, jwe
from .kmip_session import ACTIVE, DESTROYED, PRE_ACTIVE, KmipServer, KmipSession, require_pykmip
from .store import KeyStore

_ALGORITHM = "A256GCMKW"
_NONCE = 12


class KmipStore(KeyStore):
    """Connects when it is first needed; ``close`` ends the connection."""

    kind = "kmip"

    def __init__(self, directory: str, server: KmipServer, *, random: Callable[[int], bytes] = os.urandom) -> None:
        require_pykmip()
        super().__init__(directory, random=random)
        self._server = server
        self._connected: Optional[KmipSession] = None

    def describe(self) -> Dict[str, object]:
        self.directory.require()
        self._session()
        return {
            "kind": self.kind,
            "directory": self.directory.path,
            "server": self._server.shown,
            "reaches_copies": self.reaches_copies,
            "unwraps": True,
        }

    def close(self) -> None:
        if self._connected is not None:
            self._connected.close()
            self._connected = None

    def _session(self) -> KmipSession:
        if self._connected is None:
            self._connected = KmipSession(self._server)
        return self._connected

    def _require(self, fru: str) -> None:
        unfinished = [uid for uid, state in self._keys(fru) if state not in (PRE_ACTIVE, ACTIVE)]
        if unfinished:
            raise Refused(
                "The KMIP server still has a key of this machine that was being destroyed.",
                found="key " + ", ".join(unfinished),
                where=self._server.shown,
                next="Destroy this machine's key once more; then make a new one.",
            )

    def _seal(self, plaintext: bytes, fru: str, context: Mapping[str, object]) -> jwe.Jwe:
        uid = self._active_key(fru)

        def wrap(content_key: bytes) -> jwe.Recipient:
            nonce = self._random(_NONCE)
            wrapped, tag = self._session().encrypt(uid, content_key, nonce)
            header = {"alg": _ALGORITHM, "kid": uid, "iv": base64url.encode(nonce), "tag": base64url.encode(tag)}
            return jwe.Recipient(header, wrapped)

        return jwe.encrypt(plaintext, context, [wrap], random=self._random)

    def _content_key(self, document: jwe.Jwe, fru: str) -> bytes:
        recipient = document.recipients[0]
        if len(document.recipients) != 1 or recipient.algorithm != _ALGORITHM or not recipient.kid:
            raise BadInput(
                "The private half in the key file was not sealed by a KMIP server.",
                expected=f"one recipient with {_ALGORITHM}",
                found=recipient.algorithm,
                where=self.directory.path_of(fru),
            )
        nonce, tag = (base64url.decode(recipient.header.get(name), name) for name in ("iv", "tag"))
        if self._session().state(recipient.kid) == DESTROYED:
            raise KeyNotFound(
                "The machine's key in the KMIP server was destroyed: its secrets are gone.",
                found=f"key {recipient.kid}",
                where=self._server.shown,
                next="There is no way back; that is what destroying it is for.",
            )
        return self._session().decrypt(recipient.kid, recipient.encrypted_key, nonce, tag)

    def _destroy_sealing_key(self, fru: str) -> bool:
        session, keys = self._session(), self._keys(fru)
        for uid, state in keys:
            # Destroy of an active key is denied (PERMISSION_DENIED): it takes this step first.
            if state == ACTIVE:
                session.revoke(uid)
            session.destroy(uid)
        left = [uid for uid, _state in keys if session.state(uid) != DESTROYED]
        left += [uid for uid, _state in self._keys(fru) if uid not in left]
        left += [uid for uid in self._sealed_with(fru) if uid not in left and session.state(uid) != DESTROYED]
        if left:
            raise VerificationFailed(
                "The KMIP server said that it destroyed the key, and still has it.",
                found="key " + ", ".join(left),
                where=self._server.shown,
            )
        return bool(keys)

    def _active_key(self, fru: str) -> str:
        # A run that was killed left a key with the same name: it is taken up, in whichever state it is.
        keys = self._keys(fru)
        for uid, state in keys:
            if state == ACTIVE:
                return uid
        uid = keys[0][0] if keys else self._session().create(_name(fru))
        self._session().activate(uid)
        return uid

    def _sealed_with(self, fru: str) -> List[str]:
        """The key that the key file names: it is the machine's by the file's word only, so it is looked at, no more."""
        try:
            kept = self.directory.read(fru)
            return [] if kept is None else [one.kid for one in jwe.parse(kept.sealed, "the key file").recipients]
        except BadInput:
            # Overwritten by a run that was killed, say: destroying it needs nothing of what it said.
            return []

    def _keys(self, fru: str) -> List[Tuple[str, str]]:
        """The machine's keys that the server has and has not destroyed: identifier and state."""
        session = self._session()
        found = [(uid, session.state(uid)) for uid in session.locate(_name(fru))]
        return [(uid, state) for uid, state in found if state != DESTROYED]


def _name(fru: str) -> str:
    return "hearth-fru-" + hashlib.sha256(fru.encode("utf-8")).hexdigest()
