# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The parent process: forks the workers, waits until everything listens, says so, and ends them all.

The BMCs are split over processes because one process has neither the file descriptors (a listener or two each) nor
the CPU for a large fleet.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import signal
import socket
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.emulators.redfish import worker
from tests.emulators.redfish.admin import Admin
from tests.emulators.redfish.control import LIMIT, WorkerFailed, WorkerLine
from tests.emulators.redfish.plan import FleetMember, Plan, PlanError
from tests.emulators.redfish.tls import authority

_SPARE_FILES = 500  # of each worker, for connections and what Python has open anyway


def _allow_files(plan: Plan) -> None:
    """Takes as many open files as the system gives; raises PlanError where the listeners alone need more."""
    _dummy, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    needed = -(-plan.bmcs // plan.workers) * (2 if plan.http_port else 1) + _SPARE_FILES
    if hard != resource.RLIM_INFINITY and needed > hard:
        raise PlanError(
            f"each of {plan.workers} workers would need {needed} open files and may have {hard}: "
            "use more --workers, or --http-port 0"
        )


def run(plan: Plan, fleet: Sequence[FleetMember], state_dir: Path) -> int:
    """Serves until SIGTERM or SIGINT; returns the exit status. Raises PlanError for a fleet that cannot be."""
    _allow_files(plan)
    shares = [fleet[number :: plan.workers] for number in range(min(plan.workers, len(fleet)))]
    pids: list[int] = []
    lines: list[socket.socket] = []
    for number, share in enumerate(shares):
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            ours.close()
            for line in lines:
                line.close()
            _in_child(plan, number, share, theirs)
        theirs.close()
        pids.append(pid)
        lines.append(ours)
    try:
        return asyncio.run(_supervise(plan, fleet, shares, pids, lines, state_dir))
    finally:
        for line in lines:
            line.close()  # tells the workers to end
        for pid in pids:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)


def _in_child(plan: Plan, number: int, share: Sequence[FleetMember], line: socket.socket) -> None:
    """Never returns: whatever happens here must not run on as a second supervisor."""
    status = 1
    try:
        worker.run(plan, number, share, line)
        status = 0
    finally:
        if status:
            traceback.print_exc()
        sys.stderr.flush()
        os._exit(status)


async def _supervise(
    plan: Plan,
    fleet: Sequence[FleetMember],
    shares: Sequence[Sequence[FleetMember]],
    pids: list[int],
    lines: list[socket.socket],
    state_dir: Path,
) -> int:
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[int] = loop.create_future()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _end, ended, 0)
    descriptors = [os.pidfd_open(pid) for pid in pids]
    for descriptor in descriptors:
        loop.add_reader(descriptor, _end, ended, 1)
    workers = []
    for line in lines:
        reader, writer = await asyncio.open_unix_connection(sock=line, limit=LIMIT)
        workers.append(WorkerLine(reader, writer))
    try:
        starting = asyncio.gather(*(line.ask("start") for line in workers))
        both: list[asyncio.Future[Any]] = [starting, ended]
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            starting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await starting
            return ended.result()
        try:
            starting.result()
        except (OSError, WorkerFailed) as error:
            print(f"the fleet cannot start: {error}", file=sys.stderr)
            return 1
        admin = Admin(_description(plan, fleet, pids, state_dir), workers, shares)
        port = admin.open(loop, plan.admin_port)
        description = {"admin": f"http://127.0.0.1:{port}", **admin.description}
        admin.description = description
        _write(state_dir / "ca.pem", authority(plan).pem)
        _write(state_dir / "fleet.json", json.dumps(description, indent=1).encode())
        status = await ended
        admin.close()
        return status
    finally:
        for descriptor in descriptors:
            loop.remove_reader(descriptor)
            os.close(descriptor)
        for opened in workers:
            opened.close()


def _end(ended: asyncio.Future[int], status: int) -> None:
    if not ended.done():
        ended.set_result(status)


def _description(plan: Plan, fleet: Sequence[FleetMember], pids: list[int], state_dir: Path) -> dict[str, Any]:
    return {
        "ca": str(state_dir / "ca.pem"),
        "pids": [os.getpid(), *pids],
        "https_port": plan.https_port,
        "http_port": plan.http_port,
        "username": plan.username,
        **({} if plan.password_file else {"password": plan.password}),
        "bmcs": [
            {
                "address": member.unit.address,
                "platform": member.personality.name,
                "serial": member.unit.serial,
                "uuid": member.unit.uuid,
                "slot": member.unit.slot,
                "rack": member.unit.rack,
                "faults": sorted(member.faults),
                **({} if member.domain is None else {"domain": member.domain.name}),
            }
            for member in fleet
        ],
    }


def _write(path: Path, data: bytes) -> None:
    """Whoever sees the file sees all of it."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    os.replace(name, path)
