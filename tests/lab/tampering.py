# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Images that somebody changed: each is a copy with a few bytes written over, found by their place in the image."""

from __future__ import annotations

import hashlib
import re
import shutil
import struct
import subprocess
from pathlib import Path

KERNEL = "hearth/vmlinuz"
INITRD = "hearth/initrd.img"
SQUASHFS = "hearth/root.squashfs"

_SECTOR = 2048


def with_other_squashfs(image: Path, target: Path) -> Path:
    """The last bytes of the squashfs, behind its file system, are other ones: it would mount and run all the same."""
    shutil.copyfile(image, target)
    _swap_squashfs(target)
    return target


def with_other_initrd(image: Path, target: Path) -> Path:
    """Another squashfs, and an initrd that takes it for the right one: the whole chain of Secure Boot stays intact.

    It boots. Only the measured boot (PCR 9) tells it from the image that was built.
    """
    shutil.copyfile(image, target)
    before, after = _swap_squashfs(target)
    offset, size = _place(target, INITRD)
    with target.open("r+b") as file:
        file.seek(offset)
        initrd = file.read(size)
        file.seek(offset + initrd.index(before.encode("ascii")))
        file.write(after.encode("ascii"))
    return target


def with_unsigned_kernel(image: Path, target: Path) -> Path:
    """The kernel without its signature: the certificate table of the PE header (data directory 4) is emptied."""
    shutil.copyfile(image, target)
    offset, _size = _place(target, KERNEL)
    with target.open("r+b") as file:
        file.seek(offset)
        header = file.read(4096)
        (pe,) = struct.unpack_from("<I", header, 0x3C)
        if header[pe : pe + 4] != b"PE\0\0":
            raise ValueError(f"{image}: its kernel is no PE program")
        (magic,) = struct.unpack_from("<H", header, pe + 24)
        directories = pe + 24 + (112 if magic == 0x20B else 96)
        file.seek(offset + directories + 4 * 8)
        file.write(bytes(8))
    return target


def _swap_squashfs(image: Path) -> tuple[str, str]:
    """SHA-256 of the squashfs before and after."""
    offset, size = _place(image, SQUASHFS)
    with image.open("r+b") as file:
        file.seek(offset)
        before = file.read(size)
        after = before[:-8] + b"tampered"
        file.seek(offset)
        file.write(after)
    return hashlib.sha256(before).hexdigest(), hashlib.sha256(after).hexdigest()


def _place(image: Path, path: str) -> tuple[int, int]:
    """Offset and size of a file in the image."""
    said = subprocess.run(
        ["xorriso", "-indev", f"stdio:{image}", "-find", f"/{path}", "-exec", "report_lba", "--"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    found = re.search(r"^File data lba: +\d+ , +(\d+) , +\d+ , +(\d+) ,", said, re.MULTILINE)
    if found is None:
        raise ValueError(f"{image} has no {path}")
    return int(found[1]) * _SECTOR, int(found[2])
