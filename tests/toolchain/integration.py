# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`make integration`: Ansible itself against real servers and emulated fleets, on the newest pair."""

from __future__ import annotations

from collections.abc import Iterator

from tests.toolchain import ansible_test, environments, matrix, molecule
from tests.toolchain.checks import Check
from tests.toolchain.collection_tree import link_development_tree
from tests.toolchain.interpreters import present
from tests.toolchain.junit import judge
from tests.toolchain.locks import alone
from tests.toolchain.places import MIRROR, REPORTS, ROOT

_LEVELS = (environments.EMULATORS, environments.TESTS, environments.INTEGRATION)

TARGETS = ROOT / "tests" / "integration" / "targets"


def checks() -> Iterator[list[Check]]:
    pair = matrix.newest(present())
    if pair is None:
        raise environments.SetUpFailed("; ".join(matrix.not_here(present())))
    environment = environments.for_pair(pair, *_LEVELS)
    environments.make_all(environment, environments.with_tools("virtualbmc", environments.VIRTUALBMC))
    link_development_tree()
    yield [_pytest(environment)]
    yield list(molecule.checks(environment))
    if any(TARGETS.glob("*/aliases")):
        with alone("mirror"):
            ansible_test.prepare(environment)
            yield [_targets(environment)]


def _pytest(environment: environments.Environment) -> Check:
    report = REPORTS / "integration.xml"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.unlink(missing_ok=True)
    # One after the other: each starts a fleet that wants both cores.
    command = [str(environment.python), "-m", "pytest", "-q", f"--junit-xml={report}", "--durations=15"]
    command += ["-o", f"cache_dir={REPORTS / 'pytest-integration'}", "tests/integration"]
    return Check("pytest", command, ROOT, environment.variables(), judge([report].copy), limit=3000)


def _targets(environment: environments.Environment) -> Check:
    """ansible-test's targets run in the environment as it is: nothing is installed for them."""
    version = ".".join(str(number) for number in environment.interpreter.version)
    command = [str(environment.path / "bin" / "ansible-test"), "integration", "--local", "--python", version]
    command += ["--python-interpreter", str(environment.python), "--color", "no"]
    return Check("ansible-test targets", command, MIRROR, ansible_test.variables(environment), limit=900)
