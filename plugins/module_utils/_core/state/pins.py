# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pinned keys: which key a BMC's endpoint must show. Every change stays on record; the newest of an address holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, Iterable, List, Mapping, Optional

from .section import Section, storable

PINNED = "pinned"
REMOVED = "removed"
COLUMNS = ("seq", "address", "state", "pinned_key", "reason", "recorded_at", "recorded_by")
_SELECT = f"SELECT {', '.join(COLUMNS)} FROM hearth_pins"
_NEWEST = _SELECT + " WHERE seq IN (SELECT MAX(seq) FROM hearth_pins "


@dataclass(frozen=True)
class Pin:
    """One key for one endpoint, or (in a history) the removal of one: then ``state`` is ``removed``."""

    address: str
    """``host:port``, see :func:`.address.store_address`."""
    key: str
    """``spki-sha256:<hex>`` or ``cert-sha256:<hex>``; for a removal the key that was removed."""
    comment: str
    recorded_at: str
    recorded_by: str
    state: str = PINNED


class Pins(Section):
    """The part of the store that holds pins."""

    def pins(self, addresses: Optional[Iterable[str]] = None) -> Dict[str, Pin]:
        """The pins that hold, by address; of these addresses, or of all."""
        with self._database.transaction(write=False):
            if addresses is None:
                rows = iter(self._database.rows(_NEWEST + "GROUP BY address)"))
            else:
                rows = self._database.rows_for(_NEWEST + "WHERE address IN ({keys}) GROUP BY address)", addresses)
            found = [_pin(row) for row in rows]
        return {pin.address: pin for pin in found if pin.state == PINNED}

    def pin_history(self, address: str) -> List[Pin]:
        """Everything that ever happened to the pin of an address, oldest first."""
        with self._database.transaction(write=False):
            return [_pin(row) for row in self._database.rows(_SELECT + " WHERE address = ? ORDER BY seq", [address])]

    def record_pin(self, address: str, key: str, *, comment: str = "") -> None:
        """Pin a key to an address, whatever was pinned before."""
        self.record_pins({address: key}, comments={address: comment})

    def record_pins(self, keys: Mapping[str, str], *, comments: Optional[Mapping[str, str]] = None) -> None:
        """Pin many keys at one moment: address to key. To look first, do both inside :meth:`.store.Store.exclusive`."""
        said = comments or {}
        self._append_changes(PINNED, [(address, key, said.get(address, "")) for address, key in keys.items()])

    def remove_pin(self, address: str, *, comment: str = "") -> bool:
        """Remove the pin of an address; False when there was none."""
        return bool(self.remove_pins([address], comment=comment))

    def remove_pins(self, addresses: Iterable[str], *, comment: str = "") -> List[str]:
        """Remove the pins of many addresses at one moment; which of them had one."""
        with self._database.transaction(write=True):
            there = self.pins(addresses)
            self._append_changes(REMOVED, [(address, pin.key, comment) for address, pin in there.items()])
        return list(there)

    def _append_changes(self, state: str, changes: List[tuple[str, str, str]]) -> None:
        with self._database.transaction(write=True):
            seq, now = self._next_seq("hearth_pins"), self._stamp()
            self._database.insert(
                "hearth_pins",
                COLUMNS,
                [
                    (
                        seq + position,
                        storable(address, "address of a pin"),
                        state,
                        storable(key, "key of a pin"),
                        storable(comment, "comment of a pin", empty=True),
                        now,
                        self.owner,
                    )
                    for position, (address, key, comment) in enumerate(changes)
                ],
            )


def _pin(row: tuple[str, ...]) -> Pin:
    _seq, address, state, key, reason, recorded_at, recorded_by = row
    return Pin(address, key, reason, recorded_at, recorded_by, state)
