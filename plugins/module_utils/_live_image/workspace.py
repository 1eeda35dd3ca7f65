# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where something is made, by one process, and gone with it; what a killed one left is removed by the next.

A workspace's directory is locked (flock) as long as the process lives that made it. Whether one is dead is therefore
seen without a process number, which another container cannot read and a later process may have again.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import stat
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Iterator, List, Match, Optional

PREFIX = "hearth-live-image-"
_OWNER = "owner.json"
_MOUNTS = Path("/proc/self/mountinfo")
_OCTAL = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True)
class Owner:
    """Who works somewhere, for those who find the place taken, or left behind."""

    pid: int
    host: str
    since: str
    """UTC, ISO 8601."""

    def __str__(self) -> str:
        return f"process {self.pid} of {self.host}, since {self.since}"


def this_process() -> Owner:
    now = datetime.now(timezone.utc).replace(microsecond=0)
    return Owner(os.getpid(), os.uname().nodename, now.isoformat())


def owner_in(text: str) -> Optional[Owner]:
    """None for what is no owner's note."""
    try:
        said = json.loads(text)
        return Owner(int(said["pid"]), str(said["host"]), str(said["since"]))
    except (ValueError, KeyError, TypeError):
        return None


def owners_note() -> str:
    return json.dumps(asdict(this_process())) + "\n"


@contextmanager
def workspace(parent: Path) -> Iterator[Path]:
    """A directory for one process, empty but for ``owner.json``. Dead ones beside it are removed first."""
    parent.mkdir(parents=True, exist_ok=True)
    remove_dead(parent)
    path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
    lock = _locked(path)
    try:
        # Only now it looks like a workspace to others, who find it locked.
        (path / _OWNER).write_text(owners_note(), encoding="utf-8")
        yield path
    finally:
        _remove(path)
        if lock is not None:
            os.close(lock)


def remove_dead(parent: Path) -> List[Path]:
    """Remove the workspaces whose processes are gone, with what is still mounted in them; those that were there."""
    removed = []
    for path in sorted(parent.glob(f"{PREFIX}*")):
        if not _is_ours(path) or not (path / _OWNER).is_file():
            continue
        lock = _locked(path)
        if lock is not None:
            try:
                _remove(path)
            finally:
                os.close(lock)
            removed.append(path)
    return removed


def _is_ours(path: Path) -> bool:
    """A directory that this user made: /var/tmp is everybody's."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()


def _locked(path: Path) -> Optional[int]:
    """A descriptor that holds the lock until it is closed; None where somebody else holds it."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def _remove(path: Path) -> None:
    # What is mounted is somebody else's: /dev of this machine, for example. With it there, nothing is deleted.
    for place in reversed(_mounted_below(path)):
        # run_command, which ansible-test wants here, exists only in a module.
        subprocess.run(  # pylint: disable=ansible-bad-function
            ["umount", "--lazy", str(place)], stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
    if not _mounted_below(path):
        shutil.rmtree(path, ignore_errors=True)


def _mounted_below(path: Path) -> List[Path]:
    """In the order in which they were mounted."""
    root = os.path.realpath(path)
    try:
        lines = _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except FileNotFoundError:
        return []
    places = [_OCTAL.sub(_character, line.split(" ")[4]) for line in lines]
    return [Path(place) for place in places if place == root or place.startswith(f"{root}/")]


def _character(escaped: Match[str]) -> str:
    return chr(int(escaped[1], 8))
