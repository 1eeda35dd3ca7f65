# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`make rack-up` and `make rack-down`: the environment is made here; the playbooks of tests/lab do the work."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.toolchain import debian, environments, matrix
from tests.toolchain.collection_tree import link_development_tree
from tests.toolchain.interpreters import present
from tests.toolchain.locks import alone_on_machine
from tests.toolchain.places import DEVELOPMENT_ROOT, ROOT
from tests.toolchain.saying import say

WHY_ROOT = (
    "the virtual rack needs root: it makes network bridges and binds addresses on them, and libvirt's system instance"
    " runs its machines. Run it with sudo, or as root of a container or virtual machine of its own"
)


def why_not() -> str:
    """Why there can be no rack on this machine, as far as that is seen at once; "" where there can."""
    if shutil.which("apt-get") is None:
        return "it is made of Debian's packages, and this is no Debian"
    return "" if os.geteuid() == 0 else WHY_ROOT


def rack_up(options: Sequence[str] = ()) -> int:
    """Make the virtual rack, or bring it to what its variables say."""
    return _playbook("rack_up.yml", options, beside=environments.with_tools("rack", environments.RACK))


def rack_down(options: Sequence[str] = ()) -> int:
    """Take the virtual rack away with everything that it made."""
    return _playbook("rack_down.yml", options)


def _playbook(name: str, options: Sequence[str], beside: environments.Environment | None = None) -> int:
    if os.geteuid() != 0:
        raise environments.SetUpFailed(WHY_ROOT)
    debian.ensure("lab")
    pair = matrix.newest(present())
    if pair is None:
        raise environments.SetUpFailed("; ".join(matrix.not_here(present())))
    environment = environments.for_pair(pair, environments.EMULATORS)
    environments.make(environment)
    programs = _programs(beside) if beside else ""
    link_development_tree()
    variables = environment.variables() | {
        "ANSIBLE_COLLECTIONS_PATH": str(DEVELOPMENT_ROOT),
        "PYTHONPATH": str(ROOT),
        "HEARTH_LAB": os.environ.get("HEARTH_LAB", ""),
    }
    command = [str(environment.path / "bin" / "ansible-playbook"), "-i", "localhost,"]
    command += ["-e", f"rack_programs={programs}", *options, f"tests/lab/{name}"]
    # Two checkouts have the same rack in mind unless they say otherwise.
    with alone_on_machine("a virtual rack", Path("/var/lib/misc")):
        return subprocess.run(command, cwd=ROOT, env=variables, check=False).returncode


def _programs(beside: environments.Environment) -> str:
    """Where sushy-emulator and VirtualBMC are; empty where a part of them, which is compiled, cannot be."""
    try:
        environments.make(beside)
    except environments.SetUpFailed as error:
        say(f"the rack comes up without sushy-emulator and VirtualBMC: {error}")
        return ""
    return str(beside.path / "bin")
