# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Trees of the personalities as a GET shows them, without a socket."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from functools import cache
from random import Random
from typing import Any

from tests.emulators.redfish.bmc import Bmc
from tests.emulators.redfish.body import CompiledTree
from tests.emulators.redfish.http1 import DateHeader
from tests.emulators.redfish.personalities.index import PERSONALITIES
from tests.emulators.redfish.personality import Personality
from tests.emulators.redfish.plan import Plan, unit
from tests.emulators.redfish.surroundings import Platform, Surroundings
from tests.emulators.redfish.tls import Authority

NAMES = sorted(PERSONALITIES)
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=timezone.utc)

Bodies = Mapping[str, dict[str, Any]]


@cache
def platform(name: str) -> Platform:
    personality = PERSONALITIES[name]
    return Platform(name, personality.manners, CompiledTree(personality.tree()))


def bmc(name: str, index: int) -> Bmc:
    """A BMC as the fleet makes it, that listens nowhere."""
    around = Surroundings(
        loop=asyncio.new_event_loop(),
        clock=lambda: 1000.0,
        now=lambda: NOW,
        random=Random(1),
        date=DateHeader(NOW.timestamp),
        authority=Authority(1),
    )
    around.loop.close()
    plan = Plan(bmcs=1, network="127.0.0.0/8", platforms={name: 1})
    personality: Personality = PERSONALITIES[name]
    return Bmc(unit(plan, index, f"127.16.0.{index + 1}", personality), platform(name), around)


@cache
def bodies(name: str, index: int = 0, powered: bool = True) -> Bodies:
    """Every resource as a GET shows it, with the machine on (or off)."""
    asked = bmc(name, index)
    for system in asked.platform.tree.by_kind.get("ComputerSystem", ()):
        asked.machine(system).reset("ForceOn" if powered else "ForceOff")
    found = {path: asked.body(path) for path in asked.platform.tree.resources}
    return {path: body for path, body in found.items() if body is not None}


def nodes(value: Any, pointer: str = "") -> Iterator[tuple[str, Any]]:
    """Each node of a body with its pointer."""
    yield pointer, value
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from nodes(inner, f"{pointer}/{key}")
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from nodes(inner, f"{pointer}/{i}")


def values(name: str, keys: set[str], index: int = 0) -> list[tuple[str, Any]]:
    """(path#pointer, value) of every property of these names."""
    return [
        (f"{path}#{pointer}", value)
        for path, body in bodies(name, index).items()
        for pointer, value in nodes(body)
        if pointer.rpartition("/")[2] in keys
    ]


def first(name: str, kind: str, index: int = 0) -> dict[str, Any]:
    return bodies(name, index)[platform(name).tree.first(kind)]


def of_kind(name: str, kind: str) -> list[dict[str, Any]]:
    return [bodies(name)[path] for path in platform(name).tree.by_kind.get(kind, ())]
