# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Deadlines hold on a clock that the test turns."""

from __future__ import annotations

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core.deadline import Deadline
from ansible_collections.hearth.datacenter.plugins.module_utils._core.errors import TimedOut


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_remaining_falls_to_zero_and_no_further() -> None:
    clock = Clock()
    deadline = Deadline.after(2.0, clock)
    assert deadline.remaining() == 2.0
    clock.now = 101.5
    assert deadline.remaining() == 0.5 and not deadline.expired
    clock.now = 150.0
    assert deadline.remaining() == 0.0 and deadline.expired


def test_sooner_is_never_later() -> None:
    clock = Clock()
    deadline = Deadline.after(2.0, clock)
    assert deadline.sooner(1.0).remaining() == 1.0
    assert deadline.sooner(5.0).remaining() == 2.0


def test_check_says_where_it_ended() -> None:
    clock = Clock()
    deadline = Deadline.after(1.0, clock)
    deadline.check("https://10.0.0.1")
    clock.now = 101.0
    with pytest.raises(TimedOut) as caught:
        deadline.check("https://10.0.0.1")
    assert caught.value.where == "https://10.0.0.1" and caught.value.next
