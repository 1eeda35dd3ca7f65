# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""libvirt by its own command line: one ``virsh`` a request, and one that tells what happens to the domains."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tests.emulators.redfish.machine import MachineFailed

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
_EVENT = re.compile(r"^\S+ \S+: event '([a-z-]+)' for domain '([^']*)'(?:: (.*))?$")


@dataclass(frozen=True)
class Event:
    kind: str  # "lifecycle", "reboot", …
    domain: str
    detail: str  # "Started Booted"


def checked_name(name: object) -> str:
    """A domain's name that can stand in a command of virsh. Raises ValueError."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a domain that virsh takes as it is")
    return name


def _environment() -> dict[str, str]:
    return {**os.environ, "LC_ALL": "C.UTF-8"}


def read_now(uri: str, *arguments: str) -> str:
    """What virsh says; for the time before an event loop runs. Raises MachineFailed."""
    if shutil.which("virsh") is None:
        raise MachineFailed("there is no virsh on this machine (Debian: libvirt-clients)")
    try:
        done = subprocess.run(
            ["virsh", "-q", "-c", uri, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            env=_environment(),
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise MachineFailed(f"virsh {arguments[0]} took more than 60 s") from error
    if done.returncode:
        raise MachineFailed(_reason(arguments, done.stderr))
    return done.stdout


def _reason(arguments: Sequence[str], written: str) -> str:
    lines = [line.removeprefix("error: ") for line in written.splitlines() if line.strip()]
    return f"virsh {arguments[0].split(' ')[0]}: {'; '.join(lines) or 'failed without a word'}"


class Virsh:
    """One connection URI, from an event loop."""

    def __init__(self, uri: str) -> None:
        self.uri = uri

    async def run(self, *arguments: str, sent: str = "", seconds: float = 60.0) -> str:
        """``sent`` is there as /dev/stdin. Raises MachineFailed with virsh's own words."""
        given = os.memfd_create("virsh-stdin", os.MFD_CLOEXEC)  # asyncio's own pipe is a socket, which none can open
        try:
            os.write(given, sent.encode())
            os.lseek(given, 0, os.SEEK_SET)
            process = await asyncio.create_subprocess_exec(
                "virsh",
                "-q",
                "-c",
                self.uri,
                *arguments,
                stdin=given,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=_environment(),
            )
        finally:
            os.close(given)
        try:
            out, error = await asyncio.wait_for(process.communicate(), seconds)
        except asyncio.TimeoutError as late:
            raise MachineFailed(f"virsh {arguments[0].split(' ')[0]} took more than {seconds:g} s") from late
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if process.returncode:
            raise MachineFailed(_reason(arguments, error.decode(errors="replace")))
        return out.decode(errors="replace")

    async def monitor(self, domain: str, *commands: dict[str, Any]) -> list[dict[str, Any]]:
        """Commands to QEMU's own monitor, in one go; each answer has ``return`` or ``error``."""
        if not commands:
            return []
        script = "; ".join(
            f"qemu-monitor-command --domain {domain} --cmd '{json.dumps(command)}'" for command in commands
        )
        answers = [json.loads(line) for line in (await self.run(script)).splitlines() if line.strip()]
        if len(answers) != len(commands):
            raise MachineFailed(f"QEMU answered {len(answers)} of {len(commands)} commands")
        return answers

    async def states(self) -> dict[str, str]:
        """Name → what domstate says of it ("running", "shut off", …)."""
        found: dict[str, str] = {}
        for line in (await self.run("list", "--all")).splitlines():
            parts = line.split(None, 2)
            if len(parts) == 3:
                found[parts[1]] = parts[2].strip()
        return found


class EventStream:
    """``virsh event``, kept alive: an end of it (libvirtd restarts) is followed by another one, and by a look at
    everything, since what happened in between nobody tells."""

    def __init__(self, uri: str, told: Callable[[Event], None], resync: Callable[[], None]) -> None:
        self._uri = uri
        self._told = told
        self._resync = resync
        self._task: asyncio.Task[None] | None = None
        self._process: asyncio.subprocess.Process | None = None

    async def begin(self) -> None:
        """Returns when virsh runs."""
        started = asyncio.Event()
        self._task = asyncio.create_task(self._follow(started))
        await started.wait()

    async def end(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _follow(self, started: asyncio.Event) -> None:
        while True:
            # The kernel ends it with us, however we end.
            process = await asyncio.create_subprocess_exec(
                *("setpriv", "--pdeathsig", "TERM"),
                *("virsh", "-q", "-c", self._uri, "event", "--all", "--loop", "--timestamp"),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=_environment(),
            )
            started.set()
            try:
                await self._read(process)
            finally:
                if process.returncode is None:
                    with contextlib.suppress(ProcessLookupError):
                        process.kill()
                    await process.wait()
            print(f"virsh event has ended ({process.returncode}); another one in 1 s", file=sys.stderr, flush=True)
            await asyncio.sleep(1.0)

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        resync = asyncio.get_running_loop().call_later(1.0, self._resync)  # by then it is registered
        try:
            while line := await process.stdout.readline():
                match = _EVENT.match(line.decode(errors="replace").rstrip())
                if match is not None:
                    self._told(Event(match[1], match[2], match[3] or ""))
        finally:
            resync.cancel()
