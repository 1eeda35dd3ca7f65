# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No credential goes to a peer that is not trusted. This is where that is decided, and the only place.

The transport asks for the credential of each request when the connection that will carry it is open and judged, and
before a byte is written: after every reconnect, redirect and repetition again.
"""

from __future__ import annotations

from typing import Optional, Tuple

from .errors import BadInput, CredentialWithheld, HearthError, PinMismatch
from .request import CREDENTIAL_FIELDS, Request, field_value
from .trust import Peer, Trust


class CredentialGuard:
    """Holds the credential of one endpoint."""

    def __init__(self, trust: Trust, where: str) -> None:
        self._trust = trust
        self._where = where
        #: the field line to attach, and the peer that it was meant for
        self._attached: Optional[Tuple[str, Peer]] = None

    @property
    def holds_one(self) -> bool:
        return self._attached is not None

    def attach(self, header: str, value: str, peer: Peer) -> None:
        """Hold a credential that is meant for ``peer``; CredentialWithheld unless that one is trusted."""
        if header.lower() not in CREDENTIAL_FIELDS:
            raise BadInput("no header field of a credential", expected=", ".join(sorted(CREDENTIAL_FIELDS)))
        if not self._is_trusted(peer):
            raise self._withheld(peer)
        self._attached = (f"{header}: {field_value(header, value)}\r\n", peer)

    def detach(self) -> None:
        self._attached = None

    def credential_for(self, request: Request, peer: Peer) -> str:
        """The field line to send with ``request`` to ``peer``, "" for none.

        Raises when the request, in its body or its own header fields or by what is attached, would take a secret to the
        wrong peer.
        """
        attached = None if request.anonymous else self._attached
        if attached is None and not request.secret:
            return ""
        if not self._is_trusted(peer):
            raise self._withheld(peer)
        if attached is None:
            return ""
        line, meant = attached
        if not self._is_same(peer, meant):
            raise self._withheld(peer, meant)
        return line

    def _is_trusted(self, peer: Peer) -> bool:
        return peer.trusted

    def _is_same(self, peer: Peer, meant: Peer) -> bool:
        """Whether what was meant for one peer may go to the one of a later connection.

        A CA or a pin vouches for both. Where nothing does (trust: off), it has to be the same key.
        """
        return peer.how in ("ca", "pin") or peer.spki_sha256 == meant.spki_sha256

    def _withheld(self, peer: Peer, meant: Optional[Peer] = None) -> HearthError:
        found = peer.pin or "plain HTTP"
        if self._trust.mode == "pin" and self._attached is not None:
            return PinMismatch(
                "the peer's key is not the pinned one; no credential was sent",
                expected=", ".join(sorted(self._trust.pins)),
                found=found,
                where=self._where,
                next="find out why the key changed, then pin the new one (repin_bmc.yml)",
            )
        what = "the peer's key changed" if meant else "the peer is not verified"
        return CredentialWithheld(
            f"{what}; no credential was sent",
            expected=meant.pin if meant else "a peer verified by CA or by pin",
            found=found,
            where=self._where,
            next="pin the key after comparing it (pin_bmcs.yml), give its CA (ca_path), or write trust: off",
        )
