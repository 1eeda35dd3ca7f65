# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Only a Python that runs, and is what its name says, is one."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.toolchain import interpreters
from tests.toolchain.interpreters import Interpreter
from tests.toolchain.matrix import NEWEST_CORE, OLDEST_CORE, Pair, newest, not_here, oldest, pairs

RUNNING = (sys.version_info.major, sys.version_info.minor)


def program(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return path


def python(minor: int) -> Interpreter:
    return Interpreter((3, minor), 0, Path(f"/usr/bin/python3.{minor}"))


class TestAsking:
    def test_a_python_says_which_one_it_is(self) -> None:
        answer = interpreters.ask(Path(sys.executable))
        assert answer is not None
        assert answer.version == RUNNING

    def test_a_shim_that_exits_with_127_is_none(self, tmp_path: Path) -> None:
        assert interpreters.ask(program(tmp_path / "python3.13", "#!/bin/sh\nexit 127\n")) is None

    def test_a_file_that_cannot_be_run_is_none(self, tmp_path: Path) -> None:
        assert interpreters.ask(program(tmp_path / "python3.13", "")) is None


class TestLooking:
    @pytest.fixture(autouse=True)
    def only_this_directory(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
        monkeypatch.setattr(interpreters, "directories", lambda: iter([tmp_path]))
        interpreters.present.cache_clear()
        yield
        interpreters.present.cache_clear()

    def test_a_name_that_lies_is_not_believed(self, tmp_path: Path) -> None:
        (tmp_path / "python3.99").symlink_to(sys.executable)
        assert interpreters.present() == {}

    def test_a_name_that_tells_the_truth_is_found(self, tmp_path: Path) -> None:
        (tmp_path / f"python3.{RUNNING[1]}").symlink_to(sys.executable)
        assert list(interpreters.present()) == [RUNNING]


class TestPairs:
    def test_oldest_and_newest_of_many(self) -> None:
        here = {(3, minor): python(minor) for minor in (9, 11, 12, 13)}
        assert pairs(here) == [Pair(python(11), OLDEST_CORE), Pair(python(13), NEWEST_CORE)]
        assert not_here(here) == []

    def test_a_fresh_debian_12_has_one_pair_and_says_what_is_missing(self) -> None:
        here = {(3, 11): python(11)}
        assert pairs(here) == [Pair(python(11), OLDEST_CORE)]
        assert "ansible-core 2.21 is not tested" in not_here(here)[0]

    def test_a_python_too_new_for_the_old_core_is_tested_with_the_new_one(self) -> None:
        here = {(3, 14): python(14)}
        assert oldest(here) is None
        assert newest(here) == Pair(python(14), NEWEST_CORE)

    def test_no_pair_without_a_python(self) -> None:
        assert pairs({(3, 9): python(9)}) == []
