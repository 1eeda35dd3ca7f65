# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`make demo` and `make bench`: the environment is made here; `tests/demo/run` and `tests.bench` do the work."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

from tests.toolchain import debian, environments, lab, matrix
from tests.toolchain.collection_tree import link_development_tree
from tests.toolchain.interpreters import present
from tests.toolchain.places import DEVELOPMENT_ROOT, ROOT
from tests.toolchain.saying import say


def demo() -> int:
    """Show the collection at work, on an emulated rack and then, where that can be, on a virtual one. Installs what
    controller and racks need, and no test tool."""
    code = _work("demo", [environments.EMULATORS], ["tests/demo/run", "emulated"])
    if code != 0:
        return code
    reason = lab.why_not()
    if reason:
        say(f"\nThat was the emulated rack. The virtual one is left out: {reason}.")
        return 0
    say("\nNow the same with real firmware, TPMs and disks: a rack of three virtual machines.")
    return lab.rack_up() or _work("demo", [environments.EMULATORS], ["tests/demo/run", "rack"])


def bench(groups: Sequence[str]) -> int:
    """Measure all groups, or those named; the figures go to build/bench.json."""
    return _work("test", [environments.EMULATORS, environments.TESTS], ["python", "-m", "tests.bench", *groups])


def _work(used_by: str, levels: Sequence[str], command: Sequence[str]) -> int:
    debian.ensure(used_by)
    pair = matrix.newest(present())
    if pair is None:
        raise environments.SetUpFailed("; ".join(matrix.not_here(present())))
    environment = environments.for_pair(pair, *levels)
    environments.make(environment)
    link_development_tree()
    variables = environment.variables() | {"ANSIBLE_COLLECTIONS_PATH": str(DEVELOPMENT_ROOT)}
    # Standard input, the terminal and ctrl-C are the command's own: a person may be watching.
    program = str(ROOT / command[0]) if "/" in command[0] else str(environment.path / "bin" / command[0])
    try:
        return subprocess.run([program, *command[1:]], cwd=ROOT, env=variables, check=False).returncode
    except OSError as error:
        raise environments.SetUpFailed(f"{program}: {error.strerror}") from error
