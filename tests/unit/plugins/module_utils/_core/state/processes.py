# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs a function in many processes at once and gathers what each returned."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable
from typing import Any

DEADLINE = 120


def at_once(work: Callable[[int], Any], count: int, *, uid: int | None = None) -> list[Any]:
    """``work(0)`` … ``work(count - 1)``, each in its own forked process (as that user). What one returns must be
    picklable; what one raises is returned as the exception."""
    context = multiprocessing.get_context("fork")
    barrier = context.Barrier(count)
    answers = context.SimpleQueue()

    def run(number: int) -> None:
        if uid is not None:
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)
        barrier.wait(DEADLINE)
        try:
            answers.put((number, work(number)))
        except Exception as error:  # noqa: BLE001 - the parent judges it
            answers.put((number, error))

    processes = [context.Process(target=run, args=(number,)) for number in range(count)]
    for process in processes:
        process.start()
    gathered: dict[int, Any] = {}
    deadline = time.monotonic() + DEADLINE
    while len(gathered) < count and time.monotonic() < deadline:
        # Looked at before the queue: who has died by now has put its answer into the queue already.
        running = any(process.is_alive() for process in processes)
        if not answers.empty():
            number, answer = answers.get()
            gathered[number] = answer
        elif running:
            time.sleep(0.01)
        else:
            break
    for process in processes:
        process.join(5)
        if process.is_alive():
            process.kill()
            process.join()
    return [gathered.get(number, RuntimeError("no answer")) for number in range(count)]
