# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every keyslot and token of a device explained, or flagged. Reads only.

Bindings are tried, each share of an SSS by itself: ``clevis luks report`` says 0 while a Tang server is away.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, FrozenSet, List, Optional, Sequence, Tuple

from .._core.errors import HearthError
from . import systemd
from .binding import AnyWanted
from .bindings import PENDING, RECOVERY, Binding, Damaged, read_bindings
from .clevis import Clevis, advertised_by
from .cryptsetup import Luks
from .header import Header
from .leftovers import leftovers
from .pcr_policy import weakness
from .pins import Other, Sealed, Tang, leaves, tpm2_parts
from .systemd import SystemdTpm2, WantSystemdTpm2

_ORDER = {"critical": 0, "warning": 1, "info": 2}

#: What to do about a binding that does not open.
_MEND = {
    "tang_unreachable": "Start the Tang server, or look at the network to it.",
    "tang_key_gone": "Bind again by another way in: the key's file was deleted from the server.",
    "tpm_locked_out": "Wait, or run tpm2_dictionarylockout --clear-lockout.",
    "tpm_owner_password": "Take the owner password off (tpm2_changeauth -c owner).",
    "tpm2_refuses": "See what booted. Bind again only if the change was meant.",
}


@dataclass(frozen=True)
class Escrowed:
    """A recovery key that the organisation holds, by the salt of its keyslot."""

    name: str
    salt_fingerprint: str


@dataclass(frozen=True)
class Expected:
    """What is on record, and what the policy says."""

    root: bool = True
    policy: Optional[Tuple[AnyWanted, ...]] = None
    escrow: Tuple[Escrowed, ...] = ()
    fingerprint: str = ""
    state_fingerprint: str = ""
    retired_salts: FrozenSet[str] = frozenset()
    """Salts of keyslots that were erased: one of them again is a header out of a backup."""


@dataclass(frozen=True)
class Finding:
    severity: str
    code: str
    what: str
    next: str

    def as_dict(self) -> Dict[str, str]:
        return {"severity": self.severity, "code": self.code, "what": self.what, "next": self.next}


