# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`make unit`: pytest on the oldest and on the newest pair of Python and ansible-core."""

from __future__ import annotations

from collections.abc import Iterator

from tests.toolchain import apart, environments, matrix
from tests.toolchain.checks import Check
from tests.toolchain.collection_tree import link_development_tree
from tests.toolchain.interpreters import present
from tests.toolchain.junit import judge
from tests.toolchain.places import REPORTS, ROOT


def checks() -> Iterator[list[Check]]:
    pairs = matrix.pairs(present())
    if not pairs:
        raise environments.SetUpFailed("; ".join(matrix.not_here(present())))
    link_development_tree()
    levels = (environments.EMULATORS, environments.TESTS)
    made = {pair: environments.for_pair(pair, *levels) for pair in pairs}
    environments.make_all(*made.values())
    yield from apart.at_once([_pytest(pair, environment) for pair, environment in made.items()])


def _pytest(pair: matrix.Pair, environment: environments.Environment) -> Check:
    report = REPORTS / f"unit-{pair.name}.xml"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.unlink(missing_ok=True)
    # One process for each pair: tests count their own threads, processes and files.
    command = [str(environment.python), "-m", "pytest", "-q", "--durations=10", f"--junit-xml={report}"]
    command += ["-o", f"cache_dir={REPORTS / f'pytest-{pair.name}'}", "tests/unit"]
    return Check(str(pair), command, ROOT, environment.variables(), judge([report].copy))
