# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A point in time after which an answer is no longer wanted."""

from __future__ import annotations

import time
from typing import Callable

from .errors import TimedOut


class Deadline:
    """A moment on a monotonic clock. Immutable, so it can be handed down and shared between threads."""

    __slots__ = ("at", "clock")

    def __init__(self, at: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.at = at
        self.clock = clock

    @classmethod
    def after(cls, seconds: float, clock: Callable[[], float] = time.monotonic) -> Deadline:
        return cls(clock() + seconds, clock)

    def remaining(self) -> float:
        """Seconds left, never negative."""
        left = self.at - self.clock()
        return left if left > 0.0 else 0.0

    @property
    def expired(self) -> bool:
        return self.clock() >= self.at

    def sooner(self, seconds: float) -> Deadline:
        """The earlier of this deadline and ``seconds`` from now."""
        at = self.clock() + seconds
        return self if self.at <= at else Deadline(at, self.clock)

    def check(self, where: str) -> None:
        """Raise TimedOut when the moment has passed."""
        if self.expired:
            raise TimedOut(
                "the deadline passed", where=where, next="give it more time (deadline, timeout), or try later"
            )

    def __repr__(self) -> str:
        return f"Deadline({self.remaining():.3f} s left)"
