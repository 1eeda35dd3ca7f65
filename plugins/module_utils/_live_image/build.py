# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One image from one package list: the same bytes wherever and whenever it is made."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Iterator, Tuple

from .._core.errors import BadInput, VerificationFailed
from .architecture import Architecture, architecture
from .commands import CONTAINED, ENDS_WITH_US, Commands, build_environment, require_tools
from .emulator import programs_run
from .initrd import with_digest
from .iso_image import GRUB_CFG, INITRD, KERNEL, SQUASHFS, Loader, grub_cfg, make_iso
from .package_cache import fetch, missing, repository, sha256_of
from .package_list import PackageList

# Counted up when the same inputs make other bytes.
_FORMAT = 2

TOOLS = (
    "setpriv",
    "unshare",
    "mmdebstrap",
    "apt-get",
    "dpkg-deb",
    "mksquashfs",
    "xorriso",
    "mkfs.vfat",
    "mmd",
    "mcopy",
)
# In the running system: which image it is.
IDENTITY = "etc/hearth-live-image.json"

_FREE_BYTES = 3 << 30

# Nobody reads these on a machine that is a guest for an hour. Licences stay.
_PATHS = (
    "exclude=/usr/share/man/*",
    "exclude=/usr/share/info/*",
    "exclude=/usr/share/locale/*",
    "exclude=/usr/share/doc/*",
    "include=/usr/share/doc/*/copyright",
)


@dataclass(frozen=True)
class ImageSpec:
    """Everything that decides about an image's bytes."""

    name: str
    packages: PackageList
    overlays: Tuple[Path, ...]
    """Directories laid over the root file system, the later over the earlier."""
    customize: Path
    """A program that is called with the root directory, after the packages and the overlays."""
    command_line: str
    """Of the kernel, the consoles excepted when ``consoles`` is empty."""
    consoles: Tuple[str, ...]
    excluded_paths: Tuple[str, ...]
    """Patterns of dpkg's path-exclude."""

    @property
    def architecture(self) -> Architecture:
        return architecture(self.packages.wanted.architecture)

    @property
    def kernel_command_line(self) -> str:
        consoles = self.consoles or self.architecture.consoles
        return " ".join(["boot=hearth", self.command_line, *(f"console={console}" for console in consoles)])

    def key(self) -> str:
        """Equal for equal images, without making them."""
        digest = hashlib.sha256()
        parts = [str(_FORMAT), self.name, self.packages.digest, self.kernel_command_line, *self.excluded_paths]
        parts += [sha256_of(self.customize)]
        for overlay in self.overlays:
            parts += ["overlay", *_fingerprints(overlay)]
        for part in parts:
            digest.update(part.encode() + b"\0")
        return digest.hexdigest()


@dataclass(frozen=True)
class Built:
    """A finished image in its workspace, with what its manifest is made from."""

    iso: Path
    tree: Path
    """The files of the medium."""
    loaders: Tuple[Loader, ...]
    """shim, GRUB."""
    places: Dict[str, Tuple[int, int]]
    """Offset and size of each file in the image."""
    squashfs_sha256: str
    grub_cfg: str


def check(spec: ImageSpec, work: Path) -> None:
    """What would make a build fail late, said before it begins."""
    require_tools(TOOLS)
    if os.geteuid() != 0:
        raise BadInput(
            "an image can be made by root only",
            expected="root, since files of the image belong to root and programs of its packages run in it",
            found=f"user id {os.geteuid()}",
            next="Use become.",
        )
    for overlay in spec.overlays:
        if not overlay.is_dir():
            raise BadInput(f"there is no directory {overlay}", expected="an overlay", where=str(overlay))
    if any(ord(letter) < 32 or letter in "{}$;&|<>\"'\\" for letter in spec.kernel_command_line):
        raise BadInput(
            "the kernel's command line holds a character that GRUB would interpret",
            expected="words without quotes, braces, $ ; & | < > and backslashes",
            found=spec.kernel_command_line,
        )
    space = shutil.disk_usage(_existing(work))
    if space.free < _FREE_BYTES:
        raise BadInput(
            "there is not enough room to make an image",
            expected=f"{_FREE_BYTES >> 20} MiB",
            found=f"{space.free >> 20} MiB free",
            where=str(work),
            next="Make room, or name another work directory.",
        )


