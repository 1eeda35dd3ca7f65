# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Recovery keys: made on the node, encrypted there to the machine's public key, and never seen in clear elsewhere.

The document (JWE) stays in a token beside its keyslot, so that a result that got lost is given again, and a device
tells which document belongs to which keyslot. jose encrypts it; whoever destroys the machine's key ends this copy with
all others. A new key replaces nothing until its document is on record somewhere else.
"""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Callable, Dict, FrozenSet, List, Mapping, Optional

from .._core import jose
from .._core.errors import BadInput, HearthError, NotFound, Refused, VerificationFailed
from .._core.hostile import clean_json
from .._core.programs import in_memory
from .bindings import PENDING, RECOVERY
from .change import Done, HeaderChange
from .header import Header

#: Says in the protected header what the document holds.
PURPOSE = "luks-recovery-key"
#: Sixteen letters that lie on the same keys in most keyboard layouts, as systemd-cryptenroll's recovery keys have them.
_MODHEX = "cbdefghijklnrtuv"
_PRIVATE = ("d", "p", "q", "dp", "dq", "qi", "oth", "k")
_ALGORITHM = "ECDH-ES+A256KW"
_ENCRYPTION = "A256GCM"
_BASE64URL = re.compile(r"[A-Za-z0-9_-]{1,8192}")


@dataclass(frozen=True)
class RecoveryKey:
    """A recovery key of a device, by the token beside its keyslot. ``said`` is the document's protected header."""

    token: int
    keyslot: int
    salt_fingerprint: str
    document: Mapping[str, Any]
    said: Mapping[str, Any]

    @property
    def made(self) -> str:
        return str(self.said.get("made", ""))


@dataclass(frozen=True)
class WantRecovery:
    """A recovery key of this machine, encrypted to this key, and made after this moment."""

    fru: str
    host: str
    public_key: Mapping[str, Any]
    newer_than: Optional[datetime] = None

    def check(self) -> None:
        for name, value in (("fru", self.fru), ("host", self.host)):
            if not value.strip() or "\0" in value or len(value) > 512:
                raise BadInput(f"{name} is needed", expected="1 to 512 characters", found=ascii(value)[:40], where=name)
        if any(name in self.public_key for name in _PRIVATE):
            raise BadInput(
                "a private key stands where the machine's public key belongs",
                expected="a public JWK",
                where="public_key",
                next="Take it away from there: whoever read this task's arguments may have it.",
            )
        if self.public_key.get("kty") != "EC" or not jose.thumbprints(self.public_key):
            raise BadInput(
                "the machine's public key is none that the node can encrypt to",
                expected="a JWK on an elliptic curve, as the key store gives it",
                found=f"kty {ascii(self.public_key.get('kty'))[:20]}",
                where="public_key",
            )

    @property
    def kid(self) -> str:
        """The SHA-256 thumbprint of the key."""
        return jose.thumbprint(self.public_key)

    def met_by(self, found: RecoveryKey) -> bool:
        if (found.said.get("fru"), found.said.get("key")) != (self.fru, self.kid):
            return False
        if self.newer_than is None:
            return True
        try:
            return moment(found.made) > self.newer_than
        except BadInput:
            return False


def moment(text: str) -> datetime:
    """A date or a time of ISO 8601; UTC where it names no zone."""
    try:
        found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError as error:
        raise BadInput("that is no time", expected="2026-11-21 or 2026-11-21T22:00:00Z", found=text[:40]) from error
    return found if found.tzinfo is not None else found.replace(tzinfo=timezone.utc)


def read_recovery_keys(header: Header) -> List[RecoveryKey]:
    """Those whose document is about this very keyslot of this device, the newest first."""
    found: List[RecoveryKey] = []
    for number, token in sorted(header.tokens.items()):
        document = _document(token.raw.get("document"))
        if token.type != RECOVERY or len(token.keyslots) != 1 or document is None:
            continue
        slot = header.keyslots.get(token.keyslots[0])
        said = _protected(document)
        if slot is None or said is None or said.get("purpose") != PURPOSE:
            continue
        if (said.get("luks_uuid"), said.get("salt_fingerprint")) == (header.uuid, slot.salt_fingerprint):
            found.append(RecoveryKey(number, token.keyslots[0], slot.salt_fingerprint, document, said))
    return sorted(found, key=lambda key: key.made, reverse=True)


@dataclass
class RecoveryReport(Done):
    key: Optional[RecoveryKey] = None
    """None in check mode where there would be a new one."""
    removed: List[str] = field(default_factory=list)
    """Salt fingerprints of the keyslots that went."""


