# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a node's document travels: on a small medium of its own, or inside a copy of the image."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Tuple

from .._core.errors import BadInput, VerificationFailed
from .areas import NODE_BYTES, NODE_PATH, is_node_area, node_area
from .commands import CommandFailed, Commands
from .iso_image import place_of
from .node_document import FILE
from .package_cache import sha256_of

VOLUME = "HEARTH_NODE"
# The file holds a private key; those who publish it are in its group.
_MODE = 0o640


def make_host_key(hostname: str, commands: Commands, scratch: Path) -> Tuple[str, str]:
    """A key pair for one boot: private part, public part without its comment."""
    path = scratch / "host_key"
    commands.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"one boot of {hostname}", "-f", path)
    public = path.with_name("host_key.pub").read_text(encoding="ascii").split()
    return path.read_text(encoding="ascii"), f"{public[0]} {public[1]}"


def secret_scratch() -> Path:
    """A directory in RAM that only its owner can enter."""
    for place in ("/run", "/dev/shm"):
        if os.path.ismount(place) and os.access(place, os.W_OK):
            return Path(tempfile.mkdtemp(prefix="hearth-node-", dir=place))
    raise BadInput(
        "there is no file system in RAM for a private key",
        expected="/run or /dev/shm, writable",
        found="neither",
        next="Use become.",
    )


def make_medium(document: bytes, dest: Path, commands: Commands, scratch: Path) -> None:
    """An ISO 9660 file system with the document."""
    tree = scratch / "medium"
    tree.mkdir()
    (tree / FILE).write_bytes(document)
    beside = _beside(dest)
    try:
        # xorriso keeps what is there; the file is ours before anything is in it.
        os.close(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE))
        commands.run(
            *("xorriso", "-as", "mkisofs", "-quiet", "-o", beside, "-V", VOLUME, "-R", "-J"),
            *("-uid", "0", "-gid", "0", tree),
        )
        beside.chmod(_MODE)
        beside.replace(dest)
    finally:
        beside.unlink(missing_ok=True)


def check_image(image: Path, sha256: str, commands: Commands) -> int:
    """The offset of the node's area in an image that has one."""
    if not image.is_file():
        raise BadInput(f"there is no image {image}", expected="an ISO of the role live_image", where=str(image))
    if sha256 and sha256_of(image) != sha256.lower():
        raise VerificationFailed(
            f"{image} is not the image that is meant",
            expected=sha256.lower(),
            found="another SHA-256",
            where=str(image),
        )
    try:
        place = place_of(image, NODE_PATH, commands)
    except CommandFailed:
        place = None
    if place is not None:
        with image.open("rb") as file:
            file.seek(place[0])
            if place[1] == NODE_BYTES and is_node_area(file.read(NODE_BYTES)):
                return place[0]
    raise BadInput(
        f"{image} is not a live image of this collection",
        expected=f"an ISO with {NODE_PATH}",
        found="none",
        where=str(image),
        next="Name the .iso that the role live_image made.",
    )


def patch_copy(image: Path, offset: int, document: bytes, dest: Path) -> None:
    """A copy of the image with the document in its area; every other byte stays."""
    area = node_area(document)
    beside = _beside(dest)
    try:
        with (
            image.open("rb") as source,
            open(os.open(beside, os.O_RDWR | os.O_CREAT | os.O_EXCL, _MODE), "wb") as target,
        ):
            shutil.copyfileobj(source, target, 1 << 20)
            target.flush()
            os.pwrite(target.fileno(), area, offset)
        beside.chmod(_MODE)
        beside.replace(dest)
    finally:
        beside.unlink(missing_ok=True)


def check_dest(dest: Path) -> None:
    """Said before a key is made."""
    if not dest.parent.is_dir():
        raise BadInput(f"there is no directory {dest.parent}", expected="an existing directory", where=str(dest))
    if dest.is_dir():
        raise BadInput(f"{dest} is a directory", expected="the path of a file", where=str(dest))


def _beside(dest: Path) -> Path:
    return dest.with_name(f".{dest.name}.{os.getpid()}")
