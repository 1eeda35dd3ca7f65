# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A worker process: serves its share of the BMCs on one event loop and obeys the supervisor."""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timezone
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any

from tests.emulators.redfish import actions, control, keepers, registry
from tests.emulators.redfish.bmc import Bmc
from tests.emulators.redfish.body import CompiledTree
from tests.emulators.redfish.http1 import DateHeader
from tests.emulators.redfish.orders import ORDERS
from tests.emulators.redfish.personality import Personality
from tests.emulators.redfish.plan import FleetMember, Plan
from tests.emulators.redfish.statistics import add, cpu_seconds, rss_bytes
from tests.emulators.redfish.surroundings import Platform, Surroundings
from tests.emulators.redfish.tls import authority, server_context

if TYPE_CHECKING:
    from tests.emulators.redfish.domains.attach import DomainMachines
    from tests.emulators.redfish.domains.description import Domain


class Worker:
    def __init__(self, plan: Plan, number: int, share: Sequence[FleetMember], loop: asyncio.AbstractEventLoop) -> None:
        issuing = authority(plan)
        shared = None
        if plan.certificates == "shared" and share:
            shared = server_context(issuing.issue([member.unit.address for member in share], name="fleet"))
        self._around = Surroundings(
            loop=loop,
            clock=time.monotonic,
            now=partial(datetime.now, timezone.utc),
            random=Random(f"{plan.seed}/worker{number}"),
            date=DateHeader(time.time),
            authority=issuing,
            latency=plan.latency,
            username=plan.username,
            password=plan.password,
            https_port=plan.https_port,
            http_port=plan.http_port,
            shared_context=shared,
        )
        self._power_seconds = plan.power_seconds
        self._platforms: dict[int, Platform] = {}
        self.bmcs: dict[str, Bmc] = {}
        domains: list[tuple[Bmc, Domain]] = []
        for member in share:
            bmc = Bmc(member.unit, self._platform(member.personality), self._around)
            if member.faults:
                bmc.set_faults(member.faults)
            self.bmcs[member.unit.address] = bmc
            if member.domain is not None:
                domains.append((bmc, member.domain))
        self.machines = _machines(plan, domains) if domains else None
        self._cpu_before = 0.0
        self._errors = 0
        loop.set_exception_handler(self._failed)

    def _failed(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """An answer that could not be made: its client waits in vain, the log says why, the statistics count it."""
        self._errors += 1
        loop.default_exception_handler(context)

    def _platform(self, personality: Personality) -> Platform:
        found = self._platforms.get(id(personality))
        if found is None:
            manners, seconds = personality.manners, self._power_seconds
            if seconds is not None:
                manners = replace(
                    manners, power_on_seconds=seconds, power_off_seconds=seconds, graceful_off_seconds=seconds
                )
            found = Platform(personality.name, manners, CompiledTree(personality.tree()), personality.tree)
            self._platforms[id(personality)] = found
        return found

    def obey(self, what: str, arguments: dict[str, Any]) -> Any:
        """Raises KeyError for an unknown BMC, ValueError for a bad argument, OSError where a port is taken."""
        if what == "start":
            return self._start()
        if what == "statistics":
            return self._statistics()
        if what == "reset":
            return self._reset()
        if what == "bmcs":
            return {address: ORDERS[arguments["order"]](self._bmc(address), asked)
                    for address, asked in arguments["asked"].items()}  # fmt: skip
        raise ValueError(f"a worker cannot {what}")

    def _bmc(self, address: str) -> Bmc:
        if address not in self.bmcs:
            raise KeyError(f"there is no BMC {address}")
        return self.bmcs[address]

    def _start(self) -> Any:
        for bmc in self.bmcs.values():
            # made now, since a third of a first request's CPU would go into it
            _dummy = bmc.context
            bmc.start()
        gc.collect()
        gc.freeze()  # what lives as long as the fleet need not be looked at by each collection
        self._reset()
        return {"listening": len(self.bmcs)}

    def _statistics(self) -> Any:
        total: dict[str, Any] = {"sessions_open": 0}
        for bmc in self.bmcs.values():
            add(total, bmc.counters.as_dict())
            total["sessions_open"] += bmc.open_sessions
        total["bmcs"] = len(self.bmcs)
        total["internal_errors"] = self._errors
        total["cpu_seconds"] = cpu_seconds() - self._cpu_before
        total["rss_bytes"] = rss_bytes()
        return total

    def _reset(self) -> Any:
        for bmc in self.bmcs.values():
            bmc.counters.reset()
        self._cpu_before = cpu_seconds()
        return {}


def _machines(plan: Plan, domains: list[tuple[Bmc, Domain]]) -> DomainMachines:
    # Not at the top: thousands of simulated machines need nothing of it.
    from tests.emulators.redfish.domains.attach import DomainMachines

    return DomainMachines(plan, domains)


async def _serve(plan: Plan, number: int, share: Sequence[FleetMember], line: socket.socket) -> None:
    reader, writer = await asyncio.open_unix_connection(sock=line, limit=control.LIMIT)
    worker = Worker(plan, number, share, asyncio.get_running_loop())
    if worker.machines is None:
        await control.serve(reader, writer, worker.obey)
        return
    await worker.machines.begin()
    try:
        await control.serve(reader, writer, worker.obey)
    finally:
        await worker.machines.end()


def run(plan: Plan, number: int, share: Sequence[FleetMember], line: socket.socket) -> None:
    """Runs until the supervisor closes its end of the line, or dies."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the supervisor's business
    registry.load(keepers)
    registry.load(actions)
    asyncio.run(_serve(plan, number, share, line))
