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
from dataclasses import dataclass
from pathlib import Path

from tests.toolchain import debian, environments, lab, matrix
from tests.toolchain.checks import Check
from tests.toolchain.collection_tree import link_development_tree
from tests.toolchain.interpreters import present
from tests.toolchain.junit import judge
from tests.toolchain.locks import alone_on_machine
from tests.toolchain.places import REPORTS, ROOT
from tests.toolchain.saying import say
from tests.toolchain.stages import Stage, report, run_stage

SCENARIOS = ROOT / "tests" / "lab" / "scenarios"
ONE_PASS = "one_pass"


@dataclass(frozen=True)
class RackOfTests:
    """A rack that shares nothing with another: what is its own on this machine, and how many machines it has."""

    name: str
    bridges: str
    third_octet: int
    machines: int
    options: tuple[str, ...]
    # Whoever uses the rack holds this directory's lock: another checkout's run waits for its turn.
    lock: Path

    @property
    def place(self) -> Path:
        return Path("/var/tmp") / self.name

    @property
    def variables(self) -> list[str]:
        """What rack_up and rack_down are given."""
        management, data = self.third_octet, self.third_octet + 1
        variables = (
            f"rack_machines={self.machines}",
            f"rack_name={self.name}",
            f"rack_management_bridge={self.bridges}-mgmt",
            f"rack_data_bridge={self.bridges}-data",
            f"rack_management_network=172.31.{management}.0/24",
            f"rack_data_network=172.31.{data}.0/24",
            *self.options,
        )
        return [word for variable in variables for word in ("-e", variable)]

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Alone on this machine with this rack, which is the one that the environment names."""
        with alone_on_machine(f"the rack {self.name}", self.lock):
            os.environ["HEARTH_LAB"] = str(self.place)
            try:
                yield
            finally:
                del os.environ["HEARTH_LAB"]


LAB_RACK = RackOfTests("hearth-lab-test", "hlabt", 233, 3, ("rack_virtualbmc_control_port=50893",), Path("/var/lib"))
# One machine is for one pass over our own BMC; the independent seconds are for `make test-lab`.
PASS_RACK = RackOfTests(
    "hearth-lab-pass", "hlabp", 231, 1, ("rack_virtualbmc=false", "rack_sushy_emulator=false"), Path("/var/cache")
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
    return report([run_stage(Stage("lab", stage(chosen or names(), LAB_RACK)))])


def stage(chosen: Sequence[str], own: RackOfTests) -> Callable[[], Iterator[list[Check]]]:
    """What prepares a stage of these scenarios on that rack, or on the one that HEARTH_LAB names."""

    def checks() -> Iterator[list[Check]]:
        debian.ensure("lab")
        pair = matrix.newest(present())
        if pair is None:
            raise environments.SetUpFailed("; ".join(matrix.not_here(present())))
        levels = (environments.EMULATORS, environments.TESTS, environments.INTEGRATION)
        environment = environments.for_pair(pair, *levels)
        environments.make(environment)
        link_development_tree()
        with _rack(own) as variables:
            for name in chosen:
                # One after the other: each machine wants both cores.
                yield [_scenario(environment, name, variables)]

    return checks


@contextmanager
def _rack(own: RackOfTests) -> Iterator[dict[str, str]]:
    """A rack, and what its scenarios' environment says of it."""
    if os.geteuid() != 0:
        yield {NO_RACK: lab.WHY_ROOT}
        return
    given = os.environ.get("HEARTH_LAB")
    if given:
        _come_up([], given)
        yield {"HEARTH_LAB": given}
        return
    with own.taken():
        try:
            _come_up(own.variables, str(own.place))
            yield {"HEARTH_LAB": str(own.place)}
        finally:
            lab.rack_down(own.variables)


def _come_up(variables: list[str], place: str) -> None:
    if lab.rack_up(variables) != 0:
        raise environments.SetUpFailed(f"the virtual rack in {place} did not come up: see above")


def _scenario(environment: environments.Environment, name: str, variables: dict[str, str]) -> Check:
    written = REPORTS / f"lab-{name}.xml"
    written.parent.mkdir(parents=True, exist_ok=True)
    written.unlink(missing_ok=True)
    command = [str(environment.python), "-m", "pytest", "-q", f"--junit-xml={written}", "--durations=10"]
    command += ["-o", f"cache_dir={REPORTS / 'pytest-lab'}", str(SCENARIOS / f"test_{name}.py")]
    return Check(name, command, ROOT, environment.variables() | variables, judge([written].copy), limit=_LIMIT)
