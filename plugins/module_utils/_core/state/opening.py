# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Opening a state store: the right backend for a location, brought forward to this version's schema."""

from __future__ import annotations

import os
import pwd
import socket
from datetime import datetime
from typing import Callable, Optional

from ..errors import StoreReadOnly
from .database import Database
from .location import SQLITE, Location, parse_location
from .schema import migrate, version_of
from .sqlite import SqliteDatabase
from .store import Store


def open_store(
    location: str,
    *,
    password: str = "",
    now: Optional[Callable[[], datetime]] = None,
    owner: str = "",
    busy_timeout: float = 30.0,
    make: bool = True,
) -> Store:
    """Open the store at a path, a ``sqlite:///path`` or a ``postgresql://`` URL; make it where there is none yet.

    :param password: of PostgreSQL, where the URL does not hold it.
    :param now: a clock for tests; the default is PostgreSQL's own, and for a file this machine's.
    :param owner: who writes; the default names user, host and process, so a lease that must outlive the process needs
        an owner of its own (a run's name).
    :param busy_timeout: seconds to wait while others write.
    :param make: False (check mode): where there is no store yet none is made, and an empty one in memory stands for it.

    Raises StoreUnavailable or one of its kinds: StoreVersionTooNew before anything was touched, StoreReadOnly when an
    older store must be brought forward and this user may only read, StoreDamaged, StoreBusy; MissingLibrary.
    """
    place = parse_location(location)
    database = _database(place, password or place.password, busy_timeout, make)
    try:
        migrate(database)
    except StoreReadOnly as error:
        database.close()
        raise StoreReadOnly(
            "The state store has an older schema (or none yet) and this user may not bring it forward.",
            expected=error.expected,
            found=error.found,
            where=error.where,
            next="Run once as a user who may write it.",
        ) from error
    except BaseException:
        database.close()
        raise
    return Store(database, now=now, owner=owner or _this_process())


def _database(place: Location, password: str, busy_timeout: float, make: bool) -> Database:
    if place.kind == SQLITE:
        nothing_there = not make and not os.path.lexists(place.target)
        return SqliteDatabase(
            place.target, busy_timeout=busy_timeout, persistent=place.persistent, in_memory=nothing_there
        )
    # Not at the top: psycopg takes 130 ms of CPU to import, and a store in a file needs none of it. An action
    # that opens the store in every worker imports .postgresql itself, before Ansible forks.
    from .postgresql import PostgresqlDatabase

    server = PostgresqlDatabase(place, password, busy_timeout=busy_timeout)
    if make or version_of(server):
        return server
    server.close()
    return SqliteDatabase(place.shown, busy_timeout=busy_timeout, persistent=server.persistent, in_memory=True)


def _this_process() -> str:
    try:
        user = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        # A container run under a number that has no name.
        user = f"uid {os.geteuid()}"
    return f"{user}@{socket.gethostname()} process {os.getpid()}"
