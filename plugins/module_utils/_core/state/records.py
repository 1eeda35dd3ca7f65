# Copyright: (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Append-only records: anything that must stay on record, by kind and key (evidence by FRU, journals by run)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Dict, Iterable, Iterator, List, Mapping, Optional, Tuple

from ..errors import BadInput, PreconditionFailed
from .section import Section, storable

COLUMNS = ("seq", "kind", "record_key", "ordinal", "payload", "recorded_at", "recorded_by")
PAGE = 1000


@dataclass(frozen=True)
class Record:
    """One record. ``ordinal`` counts the records of its kind and key, from 1 and without a gap."""

    kind: str
    key: str
    ordinal: int
    payload: Dict[str, object]
    recorded_at: str
    recorded_by: str
    seq: int
    """The place among all records of the store."""


class Records(Section):
    """The part of the store that holds them. There is no way to change or remove one."""

    def append_record(
        self, kind: str, key: str, payload: Mapping[str, object], *, after: Optional[int] = None
    ) -> Record:
        """Append one record. ``after``: the ordinal that the newest record of this kind and key must have (0: there is
        none), else PreconditionFailed; so a hash chain grows in the right order though nobody held a lock."""
        return self._append([(kind, key, payload)], after)[0]

    def append_records(self, records: Iterable[Tuple[str, str, Mapping[str, object]]]) -> List[Record]:
        """Append many at one moment, in this order: (kind, key, payload)."""
        return self._append(list(records), None)

    def records(self, kind: str, key: Optional[str] = None) -> Iterator[Record]:
        """Records of a kind (and key), oldest first, read in pages while they are consumed."""
        condition, values = "kind = ?", [kind]
        if key is not None:
            condition, values = condition + " AND record_key = ?", [kind, key]
        sql = "SELECT {0} FROM hearth_records WHERE {1} AND seq > ? ORDER BY seq LIMIT {2}".format(
            ", ".join(COLUMNS), condition, PAGE
        )
        seen = 0
        while True:
            with self._database.transaction(write=False):
                rows = self._database.rows(sql, [*values, seen])
            for row in rows:
                yield _record(row)
            if len(rows) < PAGE:
                return
            seen = int(rows[-1][0])

    def newest_records(self, kind: str, keys: Optional[Iterable[str]] = None) -> Dict[str, Record]:
        """The newest record of every key of a kind; of these keys, or of all."""
        sql = "SELECT {0} FROM hearth_records WHERE seq IN (SELECT MAX(seq) FROM hearth_records {{0}})".format(
            ", ".join(COLUMNS)
        )
        with self._database.transaction(write=False):
            if keys is None:
                rows = self._database.rows(sql.format("WHERE kind = ? GROUP BY record_key"), [kind])
                return {row[2]: _record(row) for row in rows}
            newest = {}
            for key in dict.fromkeys(keys):
                for row in self._database.rows(sql.format("WHERE kind = ? AND record_key = ?"), [kind, key]):
                    newest[key] = _record(row)
            return newest

    def _append(self, records: List[Tuple[str, str, Mapping[str, object]]], after: Optional[int]) -> List[Record]:
        texts = [_payload_text(kind, key, payload) for kind, key, payload in records]
        with self._database.transaction(write=True):
            seq, now = self._next_seq("hearth_records"), self._stamp()
            ordinals: Dict[Tuple[str, str], int] = {}
            rows = []
            for position, (kind, key, _payload) in enumerate(records):
                newest = ordinals.get((kind, key))
                if newest is None:
                    newest = self._newest_ordinal(kind, key)
                if after is not None and newest != after:
                    raise PreconditionFailed(
                        "Somebody else has appended a record in between.",
                        expected="newest record number {0}".format(after),
                        found="newest record number {0}".format(newest),
                        where="{0} {1} in {2}".format(kind, key, self._database.shown),
                        next="Read the newest record again and build on that one.",
                    )
                ordinals[kind, key] = newest + 1
                rows.append((seq + position, kind, key, newest + 1, texts[position], now, self.owner))
            self._database.insert("hearth_records", COLUMNS, rows)
        return [_record(row) for row in rows]

    def _newest_ordinal(self, kind: str, key: str) -> int:
        sql = "SELECT COALESCE(MAX(ordinal), 0) FROM hearth_records WHERE kind = ? AND record_key = ?"
        return int(self._database.rows(sql, [storable(kind, "kind of a record"), storable(key, "key of a record")])[0][0])


def _payload_text(kind: str, key: str, payload: Mapping[str, object]) -> str:
    """JSON in one spelling, in ASCII, so that every backend keeps each byte of it."""
    try:
        return json.dumps(dict(payload), sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise BadInput(
            "A record's payload must be JSON.", expected="a JSON object", found=str(error), where=kind + " " + key
        ) from error


def _record(row: Tuple[int, str, str, int, str, str, str]) -> Record:
    seq, kind, key, ordinal, payload, recorded_at, recorded_by = row
    return Record(kind, key, ordinal, json.loads(payload), recorded_at, recorded_by, seq)
