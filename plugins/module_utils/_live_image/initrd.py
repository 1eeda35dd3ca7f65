# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The end of the initrd: the digest of the one root file system that it accepts.

The kernel unpacks archives that stand one behind the other, so what initramfs-tools made stays as it is.
"""

from __future__ import annotations

from typing import List, Tuple

DIGEST_PATH = "conf/hearth/squashfs"

_DIRECTORY = 0o040755
_FILE = 0o100644


def with_digest(initrd: bytes, sha256: str, size_bytes: int) -> bytes:
    """The initrd, and behind it an archive with the digest file that scripts/hearth reads."""
    content = f"{sha256} {size_bytes}\n".encode("ascii")
    # An archive begins on a multiple of four; zeros between two archives are skipped.
    return initrd + bytes(-len(initrd) % 4) + archive([(DIGEST_PATH, content)])


def archive(files: List[Tuple[str, bytes]]) -> bytes:
    """An archive in cpio's format "newc", with the directories above its files, all root's and without time."""
    entries: List[Tuple[str, int, bytes]] = []
    for path, content in files:
        parents = path.split("/")[:-1]
        for depth in range(1, len(parents) + 1):
            directory = ("/".join(parents[:depth]), _DIRECTORY, b"")
            if directory not in entries:
                entries.append(directory)
        entries.append((path, _FILE, content))
    entries.append(("TRAILER!!!", 0, b""))
    return b"".join(_entry(number, *entry) for number, entry in enumerate(entries, 1))


def _entry(number: int, path: str, mode: int, content: bytes) -> bytes:
    name = path.encode("ascii") + b"\0"
    links = 2 if mode == _DIRECTORY else 1
    # c_ino mode uid gid nlink mtime filesize devmajor devminor rdevmajor rdevminor namesize check
    fields = (number, mode, 0, 0, links, 0, len(content), 0, 0, 0, 0, len(name), 0)
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + name
    return head + bytes(-len(head) % 4) + content + bytes(-len(content) % 4)
