# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Directories and files with what they are to hold."""

from __future__ import annotations

from pathlib import Path

from tests.lab.engine.files import Entry, ensure


def test_a_file_is_written_once(tmp_path: Path) -> None:
    entry = Entry(tmp_path / "deep" / "file", 0o600, "content\n")
    assert ensure(entry)
    assert not ensure(entry)
    assert entry.path.read_text() == "content\n"
    assert entry.path.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in entry.path.parent.iterdir()] == ["file"]


def test_other_content_and_another_mode_are_changes(tmp_path: Path) -> None:
    path = tmp_path / "file"
    ensure(Entry(path, 0o600, "one"))
    assert ensure(Entry(path, 0o600, "two"))
    assert ensure(Entry(path, 0o644, "two"))
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("two", 0o644)


def test_a_directory_keeps_what_is_in_it(tmp_path: Path) -> None:
    directory = Entry(tmp_path / "directory", 0o711)
    assert ensure(directory)
    (directory.path / "kept").touch()
    assert not ensure(directory)
    directory.path.chmod(0o700)
    assert ensure(directory)
    assert (directory.path / "kept").exists()
