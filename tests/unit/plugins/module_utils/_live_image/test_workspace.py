# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Places that belong to a process: a living one's stay, a killed one's are cleared up. The processes are real."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core.errors import BadInput, Busy
from ansible_collections.hearth.datacenter.plugins.module_utils._live_image.directory_lock import IMAGES, directory_lock
from ansible_collections.hearth.datacenter.plugins.module_utils._live_image.workspace import remove_dead, workspace
from tests.toolchain.collection_tree import link_development_tree

BEFORE = """
import sys
from pathlib import Path
from ansible_collections.hearth.datacenter.plugins.module_utils._live_image.commands import (
    CONTAINED, ENDS_WITH_US, Commands, build_environment
)
from ansible_collections.hearth.datacenter.plugins.module_utils._live_image.directory_lock import IMAGES, directory_lock
from ansible_collections.hearth.datacenter.plugins.module_utils._live_image.workspace import workspace
"""
IN_A_WORKSPACE = """
with workspace(Path(sys.argv[1])) as path:
    print(path, flush=True)
    sys.stdin.read()
"""
IN_A_DIRECTORY = """
with directory_lock(Path(sys.argv[1]), IMAGES, 0):
    print("held", flush=True)
    sys.stdin.read()
"""
AT_WORK = """
print("working", flush=True)
Commands(Path(sys.argv[1]) / "log", build_environment()).run(*{how}, "sh", "-c", sys.argv[2])
"""

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="not root: mounts and process namespaces are root's")


@contextmanager
def process(program: str, *arguments: object) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process that has said its first line."""
    running = subprocess.Popen(
        [sys.executable, "-c", BEFORE + program, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(link_development_tree())},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield running, running.stdout.readline().strip() if running.stdout else ""
    finally:
        running.kill()
        running.communicate()


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def running_with(argument: str) -> list[str]:
    """Processes that have this among their arguments."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if argument.encode() in words:
            found.append(path.parent.name)
    return found


def mounted_below(path: Path) -> list[str]:
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return [line.split(" ")[4] for line in lines if line.split(" ")[4].startswith(f"{path}/")]


def test_it_is_gone_at_the_end(tmp_path: Path) -> None:
    with workspace(tmp_path) as path:
        (path / "root/dev").mkdir(parents=True)
        (path / "root/dev/null").write_text("")
    assert list(tmp_path.iterdir()) == []


def test_a_living_ones_stays_and_a_killed_ones_goes(tmp_path: Path) -> None:
    with process(IN_A_WORKSPACE, tmp_path) as (living, alive), process(IN_A_WORKSPACE, tmp_path) as (doomed, dead):
        assert alive != dead
        assert remove_dead(tmp_path) == []
        doomed.kill()
        doomed.wait()
        assert (Path(dead) / "owner.json").exists()
        with workspace(tmp_path) as mine:
            assert {path.name for path in tmp_path.iterdir()} == {Path(alive).name, mine.name}
        living.communicate("")
    assert list(tmp_path.iterdir()) == []


@needs_root
def test_what_a_killed_one_had_mounted_is_unmounted_and_not_deleted(tmp_path: Path) -> None:
    parent, outside = tmp_path / "work", tmp_path / "outside"
    (outside / "with space").mkdir(parents=True)
    (outside / "precious").write_text("")
    with ExitStack() as stack, process(IN_A_WORKSPACE, parent) as (doomed, dead):
        for place in (Path(dead) / "root/dev", Path(dead) / "root/dev/with space"):
            place.mkdir(parents=True, exist_ok=True)
            subprocess.run(["mount", "--bind", str(outside), str(place)], check=True)
            stack.callback(subprocess.run, ["umount", "--lazy", str(place)], check=False, capture_output=True)
        doomed.kill()
        doomed.wait()
        assert remove_dead(parent) == [Path(dead)]
        assert mounted_below(parent) == []
        assert list(parent.iterdir()) == []
    assert (outside / "precious").exists()


def test_what_is_no_workspace_stays(tmp_path: Path) -> None:
    """A directory of another program's, or of a release that wrote no owner; and a link to somewhere else."""
    other = tmp_path / "hearth-live-image-older"
    (other / "root").mkdir(parents=True)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "owner.json").write_text("{}")
    (tmp_path / "hearth-live-image-link").symlink_to(elsewhere)
    assert remove_dead(tmp_path) == []
    assert other.exists() and (elsewhere / "owner.json").exists()


@needs_root
@pytest.mark.parametrize("how", ["CONTAINED", "ENDS_WITH_US"])
def test_a_program_ends_with_the_process_that_runs_it(how: str, tmp_path: Path) -> None:
    second = f"9{os.getpid()}.{time.monotonic_ns()}"
    # Contained, a program's own children end as well.
    script = f"sleep {second} & sleep {second}" if how == "CONTAINED" else f"exec sleep {second}"
    with process(AT_WORK.format(how=how), tmp_path, script) as (doomed, _said):
        wait_until(lambda: len(running_with(second)) == (2 if how == "CONTAINED" else 1))
        doomed.kill()
        doomed.wait()
        wait_until(lambda: not running_with(second))


def test_whoever_has_to_wait_is_told_for_whom(tmp_path: Path) -> None:
    directory = tmp_path / "images"
    with process(IN_A_DIRECTORY, directory) as (holder, _said):
        with pytest.raises(Busy, match="somebody else is at work") as caught, directory_lock(directory, IMAGES, 0):
            pass
        assert f"process {holder.pid} of {os.uname().nodename}, since 20" in caught.value.found
        holder.kill()
        holder.wait()
        # Its name is still there, its lock is not.
        assert str(holder.pid) in (directory / IMAGES).read_text()
        with directory_lock(directory, IMAGES, 0):
            assert str(os.getpid()) in (directory / IMAGES).read_text()
    assert (directory / IMAGES).read_text() == ""


def test_a_wait_ends_when_the_lock_is_free(tmp_path: Path) -> None:
    with process(IN_A_DIRECTORY, tmp_path) as (holder, _said):
        began = time.monotonic()
        letting_go = subprocess.Popen(["sh", "-c", f"sleep 1; kill -KILL {holder.pid}"])
        with directory_lock(tmp_path, IMAGES, 60):
            assert 0.5 < time.monotonic() - began < 50
        letting_go.wait()


def test_a_directory_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """Also to root: a file stands where the directory, or its lock, should be."""
    file = tmp_path / "file"
    file.touch()
    (tmp_path / "taken" / IMAGES).mkdir(parents=True)
    for directory in (file / "images", tmp_path / "taken"):
        with pytest.raises(BadInput, match="no files can be made in"), directory_lock(directory, IMAGES, 0):
            pass
