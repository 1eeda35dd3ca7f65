# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The admin endpoint: JSON over HTTP on 127.0.0.1; what it counts and what it can do to BMCs."""

from __future__ import annotations

import asyncio
import json
import random
import re
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from tests.emulators.redfish.control import WorkerFailed, WorkerLine
from tests.emulators.redfish.http1 import DateHeader, HttpConnection, Reply, Request
from tests.emulators.redfish.orders import ORDERS
from tests.emulators.redfish.plan import FaultShare, FleetMember
from tests.emulators.redfish.statistics import add, rss_bytes
from tests.emulators.redfish.wire import Listener, Wire

_BMC = re.compile(r"/bmcs/([^/]+)(?:/([a-z_]+))?")


class NoSuchThing(LookupError):
    """The admin endpoint has no such path or method."""


class Admin:
    def __init__(
        self, description: dict[str, Any], workers: list[WorkerLine], shares: Sequence[Sequence[FleetMember]]
    ) -> None:
        self.description = description
        self._workers = workers
        self._worker_of = {
            member.unit.address: line for line, share in zip(workers, shares, strict=True) for member in share
        }
        self._date = DateHeader(time.time)
        self._listener: Listener | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def open(self, loop: asyncio.AbstractEventLoop, port: int) -> int:
        """Listens; returns the port."""
        self._loop = loop
        self._listener = Listener(loop, "127.0.0.1", port, self._accept)
        self._listener.open()
        return self._listener.port

    def close(self) -> None:
        if self._listener is not None:
            self._listener.close()

    def _accept(self, sock: socket.socket) -> None:
        connection = HttpConnection("http", self._date, self._handle)
        connection.wire = Wire(self._loop, sock, connection)

    def _handle(self, connection: HttpConnection, request: Request) -> None:
        task = self._loop.create_task(self._answer(connection, request))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, connection: HttpConnection, request: Request) -> None:
        try:
            body = json.loads(request.body) if request.body else {}
            if not isinstance(body, dict):
                raise ValueError("the body has to be a JSON object")
            reply = Reply(200, await self._dispatch(request.method, request.path.rstrip("/"), body))
        except NoSuchThing as error:
            reply = Reply(404, {"error": str(error)})
        except KeyError as error:
            reply = Reply(404, {"error": str(error.args[0])})
        except ValueError as error:
            reply = Reply(400, {"error": str(error)})
        except (WorkerFailed, OSError) as error:
            reply = Reply(500, {"error": str(error)})
        connection.answer(request, reply)

    async def _dispatch(self, method: str, path: str, body: dict[str, Any]) -> Any:
        plain: dict[tuple[str, str], Callable[[dict[str, Any]], Awaitable[Any]]] = {
            ("GET", "/fleet"): self._fleet,
            ("GET", "/statistics"): self._statistics,
            ("POST", "/statistics/reset"): self._reset,
            ("GET", "/bmcs"): self._describe_all,
            ("GET", "/state"): self._state_of_all,
            ("POST", "/power"): self._power_all,
            ("PUT", "/faults"): self._share_out,
            ("DELETE", "/faults"): self._no_faults,
        }
        if (method, path) in plain:
            return await plain[method, path](body)
        match = _BMC.fullmatch(path)
        if match is not None:
            address, rest = match[1], match[2] or ""
            if (method, rest) == ("GET", ""):
                return await self._order(address, "describe", {})
            if (method, rest) == ("PUT", "faults"):
                return await self._order(address, "faults", {"faults": body})
            if (method, rest) == ("DELETE", "faults"):
                return await self._order(address, "faults", {"faults": {}})
            if method == "POST" and rest in ORDERS:
                return await self._order(address, rest, body)
        raise NoSuchThing(f"{method} {path}: see tests/emulators/README.md for what there is")

    async def _fleet(self, body: dict[str, Any]) -> Any:
        return self.description

    async def _reset(self, body: dict[str, Any]) -> Any:
        await self._all("reset")
        return {}

    async def _all(self, what: str) -> list[Any]:
        return list(await asyncio.gather(*(line.ask(what) for line in self._workers)))

    async def _statistics(self, body: dict[str, Any]) -> dict[str, Any]:
        total: dict[str, Any] = {"rss_bytes": rss_bytes(), "workers": len(self._workers)}
        for part in await self._all("statistics"):
            add(total, part)
        return total

    async def _describe_all(self, body: dict[str, Any]) -> dict[str, Any]:
        return await self._orders("describe", {address: {} for address in self._worker_of})

    async def _state_of_all(self, body: dict[str, Any]) -> dict[str, Any]:
        return await self._orders("state", {address: {} for address in self._worker_of})

    async def _order(self, address: str, order: str, arguments: dict[str, Any]) -> Any:
        return (await self._orders(order, {address: arguments}))[address]

    async def _orders(self, order: str, asked: dict[str, dict[str, Any]]) -> dict[str, Any]:
        per_worker: dict[WorkerLine, dict[str, dict[str, Any]]] = {}
        for address, arguments in asked.items():
            if address not in self._worker_of:
                raise KeyError(f"there is no BMC {address}")
            per_worker.setdefault(self._worker_of[address], {})[address] = arguments
        answers = await asyncio.gather(
            *(line.ask("bmcs", order=order, asked=share) for line, share in per_worker.items())
        )
        return {address: answer for part in answers for address, answer in part.items()}

    async def _power_all(self, body: dict[str, Any]) -> dict[str, Any]:
        return await self._orders("power", dict.fromkeys(self._worker_of, body))

    async def _no_faults(self, body: dict[str, Any]) -> dict[str, Any]:
        return await self._share_out({})

    async def _share_out(self, body: dict[str, Any]) -> dict[str, Any]:
        """``{"black_hole": "5%", "refused": 3, "tls_stall": {"share": "1%", "bytes": 0}}`` on BMCs that differ."""
        addresses = list(self._worker_of)
        random.Random(json.dumps(body, sort_keys=True)).shuffle(addresses)
        asked: dict[str, dict[str, Any]] = {address: {"faults": {}} for address in addresses}
        taken = 0
        for name, wanted in body.items():
            options = dict(wanted) if isinstance(wanted, dict) else {}
            share_text = str(options.pop("share", "100%")) if isinstance(wanted, dict) else str(wanted)
            share = parse_share(name, share_text, options)
            count = share.of(len(addresses))
            for step in range(count):
                asked[addresses[(taken + step) % len(addresses)]]["faults"][name] = options
            taken += count if count < len(addresses) else 0
        await self._orders("faults", asked)
        found: dict[str, list[str]] = {name: [] for name in body}
        for address, arguments in asked.items():
            for name in arguments["faults"]:
                found[name].append(address)
        return found


def parse_share(name: str, text: str, options: dict[str, Any]) -> FaultShare:
    """``5%`` or ``3``. Raises ValueError."""
    try:
        if text.endswith("%"):
            percent = float(text[:-1])
            if not 0 <= percent <= 100:
                raise ValueError
            return FaultShare(name, options, percent=percent)
        count = int(text)
        if count < 0:
            raise ValueError
        return FaultShare(name, options, count=count)
    except ValueError:
        raise ValueError(f"fault {name}: {text!r} is neither a percentage like 5% nor a count of BMCs") from None
