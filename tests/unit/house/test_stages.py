# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`make test` runs every stage, counts what really ran, and fails when anything did."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.toolchain import checks, junit
from tests.toolchain.checks import Check, Outcome
from tests.toolchain.environments import SetUpFailed
from tests.toolchain.stages import Stage, report, run_stage


@pytest.fixture(autouse=True)
def logs_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "LOGS", tmp_path / "logs")


def python(name: str, program: str, cwd: Path, **options: object) -> Check:
    return Check(name, [sys.executable, "-c", program], cwd, os.environ, **options)  # type: ignore[arg-type]


def test_a_failed_check_stops_no_other_and_fails_the_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def prepare() -> Iterator[list[Check]]:
        yield [python("early", "print('why it failed'); raise SystemExit(3)", tmp_path)]
        yield [python("late", "pass", tmp_path)]

    code = report([run_stage(Stage("first", prepare)), run_stage(Stage("second", prepare))])
    shown = capsys.readouterr().out
    assert code == 1
    assert "why it failed" in shown
    assert "first: early (exit 3)" in shown
    assert shown.splitlines()[-1] == "2 passed, 2 failed"


def test_a_stage_that_cannot_be_set_up_is_one_failure(capsys: pytest.CaptureFixture[str]) -> None:
    def prepare() -> Iterator[list[Check]]:
        raise SetUpFailed("pip found no network")

    assert report([run_stage(Stage("only", prepare))]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "0 passed, 1 failed"


def test_a_run_in_which_nothing_ran_is_no_success() -> None:
    assert report([run_stage(Stage("empty", lambda: iter([[]])))]) == 1


def test_a_check_that_hangs_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    # A shell: it has begun long before its time is over, however busy the machine is.
    command = ["sh", "-c", "sleep 600 & echo $! >pid; wait"]
    outcome = Check("hangs", command, tmp_path, os.environ, limit=3.0).run("stage")
    assert (outcome.failed, outcome.passed) == (1, 0)
    assert "no end after 3 s" in outcome.why
    child = int((tmp_path / "pid").read_text(encoding="utf-8"))
    status = Path(f"/proc/{child}/stat")
    assert not status.exists() or status.read_text(encoding="utf-8").split()[2] == "Z"


def test_a_check_has_no_standard_input(tmp_path: Path) -> None:
    assert python("reads", "import sys; sys.exit(len(sys.stdin.read()))", tmp_path).run("stage").passed == 1


class TestReports:
    def write(self, path: Path, cases: str) -> Path:
        path.write_text(f"<testsuites><testsuite>{cases}</testsuite></testsuites>", encoding="utf-8")
        return path

    def test_each_test_counts_and_each_skip_names_its_reason(self, tmp_path: Path) -> None:
        cases = '<testcase name="a"/><testcase name="b"><failure/></testcase><testcase name="c"><error/></testcase>'
        cases += '<testcase name="d"><skipped message="needs ipmi_sim"/></testcase>'
        seen = junit.count([self.write(tmp_path / "r.xml", cases)])
        assert (seen.passed, seen.failed, seen.skipped) == (1, 2, 1)
        assert seen.skips == ("needs ipmi_sim (d)",)

    def test_an_exit_code_that_says_failure_is_believed_over_the_report(self, tmp_path: Path) -> None:
        report_file = self.write(tmp_path / "r.xml", '<testcase name="a"/>')
        assert junit.judge([report_file].copy)(2, "").failed == 1

    def test_success_without_a_report_is_a_failure(self, tmp_path: Path) -> None:
        assert junit.judge([tmp_path / "none.xml"].copy)(0, "").failed == 1

    def test_success_is_what_the_report_counts(self, tmp_path: Path) -> None:
        report_file = self.write(tmp_path / "r.xml", '<testcase name="a"/><testcase name="b"/>')
        assert junit.judge([report_file].copy)(0, "") == Outcome("", passed=2)
