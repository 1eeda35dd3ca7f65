# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Taking turns at one BMC: a lock file for each endpoint, held as long as the session is open.

Four systems behind one BMC are four workers of Ansible, and a BMC has a handful of sessions. The files lie in a
directory of the user's own, so that two runs of one user take turns, too; a lock goes with the process that held it.
"""

from __future__ import annotations

import fcntl
import os
import re
import stat
import tempfile
import threading
import time
from contextlib import contextmanager
from typing import Iterator, Optional

from .._core.deadline import Deadline
from .._core.endpoint import Endpoint
from .._core.errors import BadInput, Busy, Cancelled

_PAUSE = 0.05  # seconds between two attempts
_NO_FILE_NAME = re.compile(r"[^A-Za-z0-9._-]")


def lock_directory(parent: str = "") -> str:
    """The directory of this user's locks, made where it is missing; BadInput where somebody else could write it."""
    path = os.path.join(parent or tempfile.gettempdir(), f"hearth-{os.getuid()}")
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        pass
    except OSError as error:
        raise BadInput(
            f"The directory of the lock files cannot be made: {error.strerror}.",
            expected="a temporary directory that can be written",
            where=path,
            next="Set TMPDIR to one.",
        ) from error
    found = os.lstat(path)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
        raise BadInput(
            "The directory of the lock files is not this user's own.",
            expected=f"a directory that only user {os.getuid()} can write",
            found=f"owner {found.st_uid}, mode {stat.filemode(found.st_mode)}",
            where=path,
            next="Remove it, or set TMPDIR to a directory of your own.",
        )
    return path


@contextmanager
def turn(
    directory: Optional[str],
    endpoint: Endpoint,
    deadline: Deadline,
    cancelled: Optional[threading.Event] = None,
) -> Iterator[None]:
    """Hold the lock of that endpoint; Busy when the deadline passes before it is free. No directory, no lock."""
    if directory is None:
        yield
        return
    path = os.path.join(directory, _NO_FILE_NAME.sub("_", endpoint.key) + ".lock")
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        while not _taken(lock):
            if deadline.expired:
                raise Busy(
                    "others are at work on this BMC",
                    expected="a turn within the deadline",
                    found="the lock is held",
                    where=f"{endpoint.url} ({path})",
                    next="try again later, or give it more time (deadline)",
                )
            if cancelled is None:
                time.sleep(_PAUSE)
            elif cancelled.wait(_PAUSE):
                raise Cancelled("interrupted", where=endpoint.url)
        yield
    finally:
        os.close(lock)


def _taken(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
