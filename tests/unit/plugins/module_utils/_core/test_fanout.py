# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many at once, the stalled out of the way, and no thread left behind however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any, Iterator, List, Set

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core import fanout
from ansible_collections.hearth.datacenter.plugins.module_utils._core.errors import Cancelled, HearthError, Unreachable
from ansible_collections.hearth.datacenter.plugins.module_utils._core.fanout import Progress, fan_out

ROOT = Path(__file__).parents[5]


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    """Threads, stack size and descriptors are afterwards what they were before."""
    threads, stack, files = threading.active_count(), threading.stack_size(), len(os.listdir("/proc/self/fd"))
    yield
    assert (threading.active_count(), threading.stack_size()) == (threads, stack)
    assert len(os.listdir("/proc/self/fd")) == files


class Gauge:
    """How many are inside at once, and how many were at most."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.now = self.most = 0

    def __enter__(self) -> None:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)

    def __exit__(self, *_exc: object) -> None:
        with self._lock:
            self.now -= 1


def test_each_item_has_its_result_and_errors_are_results() -> None:
    def work(item: int, progress: Progress) -> int:
        if item % 7 == 0:
            raise Unreachable("no answer", where=str(item))
        return item * item

    results = dict(fan_out(range(500), work, concurrency=16))
    assert len(results) == 500
    for item, result in results.items():
        if item % 7 == 0:
            assert isinstance(result, Unreachable) and result.where == str(item)
        else:
            assert result == item * item


def test_nothing_to_do_is_done() -> None:
    assert list(fan_out([], lambda item, progress: item)) == []


def test_results_come_as_they_are_done() -> None:
    first = threading.Event()

    def work(item: int, progress: Progress) -> int:
        if item == 0:
            assert first.wait(10.0)
        return item

    order = []
    for item, _result in fan_out(range(5), work, concurrency=2):
        order.append(item)
        if len(order) == 4:
            first.set()
    assert order[-1] == 0 and sorted(order) == list(range(5))


def test_no_more_than_concurrency_at_once_and_no_more_threads_than_items() -> None:
    gauge = Gauge()
    names: Set[str] = set()

    def work(item: int, progress: Progress) -> None:
        with gauge:
            time.sleep(0.005)
        names.add(str(threading.get_ident()))

    list(fan_out(range(100), work, concurrency=7))
    assert 2 <= gauge.most <= 7
    gauge.most = 0
    list(fan_out(range(3), work, concurrency=100))
    assert gauge.most <= 3


def test_items_are_taken_no_faster_than_results_are_consumed() -> None:
    taken: List[int] = []

    def items() -> Iterator[int]:
        for item in range(1_000_000):
            taken.append(item)
            yield item

    with closing(fan_out(items(), lambda item, progress: item, concurrency=4)) as results:
        for _result in range(10):
            next(results)
        time.sleep(0.2)
        assert len(taken) <= 10 + 2 * 4 + 2 * 4 + 1


def test_on_done_is_called_in_the_consuming_thread() -> None:
    seen: List[Any] = []
    for _done in fan_out(
        range(20),
        lambda item, progress: item,
        on_done=lambda item, result: seen.append((item, result, threading.current_thread())),
    ):
        pass
    assert sorted(item for item, _result, _thread in seen) == list(range(20))
    assert {thread for _item, _result, thread in seen} == {threading.current_thread()}


def test_the_stalled_give_their_slots_to_others() -> None:
    """Three of four slots are taken by dead peers; the rest is done long before they give up."""
    done_at: List[float] = []
    started = time.monotonic()

    def work(item: int, progress: Progress) -> bool:
        if item < 3:
            time.sleep(3.0)
            return False
        time.sleep(0.01)
        progress.beat()
        done_at.append(time.monotonic() - started)
        return True

    list(fan_out(range(200), work, concurrency=3, stalled_after=0.2))
    assert len(done_at) == 197 and max(done_at) < 2.5


def test_without_that_they_hold_everybody_up() -> None:
    """The same with a patience longer than the stall: what the test above would see if slots were not released."""
    done_at: List[float] = []
    started = time.monotonic()

    def work(item: int, progress: Progress) -> None:
        time.sleep(1.0 if item < 3 else 0.001)
        if item >= 3:
            done_at.append(time.monotonic() - started)

    list(fan_out(range(20), work, concurrency=3, stalled_after=60.0))
    assert min(done_at) > 0.9


def test_who_beats_is_not_stalled() -> None:
    gauge = Gauge()

    def work(item: int, progress: Progress) -> None:
        with gauge:
            for _step in range(20):
                time.sleep(0.03)
                progress.beat()

    list(fan_out(range(8), work, concurrency=4, stalled_after=0.3))
    assert gauge.most == 4


def test_who_moves_again_counts_again() -> None:
    """Ten that stall and then all wake up: no further one begins until there are fewer than the slots."""
    gauge = Gauge()
    wake = threading.Event()

    def work(item: int, progress: Progress) -> None:
        if item < 10:
            wake.wait(10.0)
            for _step in range(10):
                progress.beat()
                time.sleep(0.03)
            return
        with gauge:
            wake.set()
            time.sleep(0.02)
            progress.beat()

    list(fan_out(range(60), work, concurrency=4, stalled_after=0.2))
    assert gauge.most <= 5


def test_the_hard_limit_is_hard() -> None:
    gauge = Gauge()

    def work(item: int, progress: Progress) -> None:
        with gauge:
            time.sleep(0.5)

    list(fan_out(range(40), work, concurrency=4, stalled_after=0.05, hard_limit=12))
    assert gauge.most == 12


def test_there_are_never_more_than_the_descriptors_allow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fanout, "getrlimit", lambda which: (fanout._SPARE_FILES + 20, 4096))
    gauge = Gauge()

    def work(item: int, progress: Progress) -> None:
        with gauge:
            time.sleep(0.02)

    list(fan_out(range(100), work, concurrency=50))
    assert gauge.most <= 20


def test_a_machine_that_gives_no_more_threads_is_lived_with(monkeypatch: pytest.MonkeyPatch) -> None:
    original = fanout._start_with_small_stack
    started: List[threading.Thread] = []

    def start(thread: threading.Thread) -> None:
        if len(started) == 3:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        original(thread)

    monkeypatch.setattr(fanout, "_start_with_small_stack", start)
    assert len(list(fan_out(range(50), lambda item, progress: time.sleep(0.002), concurrency=10))) == 50
    started.clear()
    started.extend([threading.current_thread()] * 3)
    with pytest.raises(RuntimeError):
        list(fan_out(range(50), lambda item, progress: item))


def test_an_interruption_while_a_thread_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(thread: threading.Thread) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(fanout, "_start_with_small_stack", interrupted)
    with pytest.raises(KeyboardInterrupt):
        list(fan_out(range(50), lambda item, progress: item))


def test_after_cancelling_no_thread_is_started_for_those_that_stall(monkeypatch: pytest.MonkeyPatch) -> None:
    original = fanout._start_with_small_stack
    started: List[threading.Thread] = []

    def start(thread: threading.Thread) -> None:
        started.append(thread)
        original(thread)

    monkeypatch.setattr(fanout, "_start_with_small_stack", start)
    cancelled = threading.Event()

    def work(item: int, progress: Progress) -> None:
        cancelled.set()
        time.sleep(0.5)

    list(fan_out(range(50), work, concurrency=4, stalled_after=0.05, cancelled=cancelled))
    assert len(started) <= 4


def test_a_bug_in_the_work_is_raised_and_ends_it() -> None:
    begun: List[int] = []

    def work(item: int, progress: Progress) -> None:
        begun.append(item)
        if item == 20:
            raise ZeroDivisionError("a bug")
        progress.cancelled.wait(0.01)

    with pytest.raises(ZeroDivisionError):
        list(fan_out(range(10_000), work, concurrency=4))
    assert len(begun) < 100


def test_a_bug_in_the_items_is_raised() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise LookupError("a bug")

    with pytest.raises(LookupError):
        list(fan_out(items(), lambda item, progress: item))


def test_closing_ends_it() -> None:
    begun: List[int] = []
    cleaned: List[int] = []

    def work(item: int, progress: Progress) -> int:
        if item:
            begun.append(item)
            progress.cancelled.wait(30.0)
            cleaned.append(item)
        return item

    results = fan_out(range(1000), work, concurrency=8)
    assert next(results)[0] == 0
    while len(begun) < 8:
        time.sleep(0.01)
    started = time.monotonic()
    results.close()
    assert time.monotonic() - started < 5.0 and len(cleaned) == 8


def test_an_exception_of_the_consumer_ends_it() -> None:
    with pytest.raises(KeyError):
        for _done in fan_out(range(100_000), lambda item, progress: progress.cancelled.wait(0.001), concurrency=4):
            raise KeyError("the consumer's own")


def test_cancelling_begins_nothing_more_and_gives_what_was_under_way() -> None:
    cancelled = threading.Event()

    def work(item: int, progress: Progress) -> int:
        assert progress.cancelled is cancelled
        if progress.cancelled.wait(0.01):
            raise Cancelled("interrupted")
        return item

    results: List[Any] = []
    for done in fan_out(range(10_000), work, concurrency=4, cancelled=cancelled):
        results.append(done)
        if len(results) == 10:
            cancelled.set()
    assert 10 <= len(results) < 40 and all(isinstance(r, (int, HearthError)) for _i, r in results)


INTERRUPTED = """
import os, signal, threading, time
from ansible_collections.hearth.datacenter.plugins.module_utils._core.fanout import fan_out

def work(item, progress):
    os.write(1, b"begun\\n")
    progress.cancelled.wait(30.0)
    time.sleep(0.2)  # deletes its session
    os.write(1, b"cleaned\\n")

# Under a shell's "&" SIGINT is inherited as ignored, and Python would leave it so.
signal.signal(signal.SIGINT, signal.default_int_handler)
try:
    for _done in fan_out(range(100), work, concurrency=5, stalled_after=60.0):
        pass
except KeyboardInterrupt:
    print("interrupted", threading.active_count(), flush=True)
"""


def test_ctrl_c_lets_work_clean_up_and_leaves_no_thread() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "build" / "dev")},
    )
    assert process.stdout is not None
    with process.stdout as output:
        assert [output.readline() for _worker in range(5)] == ["begun\n"] * 5
        process.send_signal(signal.SIGINT)
        rest = output.read().split("\n")
    assert process.wait(10.0) == 0
    assert rest == ["cleaned"] * 5 + ["interrupted 1", ""]
