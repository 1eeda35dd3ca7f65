# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Locks that are files: held by one process, or by one thread of it, and let go when the process ends, however."""

from __future__ import annotations

import fcntl
import os
import re
import threading
import time
from typing import Callable, Optional, Sequence

from .deadline import Deadline
from .errors import BadInput, Busy, Cancelled

_NO_FILE_NAME = re.compile(r"[^A-Za-z0-9._-]")


def file_name(text: str) -> str:
    """A name that any directory takes; two texts may have one name."""
    return _NO_FILE_NAME.sub("_", text)


def taken(path: str) -> int:
    """The descriptor of the locked file, -1 where somebody else holds it. BadInput where it cannot be made."""
    try:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise unusable(path, error) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return -1
    return lock


def wait_for_one(
    paths: Sequence[str],
    deadline: Deadline,
    pause: float,
    busy: Callable[[], Busy],
    cancelled: Optional[threading.Event],
) -> int:
    """The descriptor of the first of these that is free; ``busy()`` is raised when the deadline passes before one is.

    :param pause: seconds between two attempts
    :param cancelled: ends the waiting with Cancelled
    """
    while True:
        lock = next((lock for lock in map(taken, paths) if lock >= 0), -1)
        if lock >= 0:
            return lock
        if deadline.expired:
            raise busy()
        if cancelled is None:
            time.sleep(pause)
        elif cancelled.wait(pause):
            raise Cancelled("interrupted", where=paths[0])


def unusable(path: str, error: OSError) -> BadInput:
    return BadInput(
        f"A lock file cannot be made: {error.strerror}.",
        expected="a temporary directory that can be written",
        where=path,
        next="Set TMPDIR to one.",
    )
