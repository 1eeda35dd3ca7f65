# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tables of the state store, as the steps that made them, and the way from any older version to this one.

A store is never created in one go: an empty one is at version 0 and takes every step in order, so that the path which
an old store takes is the path that every new store has taken. A step, once released, is never edited: a change is a new
step at the end. All steps that an opening store needs happen in one transaction.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Callable, Sequence, Tuple

from ..errors import StoreVersionTooNew
from .database import Database
from .timestamp import stamp

Step = Tuple[str, ...]

# Times are text in UTC with microseconds (sortable as text); BIGINT is what both backends keep as 64 bits.
STEPS: Tuple[Step, ...] = (
    # 1: pinned keys. Append-only; the newest row of an address holds. state: pinned | removed.
    (
        """CREATE TABLE hearth_pins (
            seq BIGINT PRIMARY KEY,
            address TEXT NOT NULL,
            state TEXT NOT NULL,
            pinned_key TEXT NOT NULL,
            reason TEXT NOT NULL,
            recorded_at TEXT NOT NULL,
            recorded_by TEXT NOT NULL
        )""",
        "CREATE INDEX hearth_pins_by_address ON hearth_pins (address, seq)",
    ),
    # 2: host names. A FRU has one name, a name belongs to one FRU.
    (
        """CREATE TABLE hearth_names (
            fru TEXT PRIMARY KEY,
            host_name TEXT NOT NULL UNIQUE,
            recorded_at TEXT NOT NULL,
            recorded_by TEXT NOT NULL
        )""",
    ),
    # 3: what discovery remembers of a BMC from one run to the next.
    (
        """CREATE TABLE hearth_bmcs (
            address TEXT PRIMARY KEY,
            seen_redfish SMALLINT NOT NULL,
            credential TEXT NOT NULL,
            root_digest TEXT NOT NULL,
            recorded_at TEXT NOT NULL,
            recorded_by TEXT NOT NULL
        )""",
    ),
    # 4: records of any kind. Append-only; ordinal counts the records of one (kind, record_key) from 1 without gaps.
    (
        """CREATE TABLE hearth_records (
            seq BIGINT PRIMARY KEY,
            kind TEXT NOT NULL,
            record_key TEXT NOT NULL,
            ordinal BIGINT NOT NULL,
            payload TEXT NOT NULL,
            recorded_at TEXT NOT NULL,
            recorded_by TEXT NOT NULL,
            UNIQUE (kind, record_key, ordinal)
        )""",
    ),
    # 5: leases. A released lease keeps its row, so that generation only ever grows.
    (
        """CREATE TABLE hearth_leases (
            resource TEXT PRIMARY KEY,
            owner TEXT NOT NULL,
            generation BIGINT NOT NULL,
            purpose TEXT NOT NULL,
            acquired_at TEXT NOT NULL,
            expires_at TEXT NOT NULL
        )""",
    ),
)

SCHEMA_VERSION = len(STEPS)

_VERSIONS = "CREATE TABLE hearth_schema (version BIGINT PRIMARY KEY, applied_at TEXT NOT NULL)"


def _utc_now() -> datetime:
    return datetime.now(timezone.utc)


def version_of(database: Database) -> int:
    """The version that a store has; 0: there are no tables of ours yet."""
    with database.transaction(write=False):
        if not database.has_table("hearth_schema"):
            return 0
        return int(database.rows("SELECT COALESCE(MAX(version), 0) FROM hearth_schema")[0][0])


def refuse_newer(found: int, known: int, where: str) -> None:
    """Raise StoreVersionTooNew when what was found is newer than what this collection knows."""
    if found > known:
        raise StoreVersionTooNew(
            "The state store was written by a newer version of hearth.datacenter; nothing in it was touched.",
            expected=f"schema version {known} or older",
            found=f"schema version {found}",
            where=where,
            next="Update the collection on this machine, or point hearth_state at another store.",
        )


def migrate(database: Database, steps: Sequence[Step] = STEPS, *, now: Callable[[], datetime] = _utc_now) -> int:
    """Bring a store forward to the newest version and return the version that it had.

    A store of a newer version raises StoreVersionTooNew and is not touched. Several processes may do this at once.
    """
    had = version_of(database)
    refuse_newer(had, len(steps), database.shown)
    if had == len(steps):
        return had
    with database.transaction(write=True):
        # Read again: another process may have been here between the look and the lock.
        version = version_of(database)
        refuse_newer(version, len(steps), database.shown)
        if not database.has_table("hearth_schema"):
            database.execute(_VERSIONS)
        for number, step in enumerate(steps[version:], start=version + 1):
            for statement in step:
                database.execute(statement)
            database.execute("INSERT INTO hearth_schema (version, applied_at) VALUES (?, ?)", [number, stamp(now())])
    return had
