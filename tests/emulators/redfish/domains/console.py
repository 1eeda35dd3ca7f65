# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How far a boot has come, by what the machine writes to its serial port: nobody else tells its BMC."""

from __future__ import annotations

import re
from pathlib import Path

_CHUNK = 256 * 1024
_KEPT = 256  # bytes of what was read last: a line may come in two pieces
_FIRST_WORD = b"\x1b[=3h"  # EDK II sets up its console
# In the order of a boot; a later one outranks an earlier one. What stands in no such line is not claimed.
_SIGNS = (
    (re.compile(rb"BdsDxe: loading "), "SystemHardwareInitializationComplete"),
    (re.compile(rb"BdsDxe: starting |Linux version "), "OSBootStarted"),
    (re.compile(rb"Reached target [^\n]*[Mm]ulti-?[Uu]ser|\n\S+ login: "), "OSRunning"),
)


class ConsoleFile:
    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._read_to = 0
        self._kept = b""
        self._reached = -1

    def boot_begins(self) -> None:
        """What stands there by now belongs to an earlier boot."""
        self._read_to, self._kept, self._reached = self._size(), b"", -1

    def boot_began(self) -> None:
        """The machine has been running for a while: its boot is what follows the firmware's last first word."""
        self._kept, self._reached = b"", -1
        self._read_to = max(0, self._size() - 16 * _CHUNK)
        try:
            with open(self._path, "rb") as file:
                file.seek(self._read_to)
                self._read_to += max(0, file.read().rfind(_FIRST_WORD))
        except OSError:
            return

    def _size(self) -> int:
        try:
            return self._path.stat().st_size
        except OSError:
            return 0

    def progress(self) -> str:
        """A BootProgressTypes value; "None" as long as the machine has written nothing that says more."""
        size = self._size()
        if size < self._read_to:
            self._read_to, self._kept = 0, b""
        if size > self._read_to:
            self._look(size)
        return "None" if self._reached < 0 else _SIGNS[self._reached][1]

    def _look(self, size: int) -> None:
        try:
            with open(self._path, "rb") as file:
                # a machine that writes more than this between two questions has said its signs long ago
                file.seek(max(self._read_to, size - 16 * _CHUNK))
                while chunk := file.read(_CHUNK):
                    text = self._kept + chunk
                    for number in range(len(_SIGNS) - 1, self._reached, -1):
                        if _SIGNS[number][0].search(text):
                            self._reached = number
                            break
                    self._kept = text[-_KEPT:]
                self._read_to = file.tell()
        except OSError:
            return
