# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a test could leave behind in this process."""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path
from typing import Iterator, List


def children() -> List[int]:
    """The pids of this process's children."""
    found = []
    for task in os.listdir("/proc/self/task"):
        try:
            found += [int(pid) for pid in Path(f"/proc/self/task/{task}/children").read_text().split()]
        except FileNotFoundError:
            continue
    return found


@contextlib.contextmanager
def nothing_new() -> Iterator[None]:
    """No child, no thread and no open file more than before. Servers of session fixtures are children, too."""
    before = sorted(children()), threading.active_count(), len(os.listdir("/proc/self/fd"))
    yield
    assert (sorted(children()), threading.active_count(), len(os.listdir("/proc/self/fd"))) == before
