# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Directories and files, and what they are to hold. Many at once, since each Ansible task costs half a second."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Entry:
    """A directory, where ``content`` is None, or a file."""

    path: Path
    mode: int
    content: str | None = None


def ensure(entry: Entry) -> bool:
    """Make it be there with that mode and content; whether anything was changed."""
    changed = False
    if entry.content is None:
        if not entry.path.is_dir():
            entry.path.mkdir(mode=entry.mode, parents=True)
            changed = True
    elif not (entry.path.is_file() and entry.path.read_text(encoding="utf-8") == entry.content):
        # Beside and renamed, and never readable for more than it is to be: a secret may be in it.
        entry.path.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
        beside = entry.path.with_name(f".{entry.path.name}.new")
        beside.unlink(missing_ok=True)
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, entry.mode)
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(entry.content)
        beside.replace(entry.path)
        changed = True
    if entry.path.stat().st_mode & 0o7777 != entry.mode:
        entry.path.chmod(entry.mode)
        changed = True
    return changed
