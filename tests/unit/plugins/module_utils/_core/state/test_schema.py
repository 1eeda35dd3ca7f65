# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way of a store from version to version, step by step, with rows in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core.errors import StoreUnavailable, StoreVersionTooNew
from ansible_collections.hearth.datacenter.plugins.module_utils._core.state.database import Database
from ansible_collections.hearth.datacenter.plugins.module_utils._core.state.location import SQLITE, parse_location
from ansible_collections.hearth.datacenter.plugins.module_utils._core.state.opening import open_store
from ansible_collections.hearth.datacenter.plugins.module_utils._core.state.postgresql import PostgresqlDatabase
from ansible_collections.hearth.datacenter.plugins.module_utils._core.state.schema import (
    SCHEMA_VERSION,
    STEPS,
    migrate,
    version_of,
)
from ansible_collections.hearth.datacenter.plugins.module_utils._core.state.sqlite import SqliteDatabase

NEXT_STEP = (
    "ALTER TABLE hearth_pins ADD COLUMN witness TEXT NOT NULL DEFAULT 'none'",
    "CREATE TABLE hearth_witnesses (name TEXT PRIMARY KEY)",
)
# A row for the table of each step, as the version of that step wrote it.
ROWS = (
    "INSERT INTO hearth_pins VALUES (1, '10.0.0.7:443', 'pinned', 'spki-sha256:ab', '', '2026', 'alice')",
    "INSERT INTO hearth_names VALUES ('serial:A', 'web1', '2026', 'alice')",
    "INSERT INTO hearth_bmcs VALUES ('10.0.0.7:443', 1, 'site', 'sha256:1', '2026', 'alice')",
    "INSERT INTO hearth_records VALUES (1, 'evidence', 'fru:A', 1, '{\"n\":1}', '2026', 'alice')",
    "INSERT INTO hearth_leases VALUES ('site', 'alice', 1, '', '2026', '2999')",
)


@pytest.fixture
def database(location: str) -> Iterator[Database]:
    opened = open_database(location)
    yield opened
    opened.close()


def open_database(location: str) -> Database:
    place = parse_location(location)
    if place.kind == SQLITE:
        return SqliteDatabase(place.target, busy_timeout=5)
    return PostgresqlDatabase(place, place.password, busy_timeout=5)


def everything(database: Database) -> dict[str, list[tuple[object, ...]]]:
    tables = ("hearth_pins", "hearth_names", "hearth_bmcs", "hearth_records", "hearth_leases", "hearth_schema")
    with database.transaction(write=False):
        return {name: database.rows(f"SELECT * FROM {name}") for name in tables if database.has_table(name)}


def test_each_step_keeps_the_rows_of_the_versions_before_it(database: Database) -> None:
    assert version_of(database) == 0
    assert len(ROWS) == SCHEMA_VERSION, "a new step needs a row here"
    before: dict[str, list[tuple[object, ...]]] = {}
    for number, row in enumerate(ROWS, start=1):
        assert migrate(database, STEPS[:number]) == number - 1
        assert version_of(database) == number
        now = everything(database)
        assert {name: rows for name, rows in now.items() if name in before and name != "hearth_schema"} == {
            name: rows for name, rows in before.items() if name != "hearth_schema"
        }
        with database.transaction(write=True):
            database.execute(row)
        before = everything(database)
    assert all(before.values())


def test_a_store_made_step_by_step_works_like_a_new_one(database: Database, location: str) -> None:
    for number, row in enumerate(ROWS, start=1):
        migrate(database, STEPS[:number])
        with database.transaction(write=True):
            database.execute(row)

    with open_store(location) as store:
        assert store.schema_version == SCHEMA_VERSION
        assert store.pins()["10.0.0.7:443"].key == "spki-sha256:ab"
        assert store.names() == {"serial:A": "web1"}
        assert store.bmcs()["10.0.0.7:443"].seen_redfish is True
        assert store.newest_records("evidence")["fru:A"].payload == {"n": 1}
        assert list(store.leases()) == ["site"]


def test_a_next_step_is_taken_by_a_full_store(database: Database) -> None:
    migrate(database)
    with database.transaction(write=True):
        for row in ROWS:
            database.execute(row)

    assert migrate(database, [*STEPS, NEXT_STEP]) == SCHEMA_VERSION
    assert version_of(database) == SCHEMA_VERSION + 1
    assert database.rows("SELECT address, witness FROM hearth_pins") == [("10.0.0.7:443", "none")]


def test_a_step_that_fails_undoes_all_steps_of_this_opening(database: Database) -> None:
    migrate(database, STEPS[:1])
    with database.transaction(write=True):
        database.execute(ROWS[0])
    before = everything(database)

    with pytest.raises(StoreUnavailable):
        migrate(database, [*STEPS, (NEXT_STEP[1], "CREATE TABLE hearth_pins (twice TEXT)")])
    assert everything(database) == before
    assert not database.has_table("hearth_witnesses")


def test_a_newer_store_is_refused_before_anything_is_touched(location: str) -> None:
    database = open_database(location)
    migrate(database, [*STEPS, NEXT_STEP])
    before = everything(database)

    with pytest.raises(StoreVersionTooNew) as caught:
        open_store(location)
    assert caught.value.expected == f"schema version {SCHEMA_VERSION} or older"
    assert caught.value.found == f"schema version {SCHEMA_VERSION + 1}"
    assert "Update the collection" in caught.value.next
    assert everything(database) == before
    database.close()


def test_a_newer_sqlite_file_is_not_changed_by_one_byte(tmp_path: object) -> None:
    path = f"{tmp_path}/state.sqlite3"
    database = SqliteDatabase(path, busy_timeout=5)
    migrate(database, [*STEPS, NEXT_STEP])
    database.close()
    with open(path, "rb") as file:
        before = file.read()

    with pytest.raises(StoreVersionTooNew):
        open_store(path)
    with open(path, "rb") as file:
        assert file.read() == before
