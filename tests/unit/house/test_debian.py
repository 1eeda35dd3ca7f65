# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a machine lacks is installed or named, with the reason and the command."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.toolchain.debian import LIST, declared, ensure


@pytest.fixture
def without_apt(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.fixture
def listing(tmp_path: Path) -> Path:
    path = tmp_path / "packages.txt"
    path.write_text(
        "# package | there when | used by | why\n"
        "python3-venv | module:venv | demo test | virtual environments\n"
        "ghost | ghost-that-no-machine-has | test | haunting\n",
        encoding="utf-8",
    )
    return path


def test_what_is_missing_is_named_with_its_reason_and_the_command(
    without_apt: None, listing: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert [package.name for package in ensure("test", listing)] == ["ghost"]
    shown = capsys.readouterr().out
    assert "no Debian: there is no apt-get" in shown
    assert "ghost: haunting" in shown
    assert "apt-get install --no-install-recommends ghost" in shown


def test_what_is_there_is_not_spoken_of(without_apt: None, listing: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ensure("demo", listing) == []
    assert capsys.readouterr().out == ""


def test_every_package_has_a_reason_and_a_user() -> None:
    packages = declared("test") + declared("demo") + declared("lab")
    lines = [line for line in LIST.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    assert {package.name for package in packages} == {line.split("|")[0].strip() for line in lines}
    assert [package.name for package in packages if not package.why] == []


def test_the_demo_needs_less_than_the_tests() -> None:
    assert {package.name for package in declared("demo")} < {package.name for package in declared("test")}
