# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Taking turns at one BMC: a few lock files for each port of it, one held as long as a session is open.

Four systems behind one BMC are four workers of Ansible, and a BMC has a handful of sessions. The files lie in a
directory of the user's own and outlive a run: two runs of one user take turns, too, and the next run finds the session
that a killed worker left behind. A lock goes with the process that held it.
"""

from __future__ import annotations

import json
import os
import stat
import tempfile
import threading
from contextlib import contextmanager, suppress
from typing import Dict, Iterator, Optional

from .deadline import Deadline
from .errors import BadInput, Busy
from .lock_file import file_name, unusable, wait_for_one

#: how many of one user are at work on one BMC at the same time: the smallest session tables have four places, and a
#: shutdown that takes minutes must not keep all others waiting
AT_ONCE = 2
_PAUSE = 0.05  # seconds between two attempts


def lock_directory(parent: str = "") -> str:
    """The directory of this user's locks, made where it is missing; BadInput where somebody else could write it."""
    path = os.path.join(parent or tempfile.gettempdir(), f"hearth-{os.getuid()}")
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        pass
    except OSError as error:
        raise unusable(path, error) from error
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


class Turn:
    """A lock that is held. Its file says which session its holder has open: one that was killed could not delete it."""

    def __init__(self, lock: int = -1) -> None:
        self._lock = lock
        self.leftover: Dict[str, str] = _read(lock) if lock >= 0 else {}
        self._empty = lock >= 0 and not os.fstat(lock).st_size

    def note(self, session: Dict[str, str]) -> None:
        """Write down which session is open now; an empty one: none."""
        if self._lock < 0:
            return
        with suppress(OSError):  # a full disk: the session ages out, should this process be killed
            if not self._empty:
                os.ftruncate(self._lock, 0)
                self._empty = True
            if session:
                self._empty = False
                os.pwrite(self._lock, json.dumps(session).encode(), 0)


@contextmanager
def turn(
    directory: Optional[str],
    key: str,
    where: str,
    deadline: Deadline,
    cancelled: Optional[threading.Event] = None,
) -> Iterator[Turn]:
    """Hold one of the BMC's locks; Busy when the deadline passes before one is free. No directory, no lock.

    :param key: what the locks are named after: host and port, and what is spoken there
    :param where: how error messages name the BMC
    """
    if directory is None:
        yield Turn()
        return
    name = file_name(key)
    paths = [os.path.join(directory, f"{name}.{number}.lock") for number in range(AT_ONCE)]

    def busy() -> Busy:
        return Busy(
            "others are at work on this BMC",
            expected="a turn within the deadline",
            found=f"{AT_ONCE} others",
            where=f"{where} ({paths[0]})",
            next="try again later, or give it more time (deadline)",
        )

    lock = wait_for_one(paths, deadline, _PAUSE, busy, cancelled)
    try:
        yield Turn(lock)
    finally:
        os.close(lock)


def _read(lock: int) -> Dict[str, str]:
    try:
        found = json.loads(os.pread(lock, 4096, 0) or b"{}")
    except ValueError:  # killed while it wrote
        return {}
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}
