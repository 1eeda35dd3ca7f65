# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From kernel, initrd and squashfs to a medium that UEFI firmware boots, as a CD-ROM or as a disk."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Optional, Tuple

from .._core.errors import ProtocolViolation
from .areas import EXTENT_BYTES, EXTENT_PATH, NODE_BYTES, NODE_PATH, extent, is_node_area, node_area
from .commands import ENDS_WITH_US, Commands

VOLUME = "HEARTH_LIVE"
SECTOR = 2048

KERNEL = "hearth/vmlinuz"
INITRD = "hearth/initrd.img"
SQUASHFS = "hearth/root.squashfs"
GRUB_CFG = "boot/grub/grub.cfg"

_EFI_IMAGE = "boot/grub/efi.img"
# Volume serial of the FAT file system: any constant.
_FAT_SERIAL = "48454152"
_MIB = 1 << 20
_LBA = re.compile(r"^File data lba: +\d+ , +(\d+) , +(\d+) , +(\d+) , '/(.+)'$", re.MULTILINE)


@dataclass(frozen=True)
class Loader:
    """One signed program, and the name that it has on the medium."""

    source: Path
    name: str


def grub_cfg(command_line: str) -> str:
    """Three commands: GRUB measures each that it executes, so there is nothing here that depends on a machine."""
    return f"linux /{KERNEL} {command_line}\ninitrd /{INITRD}\nboot\n"


def make_iso(
    tree: Path, loaders: Tuple[Loader, ...], target: Path, epoch: int, commands: Commands
) -> Dict[str, Tuple[int, int]]:
    """Write the medium; offset and size of each file in it, by path.

    ``tree`` holds kernel, initrd, squashfs and grub.cfg already, and gets the rest.
    """
    _add(tree, ".disk/info", b"hearth.datacenter live image\n")
    _add(tree, NODE_PATH, node_area())
    _add(tree, EXTENT_PATH, extent(0, 0))
    efi = tree / _EFI_IMAGE
    _efi_image(efi, loaders, commands)
    commands.run(
        *(*ENDS_WITH_US, "xorriso", "-as", "mkisofs", "-quiet", "-o", target),
        *("-V", VOLUME, "-R", "-J", "-joliet-long"),
        # CD-ROM: El Torito. Disk: the same file system as an EFI partition of a GPT.
        *("-e", _EFI_IMAGE, "-no-emul-boot", "-partition_offset", "16"),
        *("-append_partition", "2", "0xef", efi, "-appended_part_as_gpt"),
        *("--set_all_file_dates", f"={epoch}", "-uid", "0", "-gid", "0"),
        tree,
    )
    places = _places(target, commands)
    with target.open("r+b") as image:
        offset, size = places[SQUASHFS]
        _write(image.fileno(), places, EXTENT_PATH, EXTENT_BYTES, extent(offset, size))
        image.seek(places[NODE_PATH][0])
        if not is_node_area(image.read(NODE_BYTES)):
            raise ProtocolViolation("the node area is not where xorriso says", where=str(target))
    return places


def _write(descriptor: int, places: Dict[str, Tuple[int, int]], path: str, size: int, content: bytes) -> None:
    offset, found = places[path]
    if found != size or len(content) != size:
        raise ProtocolViolation(f"{path} has another size in the image", expected=str(size), found=str(found))
    os.pwrite(descriptor, content, offset)


def _efi_image(target: Path, loaders: Tuple[Loader, ...], commands: Commands) -> None:
    size = sum(loader.source.stat().st_size for loader in loaders)
    blocks = (size // _MIB + 2) * 1024
    commands.run("mkfs.vfat", "-C", "--invariant", "-i", _FAT_SERIAL, "-n", "HEARTH_EFI", target, blocks)
    commands.run("mmd", "-i", target, "::/EFI", "::/EFI/BOOT")
    for loader in loaders:
        commands.run("mcopy", "-i", target, loader.source, f"::/EFI/BOOT/{loader.name}")


def place_of(image: Path, path: str, commands: Commands) -> Optional[Tuple[int, int]]:
    """Offset and size of one file in an ISO 9660 image; None where it has no such file."""
    return _listed(image, commands).get(path)


def _places(image: Path, commands: Commands) -> Dict[str, Tuple[int, int]]:
    places = _listed(image, commands)
    for path in (KERNEL, INITRD, SQUASHFS, GRUB_CFG, NODE_PATH, EXTENT_PATH):
        if path not in places:
            raise ProtocolViolation(f"xorriso does not say where {path} lies", where=str(image))
    return places


def _listed(image: Path, commands: Commands) -> Dict[str, Tuple[int, int]]:
    # "stdio:" keeps xorriso from asking devices.
    printed = commands.run(
        "xorriso", "-indev", f"stdio:{image}", "-find", "/", "-type", "f", "-exec", "report_lba", "--"
    )
    return {path: (int(lba) * SECTOR, int(size)) for lba, _blocks, size, path in _LBA.findall(printed)}


def _add(tree: Path, path: str, content: bytes) -> None:
    (tree / path).parent.mkdir(parents=True, exist_ok=True)
    (tree / path).write_bytes(content)
