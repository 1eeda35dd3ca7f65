# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One emulated BMC: its identity, its state, its sockets. What it answers stands in service.py."""

from __future__ import annotations

import asyncio
import math
import socket
import ssl
import zlib
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from tests.emulators.redfish import service
from tests.emulators.redfish.accounts import SERVICE as ACCOUNT_SERVICE
from tests.emulators.redfish.accounts import AccountBook
from tests.emulators.redfish.body import merged
from tests.emulators.redfish.faults import Fault, make_fault
from tests.emulators.redfish.http1 import HttpConnection, Reply, Request
from tests.emulators.redfish.machine import Machine, RealMachine, SimulatedMachine
from tests.emulators.redfish.messages import Refusal
from tests.emulators.redfish.personality import SERVICE_ROOT, Json, Manners, Template, Unit
from tests.emulators.redfish.registry import KEEPERS, LOG_WATCHERS, Keeper
from tests.emulators.redfish.sessions import SERVICE as SESSION_SERVICE
from tests.emulators.redfish.sessions import SessionBook
from tests.emulators.redfish.statistics import Counters
from tests.emulators.redfish.surroundings import Platform, Surroundings
from tests.emulators.redfish.tls import server_context
from tests.emulators.redfish.wire import Listener, Mute, Wire

_MOST_LOG_ENTRIES = 200


@dataclass(slots=True)
class LogEntry:
    id: str
    created: str
    message: str
    severity: str


