# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The virtual environments under the checkout, one for each (Python, ansible-core) and one for each set of tools.

An environment grows in levels, so that `make demo` installs what a controller needs and not one test tool. Each level
leaves a stamp that holds a digest of everything that it was made from; a run that finds its stamps does nothing.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tests.toolchain.interpreters import Interpreter, is_shim, present
from tests.toolchain.locks import alone
from tests.toolchain.matrix import OLDEST_CORE, Pair
from tests.toolchain.places import LOGS, ROOT
from tests.toolchain.requirements import lower_bounds
from tests.toolchain.saying import say

CONTROLLER = "meta/ee-requirements.txt"
EMULATORS = "tests/requirements-emulators.txt"
TESTS = "tests/requirements.txt"
INTEGRATION = "tests/requirements-integration.txt"
TOOLS = "tests/requirements-tools.txt"
GALAXY_IMPORTER = "tests/requirements-galaxy-importer.txt"
VIRTUALBMC = "tests/requirements-virtualbmc.txt"
RACK = "tests/requirements-rack.txt"


class SetUpFailed(Exception):
    """An environment could not be made; the text says which step, why, and where its output is."""


@dataclass(frozen=True)
class Environment:
    """What an environment is to be: its interpreter and, level by level, the requirement files in it."""

    name: str
    interpreter: Interpreter
    levels: tuple[str, ...]
    constraints: tuple[str, ...] = field(default=())

    @property
    def path(self) -> Path:
        return ROOT / f".venv-{self.name}"

    @property
    def python(self) -> Path:
        return self.path / "bin" / "python"

    def variables(self) -> dict[str, str]:
        """The process environment of a command that runs in it."""
        kept = {
            name: value
            for name, value in os.environ.items()
            # What steers a developer's own Ansible, git hooks or Python must not steer a test.
            if not name.startswith(("ANSIBLE_", "GIT_DIR", "GIT_INDEX", "GIT_WORK_TREE", "PYTHON", "MAKE", "MFLAGS"))
        }
        directories = [
            entry for entry in kept.get("PATH", os.defpath).split(os.pathsep) if entry and not is_shim(entry)
        ]
        directories += [entry for entry in ("/usr/sbin", "/sbin") if entry not in directories]
        kept["PATH"] = os.pathsep.join([str(self.path / "bin"), *directories])
        kept["VIRTUAL_ENV"] = str(self.path)
        return kept


def for_pair(pair: Pair, *levels: str) -> Environment:
    """The environment of a (Python, ansible-core) pair, grown up to the given levels.

    With the oldest ansible-core comes each dependency at its declared lower bound: a bound that nobody runs is a guess.
    """
    core = f"ansible-core~={pair.core.line}.0"
    bounds = lower_bounds(ROOT / CONTROLLER) if pair.core is OLDEST_CORE else {}
    pins = [f"{name}=={version}" for name, version in bounds.items() if name != "ansible-core"]
    return Environment(pair.name, pair.interpreter, (CONTROLLER, *levels), (core, *pins))


def with_tools(name: str, level: str) -> Environment:
    """An environment of tools on the newest Python here that is not younger than they know."""
    versions = [version for version in present() if (3, 11) <= version <= (3, 13)]
    if not versions:
        raise SetUpFailed("no Python 3.11 to 3.13 on this machine: the tools have nothing to run on")
    return Environment(name, present()[max(versions)], (level,))


def make_all(*environments: Environment) -> None:
    """Make several, two at a time: installing waits for the network as often as it works."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        for made in [pool.submit(make, environment) for environment in environments]:
            made.result()


def make(environment: Environment) -> None:
    """Bring an environment to what it is to be; nothing to do is quick and silent."""
    with alone(environment.path.name):
        identity = _digest([str(environment.interpreter)])
        if not _has_stamp(environment, "interpreter", identity):
            say(f"{environment.path.name}: made with Python {environment.interpreter}")
            shutil.rmtree(environment.path, ignore_errors=True)
            _run(environment, "venv", [str(environment.interpreter.path), "-m", "venv", str(environment.path)])
            _stamp(environment, "interpreter", identity)
        digest = identity
        for number, level in enumerate(environment.levels):
            digest = _digest([digest, *environment.constraints, (ROOT / level).read_text(encoding="utf-8")])
            if _has_stamp(environment, level, digest):
                continue
            say(f"{environment.path.name}: installing {level}")
            # Every earlier level again, so that pip sees all demands at once and a later one cannot undo them.
            _install(environment, environment.levels[: number + 1])
            _stamp(environment, level, digest)


def _install(environment: Environment, levels: Sequence[str]) -> None:
    constraints = environment.path / "constraints.txt"
    constraints.write_text("".join(f"{line}\n" for line in environment.constraints), encoding="utf-8")
    command = [str(environment.python), "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "-q"]
    command += ["-c", str(constraints)]
    for level in levels:
        command += ["-r", str(ROOT / level)]
    _run(environment, f"pip-{Path(levels[-1]).stem}", command)


def _run(environment: Environment, step: str, command: Sequence[str]) -> None:
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / f"{environment.path.name.lstrip('.')}-{step}.log"
    with log.open("w", encoding="utf-8") as output:
        code = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, cwd=ROOT, check=False
        ).returncode
    if code != 0:
        tail = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-12:])
        raise SetUpFailed(f"{environment.path.name}: {step} failed (exit {code}), see {log}\n{tail}")


def _digest(parts: Sequence[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _stamp_of(environment: Environment, subject: str) -> Path:
    return environment.path / f".stamp-{Path(subject).stem}"


def _has_stamp(environment: Environment, subject: str, digest: str) -> bool:
    stamp = _stamp_of(environment, subject)
    return stamp.is_file() and stamp.read_text(encoding="utf-8") == digest and environment.python.exists()


def _stamp(environment: Environment, subject: str, digest: str) -> None:
    _stamp_of(environment, subject).write_text(digest, encoding="utf-8")
