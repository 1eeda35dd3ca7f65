# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The copy that ansible-test sees is the checkout: nothing more, nothing less, nothing stale."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.toolchain.collection_tree import mirror_checkout


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    root = tmp_path / "checkout"
    root.mkdir()
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    (root / ".gitignore").write_text("/build/\n*.pyc\n", encoding="utf-8")
    (root / "tracked.py").write_text("1\n", encoding="utf-8")
    subprocess.run(["git", "add", "."], cwd=root, check=True)
    return root


def names(mirror: Path) -> set[str]:
    return {str(path.relative_to(mirror)) for path in mirror.rglob("*") if ".git" not in path.parts and path.is_file()}


def test_tracked_and_untracked_files_are_copied_and_ignored_ones_are_not(checkout: Path, tmp_path: Path) -> None:
    (checkout / "new").mkdir()
    (checkout / "new" / "untracked.py").write_text("2\n", encoding="utf-8")
    (checkout / "ignored.pyc").write_text("3\n", encoding="utf-8")
    mirror = mirror_checkout(checkout, tmp_path / "mirror")
    assert names(mirror) == {".gitignore", "tracked.py", "new/untracked.py"}


def test_what_is_deleted_disappears_with_its_directory(checkout: Path, tmp_path: Path) -> None:
    (checkout / "new").mkdir()
    (checkout / "new" / "untracked.py").write_text("2\n", encoding="utf-8")
    mirror_checkout(checkout, tmp_path / "mirror")
    (checkout / "new" / "untracked.py").unlink()
    (checkout / "tracked.py").unlink()
    mirror = mirror_checkout(checkout, tmp_path / "mirror")
    assert names(mirror) == {".gitignore"}
    assert not (mirror / "new").exists()


def test_a_change_of_the_same_length_is_seen(checkout: Path, tmp_path: Path) -> None:
    mirror = mirror_checkout(checkout, tmp_path / "mirror")
    before = (checkout / "tracked.py").stat()
    (checkout / "tracked.py").write_text("2\n", encoding="utf-8")
    os.utime(checkout / "tracked.py", ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    mirror_checkout(checkout, mirror)
    assert (mirror / "tracked.py").read_text(encoding="utf-8") == "2\n"


def test_the_copy_is_no_symbolic_link_and_a_repository_of_its_own(checkout: Path, tmp_path: Path) -> None:
    mirror = mirror_checkout(checkout, tmp_path / "mirror")
    top = subprocess.run(
        ["git", "rev-parse", "--show-toplevel"], cwd=mirror, capture_output=True, text=True, check=True
    )
    assert Path(top.stdout.strip()) == mirror.resolve()
    assert not mirror.is_symlink()
