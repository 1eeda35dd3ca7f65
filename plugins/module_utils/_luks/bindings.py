# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The bindings of a device: which tokens open it, by content."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Tuple, Union

from . import clevis, systemd
from .header import Header
from .pins import Sealed

#: Our own token: what is being added. It names no keyslot, so it opens nothing, and older programs pass it by.
PENDING = "hearth-binding-pending"
#: Our token of a recovery key: the document that is escrowed lies beside its keyslot. It opens nothing by itself.
RECOVERY = "hearth-recovery"


@dataclass(frozen=True)
class Binding:
    """One token that can open the device."""

    token: int
    keyslot: int
    content: Union[Sealed, systemd.SystemdTpm2]

    def as_dict(self, header: Header) -> Dict[str, Any]:
        pin = self.content.pin.as_dict() if isinstance(self.content, Sealed) else self.content.as_dict()
        salt = header.keyslots[self.keyslot].salt_fingerprint
        return {"token": self.token, "keyslot": self.keyslot, "salt_fingerprint": salt, **pin}


@dataclass(frozen=True)
class Damaged:
    """A token that nobody can use. ``keyslots`` without an entry: what it opened is gone."""

    token: int
    keyslots: Tuple[int, ...]
    why: str


def read_bindings(header: Header) -> Tuple[List[Binding], List[Damaged]]:
    """All bindings, and the tokens of clevis and systemd that are none."""
    bindings: List[Binding] = []
    damaged: List[Damaged] = []
    for number, token in sorted(header.tokens.items()):
        if token.type not in (clevis.TOKEN, systemd.TOKEN):
            continue
        content: Optional[Union[Sealed, systemd.SystemdTpm2]] = None
        why = ""
        try:
            content = clevis.bound_secret(token) if token.type == clevis.TOKEN else systemd.read_token(token)
        except ValueError as error:
            why = str(error) or "it cannot be decoded"
        if not token.keyslots:
            why = "its keyslot is gone"
        if content is None or not token.keyslots:
            damaged.append(Damaged(number, token.keyslots, why))
        else:
            bindings += [Binding(number, slot, content) for slot in token.keyslots]
    return bindings, damaged
