# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Accounts and sessions as books of their own: lockout, limits, timeouts."""

from __future__ import annotations

from random import Random

import pytest

from tests.emulators.redfish.accounts import Account, AccountBook
from tests.emulators.redfish.personality import Json, Manners
from tests.emulators.redfish.sessions import NoRoom, SessionBook
from tests.unit.emulators.conftest import Time


def book(time: Time, manners: Manners, settings: dict[str, Json] | None = None) -> AccountBook:
    return AccountBook(manners, "hearth", "emulated-fleet", time, (settings or {}).get)


def test_a_right_password_clears_the_count_of_failures(time: Time) -> None:
    accounts = book(time, Manners(lockout_threshold=3))
    for _dummy in range(5):
        assert accounts.check("hearth", "wrong") is None
        assert accounts.check("hearth", "wrong") is None
        assert accounts.check("hearth", "emulated-fleet") is not None


def test_the_threshold_locks_even_the_right_password_out_for_a_while(time: Time) -> None:
    accounts = book(time, Manners(lockout_threshold=3, lockout_seconds=60))
    for _dummy in range(3):
        accounts.check("hearth", "wrong")
    assert accounts.check("hearth", "emulated-fleet") is None
    assert accounts.locked(accounts.accounts["hearth"])
    time.passes(61)
    assert accounts.check("hearth", "emulated-fleet") is not None


def test_without_a_threshold_nothing_locks(time: Time) -> None:
    accounts = book(time, Manners(lockout_threshold=0))
    for _dummy in range(50):
        accounts.check("hearth", "wrong")
    assert accounts.check("hearth", "emulated-fleet") is not None


def test_the_threshold_that_a_patch_wrote_counts(time: Time) -> None:
    accounts = book(time, Manners(lockout_threshold=10), {"AccountLockoutThreshold": 1, "AccountLockoutDuration": 5})
    accounts.check("hearth", "wrong")
    assert accounts.check("hearth", "emulated-fleet") is None
    time.passes(6)
    assert accounts.check("hearth", "emulated-fleet") is not None


def test_slots_are_all_there_and_the_administrator_is_in_its_own(time: Time) -> None:
    accounts = book(time, Manners(account_slots=16, first_account_slot=2))
    assert [account.id for account in accounts.accounts.values()] == [str(number) for number in range(1, 17)]
    assert accounts.accounts["2"].username == "hearth"
    assert accounts.accounts["1"].username == ""
    free = accounts.free_slot()
    assert free is not None and free.id == "3"


def test_an_empty_slot_is_nobodys_login(time: Time) -> None:
    assert book(time, Manners(account_slots=4)).check("", "") is None


def test_the_factory_account_has_to_change_its_password(time: Time) -> None:
    accounts = book(time, Manners(default_account=("root", "factory")))
    found = accounts.check("root", "factory")
    assert found is not None and found.change_required


def sessions(time: Time, limit: int = 3, timeout: float = 100, *, drop_oldest: bool = False) -> SessionBook:
    return SessionBook(limit, lambda: timeout, time, Random(1), drop_oldest=drop_oldest)


ALICE = Account("alice", "alice", "x")
BOB = Account("bob", "bob", "x")


def test_the_limit_refuses(time: Time) -> None:
    found = sessions(time)
    for _dummy in range(3):
        found.open(ALICE)
    with pytest.raises(NoRoom):
        found.open(ALICE)
    assert len(found) == 3


def test_the_limit_drops_the_one_unused_for_longest(time: Time) -> None:
    found = sessions(time, drop_oldest=True)
    opened = []
    for _dummy in range(3):
        opened.append(found.open(ALICE))
        time.passes(1)
    found.use(opened[0].token)
    time.passes(1)
    found.open(ALICE)
    assert found.use(opened[1].token) is None
    assert found.use(opened[0].token) is opened[0]


def test_an_idle_session_ages_out_and_a_used_one_does_not(time: Time) -> None:
    found = sessions(time)
    used, idle = found.open(ALICE), found.open(ALICE)
    for _dummy in range(3):
        time.passes(60)
        assert found.use(used.token) is used
    assert found.use(idle.token) is None
    assert len(found) == 1


def test_an_aged_session_makes_room(time: Time) -> None:
    found = sessions(time, limit=1)
    found.open(ALICE)
    time.passes(101)
    found.open(ALICE)


def test_all_sessions_of_one_account_can_be_ended(time: Time) -> None:
    found = sessions(time)
    alices, bobs = found.open(ALICE), found.open(BOB)
    found.end_all(ALICE)
    assert found.use(alices.token) is None
    assert found.use(bobs.token) is bobs


def test_tokens_and_ids_do_not_repeat(time: Time) -> None:
    found = sessions(time, limit=1000)
    opened = [found.open(ALICE) for _dummy in range(1000)]
    assert len({session.token for session in opened}) == len({session.id for session in opened}) == 1000
