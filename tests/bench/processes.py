# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A command as a whole process, with the operating system's own account of what it used."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import resource
import subprocess
import tempfile
import time
import typing as t


@dataclasses.dataclass(frozen=True)
class Account:
    """What one finished process used: seconds, megabytes (10^6), and what it printed."""

    wall: float
    cpu: float
    peak_rss_mb: float
    stdout: str


def run(command: t.Sequence[str], *, env: t.Mapping[str, str] | None = None, timeout: float = 900) -> Account:
    """Runs a command to its end; raises RuntimeError with the end of its stderr when it fails.

    CPU and memory are those of the process and the children that it waited for, by wait4(2).
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        began = time.monotonic()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=env)
        usage = _wait(process, began + timeout)
        wall = time.monotonic() - began
        out.seek(0)
        err.seek(0)
        stdout = out.read().decode(errors="replace")
        if process.returncode:
            tail = err.read().decode(errors="replace")[-2000:]
            raise RuntimeError(f"{command[0]} ended with {process.returncode}: {tail} {stdout[-500:]}")
    return Account(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6, stdout)


def _wait(process: subprocess.Popen[bytes], until: float) -> resource.struct_rusage:
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return usage
        if time.monotonic() > until:
            process.kill()
            _pid, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            return usage
        time.sleep(0.02)


def commit(checkout: pathlib.Path) -> str:
    """The commit that is measured, with "+" when the tree differs from it."""

    def git(*words: str) -> str:
        return subprocess.run(["git", "-C", str(checkout), *words], capture_output=True, text=True, check=False).stdout

    return git("rev-parse", "--short", "HEAD").strip() + ("+" if git("status", "--porcelain").strip() else "")
