# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""After close() a process can be forked as if there had never been a store: one thread, no descriptor."""

from __future__ import annotations

import os
import threading

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core.errors import StoreUnavailable
from ansible_collections.hearth.datacenter.plugins.module_utils._core.state.opening import open_store


def descriptors() -> set[str]:
    return {os.readlink(f"/proc/self/fd/{number}") for number in os.listdir("/proc/self/fd") if _is_open(number)}


def _is_open(number: str) -> bool:
    return os.path.lexists(f"/proc/self/fd/{number}")


def test_nothing_stays_open(location: str) -> None:
    # The kernel's count sees a library's threads, too; a runner of tests (xdist) may have its own.
    running = len(os.listdir("/proc/self/task"))
    with open_store(location) as store:
        store.pins()
    before = descriptors()
    threads = threading.active_count()

    store = open_store(location)
    store.record_pin("10.0.0.7:443", "spki-sha256:ab")
    assert store.pins()
    assert len(descriptors()) > len(before)
    store.close()
    store.close()

    assert descriptors() == before
    assert threading.active_count() == threads
    assert len(os.listdir("/proc/self/task")) == running


def test_nothing_stays_open_when_opening_fails(location: str, new_location: object, tmp_path: object) -> None:
    with open_store(location) as store:
        with store.exclusive():
            store._database.execute("INSERT INTO hearth_schema VALUES (999, '2026')")
    before = descriptors()
    for _repetition in range(3):
        with pytest.raises(StoreUnavailable):
            open_store(location)
    assert descriptors() == before


def test_a_closed_store_says_so(location: str) -> None:
    store = open_store(location)
    store.close()
    with pytest.raises(StoreUnavailable):
        store.pins()
