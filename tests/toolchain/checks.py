# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs one check as a process of its own and says, from what it left behind, how many tests passed and failed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.toolchain.places import LOGS

# The last lines of a failed check that are shown; the rest is in its log.
SHOWN_LINES = 80


@dataclass(frozen=True)
class Outcome:
    """What came of a check. A check that holds many tests counts each; any other counts as one."""

    check: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0
    why: str = ""
    skips: tuple[str, ...] = ()
    log: Path | None = None
    # Which lines of the log tell why it failed; all where this is None.
    telling: re.Pattern[str] | None = None


# Exit code and the log's text in, outcome without name, seconds and log out.
Judge = Callable[[int, str], Outcome]


def by_exit_code(code: int, _output: str) -> Outcome:
    """One test: it passed when the process exited with 0."""
    return Outcome("", passed=1) if code == 0 else Outcome("", failed=1, why=f"exit {code}")


@dataclass(frozen=True)
class Check:
    """A command, where it runs, and how its end is read."""

    name: str
    command: Sequence[str]
    cwd: Path
    environment: Mapping[str, str]
    judge: Judge = field(default=by_exit_code)
    telling: re.Pattern[str] | None = None
    limit: float = 1800.0  # seconds; a check that hangs must not take the others with it

    def run(self, stage: str) -> Outcome:
        LOGS.mkdir(parents=True, exist_ok=True)
        log = LOGS / f"{stage}-{self.name.replace(' ', '-').replace('/', '-')}.log"
        began = time.monotonic()
        with log.open("wb") as output:
            # A session of its own, so that all it started can be ended with it.
            process = subprocess.Popen(
                list(self.command),
                cwd=self.cwd,
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                code = process.wait(self.limit)
                overdue = False
            except subprocess.TimeoutExpired:
                overdue, code = True, -1
            finally:
                _end(process)
        seconds = time.monotonic() - began
        if overdue:
            return Outcome(
                self.name, failed=1, seconds=seconds, why=f"no end after {self.limit:.0f} s, stopped", log=log
            )
        seen = self.judge(code, log.read_text(encoding="utf-8", errors="replace"))
        return replace(seen, check=self.name, seconds=seconds, log=log, telling=self.telling)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End what is left of a check's process group: politely, then for certain."""
    if process.poll() is not None:
        return
    for number, patience in ((signal.SIGTERM, 10.0), (signal.SIGKILL, None)):
        try:
            os.killpg(process.pid, number)
            process.wait(patience)
            return
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


def tail_of(outcome: Outcome) -> str:
    """The end of a failed check's log, to be shown."""
    if outcome.log is None or not outcome.log.is_file():
        return ""
    lines = outcome.log.read_text(encoding="utf-8", errors="replace").splitlines()
    if outcome.telling:
        lines = [line for line in lines if outcome.telling.search(line)] or lines
    cut = [f"  … {len(lines) - SHOWN_LINES} lines before, in {outcome.log}"] if len(lines) > SHOWN_LINES else []
    return "\n".join([*cut, *(f"  {line}" for line in lines[-SHOWN_LINES:])])
