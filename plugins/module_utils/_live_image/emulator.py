# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Programs of the image run while it is made: the packages' scripts, and those that make the initrd.

For another architecture the kernel has to know an emulator, which is a setting of the whole machine. Builds share it:
the first sets it up where it is not, the last takes that back, and what a killed one left the next one does.
"""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import contextmanager
from pathlib import Path
from typing import Dict, Iterator, List

from .architecture import Architecture
from .commands import Commands, MissingTool

_RULES = Path("/usr/lib/binfmt.d")
_FORMATS = Path("/proc/sys/fs/binfmt_misc")
# Locked shared by each build that uses it; its text says what is ours.
_USE = Path("/run/hearth-live-image-emulator.lock")
# Locked for the moments in which something is set up or taken back.
_GATE = Path("/run/hearth-live-image-emulator.gate")


@contextmanager
def programs_run(wanted: Architecture, commands: Commands) -> Iterator[None]:
    """Until the end of the block this machine runs programs of that architecture."""
    host = commands.run("dpkg", "--print-architecture").strip()
    foreign = wanted.name != host
    with _open(_GATE) as gate, _open(_USE) as use:
        if foreign:
            with _held(gate):
                fcntl.flock(use, fcntl.LOCK_SH)
                _set_up(wanted, use, commands)
        try:
            yield
        finally:
            with _held(gate):
                try:
                    fcntl.flock(use, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    # The last one does it.
                    pass
                else:
                    _take_back(use, commands)


def _set_up(wanted: Architecture, use: int, commands: Commands) -> None:
    ours = _ours(use)
    rule = _RULES / f"{wanted.emulator}.conf"
    if not (_FORMATS / "register").exists():
        # Said first: what is killed in between is taken back, too.
        ours["mounted"] = [str(_FORMATS)]
        _write(use, ours)
        commands.run("mount", "-t", "binfmt_misc", "binfmt_misc", _FORMATS)
    if not (_FORMATS / wanted.emulator).exists():
        try:
            # The line that the kernel takes, with the flag that has the emulator found inside the image's root, too.
            line = rule.read_bytes()
        except FileNotFoundError:
            raise MissingTool(
                f"programs for {wanted.name} do not run on this machine",
                expected=str(rule),
                found="no such file",
                next="Install qemu-user-static, or let the role do it.",
            ) from None
        ours["registered"] = [*ours.get("registered", []), wanted.emulator]
        _write(use, ours)
        (_FORMATS / "register").write_bytes(line)


def _take_back(use: int, commands: Commands) -> None:
    ours = _ours(use)
    for name in ours.get("registered", []):
        if (_FORMATS / name).exists():
            (_FORMATS / name).write_bytes(b"-1")
    if ours.get("mounted") and (_FORMATS / "register").exists():
        commands.run("umount", _FORMATS)
    _write(use, {})


def _ours(use: int) -> Dict[str, List[str]]:
    try:
        said = json.loads(os.pread(use, 4096, 0) or b"{}")
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _write(use: int, ours: Dict[str, List[str]]) -> None:
    os.ftruncate(use, 0)
    os.pwrite(use, json.dumps(ours).encode("ascii") if ours else b"", 0)


@contextmanager
def _open(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _held(gate: int) -> Iterator[None]:
    fcntl.flock(gate, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(gate, fcntl.LOCK_UN)
