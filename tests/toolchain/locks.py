# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two runs of make in one checkout must not write the same thing at once: the second one waits."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.toolchain.places import BUILD
from tests.toolchain.saying import say


@contextmanager
def alone(subject: str) -> Iterator[None]:
    """Hold the checkout's lock on a subject. The system releases it when the process ends, however it ends."""
    BUILD.mkdir(parents=True, exist_ok=True)
    with _held(BUILD / f".lock-{subject}", f"another run of make in this checkout works on {subject}"):
        yield


@contextmanager
def alone_on_machine(subject: str, directory: Path) -> Iterator[None]:
    """Hold a lock that every checkout on this machine respects.

    For root: a directory of Debian's is locked, another one for each subject, so that no file is left.
    """
    with _held(directory, f"another run of make on this machine works on {subject}"):
        yield


@contextmanager
def _held(path: Path, by_whom: str) -> Iterator[None]:
    lock = os.open(path, os.O_RDONLY) if path.is_dir() else os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting: {by_whom}")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
