# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every part of the store stands on: the database, the clock, who writes, and what text may be stored."""

from __future__ import annotations

from datetime import datetime
from typing import Callable, Optional

from ..errors import BadInput
from .database import Database
from .timestamp import stamp


class Section:
    """Base of the parts of :class:`.store.Store`."""

    def __init__(self, database: Database, *, now: Optional[Callable[[], datetime]], owner: str) -> None:
        self._database = database
        self._clock = now
        self.owner = storable(owner, "owner")

    def _now(self) -> datetime:
        """The given clock, else the one that all users of this store share (PostgreSQL's own; this machine's)."""
        return self._clock() if self._clock is not None else self._database.clock()

    def _stamp(self) -> str:
        return stamp(self._now())

    def _next_seq(self, table: str) -> int:
        """The next number of an append-only table; only inside a write transaction, where nobody else can take it."""
        return int(self._database.rows("SELECT COALESCE(MAX(seq), 0) + 1 FROM " + table)[0][0])


def storable(text: str, what: str, *, empty: bool = False) -> str:
    """Text that both backends keep unchanged; BadInput for NUL, half surrogate pairs and, unless allowed, nothing."""
    if not text and not empty:
        raise BadInput(f"The {what} is empty.", expected="text", where="state store")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise BadInput(f"The {what} is not valid Unicode.", found=ascii(text), where="state store") from None
    if "\0" in text:
        raise BadInput(f"The {what} holds a NUL character.", found=ascii(text), where="state store")
    # A plain str: what Ansible hands over may be a subclass that no database driver knows.
    return str.__str__(text)
