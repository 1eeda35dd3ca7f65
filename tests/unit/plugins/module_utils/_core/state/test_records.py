# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core.errors import BadInput, PreconditionFailed
from ansible_collections.hearth.datacenter.plugins.module_utils._core.state.store import Store


def test_records_come_back_in_the_order_of_their_writing(store: Store) -> None:
    store.append_record("evidence", "fru:A", {"step": "burn-in", "ok": True, "watts": 412.5, "note": "ü\n\0\ud800"})
    store.append_records([("evidence", "fru:B", {}), ("evidence", "fru:A", {"step": "erase", "disks": ["sda", None]})])
    store.append_record("journal", "fru:A", {"n": 1})

    assert [(record.key, record.ordinal, record.payload) for record in store.records("evidence")] == [
        ("fru:A", 1, {"step": "burn-in", "ok": True, "watts": 412.5, "note": "ü\n\0\ud800"}),
        ("fru:B", 1, {}),
        ("fru:A", 2, {"step": "erase", "disks": ["sda", None]}),
    ]
    assert [record.ordinal for record in store.records("evidence", "fru:A")] == [1, 2]
    assert [record.seq for record in store.records("journal")] == [4]


def test_more_records_than_a_page(store: Store) -> None:
    store.append_records([("journal", f"run:{number % 7}", {"n": number}) for number in range(2500)])

    assert [record.payload["n"] for record in store.records("journal")] == list(range(2500))
    assert [record.payload["n"] for record in store.records("journal", "run:3")] == list(range(3, 2500, 7))
    assert store.newest_records("journal")["run:0"].ordinal == 358


def test_the_newest_record_of_each_key(store: Store) -> None:
    store.append_records([("evidence", "fru:A", {"n": 1}), ("evidence", "fru:A", {"n": 2}), ("other", "fru:A", {})])
    store.append_record("evidence", "fru:B", {"n": 3})

    newest = store.newest_records("evidence")
    assert {key: record.payload["n"] for key, record in newest.items()} == {"fru:A": 2, "fru:B": 3}
    assert list(store.newest_records("evidence", ["fru:B", "fru:C"])) == ["fru:B"]


def test_a_chain_grows_only_from_its_newest_record(store: Store) -> None:
    first = store.append_record("evidence", "fru:A", {"n": 1}, after=0)
    store.append_record("evidence", "fru:A", {"n": 2}, after=first.ordinal)

    with pytest.raises(PreconditionFailed) as caught:
        store.append_record("evidence", "fru:A", {"n": "late"}, after=first.ordinal)
    assert (caught.value.expected, caught.value.found) == ("newest record number 1", "newest record number 2")
    assert [record.payload["n"] for record in store.records("evidence")] == [1, 2]


def test_what_is_not_json_is_refused_before_anything_is_written(store: Store) -> None:
    for payload in ({"a": object()}, {"a": float("nan")}, {1: 2, "b": 3}):
        with pytest.raises(BadInput, match="must be JSON"):
            store.append_records([("evidence", "fru:A", {}), ("evidence", "fru:A", payload)])  # type: ignore[list-item]
    assert list(store.records("evidence")) == []
