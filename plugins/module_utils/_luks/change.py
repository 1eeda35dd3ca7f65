# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every change of a header begins with: what killed runs left, room for a keyslot, and a way into the device."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Callable, List, Optional, Sequence, Tuple

from .._core.errors import Refused
from .bindings import read_bindings
from .clevis import Clevis
from .cryptsetup import Luks
from .header import MOST_KEYSLOTS, Header
from .leftovers import cleared, leftovers
from .pins import Sealed


def _nowhere(_step: str) -> None:
    """Nobody watches."""


@dataclass
class Done:
    """What was done, or in check mode would be."""

    changed: bool = False
    recovered: List[str] = field(default_factory=list)
    warnings: List[str] = field(default_factory=list)


@dataclass
class HeaderChange:
    """One device, and what can open it: a passphrase, or the bindings that it has."""

    luks: Luks
    clevis: Clevis
    passphrase: Optional[bytes] = field(default=None, repr=False)
    dry: bool = False
    reached: Callable[[str], None] = _nowhere
    """Told before each step that changes the header."""
    mark: Callable[[], int] = lambda: 1001 + secrets.randbelow(1 << 16)
    """Iterations of a new keyslot's key derivation: by them the next run knows a keyslot that a killed one left."""

    def place(self, header: Header) -> Tuple[int, bytes]:
        """A free keyslot, and a secret that opens the device; Refused where there is none."""
        keyslot = header.free_keyslot()
        if keyslot < 0 or len(header.tokens) > MOST_KEYSLOTS - 2:
            raise Refused(
                "no keyslot is free",
                expected="a free keyslot, and room for two tokens",
                found=f"{len(header.keyslots)} of {header.room} keyslots, {len(header.tokens)} tokens",
                where=self.luks.device,
                next="Run luks_audit_info and remove the keyslots that nobody needs.",
            )
        existing = self.way_in(header)
        if existing is None:
            raise Refused(
                "nothing here opens the device",
                expected="a passphrase or a binding that opens it",
                found="the passphrase is wrong" if self.passphrase is not None else "no binding that opens it now",
                where=self.luks.device,
                next="Give the passphrase of a keyslot, for example the recovery key's.",
            )
        return keyslot, existing

    def way_in(self, header: Header, without: Sequence[int] = ()) -> Optional[bytes]:
        """A secret that opens the device by a keyslot that is not in ``without``."""
        if self.passphrase is not None:
            if not without and self.luks.opens(self.passphrase):
                return self.passphrase
            for slot in header.keyslots:
                if without and slot not in without and self.luks.opens(self.passphrase, slot):
                    return self.passphrase
        for binding in read_bindings(header)[0]:
            if binding.keyslot in without or not isinstance(binding.content, Sealed):
                continue
            secret = self.clevis.open(binding.content)
            if secret is not None and self.luks.opens(secret, binding.keyslot):
                return secret
        return None

    def kill(self, planned: Header, keyslot: int) -> None:
        """Remove a keyslot that is still the one of the plan, and not the last one."""
        now = self.luks.read()
        if now.keyslots.get(keyslot) != planned.keyslots.get(keyslot) or len(now.keyslots) < 2:
            raise Refused(
                "somebody else changed the header meanwhile",
                expected=f"keyslot {keyslot} as it was read, and another one",
                found=f"{len(now.keyslots)} keyslots",
                where=self.luks.device,
                next="Run the task again.",
            )
        self.luks.kill(keyslot)

    def recover(self, done: Done) -> Header:
        """Clear away what a killed run left: its half-made keyslot, its note, and tokens whose keyslot it removed."""
        header = self.luks.read()
        steps = leftovers(header)
        if not steps:
            return header
        done.changed = True
        done.recovered += [step.words for step in steps]
        for step in steps:
            if self.dry:
                continue
            if step.keyslot is not None:
                self.reached("recover_kill")
                self.kill(header, step.keyslot)
            if step.token is not None:
                self.reached("recover_remove_token")
                self.luks.remove_token(step.token)
        return cleared(header, steps) if self.dry else self.luks.read()
