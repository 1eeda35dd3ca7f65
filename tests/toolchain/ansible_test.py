# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every ansible-test command needs: the copy of the checkout, a PATH of real Pythons, the get-pip stand-in."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from tests.toolchain import collection_tree
from tests.toolchain.environments import Environment, SetUpFailed
from tests.toolchain.interpreters import present
from tests.toolchain.places import MIRROR

STAND_IN = Path(__file__).with_name("get_pip_stand_in.py")

_PIP_VERSION = re.compile(r"""default_packages = dict\(\s*pip=['"]([0-9.]+)['"]""")


def prepare(environment: Environment) -> None:
    """Bring the copy up to date and put the stand-in where ansible-test would else download get-pip to."""
    collection_tree.mirror_checkout()
    cached = Path.home() / ".ansible" / "test" / "cache" / f"get_pip_{_pip_version(environment).replace('.', '_')}.py"
    if not cached.exists():
        cached.parent.mkdir(parents=True, exist_ok=True)
        beside = cached.with_name(f"{cached.name}.{os.getpid()}")
        shutil.copyfile(STAND_IN, beside)
        beside.replace(cached)


def variables(environment: Environment) -> dict[str, str]:
    """The environment of an ansible-test command: it finds every interpreter of this machine on PATH, and no shim."""
    found = environment.variables()
    directories = found["PATH"].split(os.pathsep)
    directories += [
        str(interpreter.path.parent)
        for interpreter in present().values()
        if str(interpreter.path.parent) not in directories
    ]
    found["PATH"] = os.pathsep.join(directories)
    # Without it ansible-test would walk up from the copy and take the checkout around it for the collection.
    found["ANSIBLE_TEST_CONTENT_ROOT"] = str(MIRROR)
    return found


def _pip_version(environment: Environment) -> str:
    """The pip that this release of ansible-test puts into virtual environments: a part of the stand-in's name."""
    pattern = "lib/python3.*/site-packages/ansible_test/_internal/python_requirements.py"
    for source in environment.path.glob(pattern):
        if match := _PIP_VERSION.search(source.read_text(encoding="utf-8")):
            return match[1]
    raise SetUpFailed(f"{environment.path.name}: ansible-test there does not say which pip it wants ({pattern})")
