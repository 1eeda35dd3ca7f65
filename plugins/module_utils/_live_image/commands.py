# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Programs of the build host: what they print goes to a log file, and its end into the error when they fail."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Mapping, Optional, Sequence

from .._core.errors import HearthError

_TAIL = 1500

#: In front of a program: it, and whatever it has started, ends with the process that runs it here, however that ends. A
#: process namespace of its own dies with its first process, that one with unshare, and unshare with its parent.
CONTAINED = (
    *("setpriv", "--pdeathsig", "KILL", "--"),
    *("unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "--"),
)
#: The same for a program that starts no others.
ENDS_WITH_US = ("setpriv", "--pdeathsig", "KILL", "--")


class MissingTool(HearthError):
    """A program that the build needs is not installed on this machine."""


class CommandFailed(HearthError):
    """A program of the build ended with an error."""


@dataclass(frozen=True)
class Commands:
    """Runs programs in one environment, with one log."""

    log: Path
    environment: Mapping[str, str]

    def run(self, *argv: object, cwd: Optional[Path] = None) -> str:
        """What the program printed on its standard output; everything else is in the log."""
        words = [str(word) for word in argv]
        with self.log.open("ab") as log:
            log.write(f"+ {' '.join(shlex.quote(word) for word in words)}\n".encode())
            log.flush()
            start = log.tell()
            try:
                # run_command, which ansible-test wants here, exists only in a module, and keeps no log while it runs.
                done = subprocess.run(  # pylint: disable=ansible-bad-function
                    words,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    env=dict(self.environment),
                    cwd=cwd,
                    check=False,
                )
            except FileNotFoundError:
                raise MissingTool(
                    f"{words[0]} is not installed on this machine",
                    expected=words[0],
                    found="no such program",
                    next="Install it, or let the role install what it needs.",
                ) from None
            log.write(done.stdout)
        if done.returncode:
            raise CommandFailed(
                f"{Path(words[0]).name} failed",
                expected="exit code 0",
                found=f"exit code {done.returncode}: {self._since(start)}",
                where=str(self.log),
                next="Read the log; nothing that was there before has been changed.",
            )
        return done.stdout.decode("utf-8", "replace")

    def _since(self, start: int) -> str:
        with self.log.open("rb") as log:
            log.seek(start)
            text = log.read().decode("utf-8", "replace").strip()
        return text if len(text) <= _TAIL else "…" + text[-_TAIL:]


def build_environment(source_date_epoch: Optional[int] = None) -> Dict[str, str]:
    """The same for every build: no locale, time zone or secret of whoever started it; only how to reach a mirror."""
    environment = {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/root",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONHASHSEED": "0",
        "DEBIAN_FRONTEND": "noninteractive",
        # Debian's kernel packages make no initrd while they are installed; the customisation makes the only one.
        "INITRD": "No",
    }
    if source_date_epoch is not None:
        environment["SOURCE_DATE_EPOCH"] = str(source_date_epoch)
    for name in ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"):
        if name in os.environ:
            environment[name] = os.environ[name]
    return environment


def require_tools(names: Sequence[str]) -> None:
    """Say at once everything that is missing, before anything is made."""
    path = build_environment()["PATH"]
    missing = [name for name in names if not shutil.which(name, path=path)]
    if missing:
        raise MissingTool(
            f"this machine lacks {', '.join(missing)}",
            expected=", ".join(names),
            found=f"no {', '.join(missing)} in {path}",
            next="Install them, or let the role install what it needs.",
        )
