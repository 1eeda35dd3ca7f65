# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import io

from ansible_collections.hearth.datacenter.plugins.plugin_utils._progress import ProgressLine


class Screen(io.StringIO):
    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


class Said:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def vv(self, line: str) -> None:
        self.lines.append(line)


def run(terminal: bool, seconds: float) -> tuple[str, list[str]]:
    """A hundred BMCs, each after so many seconds."""
    now = [0.0]
    screen, said = Screen(terminal), Said()
    with ProgressLine(said, screen, lambda: now[0]) as progress:
        for _number in range(100):
            now[0] += seconds
            progress.scanned()
            progress.asked()
    return screen.getvalue(), said.lines


def test_a_watching_terminal_sees_how_far_it_is_and_a_clean_line_at_the_end():
    drawn, _lines = run(terminal=True, seconds=0.1)
    assert "50 BMCs asked" in drawn
    assert drawn.endswith("\r\x1b[K")


def test_the_line_is_drawn_five_times_a_second_at_the_most():
    drawn, _lines = run(terminal=True, seconds=0.01)
    assert 3 <= drawn.count("asked") <= 5


def test_nothing_is_written_where_nobody_watches():
    drawn, lines = run(terminal=False, seconds=0.1)
    assert drawn == ""
    assert lines == ["discovery: 100 addresses scanned, 100 BMCs asked in 10.0 s"]
