# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Counts tests from the JUnit reports that pytest and ansible-test write."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from xml.etree import ElementTree

from tests.toolchain.checks import Outcome

# "Skipped: needs ipmi_sim" and "…/test_x.py:12: needs ipmi_sim" say the same; the reason is what a reader wants.
_PLACE = re.compile(r"^(\S+\.py:\d+: )?(Skipped: )?")


def count(reports: Iterable[Path]) -> Outcome:
    """Passed, failed and skipped tests of all reports, with the reasons of those that were skipped."""
    passed = failed = skipped = 0
    reasons: defaultdict[str, list[str]] = defaultdict(list)
    for report in reports:
        for case in ElementTree.parse(report).getroot().iter("testcase"):
            if case.find("failure") is not None or case.find("error") is not None:
                failed += 1
            elif (skip := case.find("skipped")) is not None:
                skipped += 1
                reason = skip.get("message") or (skip.text or "").strip() or "no reason given"
                reasons[_PLACE.sub("", reason)].append(case.get("name") or "a test without a name")
            else:
                passed += 1
    skips = tuple(f"{reason} ({_named(tests)})" for reason, tests in sorted(reasons.items()))
    return Outcome("", passed, failed, skipped, skips=skips)


def _named(tests: list[str]) -> str:
    """The first few of the tests by name, and how many more there are."""
    first, more = tests[:8], len(tests) - 8
    return ", ".join(first) + (f" and {more} more" if more > 0 else "")


def judge(reports: Callable[[], Iterable[Path]]) -> Callable[[int, str], Outcome]:
    """A judge that believes the reports, and the exit code where the two disagree."""

    def from_reports(code: int, _output: str) -> Outcome:
        try:
            seen = count(path for path in reports() if path.is_file())
        except ElementTree.ParseError as error:
            return Outcome("", failed=1, why=f"exit {code}, and its report does not parse: {error}")
        if code != 0 and seen.failed == 0:
            why = "no test was found" if code == 5 else f"exit {code}, though no test failed"
            return Outcome("", seen.passed, 1, seen.skipped, why=why, skips=seen.skips)
        if code == 0 and seen.passed + seen.failed + seen.skipped == 0:
            return Outcome("", failed=1, why="exit 0, but no test left a report")
        return Outcome("", seen.passed, seen.failed, seen.skipped, why=f"exit {code}" if code else "", skips=seen.skips)

    return from_reports