class Bmc:
    __slots__ = (
        "__weakref__",
        "_accounts",
        "_clock_offset",
        "_connections",
        "_context",
        "_listeners",
        "_machines",
        "_ready_at",
        "_sessions",
        "_up",
        "around",
        "counters",
        "faults",
        "generation",
        "hidden",
        "kept",
        "logs",
        "overlay",
        "platform",
        "real",
        "unit",
    )

    def __init__(self, unit: Unit, platform: Platform, around: Surroundings) -> None:
        self.unit = unit
        self.platform = platform
        self.around = around
        self.counters = Counters()
        self.faults: tuple[Fault, ...] = ()
        self.generation = 0  # of the key and certificate
        self.overlay: dict[str, dict[str, Json]] = {}  # path -> what PATCH (or a test) wrote there
        self.hidden: set[str] = set()  # paths of the tree that were deleted
        self.logs: dict[str, list[LogEntry]] = {}  # collection -> entries, oldest first
        self.kept: dict[str, Any] = {}  # a keeper's or an action's own state, by its name
        self._accounts: AccountBook | None = None
        self._sessions: SessionBook | None = None
        self._machines: dict[str, Machine] = {}
        self.real: RealMachine | None = None  # the machine of the first system, where there is one
        self._context: ssl.SSLContext | None = None
        self._connections: set[Wire] = set()
        self._listeners: list[Listener] = []
        self._up = False  # wants to listen
        self._ready_at = 0.0
        self._clock_offset = timedelta(0)

    # what templates read (personality.BmcView)

    @property
    def manners(self) -> Manners:
        return self.platform.manners

    def now(self) -> datetime:
        return self.around.now() + self._clock_offset

    def machine(self, system: str = "") -> Machine:
        path = system or self.platform.tree.first("ComputerSystem")
        found = self._machines.get(path)
        if found is None:
            found = self._machines[path] = SimulatedMachine(self.manners, self.around.clock)
        return found

    def attach(self, real: RealMachine) -> None:
        """That machine stands behind the first system."""
        self.real = real
        self._machines[self.platform.tree.first("ComputerSystem")] = real

    def adopt(self, platform: Platform) -> None:
        """From now on with that platform's manners and tree; machines, accounts and sessions stay as they are."""
        self.platform = platform
        if self._accounts is not None:
            self._accounts.adopt(platform.manners)
        if self._sessions is not None:
            self._sessions.adopt(platform.manners)
        for machine in self._machines.values():
            if isinstance(machine, SimulatedMachine):
                machine.adopt(platform.manners)

    def reading(self, name: str, middle: float, spread: float) -> float:
        phase = zlib.crc32(f"{self.unit.index}/{name}".encode()) / 2**32 * 2 * math.pi
        return middle + spread * math.sin(phase + self.around.clock() / 60.0)

    def setting(self, path: str, pointer: str) -> Json:
        value: Json = self.overlay.get(path)
        for name in pointer.strip("/").split("/"):
            value = value.get(name) if isinstance(value, dict) else None
        return value

    # accounts, sessions, log

    @property
    def accounts(self) -> AccountBook:
        if self._accounts is None:
            around = self.around
            self._accounts = AccountBook(
                self.manners, around.username, around.password, around.clock, partial(self.setting, ACCOUNT_SERVICE)
            )
        return self._accounts

    @property
    def sessions(self) -> SessionBook:
        if self._sessions is None:
            self._sessions = SessionBook(
                self.manners.session_limit,
                self._session_timeout,
                self.around.clock,
                self.around.random,
                drop_oldest=self.manners.session_overflow == "oldest_dropped",
            )
        return self._sessions

    @property
    def open_sessions(self) -> int:
        return 0 if self._sessions is None else len(self._sessions)

    def _session_timeout(self) -> float:
        written = self.setting(SESSION_SERVICE, "SessionTimeout")
        return self.manners.session_timeout if written is None else float(written)

    def log(self, text: str, severity: str = "OK") -> None:
        """Writes to the platform's first log that keeps entries."""
        collection = self.platform.tree.first("LogEntryCollection")
        if not collection:
            return
        entries = self.logs.setdefault(collection, [])
        number = int(entries[-1].id) + 1 if entries else len(self.platform.tree.children.get(collection, ())) + 1
        entry = LogEntry(str(number), self.now().strftime("%Y-%m-%dT%H:%M:%S+00:00"), text, severity)
        entries.append(entry)
        del entries[:-_MOST_LOG_ENTRIES]
        for watch in LOG_WATCHERS:
            watch(self, collection, entry)

    def background(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs beside the answering of requests."""
        task = self.around.loop.create_task(work)
        tasks: set[asyncio.Task[None]] = self.kept.setdefault("background", set())
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    def set_clock(self, moment: datetime) -> None:
        self._clock_offset = moment - self.around.now()

    # resources

    def keeper_of(self, path: str) -> tuple[Keeper, str, str] | None:
        """(keeper, collection, member id) where the path lies in a kept collection."""
        collection, _dummy, member = path.rpartition("/")
        resource = self.platform.tree.resources.get(collection)
        keeper = KEEPERS.get(resource.kind) if resource is not None else None
        return None if keeper is None else (keeper, collection, member)

    def body(self, path: str, steady: bool = False, *, faulty: bool = True) -> dict[str, Json] | None:
        """The resource as a GET shows it, with what its faults make of it if ``faulty``; None where there is none. Its
        top level may be written."""
        path = path.rstrip("/")
        tree = self.platform.tree
        resource = tree.resources.get(path)
        if resource is None:
            body = self._kept_body(path)
            if body is None:
                return None
        elif path in self.hidden:
            return None
        else:
            body = resource.render(self, steady)
            if resource.members_from_tree:
                self._fill_members(path, resource.kind, body)
        change = self.overlay.get(path)
        if change is not None:
            body = merged(body, change)
        for fault in self.faults if faulty else ():
            body = fault.body(self, path, body)
        return body

    def _kept_body(self, path: str) -> Template | None:
        kept = self.keeper_of(path)
        if kept is None:
            return None
        keeper, collection, member = kept
        found = keeper.read(self, collection, member)
        return None if found is None else {"@odata.id": path, **found}

    def _fill_members(self, path: str, kind: str, body: dict[str, Json]) -> None:
        members = [child for child in self.platform.tree.children.get(path, ()) if child not in self.hidden]
        keeper = KEEPERS.get(kind)
        if keeper is not None:
            members += [f"{path}/{member}" for member in keeper.members(self, path)]
        body["Members"] = [{"@odata.id": member} for member in members]
        body["Members@odata.count"] = len(members)

    # the network

    def start(self) -> None:
        """Listens. Raises OSError where a port is taken."""
        self._up = True
        around = self.around
        if not self._listeners:
            self._listeners.append(Listener(around.loop, self.unit.address, around.https_port, self._accept_tls))
            if around.http_port and self.manners.plain_http != "refused":
                self._listeners.append(Listener(around.loop, self.unit.address, around.http_port, self._accept_plain))
        self._listen()

    def stop(self) -> None:
        self._up = False
        self._listen()
        self.drop_connections()

    def _listen(self) -> None:
        wanted = self._up and not any(fault.refuses for fault in self.faults)
        for listener in self._listeners:
            if wanted:
                listener.open()
            else:
                listener.close()

    def drop_connections(self) -> None:
        for wire in list(self._connections):
            wire.close()

    def restart(self, seconds: float | None = None) -> None:
        """The BMC boots: connections die, nobody listens for a while, sessions are gone; the machine runs on."""
        if self._sessions is not None:
            self._sessions.restart()
        if self.real is not None:
            self._lose_media(self.real)
        self.stop()
        down = self.manners.bmc_restart_seconds if seconds is None else seconds
        self.around.loop.call_later(down, self._come_back)

    def _lose_media(self, real: RealMachine) -> None:
        """They were read through the BMC."""
        for slot in self.platform.tree.by_kind.get("VirtualMedia", ()):
            if real.has(slot):
                self.overlay.pop(slot, None)
        self.background(real.drop_media())

    def _come_back(self) -> None:
        self._ready_at = self.around.clock() + self.manners.not_ready_seconds
        self.log("The BMC has restarted.")
        self.start()

    @property
    def ready(self) -> bool:
        return self.around.clock() >= self._ready_at

    @property
    def context(self) -> ssl.SSLContext:
        if self._context is None:
            generation = self.generation + sum(fault.changes_certificate for fault in self.faults)
            if generation == 0 and self.around.shared_context is not None:
                self._context = self.around.shared_context
            else:
                self._context = server_context(self.around.authority.issue([self.unit.address], generation))
        return self._context

    def renew_certificate(self) -> None:
        self.generation += 1
        self._context = None

    def set_faults(self, faults: Mapping[str, Mapping[str, Any]]) -> None:
        """These faults from now on, and no others. Raises ValueError for an unknown name or option."""
        made = tuple(make_fault(name, options or {}, self.unit) for name, options in faults.items())
        if any(fault.changes_certificate for fault in made) != any(fault.changes_certificate for fault in self.faults):
            self._context = None
        self.faults = made
        self._listen()

    def _accept_tls(self, sock: socket.socket) -> None:
        self._accept(sock, "https", self.context)

    def _accept_plain(self, sock: socket.socket) -> None:
        self._accept(sock, "http", None)

    def _accept(self, sock: socket.socket, scheme: str, context: ssl.SSLContext | None) -> None:
        self.counters.connections += 1
        loop = self.around.loop
        stall_after = None
        for fault in self.faults:
            if fault.mute:
                self._hold(sock)
                return
            if fault.stalls_handshake is not None and context is not None:
                stall_after = fault.stalls_handshake
        connection = HttpConnection(
            scheme,
            self.around.date,
            self._handle,
            established=self._shook_hands if context is not None else None,
            failed=self._failed_handshake,
            lost=self._lost,
        )
        wire = Wire(loop, sock, connection, context, stall_after)
        connection.wire = wire
        self._connections.add(wire)

    def _hold(self, sock: socket.socket) -> None:
        holder: list[Wire] = []
        wire = Wire(self.around.loop, sock, Mute(lambda: self._connections.discard(holder[0])))
        holder.append(wire)
        self._connections.add(wire)

    def _shook_hands(self) -> None:
        self.counters.handshakes += 1

    def _failed_handshake(self) -> None:
        self.counters.failed_handshakes += 1

    def _lost(self, connection: HttpConnection) -> None:
        if connection.wire is not None:
            self._connections.discard(connection.wire)

    # requests

    def _handle(self, connection: HttpConnection, request: Request) -> None:
        self.counters.request(request.method)
        delay = self._delay(request)
        if delay > 0.0:
            self.around.loop.call_later(delay, self._answer, connection, request)
        else:
            self._answer(connection, request)

    def _delay(self, request: Request) -> float:
        least, most = self.around.latency
        delay = least if least == most else self.around.random.uniform(least, most)
        if self.manners.slow:
            delay += self.manners.slow.get(request.path.rstrip("/"), 0.0)
        for fault in self.faults:
            delay += fault.delay(self, request)
        return delay

    def _answer(self, connection: HttpConnection, request: Request) -> None:
        if connection.wire is None or connection.wire.closed():
            return
        reply: Reply | None = None
        try:
            for fault in self.faults:
                reply = reply or fault.before(self, request)
            if connection.wire.closed():  # a fault restarted the BMC
                return
            if not self.ready and request.path.rstrip("/") != SERVICE_ROOT:
                seconds = str(self.manners.retry_after)
                raise Refusal(503, "ServiceTemporarilyUnavailable", seconds, headers=(("Retry-After", seconds),))
        except Refusal as refusal:
            reply = refusal.reply(self.manners)
        if reply is None:
            reply = service.answer(self, request)
        else:
            service.add_headers(self.manners, request, reply)
        for fault in self.faults:
            fault.answer(self, request, reply)
        if reply.until is not None:
            self.background(self._answer_later(connection, request, reply))
        else:
            self._send(connection, request, reply)

    async def _answer_later(self, connection: HttpConnection, request: Request, reply: Reply) -> None:
        try:
            if reply.until is not None:
                await reply.until()
        except Refusal as refusal:
            reply = refusal.reply(self.manners)
            service.add_headers(self.manners, request, reply)
        self._send(connection, request, reply)

    def _send(self, connection: HttpConnection, request: Request, reply: Reply) -> None:
        limit = self.manners.requests_per_connection
        if not self.manners.keep_alive or (limit and connection.served + 1 >= limit):
            reply.close = True
        connection.answer(request, reply)