def build(spec: ImageSpec, cache: Path, workspace: Path, log: Path, lock_timeout: float) -> Built:
    """Make the image in a fresh workspace. ``lock_timeout``: seconds to wait for others who fetch packages."""
    epoch = spec.packages.source_date_epoch
    commands = Commands(log, build_environment(epoch))
    lost = missing(cache, spec.packages.packages)
    if lost:
        fetch(cache, lost, (), commands, lock_timeout)
    repository(cache, spec.packages.packages, workspace / "repository", commands)
    root = workspace / "root"
    (workspace / "identity/etc").mkdir(parents=True)
    identity = {"image_id": spec.key(), "name": spec.name}
    (workspace / "identity" / IDENTITY).write_text(json.dumps(identity) + "\n", encoding="utf-8")
    with programs_run(spec.architecture, commands):
        _make_root(spec, workspace, root, commands)
    tree = workspace / "iso"
    loaders = _collect(spec, workspace, root, tree, commands)
    squashfs = tree / SQUASHFS
    commands.run(
        *(*ENDS_WITH_US, "mksquashfs", root, squashfs, "-noappend", "-no-progress", "-quiet"),
        # Level 6 takes a tenth of the time of level 15 and makes a tenth more.
        *("-comp", "zstd", "-Xcompression-level", "6", "-b", "128K"),
        *("-e", root / "boot"),
    )
    squashfs_sha256 = sha256_of(squashfs)
    initrd = workspace / "initrd.img"
    (tree / INITRD).write_bytes(with_digest(initrd.read_bytes(), squashfs_sha256, squashfs.stat().st_size))
    (tree / GRUB_CFG).parent.mkdir(parents=True)
    text = grub_cfg(spec.kernel_command_line)
    (tree / GRUB_CFG).write_text(text, encoding="ascii")
    _same_time(tree, epoch)
    iso = workspace / "live.iso"
    places = make_iso(tree, loaders, iso, epoch, commands)
    return Built(iso, tree, loaders, places, squashfs_sha256, text)


def _make_root(spec: ImageSpec, workspace: Path, root: Path, commands: Commands) -> None:
    wanted = spec.packages.wanted
    epoch = spec.packages.source_date_epoch
    overlays = [
        *(_plain_copy(overlay, workspace / f"overlay-{number}", epoch) for number, overlay in enumerate(spec.overlays)),
        workspace / "identity",
    ]
    hooks = [f'--customize-hook=cp -dR --preserve=mode,timestamps {overlay}/. "$1"/' for overlay in overlays]
    for pattern in (*_PATHS, *(f"exclude={path}" for path in spec.excluded_paths)):
        hooks.append(f"--dpkgopt=path-{pattern}")
    commands.run(
        *(*CONTAINED, "mmdebstrap", "--mode=root", "--variant=apt", f"--architectures={wanted.architecture}"),
        # It would ask arch-test, a package that not every mirror has.
        "--skip=check/qemu",
        f"--include={','.join(wanted.packages)}",
        *hooks,
        f'--customize-hook={spec.customize} "$1"',
        # Nothing else than the packages of the list is to be had, each compared with its digest.
        *("", root, f"deb [trusted=yes] copy:{workspace / 'repository'} ./"),
    )
    (root / "etc/apt/sources.list").write_text("".join(f"{line}\n" for line in wanted.sources), encoding="utf-8")
    (root / "etc/apt/sources.list.d/0000.sources").unlink(missing_ok=True)
    printed = commands.run(
        "dpkg-query", f"--admindir={root}/var/lib/dpkg", "--show", "--showformat", "${Package} ${Version}\n"
    )
    found = dict(line.split(" ", 1) for line in printed.splitlines())
    listed = {package.name: package.version for package in spec.packages.packages if package.installed}
    if found != listed:
        differs = sorted(set(found.items()) ^ set(listed.items()))
        raise VerificationFailed(
            "the image has other packages than its list",
            expected=f"{len(listed)} packages of the list",
            found=", ".join(f"{name} {version}" for name, version in differs[:10]),
            where=str(root),
            next="Make a new package list.",
        )


def _collect(spec: ImageSpec, workspace: Path, root: Path, tree: Path, commands: Commands) -> Tuple[Loader, ...]:
    """Kernel and initrd out of the root, the loaders out of their packages."""
    kernels = sorted((root / "boot").glob("vmlinuz-*"))
    if len(kernels) != 1:
        raise BadInput(
            "an image has one kernel",
            expected="one vmlinuz-* in /boot",
            found=", ".join(kernel.name for kernel in kernels) or "none",
            next="Leave other kernel packages out.",
        )
    (tree / KERNEL).parent.mkdir(parents=True)
    shutil.copyfile(kernels[0], tree / KERNEL)
    shutil.move(str(root / "boot/initrd.img"), workspace / "initrd.img")
    loaders = workspace / "loaders"
    for package in spec.packages.packages:
        if not package.installed:
            commands.run("dpkg-deb", "--extract", workspace / "repository" / package.file_name, loaders)
    arch = spec.architecture
    return (
        Loader(loaders / arch.shim, arch.shim_name),
        Loader(loaders / arch.grub, arch.grub_name),
    )


def _same_time(tree: Path, epoch: int) -> None:
    for path in [tree, *tree.rglob("*")]:
        os.utime(path, (epoch, epoch), follow_symlinks=False)


def _plain_copy(overlay: Path, target: Path, epoch: int) -> Path:
    """A copy that does not show when, and with which umask, somebody made the overlay."""
    shutil.copytree(overlay, target, symlinks=True)
    for path in [target, *target.rglob("*")]:
        if not path.is_symlink():
            path.chmod(_plain_mode(path))
    _same_time(target, epoch)
    return target


def _plain_mode(path: Path) -> int:
    return 0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644


def _fingerprints(overlay: Path) -> Iterator[str]:
    for path in sorted(overlay.rglob("*")):
        name = str(path.relative_to(overlay))
        if path.is_symlink():
            yield f"{name} -> {os.readlink(path)}"
        elif path.is_file():
            yield f"{name} {_plain_mode(path):o} {sha256_of(path)}"
        else:
            yield f"{name}/"


def _existing(path: Path) -> Path:
    while not path.exists():
        path = path.parent
    return path
