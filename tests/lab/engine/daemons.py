# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Programs that stay: started once, found again by a later run, stopped with everything that they started.

A daemon is the leader of a session of its own. It writes the line of ``/proc/self/stat`` into its pid file itself
before it becomes the program, so there is no moment at which it runs and is not on record; process id and start time
together name one process of this boot, so a recycled id is never taken for it, and never killed.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.lab.engine.errors import LabError

_RECORD_AND_BECOME = 'read -r stat </proc/self/stat; printf "%s\\n" "$stat" >"$0"; exec "$@"'


@dataclass(frozen=True)
class Daemon:
    """A program that is to run, and how one sees that it serves.

    ``ready`` is ``host:port`` (accepts a connection), a path (a socket or file that exists) or empty (it lives).
    ``depends`` is text that the program only reads at its start, such as its configuration: another text, a restart.
    """

    name: str
    argv: tuple[str, ...]
    ready: str = ""
    depends: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    ready_within: float = 30.0
    # A libvirtd's QEMU processes outlive it on purpose: only the process itself is stopped.
    alone: bool = False

    @property
    def digest(self) -> str:
        identity = json.dumps([list(self.argv), dict(self.environment), self.depends], sort_keys=True)
        return hashlib.sha256(identity.encode()).hexdigest()


@dataclass(frozen=True)
class Process:
    """A line of ``/proc/<pid>/stat``, as far as it tells one process from another."""

    pid: int
    state: str
    session: int
    started: int


def process_of(line: str) -> Process | None:
    """Read a stat line; the command's name in it may hold spaces and brackets."""
    head, bracket, tail = line.rpartition(")")
    fields = tail.split()
    if not bracket or len(fields) < 20:
        return None
    return Process(int(head.split(" ", 1)[0]), fields[0], int(fields[3]), int(fields[19]))


