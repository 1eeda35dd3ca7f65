# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""On which pairs of Python and ansible-core the collection is tested: the oldest and the newest that run here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tests.toolchain.interpreters import Interpreter, Version


@dataclass(frozen=True)
class Core:
    """A release line of ansible-core and the Pythons that its controller runs on."""

    line: str
    oldest_python: Version
    newest_python: Version

    def runs_on(self, version: Version) -> bool:
        return self.oldest_python <= version <= self.newest_python


# ansible-core's own support matrix. meta/runtime.yml names the older line as the oldest that the collection accepts.
OLDEST_CORE = Core("2.19", (3, 11), (3, 13))
NEWEST_CORE = Core("2.21", (3, 12), (3, 14))


@dataclass(frozen=True)
class Pair:
    """One Python with one release line of ansible-core."""

    interpreter: Interpreter
    core: Core

    @property
    def name(self) -> str:
        return f"{self.interpreter.version[0]}.{self.interpreter.version[1]}-core-{self.core.line}"

    def __str__(self) -> str:
        return f"Python {self.interpreter.version[0]}.{self.interpreter.version[1]} with ansible-core {self.core.line}"


def oldest(present: Mapping[Version, Interpreter]) -> Pair | None:
    """The oldest supported ansible-core on the oldest Python here that it runs on."""
    versions = [version for version in present if OLDEST_CORE.runs_on(version)]
    return Pair(present[min(versions)], OLDEST_CORE) if versions else None


def newest(present: Mapping[Version, Interpreter]) -> Pair | None:
    """The newest supported ansible-core on the newest Python here that it runs on, else the older line."""
    for core in (NEWEST_CORE, OLDEST_CORE):
        versions = [version for version in present if core.runs_on(version)]
        if versions:
            return Pair(present[max(versions)], core)
    return None


def pairs(present: Mapping[Version, Interpreter]) -> list[Pair]:
    """What to test on, oldest first, each pair once; empty where no Python is new enough."""
    found = [pair for pair in (oldest(present), newest(present)) if pair]
    return list(dict.fromkeys(found))


def not_here(present: Mapping[Version, Interpreter]) -> list[str]:
    """What the machine cannot be asked to prove, one sentence each."""
    missing = []
    if not any(OLDEST_CORE.runs_on(version) for version in present):
        missing.append(f"no Python for ansible-core {OLDEST_CORE.line} here: it needs 3.11 to 3.13")
    if not any(NEWEST_CORE.runs_on(version) for version in present):
        missing.append(
            f"no Python 3.12 or newer here: ansible-core {NEWEST_CORE.line} is not tested, {OLDEST_CORE.line} is"
        )
    return missing
