# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks at the same time although both hold the same loopback addresses, and locks that are named after those.

The first runs as it would alone. Each other gets a network with nothing in it but a loopback of its own, and a
directory of its own for temporary files, where the locks lie. What the machine has once stays the tests' matter:
process ids, names in /run/netns, libvirtd, the kernel's list of binary formats.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from tests.toolchain.checks import Check
from tests.toolchain.saying import say

# The process stays the one that was started: a check that is stopped takes all of it with it.
_INSIDE = ("unshare", "--net", "--", "sh", "-c", 'ip link set lo up && exec "$@"', "sh")


def at_once(checks: Sequence[Check]) -> Iterator[list[Check]]:
    """Batches of a stage: one with all of them, or where that cannot be one for each."""
    reason = why_not(checks[0].environment) if len(checks) > 1 else ""
    if reason:
        names = ", ".join(check.name for check in checks)
        say(f"{names}: one after the other, for want of network namespaces ({reason})")
        yield from ([check] for check in checks)
        return
    with ExitStack() as until_they_ended:
        yield [checks[0], *(_apart(check, until_they_ended) for check in checks[1:])]


def why_not(environment: Mapping[str, str]) -> str:
    """Why this user of this machine cannot have a network of its own; "" where it can."""
    if os.geteuid() != 0:
        return "not root"
    try:
        tried = subprocess.run(
            [*_INSIDE, "true"],
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError as error:
        return f"unshare: {error.strerror}"
    return "" if tried.returncode == 0 else tried.stderr.strip() or f"exit {tried.returncode}"


def _apart(check: Check, until: ExitStack) -> Check:
    shared = check.environment.get("TMPDIR") or tempfile.gettempdir()
    own = Path(tempfile.mkdtemp(prefix="hearth-apart-", dir=shared))
    until.callback(shutil.rmtree, own, ignore_errors=True)
    # As open as /tmp: servers that tests start as another user have their files there.
    own.chmod(0o1777)
    # pytest's own directories are numbered, and stay for a while, to be looked at.
    variables = {"TMPDIR": str(own), "PYTEST_DEBUG_TEMPROOT": shared}
    return replace(check, command=[*_INSIDE, *check.command], environment={**check.environment, **variables})