@dataclass
class Audit:
    """One look at a device."""

    luks: Luks
    clevis: Clevis
    expected: Expected
    passphrase: Optional[bytes] = field(default=None, repr=False)
    prove: bool = True
    findings: List[Finding] = field(default_factory=list)

    def run(self) -> Dict[str, Any]:
        """What there is, and the findings, gravest first."""
        header = self.luks.read()
        bindings, damaged = read_bindings(header)
        opened = self._opening_slot(header)
        self._ciphers(header)
        self._record(header)
        self._keyslots(header, bindings, opened)
        self._tokens(header, damaged)
        shown = [{**binding.as_dict(header), "opens": self._binding(binding)} for binding in bindings]
        self._twins(bindings)
        self._policy(bindings)
        self._recovery(header, opened)
        self.findings.sort(key=lambda finding: (_ORDER[finding.severity], finding.code, finding.what))
        return {
            "device": self.luks.device,
            "uuid": header.uuid,
            "fingerprint": header.fingerprint,
            "state_fingerprint": header.state_fingerprint,
            "keyslots": {str(number): self._keyslot(header, number, bindings) for number in sorted(header.keyslots)},
            "tokens": {
                str(number): {"type": token.type, "keyslots": list(token.keyslots)}
                for number, token in sorted(header.tokens.items())
            },
            "bindings": shown,
            "findings": [finding.as_dict() for finding in self.findings],
        }

    def _find(self, severity: str, code: str, what: str, next: str) -> None:
        self.findings.append(Finding(severity, code, what, next))

    def _escrowed(self, salt: str) -> Optional[Escrowed]:
        return next((one for one in self.expected.escrow if one.salt_fingerprint == salt), None)

    def _keyslot(self, header: Header, number: int, bindings: Sequence[Binding]) -> Dict[str, Any]:
        slot = header.keyslots[number]
        held = self._escrowed(slot.salt_fingerprint)
        bound = any(binding.keyslot == number for binding in bindings)
        recovery = held or number in _with_recovery_token(header)
        role = "binding" if bound else "recovery" if recovery else "token" if number in header.with_token else "unknown"
        return {
            "kind": slot.kind,
            "role": role,
            "escrow": held.name if held else "",
            "salt_fingerprint": slot.salt_fingerprint,
            "cipher": slot.cipher,
            "key_bits": slot.size,
            "kdf": slot.kdf,
        }

    def _opening_slot(self, header: Header) -> Optional[int]:
        if self.passphrase is None:
            return None
        for number in header.keyslots:
            if self.luks.opens(self.passphrase, number):
                return number
        self._find(
            "critical",
            "passphrase_gone",
            "the passphrase that should open the device opens no keyslot",
            "Make a new recovery key by another way in, and find out who removed it.",
        )
        return None

    def _ciphers(self, header: Header) -> None:
        for number, segment in sorted(header.segments.items()):
            cipher = str(segment.get("encryption", ""))
            if segment.get("type") != "crypt" or "null" in cipher or not cipher:
                self._find(
                    "critical",
                    "null_cipher",
                    f"segment {number} is not encrypted ({cipher or segment.get('type')})",
                    "Do not use what is on it: somebody may have written this header. Restore the recorded one.",
                )
        for slot, keyslot in sorted(header.keyslots.items()):
            if "null" in keyslot.cipher:
                self._find(
                    "critical",
                    "null_cipher",
                    f"keyslot {slot} holds the volume key unencrypted ({keyslot.cipher})",
                    "The volume key is known to whoever read the header: encrypt the device anew.",
                )

    def _record(self, header: Header) -> None:
        expected = self.expected
        if expected.fingerprint and expected.fingerprint != header.fingerprint:
            self._find(
                "critical",
                "header_replaced",
                "UUID, cipher or volume key are not those on record",
                "Unlock nothing with it. Compare with the machine's record; the header may be an attacker's.",
            )
        elif expected.state_fingerprint and expected.state_fingerprint != header.state_fingerprint:
            self._find(
                "warning",
                "header_changed",
                "keyslots or tokens are not those on record",
                "See what was added or removed, and record the new state if it was meant.",
            )
        for slot, keyslot in sorted(header.keyslots.items()):
            if keyslot.salt_fingerprint in expected.retired_salts:
                self._find(
                    "critical",
                    "retired_keyslot_back",
                    f"keyslot {slot} was erased before: this header comes from a backup",
                    "Remove the keyslot; destroy the backup. What was retired with it opens the device again.",
                )
        if len(header.keyslots) >= header.room:
            self._find(
                "warning",
                "keyslots_full",
                f"all {header.room} keyslots are used: nothing can be bound again",
                "Remove keyslots that nobody needs.",
            )

    def _keyslots(self, header: Header, bindings: Sequence[Binding], opened: Optional[int]) -> None:
        for slot, keyslot in sorted(header.keyslots.items()):
            half_made = any(left.keyslot == slot for left in leftovers(header))
            known = self._escrowed(keyslot.salt_fingerprint) or slot == opened
            if slot in _with_recovery_token(header):
                # A token that says so is no proof: anybody who can write a keyslot can write it.
                if self._escrowed(keyslot.salt_fingerprint) is None:
                    self._find(
                        "critical",
                        "recovery_not_on_record",
                        f"keyslot {slot} has the token of a recovery key, and none with its salt is on record",
                        "Put the document that luks_recovery_key returns on record, or remove the keyslot.",
                    )
            elif not known and not half_made and slot not in header.with_token:
                self._find(
                    "critical",
                    "unknown_keyslot",
                    f"nothing explains keyslot {slot}: no token, no recovery key on record",
                    "Find out whose it is, put it on record, or remove it.",
                )

    def _tokens(self, header: Header, damaged: Sequence[Damaged]) -> None:
        for one in damaged:
            if one.keyslots:
                self._find(
                    "critical",
                    "token_corrupted",
                    f"token {one.token} cannot be read ({one.why}): keyslot {list(one.keyslots)} opens no more",
                    "Bind again, then remove the keyslot and the token.",
                )
        for left in leftovers(header):
            self._find("warning", "left_behind", left.words, "Run luks_binding again: it clears it away.")
        for number, token in sorted(header.tokens.items()):
            if token.type not in ("clevis", systemd.TOKEN, PENDING, RECOVERY):
                self._find(
                    "warning",
                    "unknown_token",
                    f"token {number} has type {token.type}, which this audit does not know",
                    "Find out what wrote it.",
                )

    def _binding(self, binding: Binding) -> Optional[bool]:
        """Judge a binding; whether it opens now, None where it was not or cannot be tried."""
        content = binding.content
        if isinstance(content, SystemdTpm2):
            self._weak(binding, content.pcrs, content.public_key_pcrs)
            if not self.prove or content.pin or content.public_key:
                return None
            opens = systemd.opens(self.luks, binding.token, binding.keyslot, content, "")
            if not opens:
                self._fails(binding, "tpm2_refuses", "the TPM does not unseal the secret")
            return opens
        for tpm in tpm2_parts(content.pin):
            self._weak(binding, frozenset(tpm.pcrs), frozenset())
            if tpm.pcrs and tpm.bank == "sha1":
                self._find(
                    "warning", "sha1_bank", f"keyslot {binding.keyslot} is bound to SHA-1 PCRs", "Bind to sha256."
                )
        for leaf in leaves(content):
            if isinstance(leaf.pin, Other):
                severity = "critical" if leaf.pin.name == "null" else "warning"
                self._find(
                    severity,
                    "null_pin" if leaf.pin.name == "null" else "unknown_pin",
                    f"keyslot {binding.keyslot} is bound to the pin {leaf.pin.name}",
                    "Bind to tang, tpm2 or sss, and remove this binding.",
                )
        return self._tried(binding, content) if self.prove else None

    def _tried(self, binding: Binding, content: Sealed) -> bool:
        shares = leaves(content)
        failed = [self.clevis.why_not(leaf) for leaf in shares if self.clevis.open(leaf) is None]
        for trouble in failed:
            self._fails(binding, trouble.code, trouble.what)
        for leaf in shares:
            if isinstance(leaf.pin, Tang):
                self._rotated(binding, leaf.pin)
        secret = self.clevis.open(content)
        if secret is None:
            if not failed:
                self._fails(binding, "sss_fails", "its parts open, and together they do not")
            return False
        opens = self.luks.opens(secret, binding.keyslot)
        if not opens:
            self._fails(binding, "keyslot_changed", "the pin gives a secret, and the keyslot has another one")
        return opens

    def _rotated(self, binding: Binding, pin: Tang) -> None:
        try:
            current = advertised_by(pin.url)
        except (HearthError, ValueError):
            return
        if pin.kid not in current:
            self._find(
                "warning",
                "tang_key_rotated",
                f"keyslot {binding.keyslot} depends on key {pin.kid}, which {pin.url} does not advertise any more",
                "Bind again before the server's hidden keys are deleted.",
            )

    def _fails(self, binding: Binding, code: str, what: str) -> None:
        self._find(
            "critical",
            code,
            f"keyslot {binding.keyslot}: {what}",
            _MEND.get(code, "Bind again by another way in, then remove this binding."),
        )

    def _weak(self, binding: Binding, pcrs: FrozenSet[int], signed: FrozenSet[int]) -> None:
        weak = weakness(pcrs, signed)
        if weak is None:
            return
        if self.expected.root:
            self._find(
                "critical",
                weak[0],
                f"keyslot {binding.keyslot}: {weak[1]}",
                "Bind to PCR 7, 8 and 9 (or 7 and 11 with a unified kernel image), then remove this binding.",
            )
        elif not pcrs | signed or pcrs | signed == {7}:
            self._find(
                "warning", weak[0], f"keyslot {binding.keyslot}: {weak[1]}", "Right only behind a guarded root disk."
            )

    def _twins(self, bindings: Sequence[Binding]) -> None:
        """Repeated ``clevis luks bind`` fills keyslots, and the older, weaker one stays (clevis issue 53)."""
        seen: Dict[str, int] = {}
        for binding in bindings:
            if not isinstance(binding.content, Sealed):
                continue
            said = repr(sorted(binding.content.pin.as_dict().items(), key=lambda item: item[0]))
            if said in seen:
                self._find(
                    "warning",
                    "bound_twice",
                    f"keyslots {seen[said]} and {binding.keyslot} have the same binding",
                    "Remove one of them.",
                )
            seen.setdefault(said, binding.keyslot)

    def _policy(self, bindings: Sequence[Binding]) -> None:
        if self.expected.policy is None:
            return
        left = list(bindings)
        for wanted in self.expected.policy:
            found = [binding for binding in left if _is(wanted, binding)]
            if not found:
                self._find(
                    "critical",
                    "policy_missing",
                    f"no binding is {wanted.as_dict()}",
                    "Run luks_binding with this policy.",
                )
            left = [binding for binding in left if binding not in found]
        for binding in left:
            self._find(
                "critical",
                "policy_drift",
                f"the policy knows no binding like that of keyslot {binding.keyslot}",
                "Remove it (luks_binding, state absent), or put it into the policy.",
            )

    def _recovery(self, header: Header, opened: Optional[int]) -> None:
        salts = {slot.salt_fingerprint for slot in header.keyslots.values()}
        for one in self.expected.escrow:
            if one.salt_fingerprint not in salts:
                self._find(
                    "critical",
                    "escrow_stale",
                    f"the escrowed recovery key {one.name} belongs to no keyslot any more",
                    "Make and escrow a new recovery key.",
                )
        of_recovery = _with_recovery_token(header)
        by_hand = [number for number in header.keyslots if number in of_recovery or number not in header.with_token]
        if not header.keyslots:
            self._find("critical", "erased", "no keyslot is left", "Nothing opens this device any more.")
        elif not by_hand:
            self._find(
                "critical",
                "no_recovery_path",
                "no keyslot is left for a passphrase or a recovery key",
                "Make and escrow a recovery key while a binding still opens.",
            )
        elif opened is None and not any(one.salt_fingerprint in salts for one in self.expected.escrow):
            self._find(
                "warning",
                "no_escrow",
                "no recovery key of this device is on record",
                "Make one and escrow it.",
            )


def _with_recovery_token(header: Header) -> FrozenSet[int]:
    """Keyslots that have a recovery key's token, and no other."""
    others = {slot for token in header.tokens.values() if token.type != RECOVERY for slot in token.keyslots}
    return header.with_token - others


def _is(wanted: AnyWanted, binding: Binding) -> bool:
    if isinstance(wanted, WantSystemdTpm2):
        content = binding.content
        return isinstance(content, SystemdTpm2) and wanted.matches(content, bool(wanted.pin))
    return isinstance(binding.content, Sealed) and wanted.matches(binding.content.pin)
