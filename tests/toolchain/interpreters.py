# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which Python interpreters this machine really has.

A name on PATH is no proof: pyenv puts a shim there for every version that it knows, and a shim of a version that is not
switched on exits with 127, which ends an ansible-test run. So each candidate is started once and asked what it is.
"""

from __future__ import annotations

import functools
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

Version = tuple[int, int]

_WHAT_ARE_YOU = (
    "import sys; v = sys.version_info; b = getattr(sys, '_base_executable', sys.executable);"
    " sys.stdout.write('%d %d %d %s' % (v[0], v[1], v[2], b))"
)
_NAME = re.compile(r"python3\.\d+$")


@dataclass(frozen=True)
class Interpreter:
    """A Python that runs."""

    version: Version
    patch: int
    path: Path

    def __str__(self) -> str:
        return f"{self.version[0]}.{self.version[1]}.{self.patch} ({self.path})"


def directories() -> Iterator[Path]:
    """Every directory that may hold interpreters, the first one wins."""
    yield from (Path(entry) for entry in os.environ.get("PATH", "").split(os.pathsep) if entry and not is_shim(entry))
    yield Path("/usr/local/bin")
    yield Path("/usr/bin")
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from sorted((pyenv / "versions").glob("3.*/bin"), reverse=True)


def is_shim(directory: str) -> bool:
    """Whether a directory of PATH belongs to pyenv's dispatching scripts and not to one Python."""
    return Path(directory).name == "shims"


def ask(candidate: Path) -> Interpreter | None:
    """What a candidate says of itself, or None when it does not run."""
    try:
        answer = subprocess.run(
            [candidate, "-I", "-c", _WHAT_ARE_YOU],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    if answer.returncode != 0:
        return None
    major, minor, patch, path = answer.stdout.split(" ", 3)
    return Interpreter((int(major), int(minor)), int(patch), Path(path))


@functools.cache
def present() -> dict[Version, Interpreter]:
    """One working interpreter for each version of Python 3 on this machine, oldest first."""
    found: dict[Version, Interpreter] = {}
    for directory in directories():
        try:
            names = sorted(entry.name for entry in directory.iterdir() if _NAME.match(entry.name))
        except OSError:
            continue
        for name in names:
            version = (3, int(name.partition(".")[2]))
            if version in found:
                continue
            interpreter = ask(directory / name)
            if interpreter and interpreter.version == version:
                found[version] = interpreter
    return dict(sorted(found.items()))
