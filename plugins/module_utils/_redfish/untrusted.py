# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why no credential goes to a peer, and what to do about it."""

from __future__ import annotations

from typing import Optional

from .._core.endpoint import Endpoint
from .._core.errors import CredentialWithheld, HearthError, PinMismatch, PinUnknown
from .._core.trust import Peer, Trust


def untrusted(endpoint: Endpoint, trust: Trust, peer: Optional[Peer]) -> HearthError:
    """The error for a peer whose handshake did not prove that it is the one."""
    where = endpoint.url
    if endpoint.scheme == "http":
        return CredentialWithheld(
            "plain HTTP: no credential is sent over it",
            expected="HTTPS",
            found="HTTP",
            where=where,
            next="use HTTPS, or write that this BMC may be logged in to over plain HTTP",
        )
    pin = peer.pin if peer else ""
    if trust.pins:
        return PinMismatch(
            "the BMC's key is not the pinned one; no credential was sent",
            expected=", ".join(sorted(trust.pins)),
            found=pin,
            where=where,
            next="find out why the key changed, then pin the new one",
        )
    return PinUnknown(
        "no key is pinned for this BMC; no credential was sent",
        expected="a pin in the map or in the state store",
        found=pin,
        where=where,
        next="compare the fingerprint with the machine's, then pin it (playbooks/pin_bmcs.yml)",
    )
