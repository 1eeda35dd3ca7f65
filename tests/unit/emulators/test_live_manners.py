# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Manners that show on the connection: how long it lives, whether plain HTTP is there, how a BMC comes back."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timezone
from functools import partial
from random import Random

import pytest

from tests.emulators.redfish import actions, keepers, registry
from tests.emulators.redfish.bmc import Bmc
from tests.emulators.redfish.body import CompiledTree
from tests.emulators.redfish.http1 import DateHeader
from tests.emulators.redfish.personalities import generic
from tests.emulators.redfish.personality import Manners
from tests.emulators.redfish.plan import Plan, unit
from tests.emulators.redfish.surroundings import Platform, Surroundings
from tests.emulators.redfish.tls import Authority
from tests.unit.emulators.raw_client import exchange

ADDRESS = "127.43.7.1"
PORT = 8080
GET = b"GET /redfish HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
def serve() -> Iterator[Callable[[Manners], Bmc]]:
    """Serves one BMC of those manners from a thread of this process."""
    registry.load(keepers)
    registry.load(actions)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    started: list[Bmc] = []

    def call(work: Callable[[], None]) -> None:
        async def do() -> None:
            work()

        asyncio.run_coroutine_threadsafe(do(), loop).result(5)

    def start(manners: Manners) -> Bmc:
        around = Surroundings(
            loop=loop,
            clock=time.monotonic,
            now=partial(datetime.now, timezone.utc),
            random=Random(1),
            date=DateHeader(time.time),
            authority=Authority(1),
        )
        platform = Platform("test", manners, CompiledTree(generic.PERSONALITY.tree()))
        identity = replace(unit(Plan(1, "127.43.7.0/24", {"generic": 1}), 0, ADDRESS, generic.PERSONALITY))
        bmc = Bmc(identity, platform, around)
        call(bmc.start)
        started.append(bmc)
        return bmc

    yield start
    for bmc in started:
        call(bmc.stop)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def test_a_platform_without_keep_alive_closes_after_each_answer(serve: Callable[[Manners], Bmc]) -> None:
    serve(Manners(keep_alive=False))
    got = exchange(ADDRESS, PORT, GET + GET)
    assert got.count(b"HTTP/1.1 200") == 1
    assert b"\r\nConnection: close\r\n" in got


def test_a_platform_that_closes_after_some_requests(serve: Callable[[Manners], Bmc]) -> None:
    serve(Manners(requests_per_connection=3))
    got = exchange(ADDRESS, PORT, GET * 5)
    assert got.count(b"HTTP/1.1 200") == 3
    assert got.count(b"Connection: close") == 1


def test_a_platform_without_plain_http_refuses_it(serve: Callable[[Manners], Bmc]) -> None:
    serve(Manners(plain_http="refused"))
    with pytest.raises(ConnectionRefusedError):
        exchange(ADDRESS, PORT, GET)


def test_after_a_restart_it_is_not_ready_for_a_while(serve: Callable[[Manners], Bmc]) -> None:
    bmc = serve(Manners(bmc_restart_seconds=0.2, not_ready_seconds=0.6, retry_after=4))
    bmc.around.loop.call_soon_threadsafe(bmc.restart)
    seen: list[bytes] = []
    until = time.monotonic() + 5
    root = b"GET /redfish/v1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    systems = root.replace(b"/redfish/v1", b"/redfish/v1/Systems")
    while time.monotonic() < until and (not seen or seen[-1] != b"401"):
        try:
            answer = exchange(ADDRESS, PORT, systems)
        except (ConnectionRefusedError, ConnectionResetError):
            seen += [b"refused"] if not seen or seen[-1] != b"refused" else []
        else:
            status = answer.split()[1] if answer else b"refused"
            if status == b"503":
                assert b"\r\nRetry-After: 4\r\n" in answer
                assert exchange(ADDRESS, PORT, root).startswith(b"HTTP/1.1 200")
            seen += [status] if not seen or seen[-1] != status else []
        time.sleep(0.03)
    assert seen[-2:] == [b"503", b"401"]
