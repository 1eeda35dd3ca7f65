# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One line on stderr that says how far a discovery is, when a terminal watches.

PRIVATE to the collection. The inventory plugin is the only part of the collection that writes to a terminal by itself:
Ansible has no display for what happens before the first play.
"""

from __future__ import annotations

import sys
import time
import types
import typing as t

INTERVAL = 0.2


class ProgressLine:
    """Counts what is scanned and asked; redraws its line at most five times a second, and removes it at the end."""

    def __init__(
        self, display: t.Any, stream: t.TextIO | None = None, clock: t.Callable[[], float] = time.monotonic
    ) -> None:
        self._display = display
        self._stream = sys.stderr if stream is None else stream
        self._clock = clock
        self._watched = self._stream.isatty()
        self._began = clock()
        self._drawn = self._began
        self._scanned = 0
        self._asked = 0

    def scanned(self) -> None:
        self._scanned += 1
        self._draw()

    def asked(self) -> None:
        self._asked += 1
        self._draw()

    def _draw(self) -> None:
        if not self._watched:
            return
        now = self._clock()
        if now - self._drawn >= INTERVAL:
            self._drawn = now
            self._stream.write(f"\r\x1b[Kdiscovery: {self._scanned} addresses scanned, {self._asked} BMCs asked")
            self._stream.flush()

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        if self._watched:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
        seconds = self._clock() - self._began
        self._display.vv(f"discovery: {self._scanned} addresses scanned, {self._asked} BMCs asked in {seconds:.1f} s")
