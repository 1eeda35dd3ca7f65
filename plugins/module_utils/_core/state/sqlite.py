# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The state store in one SQLite file.

The journal is SQLite's default rollback journal, not WAL: WAL needs memory shared between all users of the file, which
NFS does not give; it leaves a second file that a copy of the store would miss; and a reader of it needs permission to
write. One writer at a time is what the store promises anyway, and a write takes milliseconds.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
from datetime import datetime, timezone
from typing import Iterator, List, Optional, Sequence
from urllib.parse import quote

from ..errors import StoreBusy, StoreDamaged, StoreReadOnly, StoreUnavailable
from .database import Database, Row, Value
from .persistence import why_not_persistent


class SqliteDatabase(Database):
    """One open file. It is made (mode 0600) when it does not exist; its directory is not.

    With ``in_memory`` no file is looked at: an empty store that stands for one which is not there yet.
    """

    def __init__(
        self, path: str, *, busy_timeout: float, persistent: Optional[bool] = None, in_memory: bool = False
    ) -> None:
        super().__init__(path)
        self._path = path
        self._busy_timeout = busy_timeout
        self._said_persistent = persistent
        self.writable = in_memory or _prepare(path)
        mode = "memory" if in_memory else "rw" if self.writable else "ro"
        with self._errors():
            # isolation_level None: no transaction begins except by _begin().
            self._connection = sqlite3.connect(
                f"file:{quote(path)}?mode={mode}",
                uri=True,
                timeout=busy_timeout,
                isolation_level=None,
                check_same_thread=False,
            )
        try:
            self._refuse_foreign()
        except BaseException:
            self._connection.close()
            raise

    def rows(self, sql: str, parameters: Sequence[Value] = ()) -> List[Row]:
        with self._errors():
            return self._connection.execute(sql, parameters).fetchall()

    def execute(self, sql: str, parameters: Sequence[Value] = ()) -> None:
        with self._errors():
            self._connection.execute(sql, parameters)

    def has_table(self, name: str) -> bool:
        return bool(self.rows("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", [name]))

    def clock(self) -> datetime:
        return datetime.now(timezone.utc)

    @property
    def persistent(self) -> bool:
        return not self.why_not_persistent

    @property
    def why_not_persistent(self) -> str:
        if self._said_persistent is None:
            return why_not_persistent(self._path)
        return "" if self._said_persistent else "its location says persistent=no"

    def close(self) -> None:
        self._connection.close()

    def _begin(self, write: bool) -> None:
        if write and not self.writable:
            raise self._read_only()
        # IMMEDIATE: the lock is taken before the first read, so a writer never has to give up half-way.
        self.execute("BEGIN IMMEDIATE" if write else "BEGIN")

    def _commit(self) -> None:
        try:
            self.execute("COMMIT")
        except StoreUnavailable:
            self._roll_back()
            raise

    def _roll_back(self) -> None:
        # SQLite itself has rolled back after some errors (disk full, I/O error).
        if self._connection.in_transaction:
            self.execute("ROLLBACK")

    def _refuse_foreign(self) -> None:
        """A database that holds tables, and not ours, belongs to another program."""
        tables = [str(row[0]) for row in self.rows("SELECT name FROM sqlite_master WHERE type = 'table'")]
        if tables and "hearth_schema" not in tables:
            raise StoreDamaged(
                "This SQLite file is something else's database.",
                expected="a state store of hearth.datacenter, or no file",
                found="tables " + ", ".join(ascii(table) for table in tables[:5]),
                where=self._path,
                next="Correct hearth_state; nothing in the file was touched.",
            )

    def _read_only(self) -> StoreReadOnly:
        return StoreReadOnly(
            "The state store can only be read by this user.",
            expected="write permission on the file and on its directory (SQLite keeps its journal beside the file)",
            where=self._path,
            next="Run as the user whom the file belongs to, or give this one permission.",
        )

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        """SQLite's errors as ours."""
        try:
            yield
        except sqlite3.Error as error:
            # Named codes exist from Python 3.11; they are what SQLite calls them: SQLITE_BUSY, SQLITE_FULL, ….
            code = str(getattr(error, "sqlite_errorname", ""))
            found = f"{code} {error}".strip()
            if code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")) or "is locked" in str(error):
                raise StoreBusy(
                    "Other processes kept the state store locked.",
                    expected=f"a lock within {self._busy_timeout:g} s",
                    found=found,
                    where=self._path,
                    next="Run again. If nothing else uses the store, its file system may not support locks (NFS"
                    " without lockd): move it to a local disk or use PostgreSQL.",
                ) from error
            if code.startswith("SQLITE_READONLY") or "readonly" in str(error):
                raise self._read_only() from error
            if isinstance(error, sqlite3.DatabaseError) and (
                code.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")) or "not a database" in str(error)
            ):
                raise StoreDamaged(
                    "The file of the state store is damaged or no SQLite database.",
                    expected="a state store of hearth.datacenter",
                    found=found,
                    where=self._path,
                    next="Move it away and restore a copy, or import the last export into a new store.",
                ) from error
            raise StoreUnavailable(
                "The state store does not work.",
                expected="an SQLite file that can be read and written",
                found=found,
                where=self._path,
                next="Check free space, quota and permissions of the file and its directory.",
            ) from error


def _prepare(path: str) -> bool:
    """Make the file when it is missing; whether it can be written. Refuses what anybody could have written."""
    directory = os.path.dirname(path)
    if not os.path.isdir(directory):
        raise StoreUnavailable(
            "The directory of the state store does not exist.",
            expected="a directory",
            where=directory,
            next=f"Make it (mkdir -m 0700 {directory}), or point hearth_state (or the environment variable"
            " HEARTH_STATE) at a place that this user may write.",
        )
    if not os.path.lexists(path):
        try:
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        except OSError as error:
            raise StoreUnavailable(
                "The state store does not exist and cannot be made.",
                expected="permission to write in its directory",
                found=error.strerror or type(error).__name__,
                where=path,
                next=f"Give this user permission on {directory}, or point hearth_state (or the environment variable"
                " HEARTH_STATE) at a place that it may write.",
            ) from error
    _refuse_unsafe(path)
    return os.access(path, os.W_OK) and os.access(directory, os.W_OK)


def _refuse_unsafe(path: str) -> None:
    try:
        mode = os.stat(path).st_mode
        readable = os.access(path, os.R_OK)
    except OSError as error:
        raise StoreUnavailable(
            "The state store cannot be looked at.", found=error.strerror or type(error).__name__, where=path
        ) from error
    if not stat.S_ISREG(mode):
        raise StoreUnavailable("The state store is not a file.", expected="a regular file", where=path)
    if mode & stat.S_IWOTH:
        raise StoreUnavailable(
            "Every user of this machine may write the state store: its pins prove nothing.",
            expected="a file that others cannot write",
            found=f"mode {stat.S_IMODE(mode):04o}",
            where=path,
            next=f"Check what it holds, then: chmod o-w {path}",
        )
    if not readable:
        raise StoreUnavailable(
            "The state store cannot be read by this user.",
            expected="read permission",
            found=f"mode {stat.S_IMODE(mode):04o}",
            where=path,
            next="Run as the user whom the file belongs to, or point hearth_state at another store.",
        )
