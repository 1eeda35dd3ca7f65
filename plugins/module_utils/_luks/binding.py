# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Binds a device to a pin, or takes such a binding off. Read, plan, apply, verify; a kill at any point leaves a way in.

Order of a new binding: seal a new secret and prove that the pin gives it back (the header is untouched so far); note
in a token of our own which keyslot follows, and with which mark; add the keyslot; add the pin's token; read all of it
back and open the keyslot by what the token gives; only then remove what it replaces, keyslot before token. A run that
was killed leaves our note, or a token without keyslot; the next run removes those, and nothing else that it cannot
explain.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional, Sequence, Tuple, Union

from .._core.errors import BadInput, HearthError, Refused, TpmLockedOut, Unreachable, VerificationFailed
from . import systemd
from .bindings import PENDING, Binding, Damaged, read_bindings
from .change import Done, HeaderChange
from .clevis import token_of
from .header import Header
from .pcr_policy import weakness
from .pins import Sealed, Wanted, WantSss, WantTpm2
from .systemd import WantSystemdTpm2

AnyWanted = Union[Wanted, WantSystemdTpm2]


@dataclass
class Report(Done):
    """What was done, or in check mode would be."""

    proved: str = ""
    """``opened``, ``recomputed``, ``at_enrolment``; empty where nothing is bound."""
    keyslot: Optional[int] = None
    token: Optional[int] = None
    removed: List[Dict[str, Any]] = field(default_factory=list)


