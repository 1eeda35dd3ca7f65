# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The same work on many peers at once, in threads, of which those that wait for a dead peer count for nothing.

``concurrency`` pieces of work move at any time. One that has not moved for a second (its peer swallows packets, or
sleeps) gives its slot to another and keeps its thread, up to ``hard_limit`` threads; when it moves again it counts
again. So five hundred black holes among ten thousand peers cost the others nothing but memory.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Callable, Deque, Generic, Iterable, Iterator, List, Optional, Set, Tuple, TypeVar, Union

from .errors import HearthError

try:
    from resource import RLIM_INFINITY, RLIMIT_NOFILE, getrlimit
except ImportError:  # not on every platform; then nothing is known about the limit
    HAS_LIMITS = False
else:
    HAS_LIMITS = True

T = TypeVar("T")
R = TypeVar("R")

#: Enough for TLS, name resolution and the recursion that the engines allow; the default of 8 MiB, times a thousand,
#: runs into limits of address space.
_STACK_SIZE = 1024 * 1024
#: File descriptors that the rest of the process is left.
_SPARE_FILES = 64
_STACK_SIZE_LOCK = threading.Lock()


class Progress:
    """Handed to each piece of work: it calls ``beat()`` when it moves, and stops soon once ``cancelled`` is set."""

    __slots__ = ("cancelled", "moved_at", "stalled", "_clock")

    def __init__(self, cancelled: threading.Event, clock: Callable[[], float] = time.monotonic) -> None:
        self.cancelled = cancelled
        self.stalled = False
        self._clock = clock
        self.moved_at = clock()

    def beat(self) -> None:
        self.moved_at = self._clock()


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
    """``work(item, progress)`` for each item; yields ``(item, result)`` in the order of completion.

    A HearthError that the work raises is its result; any other exception is a bug and is raised here. ``items`` may be
    lazy: it is advanced by one thread at a time, never further than there are threads for. ``on_done`` is called in the
    consuming thread. Work that stalls for ``stalled_after`` seconds gives up its slot.

    Once ``cancelled`` is set no further item is begun, and what is under way ends as its work sees fit. A
    KeyboardInterrupt in the consuming thread, an exception, or closing the generator sets it. However this ends, its
    threads have been joined; only a second KeyboardInterrupt does not wait for them.
    """
    pool: _Pool[T, R] = _Pool(iter(items), work, concurrency, stalled_after, hard_limit, cancelled or threading.Event())
    try:
        pool.start()
        while True:
            done = pool.next_result()
            if done is None:
                break
            if on_done is not None:
                on_done(done[0], done[1])
            yield done
    except BaseException:
        pool.cancelled.set()
        raise
    finally:
        pool.stop()


