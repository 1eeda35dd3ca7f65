# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The molecule scenarios: the collection from outside, as somebody who installed it would use it."""

from __future__ import annotations

from collections.abc import Iterator

from tests.toolchain.checks import Check, Outcome
from tests.toolchain.environments import Environment
from tests.toolchain.places import BUILD, DEVELOPMENT_ROOT, ROOT

SCENARIOS = ROOT / "extensions" / "molecule"


def checks(environment: Environment) -> Iterator[Check]:
    variables = environment.variables() | {
        "ANSIBLE_COLLECTIONS_PATH": str(DEVELOPMENT_ROOT),
        "ANSIBLE_FORCE_COLOR": "0",
        "NO_COLOR": "1",
        # What molecule makes for a scenario belongs to this checkout, not to the user's cache.
        "MOLECULE_EPHEMERAL_DIRECTORY": "",
    }
    for scenario in sorted(path.parent.name for path in SCENARIOS.glob("*/molecule.yml")):
        variables = variables | {"MOLECULE_EPHEMERAL_DIRECTORY": str(BUILD / "molecule" / scenario)}
        # From the collection's root: from extensions/ molecule finds no shared configuration and says nothing of it.
        command = [str(environment.path / "bin" / "molecule"), "test", "--scenario-name", scenario]
        yield Check(f"molecule {scenario}", command, ROOT, variables, _hosts_were_there, limit=600)


def _hosts_were_there(code: int, output: str) -> Outcome:
    """A scenario whose plays match no host succeeds in molecule's eyes."""
    if code == 0 and "skipping: no hosts matched" in output:
        return Outcome("", failed=1, why="a play matched no host")
    return Outcome("", passed=1) if code == 0 else Outcome("", failed=1, why=f"exit {code}")
