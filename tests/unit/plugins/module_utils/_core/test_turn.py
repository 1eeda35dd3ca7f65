# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import signal
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core.deadline import Deadline
from ansible_collections.hearth.datacenter.plugins.module_utils._core.errors import BadInput, Busy
from ansible_collections.hearth.datacenter.plugins.module_utils._core.turn import AT_ONCE, lock_directory, turn

BMC = ("127.0.0.1:8443", "https://127.0.0.1:8443")
ANOTHER = ("127.0.0.2:8443", "https://127.0.0.2:8443")


def wait_until(true: Callable[[], bool]) -> None:
    until = time.monotonic() + 5
    while not true():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_only_so_many_at_once_and_the_others_wait(tmp_path: Path) -> None:
    locks = lock_directory(str(tmp_path))
    inside: list[int] = []
    most: list[int] = []

    def work() -> None:
        with turn(locks, *BMC, Deadline.after(10.0)):
            inside.append(1)
            most.append(len(inside))
            time.sleep(0.05)
            inside.pop()

    threads = [threading.Thread(target=work) for _number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(most), max(most)) == (8, AT_ONCE)


def test_who_waits_too_long_is_told_that_it_is_busy(tmp_path: Path) -> None:
    locks = lock_directory(str(tmp_path))
    with turn(locks, *BMC, Deadline.after(1.0)), turn(locks, *BMC, Deadline.after(1.0)):
        with pytest.raises(Busy), turn(locks, *BMC, Deadline.after(0.1)):
            raise AssertionError("a third one")
        with turn(locks, *ANOTHER, Deadline.after(0.1)):
            pass  # another BMC


def test_a_lock_goes_with_its_process(tmp_path: Path) -> None:
    locks = lock_directory(str(tmp_path))
    children = []
    for _number in range(AT_ONCE):
        child = os.fork()
        if not child:
            with turn(locks, *BMC, Deadline.after(5.0)) as ours:
                ours.note({"session": "/somewhere"})
                signal.pause()
        children.append(child)
    files = [Path(locks) / f"127.0.0.1_8443.{number}.lock" for number in range(AT_ONCE)]
    wait_until(lambda: all(file.exists() and file.read_text() for file in files))
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    with turn(locks, *BMC, Deadline.after(1.0)) as ours:
        assert ours.leftover == {"session": "/somewhere"}


def test_a_note_that_was_cut_off_is_no_note(tmp_path: Path) -> None:
    locks = lock_directory(str(tmp_path))
    (Path(locks) / "127.0.0.1_8443.0.lock").write_text('{"session": "/red')
    with turn(locks, *BMC, Deadline.after(1.0)) as ours:
        assert ours.leftover == {}
    assert (Path(locks) / "127.0.0.1_8443.0.lock").exists()


def test_the_directory_of_locks_is_nobody_elses(tmp_path: Path) -> None:
    path = Path(lock_directory(str(tmp_path)))
    assert stat.S_IMODE(path.stat().st_mode) == 0o700
    path.chmod(0o777)
    with pytest.raises(BadInput, match="not this user's own"):
        lock_directory(str(tmp_path))
    path.rmdir()
    path.symlink_to("/etc")
    with pytest.raises(BadInput, match="not this user's own"):
        lock_directory(str(tmp_path))
    with pytest.raises(BadInput, match="cannot be made"):
        lock_directory(str(tmp_path / "missing"))
