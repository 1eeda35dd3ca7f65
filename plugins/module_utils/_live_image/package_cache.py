# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The .deb files of package lists, kept by name and trusted by SHA-256 only."""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import List, Sequence

from .._core.errors import NotFound, VerificationFailed
from .commands import ENDS_WITH_US, CommandFailed, Commands
from .directory_lock import PACKAGES, directory_lock
from .package_list import Package

APT_HELPER = "/usr/lib/apt/apt-helper"
_BLOCK = 1 << 20


def missing(cache: Path, packages: Sequence[Package]) -> List[Package]:
    """Those whose file is not there, or is not what the list says."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        present = pool.map(lambda package: _is_there(cache, package), packages)
    return [package for package, there in zip(packages, present) if not there]


def fetch(
    cache: Path, packages: Sequence[Package], archives: Sequence[str], commands: Commands, lock_timeout: float
) -> None:
    """Get these by apt's own transport, which resumes, goes through the proxy and compares the digest.

    ``archives`` are roots to try where the URL of the list serves a package no more (old versions leave a mirror;
    snapshot.debian.org keeps them). ``lock_timeout``: seconds to wait for others who fetch into the same cache; Busy
    after them.
    """
    with directory_lock(cache, PACKAGES, lock_timeout):
        # Those who were waited for may have got some of them.
        _fetch(cache, missing(cache, packages), archives, commands)


def _fetch(cache: Path, packages: Sequence[Package], archives: Sequence[str], commands: Commands) -> None:
    wanted = list(packages)
    for root in (None, *archives):
        if not wanted:
            return
        words: List[str] = []
        for package in wanted:
            url = package.url if root is None else f"{root.rstrip('/')}/{package.pool_path}"
            words += [url, str(cache / package.file_name), f"SHA256:{package.sha256}"]
        try:
            commands.run(*ENDS_WITH_US, APT_HELPER, "-o", "APT::Sandbox::User=root", "download-file", *words)
        except CommandFailed:
            # Which of them is seen by what is there now.
            pass
        wanted = missing(cache, wanted)
    if wanted:
        raise NotFound(
            f"{len(wanted)} of {len(packages)} packages cannot be had",
            expected=", ".join(f"{package.name} {package.version}" for package in wanted[:5]),
            found="not served, or with another SHA-256",
            where=wanted[0].url,
            next="Name an archive that still serves these versions (live_image_archives, for example a date of "
            "snapshot.debian.org), or make a new list.",
        )


def repository(cache: Path, packages: Sequence[Package], directory: Path, commands: Commands) -> None:
    """A flat repository of exactly these packages, so that nothing else can come into an image."""
    directory.mkdir()

    def add(package: Package) -> str:
        source = cache / package.file_name
        target = directory / package.file_name
        try:
            os.link(source, target)
        except OSError:
            target.write_bytes(source.read_bytes())
        # What is used is looked at again: the cache is a directory that others can write to, too.
        if sha256_of(target) != package.sha256:
            raise VerificationFailed(
                f"{source} changed while it was used", expected=package.sha256, found="another SHA-256"
            )
        control = commands.run("dpkg-deb", "--field", target)
        return (
            f"{control.rstrip()}\nFilename: ./{package.file_name}\n"
            f"Size: {package.size_bytes}\nSHA256: {package.sha256}\n"
        )

    with ThreadPoolExecutor(max_workers=2) as pool:
        stanzas = list(pool.map(add, packages))
    (directory / "Packages").write_text("\n".join(stanzas), encoding="utf-8")


def sha256_of(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for block in iter(lambda: file.read(_BLOCK), b""):
            digest.update(block)
    return digest.hexdigest()


def _is_there(cache: Path, package: Package) -> bool:
    path = cache / package.file_name
    try:
        return path.stat().st_size == package.size_bytes and sha256_of(path) == package.sha256
    except FileNotFoundError:
        return False
