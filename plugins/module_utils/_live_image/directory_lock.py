# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One at a time writes into a directory of finished files; whoever has to wait too long is told for whom."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

from .._core.deadline import Deadline
from .._core.errors import BadInput, Busy
from .._core.lock_file import wait_for_one
from .workspace import owner_in, owners_note

IMAGES = ".lock"
PACKAGES = ".packages-lock"
_PAUSE = 1.0  # seconds between two attempts: what is waited for takes minutes


@contextmanager
def directory_lock(directory: Path, name: str, timeout: float) -> Iterator[None]:
    """Held by this process until the end of the block, and let go when it dies. Busy after ``timeout`` seconds.

    The file stays: two processes that remove and make it could each hold one.
    """
    path = directory / name
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _not_ours(directory, error.strerror or str(error)) from error

    def busy() -> Busy:
        owner = owner_in(_text(path))
        return Busy(
            f"somebody else is at work in {directory}",
            expected=f"to be alone there within {timeout:.0f} s",
            found=str(owner) if owner else "a process that has not said which",
            where=str(path),
            next="Wait until it has ended, give it more time (lock_timeout), or name another directory.",
        )

    try:
        lock = wait_for_one([str(path)], Deadline.after(timeout), _PAUSE, busy, None)
    except BadInput as error:
        raise _not_ours(directory, error.msg) from error
    try:
        os.ftruncate(lock, 0)
        os.pwrite(lock, owners_note().encode("utf-8"), 0)
        yield
    finally:
        # Nobody's name stays on a lock that nobody holds.
        os.ftruncate(lock, 0)
        os.close(lock)


def _not_ours(directory: Path, found: str) -> BadInput:
    return BadInput(
        f"no files can be made in {directory}",
        expected="a directory that this user can write",
        found=found,
        where=str(directory),
        next="Use become, or name another directory.",
    )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