@dataclass
class RecoveryKeys(HeaderChange):
    """The recovery keys of one device."""

    now: Callable[[], datetime] = lambda: datetime.now(timezone.utc)
    random: Callable[[int], bytes] = secrets.token_bytes

    def ensure(self, wanted: WantRecovery, escrowed: FrozenSet[str]) -> RecoveryReport:
        """There is such a recovery key; once it is in ``escrowed`` (salt fingerprints), no older one is left."""
        wanted.check()
        report = RecoveryReport()
        header = self.recover(report)
        there = read_recovery_keys(header)
        report.key = next((key for key in there if wanted.met_by(key)), None)
        if report.key is None:
            self._make(header, wanted, report)
        elif report.key.salt_fingerprint in escrowed:
            self._remove(header, [key for key in there if key != report.key], report)
        elif len(there) > 1:
            report.warnings.append("older recovery keys stay until the new one is on record (escrowed)")
        return report

    def prove(self, salt_fingerprint: str) -> int:
        """The keyslot with this salt, which the passphrase opens: an error where there is none, or it does not."""
        header = self.luks.read()
        slots = [slot for slot, there in header.keyslots.items() if there.salt_fingerprint == salt_fingerprint]
        if not slots or not salt_fingerprint:
            raise NotFound(
                "the keyslot of that recovery key is gone",
                expected=salt_fingerprint,
                found=", ".join(slot.salt_fingerprint for slot in header.keyslots.values()),
                where=self.luks.device,
                next="Make a new recovery key while another way in still opens, and put its document on record.",
            )
        if self.passphrase is None or not self.luks.opens(self.passphrase, slots[0]):
            raise VerificationFailed(
                "the recovery key does not open its keyslot",
                expected=f"a key that opens keyslot {slots[0]}",
                found="another key" if self.passphrase is not None else "no key",
                where=self.luks.device,
                next="Make a new recovery key while another way in still opens, and put its document on record.",
            )
        return slots[0]

    def _make(self, header: Header, wanted: WantRecovery, report: RecoveryReport) -> None:
        keyslot, existing = self.place(header)
        report.changed = True
        if self.dry:
            return
        key = _spelled(self.random(32))
        mark = self.mark()
        self.reached("note")
        self.luks.import_token({"type": PENDING, "keyslots": [], "keyslot": str(keyslot), "iterations": mark})
        try:
            self.reached("add_key")
            self.luks.add_key(keyslot, existing, key, mark)
            salt = self.luks.read().keyslots[keyslot].salt_fingerprint
            document = self._encrypted(key, wanted, {"luks_uuid": header.uuid, "keyslot": keyslot, "salt": salt})
            self.reached("import_token")
            self.luks.import_token({"type": RECOVERY, "keyslots": [str(keyslot)], "document": document})
        except HearthError:
            self.recover(report)
            raise
        self.reached("verify")
        header = self.luks.read()
        report.key = next((one for one in read_recovery_keys(header) if one.keyslot == keyslot), None)
        if report.key is None or report.key.document != document or not self.luks.opens(key, keyslot):
            raise VerificationFailed(
                "the new recovery key does not open the device",
                expected=f"keyslot {keyslot} with the document that was written",
                found="something else",
                where=self.luks.device,
                next="Nothing was removed. Run the task again; where it happens again, look at the disk.",
            )
        for number, token in header.tokens.items():
            if token.type == PENDING:
                self.reached("strike_note")
                self.luks.remove_token(number)

    def _encrypted(self, key: bytes, wanted: WantRecovery, about: Mapping[str, Any]) -> Dict[str, Any]:
        protected = {
            "enc": _ENCRYPTION,
            "purpose": PURPOSE,
            "fru": wanted.fru,
            "host": wanted.host,
            "luks_uuid": about["luks_uuid"],
            "keyslot": about["keyslot"],
            "salt_fingerprint": about["salt"],
            "key": wanted.kid,
            "made": self.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        public = {name: wanted.public_key[name] for name in ("crv", "kty", "x", "y")}
        with in_memory(json.dumps({**public, "alg": _ALGORITHM}).encode()) as handle:
            text = self.luks.programs.run(
                *("jose", "jwe", "enc", "-i", json.dumps({"protected": protected}), "-I-"),
                *("-k", f"/proc/self/fd/{handle}", "-o-"),
                stdin=key,
                handles=(handle,),
            )
        try:
            document = _document(json.loads(text))
        except ValueError:
            document = None
        if document is None or _protected(document) != protected:
            raise Refused(
                "jose did not encrypt the recovery key as it was told",
                expected="a JWE with the protected header that was given",
                found="something else",
                where="the node",
                next="See whether jose 11 or newer is installed. No recovery key was made.",
            )
        return document

    def _remove(self, header: Header, old: List[RecoveryKey], report: RecoveryReport) -> None:
        if not old:
            return
        slots = [key.keyslot for key in old]
        if self.way_in(header, slots) is None:
            raise Refused(
                "no other way into the device is proved",
                expected="a passphrase, or a binding, that opens it without the old recovery keys",
                found=f"keyslots {slots} would go",
                where=self.luks.device,
                next="Give the new recovery key, or mend the bindings. Nothing was removed.",
            )
        report.changed = True
        report.removed += [key.salt_fingerprint for key in old]
        if self.dry:
            return
        for key in old:
            self.reached("kill")
            self.kill(header, key.keyslot)
            self.reached("remove_token")
            self.luks.remove_token(key.token)


def _spelled(key: bytes) -> bytes:
    """256 bits as a person can type them: 64 letters in groups of eight."""
    letters = "".join(_MODHEX[byte >> 4] + _MODHEX[byte & 15] for byte in key)
    return "-".join(letters[start : start + 8] for start in range(0, len(letters), 8)).encode()


def _document(said: Any) -> Optional[Dict[str, Any]]:
    """A flattened JWE: its own members only, in letters that mean nothing to anybody else. None where it is none."""
    if not isinstance(said, Mapping) or not isinstance(said.get("header", {}), Mapping):
        return None
    document: Dict[str, Any] = {"header": clean_json(said.get("header", {}))}
    for name in ("protected", "encrypted_key", "iv", "ciphertext", "tag"):
        if not _BASE64URL.fullmatch(str(said.get(name, ""))):
            return None
        document[name] = said[name]
    return document


def _protected(document: Mapping[str, Any]) -> Optional[Dict[str, Any]]:
    try:
        said = json.loads(jose.b64_decode(str(document.get("protected", ""))))
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None
