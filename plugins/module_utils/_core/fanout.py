# Copyright: (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The same work on many peers at once, in threads."""

from __future__ import annotations

import threading
from typing import Callable, Iterable, Iterator, Optional, Tuple, TypeVar, Union

from .errors import HearthError

T = TypeVar("T")
R = TypeVar("R")


class Progress:
    """Handed to each piece of work: ``beat()`` says that it moves, ``cancelled`` that it should stop."""

    __slots__ = ("cancelled", "last")

    def __init__(self, cancelled: threading.Event) -> None:
        self.cancelled = cancelled
        self.last = 0.0

    def beat(self) -> None:
        raise NotImplementedError


def fan_out(
    items: Iterable[T],
    work: Callable[[T, Progress], R],
    *,
    concurrency: int = 128,
    stalled_after: float = 1.0,
    hard_limit: int = 1024,
    cancelled: Optional[threading.Event] = None,
    on_done: Optional[Callable[[T, Union[R, HearthError]], None]] = None,
) -> Iterator[Tuple[T, Union[R, HearthError]]]:
    raise NotImplementedError