class _Pool(Generic[T, R]):
    def __init__(
        self,
        items: Iterator[T],
        work: Callable[[T, Progress], R],
        concurrency: int,
        stalled_after: float,
        hard_limit: int,
        cancelled: threading.Event,
    ) -> None:
        self.cancelled = cancelled
        self._items = items
        self._work = work
        self._concurrency = max(1, concurrency)
        self._stalled_after = stalled_after
        self._hard_limit = max(1, min(hard_limit, _room_for_sockets()))
        #: advances ``items``
        self._feed = threading.Lock()
        lock = threading.Lock()
        #: a result has come, or a thread has ended: the consumer waits for it
        self._arrived = threading.Condition(lock)
        #: a result has been taken: workers that are too far ahead wait for it
        self._taken = threading.Condition(lock)
        self._results: Deque[Tuple[T, Union[R, HearthError]]] = deque()
        self._running: Set[Progress] = set()
        self._threads: Set[threading.Thread] = set()
        self._ended: List[threading.Thread] = []
        #: slots in use: threads less those whose work is stalled
        self._moving = 0
        self._exhausted = False
        self._failure: Optional[BaseException] = None
        self._looked_at = time.monotonic()

    # -- consuming thread

    def start(self) -> None:
        with self._arrived:
            self._spawn()

    def next_result(self) -> Optional[Tuple[T, Union[R, HearthError]]]:
        """The next one that is done; None after the last."""
        with self._arrived:
            while True:
                if self._failure is not None:
                    raise self._failure
                self._release_stalled_slots()
                if self._results:
                    self._taken.notify()
                    return self._results.popleft()
                if not self._threads:
                    return None
                self._arrived.wait(self._stalled_after / 4.0)

    def stop(self) -> None:
        """Join every thread."""
        with self._arrived:
            self._exhausted = True
            self._taken.notify_all()
        while True:
            with self._arrived:
                waiting = [*self._threads, *self._ended]
                self._ended = []
            if not waiting:
                return
            for thread in waiting:
                if thread.ident is not None:
                    thread.join()
                else:  # a KeyboardInterrupt came before it was started
                    self._threads.discard(thread)

    # -- slots; with the lock held

    def _spawn(self) -> None:
        """One more worker, if there is a slot and a thread for it and an item may be left."""
        if self._exhausted or self.cancelled.is_set():
            return
        if self._moving >= self._concurrency or len(self._threads) >= self._hard_limit:
            return
        thread = threading.Thread(target=self._worker, name="fan-out", daemon=True)
        self._moving += 1
        self._threads.add(thread)
        try:
            _start_with_small_stack(thread)
        except RuntimeError:
            self._threads.discard(thread)
            self._moving -= 1
            if not self._threads:
                raise
            self._hard_limit = len(self._threads)  # the machine gives no more: go on with what there is

    def _release_stalled_slots(self) -> None:
        now = time.monotonic()
        if now - self._looked_at < self._stalled_after / 4.0:
            return
        self._looked_at = now
        for progress in self._running:
            stalled = progress.moved_at < now - self._stalled_after
            if stalled != progress.stalled:
                progress.stalled = stalled
                self._moving += -1 if stalled else 1
        before = -1
        while before != len(self._threads):
            before = len(self._threads)
            self._spawn()

    # -- workers

    def _worker(self) -> None:
        try:
            while self._one():
                pass
        except BaseException as exc:  # noqa: BLE001 - a thread has nobody to raise it to; the consumer will
            with self._arrived:
                self._failure = self._failure or exc
                self._exhausted = True
            self.cancelled.set()
        finally:
            with self._arrived:
                self._moving -= 1
                self._threads.discard(threading.current_thread())
                self._ended = [*(thread for thread in self._ended if thread.is_alive()), threading.current_thread()]
                self._arrived.notify()

    def _one(self) -> bool:
        """Take one item and work on it; False when this worker is of no more use."""
        with self._feed:
            if self._exhausted or self.cancelled.is_set():
                return False
            try:
                item = next(self._items)
            except StopIteration:
                self._exhausted = True
                return False
        progress = Progress(self.cancelled)
        with self._arrived:
            self._running.add(progress)
            self._spawn()
        result: Union[R, HearthError]
        try:
            result = self._work(item, progress)
        except HearthError as exc:
            result = exc
        finally:
            with self._arrived:
                self._running.discard(progress)
                if progress.stalled:
                    self._moving += 1
        with self._arrived:
            self._results.append((item, result))
            self._arrived.notify()
            self._release_stalled_slots()
            while len(self._results) > 2 * self._concurrency and not self._exhausted:
                self._taken.wait()
            return self._moving <= self._concurrency


def _start_with_small_stack(thread: threading.Thread) -> None:
    with _STACK_SIZE_LOCK:
        previous = threading.stack_size(_STACK_SIZE)
        try:
            thread.start()
        finally:
            threading.stack_size(previous)


def _room_for_sockets() -> int:
    """How many pieces of work may hold a socket at once before the process runs out of file descriptors."""
    if not HAS_LIMITS:
        return 1024
    soft, _hard = getrlimit(RLIMIT_NOFILE)
    if soft == RLIM_INFINITY:
        return 1 << 20
    return int(max(16, soft - _SPARE_FILES))
