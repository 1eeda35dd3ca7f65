# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`make sanity`: all of ansible-test sanity, nothing ignored, on every Python here that tests/config.yml admits."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tests.toolchain import ansible_test, environments, matrix
from tests.toolchain.checks import Check
from tests.toolchain.interpreters import present
from tests.toolchain.junit import judge
from tests.toolchain.locks import alone
from tests.toolchain.places import MIRROR

# The rest of what ansible-test says is about packages that it installs.
_TELLING = re.compile(r"^(ERROR|FATAL|WARNING: Skipping)|^  ?\S+( --python [0-9.]+)?$")

REPORTS = MIRROR / "tests" / "output" / "junit"


def checks() -> Iterator[list[Check]]:
    pair = matrix.newest(present())
    if pair is None:
        raise environments.SetUpFailed("; ".join(matrix.not_here(present())))
    environment = environments.for_pair(pair)
    environments.make(environment)
    with alone("mirror"):
        ansible_test.prepare(environment)
        for old in REPORTS.glob("*.xml"):
            old.unlink()
        command = [str(environment.path / "bin" / "ansible-test"), "sanity", "--python", "default", "--requirements"]
        command += ["--color", "no", "--truncate", "0", "--junit"]
        name, variables = f"ansible-test {pair.core.line}", ansible_test.variables(environment)
        yield [Check(name, command, MIRROR, variables, judge(_reports), telling=_TELLING)]


def _reports() -> list[Path]:
    return sorted(REPORTS.glob("*.xml"))
