# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A person at a terminal: runs a command in a pseudo-terminal and answers its questions."""

from __future__ import annotations

import os
import pty
import select
import termios
import time
from collections.abc import Mapping, Sequence


def answer(
    command: Sequence[str],
    answers: Sequence[tuple[str, str]],
    *,
    environment: Mapping[str, str],
    folder: str,
    deadline: float = 90,
) -> tuple[int, str]:
    """Run it; each time that the next of the expected texts appears, type the answer and Return.

    Exit code (-1: it did not end in time and was killed) and everything that the terminal showed.
    """
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(folder)
        os.execvpe(command[0], list(command), dict(environment))
    shown, looked_at, left = "", 0, list(answers)
    until = time.monotonic() + deadline
    code = -1
    while time.monotonic() < until:
        if not select.select([terminal], [], [], 0.3)[0]:
            # Ansible throws away what was typed before it asks: it asks once it reads single keys and is silent.
            if left and left[0][0] in shown[looked_at:] and _reads_single_keys(terminal):
                looked_at = len(shown)
                os.write(terminal, left.pop(0)[1].encode() + b"\r")
            continue
        try:
            received = os.read(terminal, 65536)
        except OSError:
            # Linux says so when the other side has closed the terminal.
            received = b""
        if not received:
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            break
        shown += received.decode("utf-8", "replace")
    else:
        os.kill(child, 9)
        os.waitpid(child, 0)
    os.close(terminal)
    return code, shown


def _reads_single_keys(terminal: int) -> bool:
    return not termios.tcgetattr(terminal)[3] & termios.ICANON
