# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`make test-lab` and the stage `rack` of `make test`: scenarios on a virtual rack, each a file of tests/lab/scenarios.

They have a rack of their own, beside the one that somebody tries things on, and take it down at the end. With
HEARTH_LAB set they use the rack there, and leave it up.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.toolchain import debian, environments, lab, matrix
from tests.toolchain.checks import Check
from tests.toolchain.collection_tree import link_development_tree
from tests.toolchain.interpreters import present
from tests.toolchain.junit import judge
from tests.toolchain.places import REPORTS, ROOT
from tests.toolchain.saying import say
from tests.toolchain.stages import Stage, report, run_stage

SCENARIOS = ROOT / "tests" / "lab" / "scenarios"
ONE_PASS = "one_pass"

OWN_RACK = Path("/var/tmp/hearth-lab-test")
_VARIABLES = (
    "rack_name=hearth-lab-test",
    "rack_management_bridge=hlabt-mgmt",
    "rack_data_bridge=hlabt-data",
    "rack_management_network=172.31.233.0/24",
    "rack_data_network=172.31.234.0/24",
    "rack_virtualbmc_control_port=50893",
)
# pytest's fixtures read it: why there is no rack, where there cannot be one.
NO_RACK = "HEARTH_NO_RACK"
# A scenario boots machines, one after the other, on a processor that is emulated.
_LIMIT = 5400.0


def names() -> list[str]:
    """All scenarios, by the names that SCENARIO takes."""
    return sorted(path.stem.removeprefix("test_") for path in SCENARIOS.glob("test_*.py"))


def run(chosen: Sequence[str]) -> int:
    """`make test-lab`: the scenarios that were named, or all."""
    unknown = sorted(set(chosen) - set(names()))
    if unknown:
        raise environments.SetUpFailed(f"no such scenario: {', '.join(unknown)}; there are {', '.join(names())}")
    for sentence in matrix.not_here(present()):
        say(sentence)
    return report([run_stage(Stage("lab", stage(chosen or names(), machines=3)))])


def stage(chosen: Sequence[str], machines: int) -> Callable[[], Iterator[list[Check]]]:
    """What prepares a stage of these scenarios on a rack of so many machines."""

    def checks() -> Iterator[list[Check]]:
        debian.ensure("lab")
        pair = matrix.newest(present())
        if pair is None:
            raise environments.SetUpFailed("; ".join(matrix.not_here(present())))
        levels = (environments.EMULATORS, environments.TESTS, environments.INTEGRATION)
        environment = environments.for_pair(pair, *levels)
        environments.make(environment)
        link_development_tree()
        with _rack(machines) as variables:
            for name in chosen:
                # One after the other: each machine wants both cores.
                yield [_scenario(environment, name, variables)]

    return checks


def own_rack(machines: int) -> list[str]:
    """What rack_up and rack_down are given for a rack in OWN_RACK that shares nothing with another."""
    # One machine is for one pass over our own BMC; the independent seconds are for `make test-lab`.
    alone = ("rack_virtualbmc=false", "rack_sushy_emulator=false") if machines == 1 else ()
    variables = (f"rack_machines={machines}", *_VARIABLES, *alone)
    return [word for variable in variables for word in ("-e", variable)]


@contextmanager
def _rack(machines: int) -> Iterator[dict[str, str]]:
    """A rack, and what its scenarios' environment says of it."""
    if os.geteuid() != 0:
        yield {NO_RACK: lab.WHY_ROOT}
        return
    given = os.environ.get("HEARTH_LAB")
    place = Path(given) if given else OWN_RACK
    os.environ["HEARTH_LAB"] = str(place)
    try:
        if lab.rack_up([] if given else own_rack(machines)) != 0:
            raise environments.SetUpFailed(f"the virtual rack in {place} did not come up: see above")
        yield {"HEARTH_LAB": str(place)}
    finally:
        if not given:
            lab.rack_down(own_rack(machines))
            del os.environ["HEARTH_LAB"]


def _scenario(environment: environments.Environment, name: str, variables: dict[str, str]) -> Check:
    written = REPORTS / f"lab-{name}.xml"
    written.parent.mkdir(parents=True, exist_ok=True)
    written.unlink(missing_ok=True)
    command = [str(environment.python), "-m", "pytest", "-q", f"--junit-xml={written}", "--durations=10"]
    command += ["-o", f"cache_dir={REPORTS / 'pytest-lab'}", str(SCENARIOS / f"test_{name}.py")]
    return Check(name, command, ROOT, environment.variables() | variables, judge([written].copy), limit=_LIMIT)
