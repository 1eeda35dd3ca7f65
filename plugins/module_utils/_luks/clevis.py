# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""clevis: seals a secret under a pin, opens it, and tells why it does not.

A new secret is sealed and proved before the LUKS header is touched. ``clevis luks bind`` is not used: it adds the
keyslot first, never tries whether the pin opens, and when killed leaves a keyslot that nobody can explain.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Dict, FrozenSet, List, Mapping, Optional
from urllib.parse import urlsplit

from .._core import jose
from .._core.deadline import Deadline
from .._core.endpoint import Endpoint
from .._core.errors import BadInput, HearthError, MissingTool, Refused, TimedOut, TpmLockedOut, Unreachable, Unsupported
from .._core.programs import Programs
from .._core.transport import Transport
from .._core.trust import Trust
from .header import Token
from .pins import (
    Pin,
    Sealed,
    Sss,
    Tang,
    Tpm2,
    Wanted,
    WantPkcs11,
    WantSss,
    WantTang,
    WantTpm2,
    name_of,
    read_sealed,
    tpm2_parts,
)
from .tpm import flush_tpm

TOKEN = "clevis"
#: The first clevis with the pkcs11 pin.
PKCS11_SINCE = 21
_TANG_PATIENCE = 5.0


@dataclass(frozen=True)
class Trouble:
    """Why a pin does not open: a code of the audit's, and words."""

    code: str
    what: str


