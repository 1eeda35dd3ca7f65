# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Other people's collections, for comparison: ``python -m tests.toolchain.peer_collections community.general …``.

They are taken from the wheel of the `ansible` package, which the Python package index holds, and unpacked into the
user's cache once. Prints the directory for ANSIBLE_COLLECTIONS_PATH.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from tests.toolchain.places import CACHE
from tests.toolchain.saying import say

COLLECTIONS = CACHE / "collections"

_NAME = re.compile(r"[a-z_][a-z0-9_]*\.[a-z_][a-z0-9_]*$")


class NoSuchPeer(Exception):
    """A collection could not be had; the text says which one and why."""


def provide(names: Sequence[str], python: str = sys.executable) -> Path:
    """Make sure that the named collections are in the cache and return the directory to search.

    ``python`` is one with pip. Raises NoSuchPeer when the wheel cannot be fetched or does not hold a collection.
    """
    wrong = [name for name in names if not _NAME.match(name)]
    if wrong:
        raise NoSuchPeer(f"expected namespace.name, found {', '.join(wrong)}")
    missing = [name for name in names if not _place(name).is_dir()]
    if missing:
        COLLECTIONS.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=COLLECTIONS, prefix=".") as directory:
            wheel = _fetch(Path(directory), python)
            for name in missing:
                _unpack(wheel, name, Path(directory))
    return COLLECTIONS


def _place(name: str) -> Path:
    return COLLECTIONS / "ansible_collections" / name.replace(".", "/")


def _fetch(directory: Path, python: str) -> Path:
    command = [python, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "-q", "--disable-pip-version-check"]
    answer = subprocess.run(
        [*command, "--dest", str(directory), "ansible"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    wheels = list(directory.glob("ansible-*.whl"))
    if answer.returncode != 0 or len(wheels) != 1:
        raise NoSuchPeer(f"pip found no wheel of ansible: {answer.stderr.strip()[-500:]}")
    return wheels[0]


def _unpack(wheel: Path, name: str, directory: Path) -> None:
    prefix = f"ansible_collections/{name.replace('.', '/')}/"
    with zipfile.ZipFile(wheel) as archive:
        members = [member for member in archive.namelist() if member.startswith(prefix)]
        if not members:
            raise NoSuchPeer(f"{wheel.name} does not hold {name}")
        archive.extractall(directory, members)
    _place(name).parent.mkdir(parents=True, exist_ok=True)
    try:
        os.replace(directory / prefix, _place(name))
    except OSError:
        # Another run was quicker: the collection that is there now is the same.
        if not _place(name).is_dir():
            raise
        shutil.rmtree(directory / prefix)


def main(names: Sequence[str]) -> int:
    try:
        say(str(provide(names)))
    except NoSuchPeer as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
