# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One way to run a program: no terminal, no inherited input, and its own words in the error."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence

from tests.lab.engine.errors import LabError


def run(command: Sequence[str], *, timeout: float = 120.0, stdin: str | None = None) -> str:
    """The standard output of a program that ended well."""
    answer = attempt(command, timeout=timeout, stdin=stdin)
    if answer.returncode != 0:
        said = (answer.stderr.strip() or answer.stdout.strip() or "it said nothing").splitlines()
        raise LabError(f"{' '.join(command[:4])} … ended with {answer.returncode}: {' / '.join(said[-4:])}")
    return answer.stdout


def attempt(
    command: Sequence[str], *, timeout: float = 120.0, stdin: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program whose failure is an answer, too."""
    # What programs say is compared with, so it must not depend on the user's language; Debian's user PATH lacks sbin.
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "PATH": f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"}
    try:
        return subprocess.run(
            list(command),
            input=stdin if stdin is not None else "",
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            env=environment,
            check=False,
        )
    except FileNotFoundError as error:
        raise LabError(f"{command[0]} is not on this machine: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise LabError(f"{' '.join(command[:4])} … gave no answer in {timeout:g} s") from error
