# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A stage is a list of checks. All of them run, whatever comes of the first; table and closing line tell the truth."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

from tests.toolchain.checks import Check, Outcome, tail_of
from tests.toolchain.environments import SetUpFailed
from tests.toolchain.saying import say


@dataclass(frozen=True)
class Stage:
    """A part of `make test`. ``prepare`` sets up what the stage needs and yields its checks in batches.

    The checks of one batch run at the same time; a batch starts when the one before it has ended.
    """

    name: str
    prepare: Callable[[], Iterator[list[Check]]]


@dataclass(frozen=True)
class StageResult:
    name: str
    outcomes: tuple[Outcome, ...]
    seconds: float
    set_up_seconds: float

    @property
    def passed(self) -> int:
        return sum(outcome.passed for outcome in self.outcomes)

    @property
    def failed(self) -> int:
        return sum(outcome.failed for outcome in self.outcomes)

    @property
    def skipped(self) -> int:
        return sum(outcome.skipped for outcome in self.outcomes)


def run_stage(stage: Stage, at_once: int = 2) -> StageResult:
    """Run every check of a stage. What cannot be set up counts as one failure and takes no other stage with it."""
    began = time.monotonic()
    checking = 0.0
    outcomes: list[Outcome] = []
    try:
        for batch in stage.prepare():
            checks_began = time.monotonic()
            outcomes += _run_batch(stage.name, batch, at_once)
            checking += time.monotonic() - checks_began
    except SetUpFailed as error:
        say(f"{stage.name}: set-up failed: {error}")
        outcomes.append(Outcome("set-up", failed=1, why="set-up failed"))
    seconds = time.monotonic() - began
    return StageResult(stage.name, tuple(outcomes), seconds, seconds - checking)


def _run_batch(stage: str, batch: list[Check], at_once: int) -> list[Outcome]:
    outcomes = []
    with ThreadPoolExecutor(max_workers=at_once) as pool:
        for done in as_completed([pool.submit(check.run, stage) for check in batch]):
            outcome = done.result()
            _tell(stage, outcome)
            outcomes.append(outcome)
    return outcomes


def _tell(stage: str, outcome: Outcome) -> None:
    counts = f"{outcome.passed} passed, {outcome.failed} failed" + (
        f", {outcome.skipped} skipped" if outcome.skipped else ""
    )
    verdict = "FAILED" if outcome.failed else "ok"
    reason = f" ({outcome.why})" if outcome.why else ""
    say(f"{stage}: {outcome.check}: {verdict}, {counts}, {outcome.seconds:.1f} s{reason}")
    for skip in outcome.skips:
        say(f"  skipped: {skip}")
    if outcome.failed:
        tail = tail_of(outcome)
        if tail:
            say(tail)


def report(results: Iterable[StageResult]) -> int:
    """Print what failed, the table of seconds and the closing line; the exit code of the run."""
    results = list(results)
    failures = [
        f"{result.name}: {outcome.check}" + (f" ({outcome.why})" if outcome.why else "")
        for result in results
        for outcome in result.outcomes
        if outcome.failed
    ]
    if failures:
        say("")
        say("failed:")
        for failure in failures:
            say(f"  {failure}")
    say("")
    say(f"{'stage':<14}{'seconds':>9}{'of set-up':>11}{'passed':>8}{'failed':>8}{'skipped':>9}")
    for result in results:
        say(
            f"{result.name:<14}{result.seconds:>9.1f}{result.set_up_seconds:>11.1f}"
            f"{result.passed:>8}{result.failed:>8}{result.skipped:>9}"
        )
    say(f"{'all':<14}{sum(r.seconds for r in results):>9.1f}{sum(r.set_up_seconds for r in results):>11.1f}")
    say("")
    passed, failed, skipped = (sum(getattr(r, name) for r in results) for name in ("passed", "failed", "skipped"))
    # The one line that a machine reads: alone on its line, and the last.
    say(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed or not passed else 0
