# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two runs of make in one checkout must not write the same thing at once: the second one waits."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from tests.toolchain.places import BUILD
from tests.toolchain.saying import say


@contextmanager
def alone(subject: str) -> Iterator[None]:
    """Hold the checkout's lock on a subject. The system releases it when the process ends, however it ends."""
    BUILD.mkdir(parents=True, exist_ok=True)
    with (BUILD / f".lock-{subject}").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting: another run of make in this checkout works on {subject}")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