@dataclass
class Binder(HeaderChange):
    """Binds one device."""

    def bind(self, wanted: AnyWanted, *, root: bool, exclusive: bool) -> Report:
        """The device is bound like this, once, and that is proved; with ``exclusive`` to nothing else.

        What waits for PCR values that are still to come replaces nothing: until the next boot the old one is needed."""
        wanted.check(True)
        if root:
            refuse_weak(wanted)
        if isinstance(wanted, WantSystemdTpm2):
            systemd.refuse_unprovable(self.luks, wanted)
        else:
            self.clevis.require_pin(wanted)
        report = Report()
        header = self.recover(report)
        bindings, damaged = read_bindings(header)
        kept, report.proved = self._proved(header, bindings, wanted)
        if kept is None:
            header, kept = self._add(header, wanted, report)
        else:
            report.keyslot, report.token = kept.keyslot, kept.token
        if exclusive and report.proved == "recomputed":
            report.warnings.append("other bindings stay until the machine has booted with the predicted PCR values")
        elif exclusive:
            superseded = [binding for binding in bindings if kept is None or binding.keyslot != kept.keyslot]
            opened = report.proved == "opened"
            sure = kept.keyslot if kept is not None and opened else None
            self._remove(header, superseded, report, sure=sure, assume=kept is None and opened)
            self._sweep(damaged, report)
        return report

    def unbind(self, wanted: AnyWanted, *, with_pin: bool = False) -> Report:
        """No binding of this content is left; another way in is, and was tried."""
        wanted.check(False)
        report = Report()
        header = self.recover(report)
        bindings, _damaged = read_bindings(header)
        targets = [binding for binding in bindings if _same(wanted, binding, with_pin)]
        self._remove(header, targets, report, sure=None, assume=False)
        return report

    # What is there

    def _proved(self, header: Header, bindings: Sequence[Binding], wanted: AnyWanted) -> Tuple[Optional[Binding], str]:
        """A binding of this content that works."""
        for binding in bindings:
            if not _same(wanted, binding, isinstance(wanted, WantSystemdTpm2) and bool(wanted.pin)):
                continue
            if isinstance(wanted, WantSystemdTpm2) and isinstance(binding.content, systemd.SystemdTpm2):
                if systemd.opens(self.luks, binding.token, binding.keyslot, binding.content, wanted.pin):
                    return binding, "opened"
                if wanted.public_key:
                    # It opens only where systemd finds the signature; systemd tried it when it was enrolled.
                    return binding, "at_enrolment"
            elif isinstance(binding.content, Sealed) and not isinstance(wanted, WantSystemdTpm2):
                try:
                    how = self.clevis.prove(binding.content, wanted, None)
                except (Unreachable, TpmLockedOut):
                    raise
                except Refused:
                    continue
                secret = self.clevis.open(binding.content)
                if secret is None or self.luks.opens(secret, binding.keyslot):
                    return binding, how
        return None, ""

    # Steps

    def _add(self, header: Header, wanted: AnyWanted, report: Report) -> Tuple[Header, Optional[Binding]]:
        keyslot, existing = self.place(header)
        report.changed = True
        if isinstance(wanted, WantSystemdTpm2):
            report.proved = "at_enrolment" if wanted.public_key else "opened"
            return (header, None) if self.dry else self._enroll(header, wanted, existing, report)
        secret = secrets.token_urlsafe(32).encode()
        sealed = self.clevis.seal(secret, wanted)
        report.proved = self.clevis.prove(sealed, wanted, secret)
        if self.dry:
            return header, None
        mark = self.mark()
        self.reached("note")
        self.luks.import_token({"type": PENDING, "keyslots": [], "keyslot": str(keyslot), "iterations": mark})
        self.reached("add_key")
        try:
            self.luks.add_key(keyslot, existing, secret, mark)
            self.reached("import_token")
            self.luks.import_token(token_of(sealed, keyslot))
        except HearthError:
            self.recover(report)
            raise
        self.reached("verify")
        header = self.luks.read()
        added = [binding for binding in read_bindings(header)[0] if binding.keyslot == keyslot]
        if not added or added[0].content != sealed or not self.luks.opens(secret, keyslot):
            raise VerificationFailed(
                "the new keyslot does not open by its token",
                expected=f"keyslot {keyslot} with the token that was written",
                found=str([binding.as_dict(header) for binding in added]),
                where=self.luks.device,
                next="Nothing was removed. Run the task again; where it happens again, look at the disk.",
            )
        return self._settled(header, added[0], report)

    def _enroll(
        self, header: Header, wanted: WantSystemdTpm2, existing: bytes, report: Report
    ) -> Tuple[Header, Optional[Binding]]:
        known = [slot.salt_fingerprint for slot in header.keyslots.values()]
        self.reached("note")
        self.luks.import_token({"type": PENDING, "keyslots": [], "systemd": True, "known": known})
        self.reached("enroll")
        try:
            said = systemd.enroll(self.luks, wanted, existing)
        except HearthError:
            self.recover(report)
            raise
        self.reached("verify")
        header = self.luks.read()
        new = [
            binding
            for binding in read_bindings(header)[0]
            if header.keyslots[binding.keyslot].salt_fingerprint not in known
        ]
        if "effectively" in said and wanted.pcrs:
            # systemd goes on where the firmware measured nothing, and says "PCR policy effectively unenforced".
            self._drop(header, new, report)
            raise Refused(
                "the PCRs hold no measurement",
                expected="PCRs that the firmware extended",
                found=said,
                where="the node's TPM",
                next="The keyslot was removed again. Choose PCRs that are measured on this machine.",
            )
        if not new or not (wanted.public_key or self._enrolled_opens(new[0], wanted)):
            self._drop(header, new, report)
            raise VerificationFailed(
                "the enrolled TPM does not open the device",
                expected="a token that opens its keyslot",
                found=said or "no token",
                where=self.luks.device,
                next="The keyslot was removed again. See whether the TPM is locked out.",
            )
        return self._settled(header, new[0], report)

    def _enrolled_opens(self, new: Binding, wanted: WantSystemdTpm2) -> bool:
        content = new.content
        return isinstance(content, systemd.SystemdTpm2) and systemd.opens(
            self.luks, new.token, new.keyslot, content, wanted.pin
        )

    def _settled(self, header: Header, added: Binding, report: Report) -> Tuple[Header, Binding]:
        """Strike our note out."""
        for number, token in header.tokens.items():
            if token.type == PENDING:
                self.reached("strike_note")
                self.luks.remove_token(number)
        report.keyslot, report.token = added.keyslot, added.token
        return self.luks.read(), added

    def _drop(self, header: Header, bindings: Sequence[Binding], report: Report) -> None:
        for binding in bindings:
            self.kill(header, binding.keyslot)
            self.luks.remove_token(binding.token)
        self.recover(report)

    def _remove(
        self, header: Header, targets: Sequence[Binding], report: Report, *, sure: Optional[int], assume: bool
    ) -> None:
        """Take bindings off, after another way in was tried. ``sure``: a keyslot that was just proved; ``assume``: in
        check mode there would be one."""
        if not targets:
            return
        slots = [binding.keyslot for binding in targets]
        if sure in slots or (sure is None and not assume and self.way_in(header, slots) is None):
            raise Refused(
                "no other way into the device is proved",
                expected="a passphrase, or another binding, that opens it without these keyslots",
                found=f"keyslots {slots} would go",
                where=self.luks.device,
                next="Give the passphrase of a keyslot that stays. Nothing was removed.",
            )
        report.changed = True
        report.removed += [binding.as_dict(header) for binding in targets]
        if self.dry:
            return
        for binding in targets:
            self.reached("kill")
            self.kill(header, binding.keyslot)
            self.reached("remove_token")
            self.luks.remove_token(binding.token)

    def _sweep(self, damaged: Sequence[Damaged], report: Report) -> None:
        """Tokens that can open nothing: with a keyslot that still is there, it stays for the audit to report."""
        for one in damaged:
            if one.keyslots:
                report.warnings.append(f"token {one.token} is damaged ({one.why}); its keyslot was left alone")


def _same(wanted: AnyWanted, binding: Binding, with_pin: bool) -> bool:
    if isinstance(wanted, WantSystemdTpm2):
        return isinstance(binding.content, systemd.SystemdTpm2) and wanted.matches(binding.content, with_pin)
    return isinstance(binding.content, Sealed) and wanted.matches(binding.content.pin)


def refuse_weak(wanted: AnyWanted) -> None:
    """BadInput where a root disk would be bound to PCRs that do not say what boots."""
    sets: List[Tuple[frozenset[int], frozenset[int]]] = []
    if isinstance(wanted, WantSystemdTpm2):
        sets.append((frozenset(wanted.pcrs), frozenset(wanted.public_key_pcrs)))
    for part in wanted.parts if isinstance(wanted, WantSss) else (wanted,):
        if isinstance(part, WantTpm2):
            sets.append((frozenset(part.pcrs), frozenset()))
    for pcrs, signed in sets:
        weak = weakness(pcrs, signed)
        if weak is not None:
            raise BadInput(
                f"these PCRs do not protect a root disk: {weak[1]}",
                expected="PCR 7, 8 and 9; or 7 and 11 with a unified kernel image",
                found=f"PCR {sorted(pcrs | signed)}" if pcrs | signed else "no PCR",
                next="Bind to what boots. For a data disk that a root disk like this protects, set root to false.",
            )
