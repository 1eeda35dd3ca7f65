# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fleets and single BMCs for these tests; the fleets live in 127.43.0.0/16."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from random import Random
from typing import Any

import pytest

from tests.emulators.redfish import actions, keepers, registry
from tests.emulators.redfish.bmc import Bmc
from tests.emulators.redfish.body import CompiledTree
from tests.emulators.redfish.fleet import Fleet
from tests.emulators.redfish.http1 import DateHeader
from tests.emulators.redfish.personalities import generic
from tests.emulators.redfish.personality import Manners, Tree
from tests.emulators.redfish.plan import Plan, unit
from tests.emulators.redfish.surroundings import Platform, Surroundings
from tests.emulators.redfish.tls import Authority
from tests.unit.emulators.raw_client import Client


class Time:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.seconds = 1_000_000.0

    def __call__(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return datetime(2026, 11, 21, tzinfo=timezone.utc) + timedelta(seconds=self.seconds - 1_000_000.0)

    def passes(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def make_bmc(time: Time) -> Iterator[Callable[..., Bmc]]:
    """``make_bmc(Manners(…), tree)``: a BMC without network, to be asked through service.answer."""
    registry.load(keepers)
    registry.load(actions)
    loop = asyncio.new_event_loop()

    def make(manners: Manners | None = None, tree: Tree | None = None, **around: Any) -> Bmc:
        surroundings = Surroundings(
            loop=loop,
            clock=time,
            now=time.now,
            random=Random(1),
            date=DateHeader(time),
            authority=Authority(1),
            **around,
        )
        personality = generic.PERSONALITY
        plan = Plan(1, "127.43.0.0/24", {"generic": 1})
        platform = Platform("test", manners or Manners(), CompiledTree(tree or personality.tree()))
        return Bmc(unit(plan, 0, "127.43.0.1", personality), platform, surroundings)

    yield make
    loop.close()


@pytest.fixture(scope="session")
def fleet() -> Iterator[Fleet]:
    """Twelve generic BMCs in two workers; a test that changes one leaves it as it was, or takes a fresh one."""
    with Fleet(12, "127.43.1.0/24", platforms="generic", http_port=8080, workers=2) as started:
        yield started


@pytest.fixture
def address(fleet: Fleet) -> Iterator[str]:
    """A BMC of the fleet, without faults before, and without faults and sessions after."""
    chosen = fleet.addresses[3]
    fleet.faults(chosen)
    yield chosen
    fleet.faults(chosen)
    fleet.admin("POST", f"/bmcs/{chosen}/end_sessions")


@pytest.fixture
def client(fleet: Fleet, address: str) -> Iterator[Client]:
    with Client(fleet, address) as made:
        yield made
