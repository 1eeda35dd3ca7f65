# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The state store in a PostgreSQL database, where several controllers or ephemeral containers share it.

Tables are ``hearth_…`` in the first schema of the role's search path. Writers queue on one advisory lock, so that what
holds for the SQLite file (one writer; what it reads stays true; numbers without gaps) holds here, too.
"""

from __future__ import annotations

import contextlib
import traceback
from datetime import datetime
from typing import Any, Dict, Iterator, List, Sequence
from urllib.parse import quote

from ..errors import MissingLibrary, StoreBusy, StoreReadOnly, StoreUnavailable
from ..missing_library import missing_library
from .database import Database, Row, Value
from .location import Location

try:
    import psycopg  # type: ignore[import-not-found,unused-ignore]
except ImportError:
    HAS_PSYCOPG = False
    PSYCOPG_IMPORT_ERROR = traceback.format_exc()
else:
    HAS_PSYCOPG = True
    PSYCOPG_IMPORT_ERROR = ""

# Seconds, unless the URL says connect_timeout=.
CONNECT_TIMEOUT = 10
# An arbitrary number, the same for every version of this collection: the place where writers queue.
WRITERS_LOCK = 4921870913


class PostgresqlDatabase(Database):
    """One connection."""

    def __init__(self, place: Location, password: str, *, busy_timeout: float) -> None:
        super().__init__(place.shown)
        if not HAS_PSYCOPG:
            raise missing_psycopg()
        self._said_persistent = place.persistent is not False
        self._busy_timeout = busy_timeout
        self._password = password
        # Any: they stand beside psycopg's own keywords, which have types of their own.
        login: Dict[str, Any] = {"password": password} if password else {}
        if "connect_timeout=" not in place.target:
            login["connect_timeout"] = CONNECT_TIMEOUT
        with self._errors("connect"):
            self._connection = psycopg.connect(
                place.target,
                autocommit=True,
                # A server-side prepared statement does not survive a pooler such as PgBouncer.
                prepare_threshold=None,
                application_name="hearth.datacenter",
                client_encoding="utf8",
                **login,
            )

    def rows(self, sql: str, parameters: Sequence[Value] = ()) -> List[Row]:
        with self._errors("read"):
            found: List[Row] = self._connection.execute(_placeholders(sql), parameters).fetchall()
            return found

    def execute(self, sql: str, parameters: Sequence[Value] = ()) -> None:
        with self._errors("write"):
            self._connection.execute(_placeholders(sql), parameters)

    def has_table(self, name: str) -> bool:
        # Not to_regclass(): it answers from a cache that does not see what others made while this one waited its turn.
        sql = "SELECT 1 FROM pg_catalog.pg_class WHERE relname = ? AND pg_catalog.pg_table_is_visible(oid)"
        return bool(self.rows(sql, [name]))

    def clock(self) -> datetime:
        moment = self.rows("SELECT clock_timestamp()")[0][0]
        if not isinstance(moment, datetime):
            raise StoreUnavailable("PostgreSQL does not tell the time.", found=repr(moment), where=self.shown)
        return moment

    @property
    def persistent(self) -> bool:
        return self._said_persistent

    @property
    def why_not_persistent(self) -> str:
        return "" if self._said_persistent else "its location says persistent=no"

    def close(self) -> None:
        self._connection.close()

    def _begin(self, write: bool) -> None:
        if not write:
            # One snapshot for the whole transaction: SQLite's readers see one moment, too.
            self.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            return
        self.execute("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")
        try:
            self.execute(f"SET LOCAL lock_timeout = {max(1, int(self._busy_timeout * 1000))}")
            self.execute("SELECT pg_advisory_xact_lock(?)", [WRITERS_LOCK])
        except BaseException:
            self._roll_back()
            raise

    def _commit(self) -> None:
        self.execute("COMMIT")

    def _roll_back(self) -> None:
        if not self._connection.closed and not self._connection.broken:
            self.execute("ROLLBACK")

    @contextlib.contextmanager
    def _errors(self, doing: str) -> Iterator[None]:
        """psycopg's errors as ours, without their cause: libpq repeats a URL that it cannot read."""
        try:
            yield
        except psycopg.errors.LockNotAvailable as error:
            raise StoreBusy(
                "Other processes kept the state store locked.",
                expected=f"a lock within {self._busy_timeout:g} s",
                found=self._said(error),
                where=self.shown,
                next="Run again; pg_stat_activity shows who holds it.",
            ) from None
        except (psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction) as error:
            raise StoreReadOnly(
                "This database role or server does not let the state store be written.",
                expected="a role that may create and write tables in its schema, on a primary server",
                found=self._said(error),
                where=self.shown,
                next="Grant the role what it lacks, or connect to the primary.",
            ) from None
        # ValueError: before 3.2 psycopg lets one out for a connect_timeout that is no number.
        except (psycopg.Error, ValueError) as error:
            raise StoreUnavailable(
                (
                    "The state store in PostgreSQL cannot be reached."
                    if doing == "connect"
                    else f"PostgreSQL did not do what the state store needs ({doing})."
                ),
                expected="a PostgreSQL server that lets this role in",
                found=self._said(error),
                where=self.shown,
                next="Try the same location with psql; check host, port, database, role and pg_hba.conf.",
            ) from None

    def _said(self, error: BaseException) -> str:
        text = " ".join(str(error).split())
        if self._password:
            for spelling in (self._password, quote(self._password, safe="")):
                text = text.replace(spelling, "********")
        return text[:500]


def missing_psycopg() -> MissingLibrary:
    """The standard message for this library on this machine."""
    return missing_library(
        "psycopg (version 3)",
        "a state store in PostgreSQL",
        PSYCOPG_IMPORT_ERROR.strip().rpartition("\n")[2],
        requirement="'psycopg[binary]>=3.1'",
        otherwise=" (Debian: apt install python3-psycopg), or use an SQLite store.",
    )


def _placeholders(sql: str) -> bytes:
    return sql.replace("?", "%s").encode("ascii")
