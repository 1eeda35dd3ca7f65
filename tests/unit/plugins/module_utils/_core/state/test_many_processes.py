# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What many controllers do to one store at the same time. Each process opens it itself, as Ansible's workers do."""

from __future__ import annotations

import os
import signal
from collections import Counter

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core.errors import (
    LeaseHeld,
    StoreBusy,
    StoreUnavailable,
)
from ansible_collections.hearth.datacenter.plugins.module_utils._core.state.opening import open_store

from .processes import at_once

WRITERS = 50


def test_fifty_writers_make_one_new_store(location: str) -> None:
    def write(number: int) -> int:
        with open_store(location, owner=f"writer {number}") as store:
            store.record_pin(f"10.0.0.{number}:443", "spki-sha256:ab")
            return store.schema_version

    assert len(set(at_once(write, WRITERS))) == 1
    with open_store(location) as store:
        assert len(store.pins()) == WRITERS


def test_no_record_is_lost_or_counted_twice(location: str) -> None:
    def append(number: int) -> list[int]:
        ordinals = []
        with open_store(location, owner=f"writer {number}") as store:
            for _repetition in range(4):
                ordinals.append(store.append_record("evidence", "fru:A", {"by": number}).ordinal)
        return ordinals

    answers = at_once(append, WRITERS)
    assert sorted(ordinal for ordinals in answers for ordinal in ordinals) == list(range(1, WRITERS * 4 + 1))
    with open_store(location) as store:
        records = list(store.records("evidence", "fru:A"))
    assert [record.ordinal for record in records] == list(range(1, WRITERS * 4 + 1))
    assert [record.seq for record in records] == list(range(1, WRITERS * 4 + 1))
    assert Counter(record.payload["by"] for record in records) == dict.fromkeys(range(WRITERS), 4)
    assert [record.recorded_at for record in records] == sorted(record.recorded_at for record in records)


def test_a_name_goes_to_one_fru_and_everybody_is_told_the_same(location: str) -> None:
    # Everyone wishes the same ten names: for FRUs that all know, and for FRUs of their own.
    def wish(number: int) -> dict[str, str]:
        with open_store(location) as store:
            shared = {f"serial:{n}": f"web{(n + number) % 10}" for n in range(5)}
            return store.remember_names({**shared, f"own:{number}": f"web{number % 10}"})

    answers = at_once(wish, WRITERS)
    with open_store(location) as store:
        names = store.names()
    assert len(set(names.values())) == len(names) <= 10
    for answer in answers:
        for fru, name in answer.items():
            assert names[fru] == name


def test_one_of_fifty_gets_the_lease_and_the_others_are_told_who(location: str) -> None:
    def acquire(number: int) -> str | LeaseHeld:
        with open_store(location, owner=f"writer {number}") as store:
            try:
                return store.acquire_lease("fru:A", 600).owner
            except LeaseHeld as held:
                return held.msg

    answers = at_once(acquire, WRITERS)
    winners = [answer for answer in answers if answer.startswith("writer")]
    assert len(winners) == 1
    assert sum(f"held by {winners[0]} until" in answer for answer in answers) == WRITERS - 1


def test_a_writer_that_is_killed_leaves_nothing_half_done_and_no_lock(location: str) -> None:
    with open_store(location) as store:
        store.append_record("journal", "run", {"n": 0})

    def die_in_the_middle(_number: int) -> None:
        with open_store(location) as store, store.exclusive():
            # More than SQLite's page cache holds: part of it is in the file already when the process dies.
            store.append_records([("journal", "run", {"n": n, "text": "x" * 500}) for n in range(20_000)])
            os.kill(os.getpid(), signal.SIGKILL)

    assert isinstance(at_once(die_in_the_middle, 1)[0], RuntimeError)
    with open_store(location, busy_timeout=10) as store:
        assert [record.payload for record in store.records("journal")] == [{"n": 0}]
        assert store.append_record("journal", "run", {"n": 1}).ordinal == 2


def test_a_lock_that_another_keeps_is_waited_for_and_no_longer(location: str) -> None:
    with open_store(location) as holder, holder.exclusive():

        def write(_number: int) -> None:
            with open_store(location, busy_timeout=0.2) as store:
                store.record_pin("10.0.0.7:443", "spki-sha256:ab")

        answer = at_once(write, 1)[0]
    assert isinstance(answer, StoreBusy), answer
    assert answer.expected == "a lock within 0.2 s"


def test_readers_are_not_kept_out_by_a_writer_at_work(location: str) -> None:
    with open_store(location) as holder, holder.exclusive():
        holder.record_pin("10.0.0.7:443", "spki-sha256:ab")

        def read(_number: int) -> int:
            with open_store(location, busy_timeout=5) as store:
                return len(store.pins())

        assert at_once(read, 3) == [0, 0, 0]


def test_a_store_does_not_survive_a_fork(location: str) -> None:
    with open_store(location) as store:

        def read(_number: int) -> object:
            return store.pins()

        answer = at_once(read, 1)[0]
        assert isinstance(answer, StoreUnavailable) and "another process" in answer.msg
        assert store.pins() == {}


def test_what_fails_inside_an_exclusive_step_is_undone_with_all_before_it(location: str) -> None:
    with open_store(location) as store:
        with pytest.raises(KeyboardInterrupt):
            with store.exclusive():
                store.record_pin("10.0.0.7:443", "spki-sha256:ab")
                store.remember_names({"serial:A": "web1"})
                raise KeyboardInterrupt
        assert (store.pins(), store.names()) == ({}, {})


def test_a_consistent_look_cannot_begin_to_write(location: str) -> None:
    with open_store(location) as store, store.consistent():
        with pytest.raises(StoreUnavailable, match="cannot begin to write"):
            store.record_pin("10.0.0.7:443", "spki-sha256:ab")
