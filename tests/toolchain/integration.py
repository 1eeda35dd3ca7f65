# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`make integration`: Ansible itself against real servers and emulated fleets, on the newest pair."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tests.toolchain import ansible_test, apart, environments, matrix, molecule
from tests.toolchain.checks import Check
from tests.toolchain.collection_tree import link_development_tree
from tests.toolchain.interpreters import present
from tests.toolchain.junit import judge
from tests.toolchain.locks import alone
from tests.toolchain.places import MIRROR, REPORTS, ROOT

_LEVELS = (environments.EMULATORS, environments.TESTS, environments.INTEGRATION)

TARGETS = ROOT / "tests" / "integration" / "targets"

# pytest runs in two parts at the same time. These files, about half of the seconds, are the one that is apart; whatever
# else pytest finds is the other. So a new file runs, and what shares a daemon with the machine (libvirtd) is not here.
FOLDER = "tests/integration"
APART = (
    "test_bmc_front_ends.py",
    "test_boot_image.py",
    "test_boot_live.py",
    "test_every_platform_and_fault.py",
    "test_luks_binding_killed.py",
    "test_media_server.py",
    "test_redfish_boot.py",
    "test_redfish_fleet.py",
    "test_redfish_indicator.py",
    "test_redfish_power.py",
    "test_redfish_virtual_media.py",
)


def checks() -> Iterator[list[Check]]:
    pair = matrix.newest(present())
    if pair is None:
        raise environments.SetUpFailed("; ".join(matrix.not_here(present())))
    environment = environments.for_pair(pair, *_LEVELS)
    environments.make_all(environment, environments.with_tools("virtualbmc", environments.VIRTUALBMC))
    link_development_tree()
    yield from apart.at_once([_pytest(environment, part, files) for part, files in parts().items()])
    yield list(molecule.checks(environment))
    if any(TARGETS.glob("*/aliases")):
        with alone("mirror"):
            ansible_test.prepare(environment)
            yield [_targets(environment)]


def parts(folder: str = FOLDER, apart_from_it: Sequence[str] = APART) -> dict[str, list[str]]:
    """What pytest is given for each part: for the first all of the folder without the files that are the second."""
    files = [f"{folder}/{name}" for name in apart_from_it]
    return {"integration": [folder, *(f"--ignore={file}" for file in files)], "integration-apart": files}


def _pytest(environment: environments.Environment, part: str, files: list[str]) -> Check:
    report = REPORTS / f"{part}.xml"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.unlink(missing_ok=True)
    # Each part one after the other: a fleet wants a core, and those who ask it another.
    command = [str(environment.python), "-m", "pytest", "-q", f"--junit-xml={report}", "--durations=15"]
    command += ["-o", f"cache_dir={REPORTS / f'pytest-{part}'}", *files]
    name = part.replace("integration", "pytest")
    return Check(name, command, ROOT, environment.variables(), judge([report].copy), limit=3000)


def _targets(environment: environments.Environment) -> Check:
    """ansible-test's targets run in the environment as it is: nothing is installed for them."""
    version = ".".join(str(number) for number in environment.interpreter.version)
    command = [str(environment.path / "bin" / "ansible-test"), "integration", "--local", "--python", version]
    command += ["--python-interpreter", str(environment.python), "--color", "no"]
    return Check("ansible-test targets", command, MIRROR, ansible_test.variables(environment), limit=900)
