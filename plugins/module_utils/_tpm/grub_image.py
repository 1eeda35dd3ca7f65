# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The script that a signed GRUB carries inside, which decides where it looks for its configuration.

Debian's images run ``normal (memdisk)/grub.cfg``: the memdisk is a FAT file system among the image's modules. What is
read is not measured, what it executes is.
"""

from __future__ import annotations

import struct
from typing import Dict

from .._core.errors import BadInput

# include/grub/kernel.h of GRUB 2.06: struct grub_module_info64 (magic, padding, offset, size), then for each module a
# struct grub_module_header (type, size with the header).
_MODULES_MAGIC = struct.pack("<I", 0x676D696D)
_INFO_SIZE = 24
_HEADER_SIZE = 8
_MEMDISK = 1
_CONFIGURATION = 2
_PREFIX = 3
_RUNS_MEMDISK = "normal (memdisk)/grub.cfg"

_FAT12_CLUSTERS = 4085
_DIRECTORY_ENTRY = 32
_GRUB_CFG = b"GRUB    CFG"


def embedded_config(image: bytes) -> str:
    """The script that this GRUB runs first; BadInput where there is none that can be read."""
    modules = _modules(image)
    config = modules.get(_CONFIGURATION, b"").split(b"\0", 1)[0].decode("utf-8", "replace")
    if config.strip() == _RUNS_MEMDISK and _MEMDISK in modules:
        try:
            return _grub_cfg_of(modules[_MEMDISK]).decode("utf-8", "replace")
        except struct.error:
            raise _unreadable("a truncated memdisk") from None
    if not config:
        raise _unreadable("none")
    return config


def embedded_prefix(image: bytes) -> str:
    """The directory that this GRUB was built with, on the file system that it is started from; BadInput for none."""
    prefix = _modules(image).get(_PREFIX, b"").split(b"\0", 1)[0].decode("utf-8", "replace")
    if not prefix.startswith("/"):
        # A device in front of it would be one of the machine that built it.
        raise BadInput("the prefix of this GRUB cannot be read", expected="an absolute path", found=prefix or "none")
    return prefix


def _modules(image: bytes) -> Dict[int, bytes]:
    """The first module of each type; the ELF modules among them (type 0) are not kept."""
    at = image.find(_MODULES_MAGIC)
    while at >= 0:
        # The magic number stands in the code that looks for it, too.
        modules = _modules_at(image, at)
        if _CONFIGURATION in modules:
            return modules
        at = image.find(_MODULES_MAGIC, at + 1)
    return {}


def _modules_at(image: bytes, base: int) -> Dict[int, bytes]:
    if base + _INFO_SIZE > len(image):
        return {}
    offset, size = struct.unpack_from("<QQ", image, base + 8)
    if offset != _INFO_SIZE or base + size > len(image):
        return {}
    modules: Dict[int, bytes] = {}
    at = base + _INFO_SIZE
    while at + _HEADER_SIZE <= base + size:
        kind, length = struct.unpack_from("<II", image, at)
        if length < _HEADER_SIZE:
            break
        if kind:
            modules.setdefault(kind, image[at + _HEADER_SIZE : at + length])
        at += length
    return modules


def _grub_cfg_of(disk: bytes) -> bytes:
    """The file of this name in the root directory of a FAT12 file system (Microsoft, "FAT: General Overview")."""
    sector, cluster_sectors, reserved, fats, entries, sectors = struct.unpack_from("<HBHBHH", disk, 11)
    (fat_sectors,) = struct.unpack_from("<H", disk, 22)
    if not sector or not cluster_sectors or not entries:
        raise _unreadable("a memdisk that is no FAT12 file system")
    root = (reserved + fats * fat_sectors) * sector
    data = root + entries * _DIRECTORY_ENTRY
    cluster_size = cluster_sectors * sector
    if (sectors * sector - data) // cluster_size >= _FAT12_CLUSTERS:
        raise _unreadable("a memdisk with another FAT than FAT12")
    for at in range(root, data, _DIRECTORY_ENTRY):
        if disk[at : at + 11] == _GRUB_CFG:
            cluster, size = struct.unpack_from("<HI", disk, at + 26)
            return _chain(disk, reserved * sector, data, cluster_size, cluster, size)
    raise _unreadable("a memdisk without grub.cfg")


def _chain(disk: bytes, fat: int, data: int, cluster_size: int, cluster: int, size: int) -> bytes:
    found = b""
    while len(found) < size:
        if not 2 <= cluster < _FAT12_CLUSTERS:
            raise _unreadable("a grub.cfg whose clusters end too early")
        start = data + (cluster - 2) * cluster_size
        found += disk[start : start + cluster_size]
        (pair,) = struct.unpack_from("<H", disk, fat + cluster * 3 // 2)
        cluster = pair >> 4 if cluster & 1 else pair & 0xFFF
    return found[:size]


def _unreadable(found: str) -> BadInput:
    return BadInput(
        "the script inside this GRUB cannot be read",
        expected="an image of grub-mkimage with a configuration, or with one in a FAT12 memdisk",
        found=found,
    )
