# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tests that run at the same time are held apart, and each of them runs once, whatever it is called."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.toolchain import apart, checks, integration
from tests.toolchain.checks import Check
from tests.toolchain.places import ROOT
from tests.toolchain.stages import Stage, run_stage

WHY_NOT = apart.why_not(os.environ)
needs_namespaces = pytest.mark.skipif(bool(WHY_NOT), reason=f"no network namespaces: {WHY_NOT}")

# Each binds the same address, says so, and holds it until the other has said so, too.
HOLDER = """
import pathlib, socket, sys, tempfile, time
me, other, folder = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
with socket.create_server(("127.46.77.1", int(sys.argv[4]))):
    said = folder / f".{me}"
    said.write_text(tempfile.gettempdir())
    said.rename(folder / me)
    until = time.monotonic() + 60
    while not (folder / other).exists():
        assert time.monotonic() < until
        time.sleep(0.05)
"""


@pytest.fixture(autouse=True)
def logs_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "LOGS", tmp_path / "logs")


def free_port() -> int:
    program = "import socket; print(socket.create_server(('127.46.77.1', 0)).getsockname()[1])"
    return int(subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout)


def holders(folder: Path) -> list[Check]:
    port = str(free_port())
    return [
        Check(me, [sys.executable, "-c", HOLDER, me, other, str(folder), port], folder, os.environ)
        for me, other in (("one", "other"), ("other", "one"))
    ]


@needs_namespaces
def test_two_hold_one_address_at_once_and_have_their_own_place_for_locks(tmp_path: Path) -> None:
    result = run_stage(Stage("both", lambda: apart.at_once(holders(tmp_path))))
    assert (result.passed, result.failed) == (2, 0), [outcome.why for outcome in result.outcomes]
    first, second = ((tmp_path / name).read_text() for name in ("one", "other"))
    assert Path(second).parent == Path(first) and not Path(second).exists()


@needs_namespaces
def test_of_two_that_are_not_held_apart_one_fails(tmp_path: Path) -> None:
    """What the test above would say if nothing held them apart."""
    one, other = holders(tmp_path)
    with subprocess.Popen(one.command, cwd=tmp_path) as running:
        try:
            while not (tmp_path / "one").exists():
                assert running.poll() is None
                time.sleep(0.05)
            assert other.run("both").failed == 1
        finally:
            running.kill()


@needs_namespaces
def test_nothing_outside_is_reached(tmp_path: Path) -> None:
    program = "import sys; sys.exit(len(open('/proc/self/net/route').readlines()) != 1)"  # its heading
    both = [Check(name, [sys.executable, "-c", program], tmp_path, os.environ) for name in ("first", "second")]
    for _first, second in apart.at_once(both):
        assert second.run("network").passed == 1


@needs_namespaces
def test_another_user_has_files_there(tmp_path: Path) -> None:
    program = "import os, tempfile; os.setuid(65534); tempfile.mkdtemp()"
    both = [Check(name, [sys.executable, "-c", program], Path("/"), os.environ) for name in ("first", "second")]
    for _first, second in apart.at_once(both):
        assert second.run("user").passed == 1


def test_without_namespaces_one_runs_after_the_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    both = [Check(name, ["true"], tmp_path, {"PATH": str(tmp_path)}) for name in ("first", "second")]
    assert list(apart.at_once(both)) == [both[:1], both[1:]]
    assert "first, second: one after the other" in capsys.readouterr().out


def test_one_alone_is_left_as_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    only = Check("only", ["true"], tmp_path, {})
    assert list(apart.at_once([only])) == [[only]]
    assert capsys.readouterr().out == ""


class TestPartsOfIntegration:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> str:
        (tmp_path / "pyproject.toml").write_text("[tool.pytest.ini_options]\naddopts = '--import-mode=importlib'\n")
        for name in ("some/test_known.py", "some/test_new.py", "some/deep/test_newer.py", "some/other_name_test.py"):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text("def test_it():\n    pass\n")
        return "some"

    def collected(self, cwd: Path, words: list[str]) -> list[str]:
        command = [sys.executable, "-m", "pytest", "--collect-only", "-q", *words]
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return [line for line in done.stdout.splitlines() if "::" in line]

    def test_each_file_is_in_one_whether_anybody_named_it_or_not(self, tmp_path: Path, folder: str) -> None:
        rest, named = (
            self.collected(tmp_path, words) for words in integration.parts(folder, ["test_known.py"]).values()
        )
        assert named == ["some/test_known.py::test_it"]
        assert len(rest) == 3 and sorted(rest + named) == sorted(self.collected(tmp_path, [folder]))

    def test_a_file_that_is_named_twice_or_has_gone_shows(self) -> None:
        assert len(set(integration.APART)) == len(integration.APART)
        assert [name for name in integration.APART if not (ROOT / integration.FOLDER / name).is_file()] == []
