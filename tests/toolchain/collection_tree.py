# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checkout under a path that Ansible's tools accept: ``…/ansible_collections/hearth/datacenter``."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tests.toolchain.places import BUILD, DEVELOPMENT, MIRROR, ROOT


def link_development_tree() -> Path:
    """Make the symbolic link through which a checkout is imported, and return the directory for ``sys.path``."""
    DEVELOPMENT.parent.mkdir(parents=True, exist_ok=True)
    if not (DEVELOPMENT.is_symlink() and DEVELOPMENT.resolve() == ROOT):
        # Made beside and renamed: several test processes may come here at once.
        beside = DEVELOPMENT.with_name(f".{DEVELOPMENT.name}.{os.getpid()}")
        beside.unlink(missing_ok=True)
        beside.symlink_to(os.path.relpath(ROOT, DEVELOPMENT.parent))
        beside.replace(DEVELOPMENT)
    return DEVELOPMENT.parents[2]


def files_of(checkout: Path) -> set[Path]:
    """What git tracks or would track: no build products, no secrets that .gitignore keeps out."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=checkout,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    names = {Path(name) for name in listing.stdout.split("\0") if name}
    return {name for name in names if (checkout / name).is_symlink() or (checkout / name).is_file()}


def mirror_checkout(checkout: Path = ROOT, mirror: Path = MIRROR) -> Path:
    """Bring the copy of a checkout up to date, remove from it what is no longer there, and return its path."""
    mirror.mkdir(parents=True, exist_ok=True)
    if not (mirror / ".git").is_dir():
        # With a repository of its own the copy is what ansible-test, reuse and ansible-lint look at; without one, git
        # would answer them for the checkout around it, where everything below build/ is ignored.
        subprocess.run(["git", "init", "-q"], cwd=mirror, stdin=subprocess.DEVNULL, check=True)
    wanted = files_of(checkout)
    for directory, subdirectories, names in os.walk(mirror, topdown=False):
        here = Path(directory)
        if ".git" in here.relative_to(mirror).parts:
            continue
        for entry in names + [name for name in subdirectories if (here / name).is_symlink()]:
            if (here / entry).relative_to(mirror) not in wanted:
                (here / entry).unlink()
        if here != mirror and not any(here.iterdir()):
            here.rmdir()
    for name in wanted:
        try:
            _copy(checkout / name, mirror / name)
        except FileNotFoundError:
            # Removed by an editor since git listed it; the next run removes the copy.
            continue
    return mirror


def _copy(source: Path, target: Path) -> None:
    if source.is_symlink():
        if target.is_symlink() and os.readlink(target) == os.readlink(source):
            return
        target.unlink(missing_ok=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(os.readlink(source))
        return
    there, here = (target.lstat() if os.path.lexists(target) else None), source.stat()
    if there and (there.st_size, there.st_mtime_ns, there.st_mode) == (here.st_size, here.st_mtime_ns, here.st_mode):
        return
    if target.is_dir() and not target.is_symlink():
        shutil.rmtree(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    shutil.copy2(source, target)


def remove_products() -> None:
    """Delete what runs made in the checkout: build/, environments, the tools' caches. The shared cache stays."""
    products = [BUILD, *ROOT.glob(".venv-*")]
    products += [ROOT / name for name in (".nox", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".ansible")]
    for product in products:
        if product.is_dir() and not product.is_symlink():
            shutil.rmtree(product)
