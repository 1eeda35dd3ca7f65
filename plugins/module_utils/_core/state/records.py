# Copyright (c) 2026, The hearth.datacenter authors
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
_SELECT = f"SELECT {', '.join(COLUMNS)} FROM hearth_records"


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
        return self._append_rows([(kind, key, payload)], after)[0]

    def append_records(self, records: Iterable[Tuple[str, str, Mapping[str, object]]]) -> List[Record]:
        """Append many at one moment, in this order: (kind, key, payload)."""
        return self._append_rows(list(records), None)

    def records(self, kind: str, key: Optional[str] = None) -> Iterator[Record]:
        """Records of a kind (and key), oldest first, read in pages while they are consumed."""
        condition, values = "kind = ?", [kind]
        if key is not None:
            condition, values = condition + " AND record_key = ?", [kind, key]
        sql = f"{_SELECT} WHERE {condition} AND seq > ? ORDER BY seq LIMIT {PAGE}"
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
        """The newest record of every key of a kind; of these keys (those that have one), or of all."""
        newest = _SELECT + " WHERE seq IN (SELECT MAX(seq) FROM hearth_records WHERE kind = ? "
        with self._database.transaction(write=False):
            if keys is None:
                rows = iter(self._database.rows(newest + "GROUP BY record_key)", [kind]))
            else:
                of_keys = newest + "AND record_key IN ({keys}) GROUP BY record_key)"
                rows = self._database.rows_for(of_keys, keys, before=[kind])
            return {row[2]: _record(row) for row in rows}

    def _append_rows(self, records: List[Tuple[str, str, Mapping[str, object]]], after: Optional[int]) -> List[Record]:
        texts = [payload_text(kind, key, payload) for kind, key, payload in records]
        with self._database.transaction(write=True):
            seq, now = self._next_seq("hearth_records"), self._stamp()
            ordinals = self._newest_ordinals(records)
            rows = []
            for position, (kind, key, _payload) in enumerate(records):
                newest = ordinals.get((kind, key), 0)
                if after is not None and newest != after:
                    raise PreconditionFailed(
                        "Somebody else has appended a record in between.",
                        expected=f"newest record number {after}",
                        found=f"newest record number {newest}",
                        where=f"{kind} {key} in {self._database.shown}",
                        next="Read the newest record again and build on that one.",
                    )
                ordinals[kind, key] = newest + 1
                rows.append((seq + position, kind, key, newest + 1, texts[position], now, self.owner))
            self._database.insert("hearth_records", COLUMNS, rows)
        return [_record(row) for row in rows]

    def _newest_ordinals(self, records: List[Tuple[str, str, Mapping[str, object]]]) -> Dict[Tuple[str, str], int]:
        keys_by_kind: Dict[str, List[str]] = {}
        for kind, key, _payload in records:
            keys = keys_by_kind.setdefault(storable(kind, "kind of a record"), [])
            keys.append(storable(key, "key of a record"))
        sql = (
            "SELECT record_key, MAX(ordinal) FROM hearth_records"
            " WHERE kind = ? AND record_key IN ({keys}) GROUP BY record_key"
        )
        return {
            (kind, key): int(ordinal)
            for kind, keys in keys_by_kind.items()
            for key, ordinal in self._database.rows_for(sql, keys, before=[kind])
        }


def payload_text(kind: str, key: str, payload: Mapping[str, object]) -> str:
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
