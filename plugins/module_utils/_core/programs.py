# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Programs that a node module runs: cryptsetup, clevis, jose, tpm2-tools. Standard library only.

No secret is in an argument or in the environment: one goes to standard input, others into anonymous memory
(memfd_create), which nobody else can open by name and which is gone with the last process that holds it.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Dict, Iterator, Mapping, Optional, Sequence

from .errors import MissingTool, Refused, TimedOut
from .hostile import clean

#: Debian's package of each program.
PACKAGES = {
    "cryptsetup": "cryptsetup-bin",
    "clevis": "clevis",
    "jose": "jose",
    "systemd-cryptenroll": "systemd",
    "tpm2_getcap": "tpm2-tools",
}


@dataclass(frozen=True)
class Ended:
    """How a program ended. ``printed`` may be a secret; ``said`` is what it wrote to its standard error."""

    code: int
    printed: bytes = field(repr=False)
    said: str


@dataclass(frozen=True)
class Programs:
    """Runs programs in one environment, each for ``patience`` seconds at most."""

    environment: Mapping[str, str]
    patience: float = 60.0

    def attempt(
        self,
        *argv: str,
        stdin: bytes = b"",
        handles: Sequence[int] = (),
        more: Optional[Mapping[str, str]] = None,
    ) -> Ended:
        """Run to the end, whatever the end is. ``handles`` are the file descriptors that it inherits."""
        program = shutil.which(argv[0], path=self.environment.get("PATH"))
        if program is None:
            raise MissingTool(
                f"{argv[0]} is not installed",
                expected=argv[0],
                found="no such program",
                where="the node",
                next=f"Install {PACKAGES.get(argv[0], argv[0])}.",
            )
        # run_command, which ansible-test wants here, exists only in a module, and bounds no time.
        process = subprocess.Popen(  # pylint: disable=ansible-bad-function,consider-using-with
            [program, *argv[1:]],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**self.environment, "LC_ALL": "C", **(more or {})},
            pass_fds=tuple(handles),
            start_new_session=True,
        )
        try:
            printed, said = process.communicate(stdin, timeout=self.patience)
        except subprocess.TimeoutExpired as error:
            raise TimedOut(
                f"{argv[0]} {argv[1] if len(argv) > 1 else ''} did not end",
                expected=f"an end within {self.patience:g} s",
                where="the node",
                next="See whether the Tang servers of the binding answer and the TPM is not busy, then run it again.",
            ) from error
        finally:
            if process.poll() is None:
                # clevis is a script: its curl would outlive it.
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
        return Ended(process.returncode, printed, clean(said.decode("utf-8", "replace"), 600))

    def run(
        self,
        *argv: str,
        stdin: bytes = b"",
        handles: Sequence[int] = (),
        more: Optional[Mapping[str, str]] = None,
        where: str = "the node",
    ) -> bytes:
        """What the program printed; Refused where it failed."""
        ended = self.attempt(*argv, stdin=stdin, handles=handles, more=more)
        if ended.code:
            raise Refused(
                f"{' '.join(argv[:2])} failed",
                expected="exit status 0",
                found=ended.said or f"exit status {ended.code}",
                where=where,
                next="Correct what it complains about and run the task again.",
            )
        return ended.printed


@contextmanager
def in_memory(secret: bytes) -> Iterator[int]:
    """A file descriptor of anonymous memory with the secret in it."""
    handle = os.memfd_create("hearth", 0)
    try:
        os.fchmod(handle, 0o600)
        os.write(handle, secret)
        os.lseek(handle, 0, os.SEEK_SET)
        yield handle
    finally:
        os.close(handle)


def node_environment(environ: Mapping[str, str]) -> Dict[str, str]:
    """The environment for programs: paths of the administrator's programs, too, and no secret of systemd's."""
    kept = {name: value for name, value in environ.items() if name not in ("PASSWORD", "NEWPASSWORD", "PIN", "NEWPIN")}
    paths = kept.get("PATH", "/usr/bin:/bin").split(":")
    kept["PATH"] = ":".join([*paths, *(path for path in ("/usr/sbin", "/sbin") if path not in paths)])
    return kept
