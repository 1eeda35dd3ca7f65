# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When is a peer the one that we mean? The setting, and the judgement over what the handshake showed."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import FrozenSet, Optional

from .der import subject_public_key_info
from .errors import BadInput

MODES = ("verify", "pin", "off", "anonymous")

_HEX = re.compile(r"[0-9a-f]{64}")
_PIN = re.compile(r"(?P<kind>spki|cert)-sha256:(?P<digest>.+)", re.IGNORECASE | re.DOTALL)
_SPKI_BASE64 = re.compile(r"sha256//(?P<digest>[A-Za-z0-9+/]{43}=)")


@dataclass(frozen=True)
class Trust:
    """How a peer proves itself.

    verify:    its certificate leads to a CA and names the endpoint
               (``ca_path``: PEM file, or directory of them; None: the machine's own CAs)
    pin:       its key or certificate is one of ``pins`` (see parse_pin); the chain does not matter
    off:       the user wrote that nothing is to be checked
    anonymous: nothing is checked and no credential is ever sent: for looking at a peer that failed the others
    """

    mode: str
    ca_path: Optional[str] = None
    pins: FrozenSet[str] = frozenset()

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise BadInput("unknown trust", expected=", ".join(MODES), found=str(self.mode))


@dataclass(frozen=True)
class Peer:
    """Whom the handshake showed. Digests are lower-case hex, "" over plain HTTP."""

    cert_sha256: str
    spki_sha256: str
    trusted: bool
    #: "ca", "pin", "off", or "none" when not trusted
    how: str

    @property
    def pin(self) -> str:
        """What to pin for this peer: its key, which outlives a renewed certificate."""
        return f"spki-sha256:{self.spki_sha256}" if self.spki_sha256 else ""


def parse_pin(text: str) -> str:
    """The canonical form (``spki-sha256:<hex>`` or ``cert-sha256:<hex>``) of a pin that a person wrote.

    Hex may be upper case and have colons, as ``openssl x509 -fingerprint`` prints it. A key's digest may be base64,
    as ``openssl dgst -sha256 -binary | base64`` prints it and as curl takes it (``sha256//...``). Others: BadInput.
    """
    stripped = text.strip()
    curl = _SPKI_BASE64.fullmatch(stripped)
    if curl:
        return "spki-sha256:" + _base64_digest(curl["digest"], text)
    match = _PIN.fullmatch(stripped)
    if not match:
        raise _bad_pin(text)
    kind, digest = match["kind"].lower(), match["digest"].strip()
    plain = digest.replace(":", "").lower()
    if _HEX.fullmatch(plain):
        return f"{kind}-sha256:{plain}"
    if kind == "spki":
        return "spki-sha256:" + _base64_digest(digest, text)
    raise _bad_pin(text)


def _base64_digest(digest: str, text: str) -> str:
    try:
        raw = base64.b64decode(digest, validate=True)
    except (binascii.Error, ValueError) as exc:
        raise _bad_pin(text) from exc
    if len(raw) != 32:
        raise _bad_pin(text)
    return raw.hex()


def _bad_pin(text: str) -> BadInput:
    return BadInput(
        "not a pin",
        expected="spki-sha256:<64 hex digits or base64> or cert-sha256:<64 hex digits>",
        found=ascii(text[:120]),
    )


def judge(trust: Trust, certificate: Optional[bytes]) -> Peer:
    """What to make of a peer that showed ``certificate`` (DER; None: plain HTTP) in a finished handshake.

    With mode "verify" the handshake itself has checked chain and name, or there would be no finished handshake.
    """
    if certificate is None:
        off = trust.mode == "off"
        return Peer("", "", off, "off" if off else "none")
    cert_sha256 = hashlib.sha256(certificate).hexdigest()
    spki_sha256 = hashlib.sha256(subject_public_key_info(certificate)).hexdigest()
    how = "none"
    if trust.mode == "verify":
        how = "ca"
    elif trust.mode == "off":
        how = "off"
    elif trust.mode == "pin":
        if f"spki-sha256:{spki_sha256}" in trust.pins or f"cert-sha256:{cert_sha256}" in trust.pins:
            how = "pin"
    return Peer(cert_sha256, spki_sha256, how != "none", how)