@dataclass(frozen=True)
class Clevis:
    programs: Programs

    def require_pin(self, wanted: Wanted) -> None:
        """An error before anything is done where this clevis has no such pin."""
        if not isinstance(wanted, WantPkcs11):
            return
        version = self.version()
        if version < PKCS11_SINCE:
            raise Unsupported(
                "this clevis has no pkcs11 pin",
                expected=f"clevis {PKCS11_SINCE} or newer",
                found=f"clevis {version}",
                where="the node",
                next="Use tang, tpm2 or sss, or a distribution with a newer clevis.",
            )

    def version(self) -> int:
        """clevis itself does not tell its version: the package manager does. 0: unknown."""
        for argv in (("dpkg-query", "-W", "-f", "${Version}", "clevis"), ("rpm", "-q", "--qf", "%{VERSION}", "clevis")):
            try:
                ended = self.programs.attempt(*argv)
            except MissingTool:
                continue
            found = re.match(rb"(?:\d+:)?(\d+)", ended.printed)
            if not ended.code and found:
                return int(found.group(1))
        return 0

    def seal(self, secret: bytes, wanted: Wanted) -> Sealed:
        """The secret, encrypted. The pin's configuration is public and may be an argument."""
        name = name_of(wanted)
        flush_tpm(self.programs)
        ended = self.programs.attempt("clevis", "encrypt", name, json.dumps(wanted.config()), stdin=secret)
        if ended.code:
            self._explain_tang(wanted)
            self.refuse_locked_tpm(wanted)
            raise Refused(
                f"clevis encrypts nothing with the {name} pin",
                expected=json.dumps(wanted.as_dict(), sort_keys=True),
                found=ended.said or f"exit status {ended.code}",
                where="the node",
                next="Nothing was changed. Correct the pin, or mend what it needs (Tang, TPM), and run it again.",
            )
        try:
            return read_sealed(ended.printed.decode().strip())
        except ValueError as error:
            raise Refused("clevis gave no JWE", expected="a compact JWE", found=str(error), where="the node") from error

    def open(self, sealed: Sealed) -> Optional[bytes]:
        """The secret, or None where the pin does not give it."""
        if tpm2_parts(sealed.pin):
            flush_tpm(self.programs)
        try:
            ended = self.programs.attempt("clevis", "decrypt", stdin=sealed.jwe.encode())
        except TimedOut:
            return None
        return ended.printed if ended.code == 0 and ended.printed else None

    def prove(self, sealed: Sealed, wanted: Wanted, secret: Optional[bytes]) -> str:
        """Refused unless every pin in it works: ``opened`` where it was tried, ``recomputed`` where a TPM waits for
        values that are not there yet. Of an SSS each part is proved, not only as many as its threshold."""
        if isinstance(wanted, WantSss):
            pairs = wanted.paired(sealed.pin) if isinstance(sealed.pin, Sss) else None
            if pairs is None:
                raise self._unproved(sealed.pin, Trouble("content", "it holds other pins than were asked for"))
            ways = {self.prove(part, want, None) for want, part in pairs}
            opened = self.open(sealed)
            if secret is not None and opened is not None and opened != secret:
                raise self._unproved(sealed.pin, Trouble("content", "it gives another secret"))
            if opened is None and "recomputed" not in ways:
                raise self._unproved(sealed.pin, Trouble("sss_fails", "its parts open, and together they do not"))
            return "recomputed" if opened is None else "opened"
        opened = self.open(sealed)
        if opened is not None and wanted.matches(sealed.pin) and secret in (None, opened):
            return "opened"
        if isinstance(wanted, WantTpm2) and wanted.values is not None and wanted.matches(sealed.pin):
            self.refuse_locked_tpm(wanted)
            return "recomputed"
        trouble = self.why_not(sealed)
        raise self._unproved(sealed.pin, trouble)

    def why_not(self, sealed: Sealed) -> Trouble:
        """Why this leaf does not open."""
        if isinstance(sealed.pin, Tang):
            return self._why_not_tang(sealed.pin)
        if isinstance(sealed.pin, Tpm2):
            return self._why_not_tpm2(sealed.pin)
        return Trouble("pin_fails", "clevis does not open it")

    def refuse_locked_tpm(self, wanted: Wanted) -> None:
        """TpmLockedOut where the TPM is in lockout: that looks like a denial, and is none."""
        parts = wanted.parts if isinstance(wanted, WantSss) else (wanted,)
        if any(isinstance(part, WantTpm2) for part in parts) and self.tpm_state().get("inLockout") == "1":
            raise TpmLockedOut(
                "the TPM is locked out",
                expected="a TPM that is not in dictionary attack lockout",
                found="inLockout",
                where="the node's TPM",
                next="Wait, or run tpm2_dictionarylockout --clear-lockout with the lockout password.",
            )

    def tpm_state(self) -> Dict[str, str]:
        """TPM2_PT_PERMANENT and its like by name; empty where the TPM or tpm2-tools do not answer."""
        try:
            ended = self.programs.attempt("tpm2_getcap", "properties-variable")
        except HearthError:
            return {}
        return (
            dict(re.findall(r"(\w+):[ \t]+(\w+)", ended.printed.decode("utf-8", "replace"))) if not ended.code else {}
        )

    def _why_not_tang(self, pin: Tang) -> Trouble:
        try:
            keys = advertised_by(pin.url)
        except (Unreachable, BadInput) as error:
            return Trouble("tang_unreachable", f"{pin.url} does not answer: {error.msg}")
        except (HearthError, ValueError) as error:
            return Trouble("tang_broken", f"{pin.url} gives no advertisement: {error}")
        if pin.kid not in keys:
            return Trouble("tang_key_gone", f"{pin.url} neither advertises nor serves key {pin.kid} any more")
        return Trouble("tang_fails", f"{pin.url} advertises key {pin.kid}, and does not recover the secret")

    def _why_not_tpm2(self, pin: Tpm2) -> Trouble:
        state = self.tpm_state()
        if not state:
            return Trouble("tpm_unreachable", "the TPM does not answer")
        if state.get("inLockout") == "1":
            return Trouble("tpm_locked_out", "the TPM is in dictionary attack lockout: that is no denial")
        if state.get("ownerAuthSet") == "1":
            return Trouble("tpm_owner_password", "the TPM's owner hierarchy has a password, and clevis uses none")
        if pin.pcrs:
            return Trouble("tpm2_refuses", f"PCRs {list(pin.pcrs)} are not those it was bound to, or it is another TPM")
        return Trouble("tpm2_refuses", "it was bound to another TPM, or the TPM was cleared")

    def _explain_tang(self, wanted: Wanted) -> None:
        """A clear error where it is the server that is missing or has other keys."""
        for part in wanted.parts if isinstance(wanted, WantSss) else (wanted,):
            if not isinstance(part, WantTang):
                continue
            if part.advertisement is not None:
                continue
            signers = signers_of(part.url)
            if part.thumbprint not in signers:
                raise Refused(
                    "the Tang server has other keys than the user says",
                    expected=part.thumbprint,
                    found=", ".join(sorted(signer for signer in signers if len(signer) > 30)),
                    where=part.url,
                    next="Nothing was changed. See who answers there; after a rotation give the new thumbprint.",
                )

    @staticmethod
    def _unproved(pin: Pin, trouble: Trouble) -> HearthError:
        kind = {"tang_unreachable": Unreachable, "tpm_locked_out": TpmLockedOut}.get(trouble.code, Refused)
        return kind(
            f"the {pin.as_dict()['pin']} pin does not open what it should",
            expected="a pin that gives the secret back",
            found=trouble.what,
            where="the node",
            next="No keyslot was added or removed. Mend what is named here and run the task again.",
        )


def bound_secret(token: Token) -> Sealed:
    """What a clevis token holds; ValueError where it is damaged."""
    jwe = token.raw.get("jwe")
    if not isinstance(jwe, Mapping):
        raise ValueError("no JWE in the token")
    return read_sealed(jose.compacted(jwe))


def token_of(sealed: Sealed, keyslot: int) -> Dict[str, Any]:
    """The token as clevis writes it."""
    return {"type": TOKEN, "keyslots": [str(keyslot)], "jwe": jose.flattened(sealed.jwe)}


def advertised_by(url: str) -> FrozenSet[str]:
    """Thumbprints of all keys that a Tang server advertises now; nothing is trusted because of it."""
    return frozenset(thumbprint for key in _advertisement(url) for thumbprint in jose.thumbprints(key))


def signers_of(url: str) -> FrozenSet[str]:
    return jose.signing_thumbprints(_advertisement(url))


def _advertisement(url: str) -> List[Mapping[str, Any]]:
    split = urlsplit(url)
    endpoint = Endpoint.parse(f"{split.scheme}://{split.netloc}")
    transport = Transport(endpoint, Trust("anonymous"), deadline=Deadline.after(_TANG_PATIENCE), keep_alive=False)
    try:
        return jose.advertised(transport.get_json(f"{split.path.rstrip('/')}/adv"))
    finally:
        transport.close()
