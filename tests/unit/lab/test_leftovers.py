# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What counts as left of a rack."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.lab.engine import leftovers


@contextmanager
def running(command: str, place: Path) -> Iterator[int]:
    """A shell that stands there, does this and waits."""
    shell = subprocess.Popen(
        ["sh", "-c", f"{command}; echo ready; read line"],
        cwd=place,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with shell:
        if shell.stdout is None or shell.stdout.readline() != "ready\n":
            raise AssertionError("the shell did not come up")
        try:
            yield shell.pid
        finally:
            shell.kill()


def test_a_process_that_has_a_file_of_the_lab_open_is_left(tmp_path: Path) -> None:
    lab = tmp_path / "lab"
    lab.mkdir()
    with running("exec 5>log; cd /", lab) as pid:
        [found] = leftovers.of_rack(lab, "hearth-lab-none")["processes"]
    assert found.startswith(f"{pid} ")


def test_a_shell_that_stands_in_the_lab_is_its_users(tmp_path: Path) -> None:
    lab = tmp_path / "lab"
    lab.mkdir()
    with running(":", lab):
        assert leftovers.of_rack(lab, "hearth-lab-none")["processes"] == []
