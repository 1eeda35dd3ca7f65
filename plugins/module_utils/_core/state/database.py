# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The little SQL that a backend of the state store offers: transactions, rows, bulk inserts.

Everything above this file is written once, for both backends, in the SQL that SQLite (3.24 or newer) and PostgreSQL
share. Parameters are written ``?``.
"""

from __future__ import annotations

import contextlib
import os
import threading
from abc import ABC, abstractmethod
from datetime import datetime
from typing import Any, Iterable, Iterator, List, Sequence, Tuple, Union

from ..errors import StoreUnavailable

Value = Union[str, int, None]
Row = Tuple[Any, ...]

# SQLite takes 32,766 parameters in a statement (999 before 3.32), PostgreSQL 65,535.
PARAMETERS_PER_STATEMENT = 900


class Database(ABC):
    """One connection. Writers are one at a time, on both backends: what a write transaction reads stays true in it.

    Usable from several threads, one at a time; never in a process forked after it was opened.
    """

    def __init__(self, shown: str) -> None:
        self.shown = shown
        """The location, without a password."""
        self._lock = threading.RLock()
        self._depth = 0
        self._writing = False
        self._process = os.getpid()

    @contextlib.contextmanager
    def transaction(self, *, write: bool) -> Iterator[None]:
        """Everything inside happens at one moment, or not at all. Inside another transaction it is part of that one."""
        with self._lock:
            if os.getpid() != self._process:
                raise StoreUnavailable(
                    "This state store was opened by another process.",
                    expected="a store opened after the fork",
                    where=self.shown,
                )
            if self._depth:
                if write and not self._writing:
                    raise StoreUnavailable("A transaction that only reads cannot begin to write.", where=self.shown)
                yield
                return
            self._begin(write)
            self._depth, self._writing = 1, write
            try:
                yield
            except BaseException:
                self._end(commit=False)
                raise
            else:
                self._end(commit=True)

    def _end(self, commit: bool) -> None:
        self._depth, self._writing = 0, False
        if commit:
            self._commit()
        else:
            self._roll_back()

    def rows_for(self, sql: str, keys: Iterable[str], before: Sequence[Value] = ()) -> Iterator[Row]:
        """Rows of a query that holds ``{keys}`` inside an IN (…), for any number of keys. ``before``: its parameters
        that stand before the keys."""
        wanted = list(dict.fromkeys(keys))
        for start in range(0, len(wanted), PARAMETERS_PER_STATEMENT):
            part = wanted[start : start + PARAMETERS_PER_STATEMENT]
            yield from self.rows(sql.format(keys=", ".join("?" * len(part))), [*before, *part])

    def insert(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Value]], conflict: str = "") -> None:
        """Insert many rows, some hundred per statement. ``conflict``: an ON CONFLICT clause."""
        per_statement = PARAMETERS_PER_STATEMENT // len(columns)
        one_row = "(" + ", ".join("?" * len(columns)) + ")"
        todo = list(rows)
        for start in range(0, len(todo), per_statement):
            part = todo[start : start + per_statement]
            self.execute(
                f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join([one_row] * len(part))} {conflict}",
                [value for row in part for value in row],
            )

    @abstractmethod
    def rows(self, sql: str, parameters: Sequence[Value] = ()) -> List[Row]:
        """All rows of a query."""

    @abstractmethod
    def execute(self, sql: str, parameters: Sequence[Value] = ()) -> None:
        """A statement that gives no rows."""

    @abstractmethod
    def has_table(self, name: str) -> bool:
        """Whether this table exists."""

    @abstractmethod
    def clock(self) -> datetime:
        """The clock that everybody who uses this store shares."""

    @property
    @abstractmethod
    def persistent(self) -> bool:
        """False: what is written here ends with a container or with the machine's next start."""

    @property
    @abstractmethod
    def why_not_persistent(self) -> str:
        """In words, for the user; empty when it is persistent."""

    @abstractmethod
    def close(self) -> None:
        """Leave nothing open. May be called twice."""

    @abstractmethod
    def _begin(self, write: bool) -> None: ...

    @abstractmethod
    def _commit(self) -> None: ...

    @abstractmethod
    def _roll_back(self) -> None: ...
