# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What discovery remembers of a BMC from one run to the next. It is a memory, not a record: only the newest is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, Iterable, List, Optional

from .section import Section, storable

COLUMNS = ("address", "seen_redfish", "credential", "root_digest", "recorded_at", "recorded_by")

# seen_redfish only ever rises: a BMC that spoke Redfish once is never asked over IPMI again. Nothing known ("") does
# not overwrite what is known, and a row that would stay as it is is not written.
_MERGE = """ON CONFLICT (address) DO UPDATE SET
    seen_redfish = CASE WHEN excluded.seen_redfish = 1 THEN 1 ELSE hearth_bmcs.seen_redfish END,
    credential = CASE WHEN excluded.credential = '' THEN hearth_bmcs.credential ELSE excluded.credential END,
    root_digest = CASE WHEN excluded.root_digest = '' THEN hearth_bmcs.root_digest ELSE excluded.root_digest END,
    recorded_at = excluded.recorded_at,
    recorded_by = excluded.recorded_by
WHERE (excluded.seen_redfish = 1 AND hearth_bmcs.seen_redfish = 0)
    OR (excluded.credential <> '' AND excluded.credential <> hearth_bmcs.credential)
    OR (excluded.root_digest <> '' AND excluded.root_digest <> hearth_bmcs.root_digest)"""


@dataclass(frozen=True)
class BmcMemory:
    """One BMC, by the address of its endpoint."""

    address: str
    seen_redfish: bool = False
    credential: str = ""
    """The name of the credential that worked last; never the credential itself."""
    root_digest: str = ""
    recorded_at: str = ""
    """When this memory last changed; set by the store."""


class BmcMemories(Section):
    """The part of the store that holds them."""

    def bmcs(self, addresses: Optional[Iterable[str]] = None) -> Dict[str, BmcMemory]:
        """Memories by address; of these addresses (those that are remembered), or of all."""
        sql = "SELECT address, seen_redfish, credential, root_digest, recorded_at FROM hearth_bmcs"
        with self._database.transaction(write=False):
            if addresses is None:
                rows = iter(self._database.rows(sql))
            else:
                rows = self._database.rows_for(sql + " WHERE address IN ({keys})", addresses)
            return {
                address: BmcMemory(address, bool(seen), credential, digest, recorded_at)
                for address, seen, credential, digest, recorded_at in rows
            }

    def remember_bmcs(self, memories: Iterable[BmcMemory]) -> None:
        """Remember many BMCs at one moment, each merged with what is already known of it (of an address that comes
        twice the later one counts)."""
        newest = {memory.address: memory for memory in memories}
        with self._database.transaction(write=True):
            now = self._stamp()
            self._database.insert(
                "hearth_bmcs",
                COLUMNS,
                [
                    (
                        storable(memory.address, "address of a BMC"),
                        int(memory.seen_redfish),
                        storable(memory.credential, "name of a credential", empty=True),
                        storable(memory.root_digest, "digest of a service root", empty=True),
                        now,
                        self.owner,
                    )
                    for memory in newest.values()
                ],
                _MERGE,
            )

    def forget_bmcs(self, addresses: Iterable[str]) -> List[str]:
        """Forget BMCs that are no longer there; which of them were remembered."""
        with self._database.transaction(write=True):
            there = list(self.bmcs(addresses))
            for address in there:
                self._database.execute("DELETE FROM hearth_bmcs WHERE address = ?", [address])
        return there
