# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Engines at work on an emulated BMC of any platform."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ansible_collections.hearth.datacenter.plugins.module_utils._core.trust import Trust
from ansible_collections.hearth.datacenter.plugins.module_utils._redfish.access import Access, Session, opened
from ansible_collections.hearth.datacenter.plugins.module_utils._redfish.credential import Credential
from tests.emulators.redfish.fleet import Fleet
from tests.emulators.redfish.personalities.index import PERSONALITIES

EVERY_PLATFORM = tuple(PERSONALITIES)


def one_of_each(network: str) -> Fleet:
    return Fleet(len(EVERY_PLATFORM), network, platforms=dict.fromkeys(EVERY_PLATFORM, 1))


@dataclass(frozen=True)
class EmulatedBmc:
    """One BMC of a fleet, by its platform."""

    fleet: Fleet
    address: str

    @property
    def access(self) -> Access:
        return Access(
            self.address,
            self.fleet.https_port,
            trust=Trust("verify", ca_path=self.fleet.ca),
            credentials=(Credential("fleet", self.fleet.username, self.fleet.password),),
            deadline=20.0,
        )

    @contextmanager
    def opened(self, **access: Any) -> Iterator[Session]:
        settings = {**vars(self.access), **access}
        with opened(Access(**settings)) as session:
            yield session

    def manners(self, **manners: Any) -> None:
        """From now on this BMC behaves so; none: as its platform does."""
        self.order("manners", manners)

    def overlay(self, path: str, **properties: Any) -> None:
        self.order("overlay", {"resources": {path: properties}})

    def order(self, order: str, arguments: dict[str, Any]) -> None:
        self.fleet.admin("POST", f"/bmcs/{self.address}/{order}", arguments)

    @property
    def open_sessions(self) -> int:
        return int(self.fleet.admin("GET", f"/bmcs/{self.address}")["sessions_open"])


def bmc_of(fleet: Fleet, platform: str) -> EmulatedBmc:
    return EmulatedBmc(fleet, next(bmc["address"] for bmc in fleet.bmcs if bmc["platform"] == platform))


BmcMaker = Callable[..., EmulatedBmc]
"""Of a platform's name and manners that it does not have by itself."""


@contextmanager
def lent(fleet: Fleet, restore: Callable[[Session], object]) -> Iterator[BmcMaker]:
    """BMCs for one test. Afterwards no session is left; faults are off, manners the platform's, and ``restore`` undoes
    what the test did to the machine."""
    used: list[EmulatedBmc] = []

    def make(platform: str, **manners: Any) -> EmulatedBmc:
        used.append(bmc_of(fleet, platform))
        if manners:
            used[-1].manners(**manners)
        return used[-1]

    yield make
    for one in used:
        assert one.open_sessions == 0
        one.manners()
        fleet.faults(one.address)
        with one.opened() as session:
            restore(session)