def processes() -> Iterator[Process]:
    """Every process of this machine that has not ended."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                process = process_of((entry / "stat").read_text(encoding="utf-8", errors="replace"))
            except OSError:
                continue  # ended while we looked
            if process is not None and process.state not in "ZX":
                yield process


class Daemons:
    """The daemons of one directory: ``<name>.pid``, ``<name>.log`` and ``<name>.digest`` for each."""

    def __init__(
        self,
        directory: Path,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.directory = directory
        self._clock = clock
        self._sleep = sleep

    def names(self) -> list[str]:
        """Those on record, running or not."""
        return sorted(path.stem for path in self.directory.glob("*.pid"))

    def running(self, name: str) -> Process | None:
        """The process of a daemon, if it still is the one that was started."""
        recorded = self._recorded(name)
        return recorded if recorded is not None and _lives(recorded) else None

    def session(self, name: str) -> list[Process]:
        """A daemon and everything that it started and that did not leave its session, also when it died before them.

        While one of them lives, the kernel gives the session's number to nobody else.
        """
        recorded = self._recorded(name)
        if recorded is None or _is_another(recorded):
            return []
        return [each for each in processes() if each.session == recorded.pid and each.started >= recorded.started]

    def _recorded(self, name: str) -> Process | None:
        """What the daemon wrote when it was started, if that was since this machine booted."""
        try:
            line = (self.directory / f"{name}.pid").read_text(encoding="utf-8", errors="replace")
            _digest, boot = (self.directory / f"{name}.digest").read_text(encoding="utf-8").split()
        except (OSError, ValueError):
            return None
        return process_of(line) if boot == _boot() else None

    def is_as(self, daemon: Daemon) -> bool:
        """Whether it runs, as it is to be."""
        try:
            digest, _boot_id = (self.directory / f"{daemon.name}.digest").read_text(encoding="utf-8").split()
        except (OSError, ValueError):
            return False
        return digest == daemon.digest and self.running(daemon.name) is not None

    def ensure(self, daemon: Daemon) -> bool:
        """Make it run as it is to be and wait until it serves; whether anything was changed."""
        if self.is_as(daemon):
            return False
        self.stop(daemon.name, alone=daemon.alone)
        self.start(daemon)
        return True

    def start(self, daemon: Daemon) -> Process:
        self.directory.mkdir(parents=True, exist_ok=True)
        pid_file, log = self.directory / f"{daemon.name}.pid", self.directory / f"{daemon.name}.log"
        (self.directory / f"{daemon.name}.digest").write_text(f"{daemon.digest} {_boot()}\n", encoding="utf-8")
        with log.open("ab") as output:
            child = subprocess.Popen(
                ["/bin/sh", "-c", _RECORD_AND_BECOME, str(pid_file), *daemon.argv],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                cwd="/",
                env={**_environment(), **daemon.environment},
            )
        deadline = self._clock() + daemon.ready_within
        while not (pid_file.is_file() and self.running(daemon.name) is not None and _serves(daemon.ready)):
            if child.poll() is not None:
                raise LabError(f"{daemon.name} ended at once with {child.returncode}: {_tail(log)}")
            if self._clock() > deadline:
                self.stop(daemon.name, alone=daemon.alone)
                raise LabError(
                    f"{daemon.name} runs but did not serve at {daemon.ready} in {daemon.ready_within:g} s: {_tail(log)}"
                )
            self._sleep(0.05)
        process = self.running(daemon.name)
        if process is None:
            raise LabError(f"{daemon.name} ended as soon as it served: {_tail(log)}")
        return process

    def stop(self, name: str, *, alone: bool = False, patience: float = 10.0) -> bool:
        """Stop a daemon and what it started: asked first, then killed. Whether there was one; its record goes, too."""
        targets = self.session(name)
        if alone:
            targets = [process for process in targets if process.pid == process.session]
        for sign, wait in ((signal.SIGTERM, patience), (signal.SIGKILL, 5.0)):
            if not self._signal(targets, sign, wait):
                break
        left = [process.pid for process in targets if _lives(process)]
        if left:
            raise LabError(f"{name}: process {left} does not end, not even when killed; see ps -o stat,wchan {left[0]}")
        for suffix in ("pid", "digest"):
            (self.directory / f"{name}.{suffix}").unlink(missing_ok=True)
        return bool(targets)

    def _signal(self, targets: Sequence[Process], sign: signal.Signals, wait: float) -> bool:
        """Signal those that live and wait; whether any is left."""
        for process in targets:
            if _lives(process):
                try:
                    os.kill(process.pid, sign)
                except ProcessLookupError:
                    continue
        deadline = self._clock() + wait
        while any(_lives(process) for process in targets):
            if self._clock() > deadline:
                return True
            self._sleep(0.05)
        return False


def _now(process: Process) -> Process | None:
    """Who has its process id now."""
    try:
        return process_of(Path(f"/proc/{process.pid}/stat").read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return None


def _lives(process: Process) -> bool:
    now = _now(process)
    return now is not None and now.state not in "ZX" and now.started == process.started


def _is_another(process: Process) -> bool:
    now = _now(process)
    return now is not None and now.started != process.started


def _boot() -> str:
    """What tells this boot of the machine from all others: process ids and start times begin anew with each."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def _environment() -> dict[str, str]:
    """What a daemon inherits: it outlives the shell, so nothing of that shell's session."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LC_ALL", "TZ") if name in os.environ}
    kept["PATH"] = f"{kept.get('PATH', os.defpath)}:/usr/sbin:/sbin"
    return kept


def _serves(ready: str) -> bool:
    if not ready:
        return True
    if ready.startswith("/"):
        return Path(ready).exists()
    host, port = ready.rsplit(":", 1)
    try:
        with socket.create_connection((host, int(port)), timeout=1.0):
            return True
    except OSError:
        return False


def _tail(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-5:]
    return f"{' / '.join(lines) or 'it said nothing'} ({log})"
