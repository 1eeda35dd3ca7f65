# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core.errors import BadInput, LeaseHeld
from ansible_collections.hearth.datacenter.plugins.module_utils._core.state.opening import open_store
from ansible_collections.hearth.datacenter.plugins.module_utils._core.state.store import Store

from .conftest import Clock

MACHINE = "fru:serial:A"


def test_the_second_is_told_who_holds_the_lease_and_until_when(store: Store) -> None:
    store.acquire_lease(MACHINE, 600, purpose="decommissioning")

    with pytest.raises(LeaseHeld) as caught:
        store.acquire_lease(MACHINE, 600, owner="bob@ctl2")
    assert caught.value.msg == f"{MACHINE} is held by alice@ctl1 (decommissioning) until 2026-11-21 12:10:00+00:00."
    assert "alice@ctl1" in caught.value.found


def test_a_lease_that_ran_out_can_be_taken(store: Store, clock: Clock) -> None:
    first = store.acquire_lease(MACHINE, 600)
    clock.pass_seconds(600)

    taken = store.acquire_lease(MACHINE, 60, owner="bob@ctl2")
    assert (taken.owner, taken.generation) == ("bob@ctl2", first.generation + 1)
    assert store.leases() == {MACHINE: taken}


def test_its_owner_takes_it_again_without_losing_or_shortening_it(store: Store, clock: Clock) -> None:
    first = store.acquire_lease(MACHINE, 600)
    clock.pass_seconds(10)

    assert store.acquire_lease(MACHINE, 60).expires_at == first.expires_at
    again = store.acquire_lease(MACHINE, 6000)
    assert (again.generation, again.acquired_at) == (first.generation, first.acquired_at)
    assert again.expires_at > first.expires_at


def test_only_the_owner_releases_it(store: Store) -> None:
    store.acquire_lease(MACHINE, 600)

    with pytest.raises(LeaseHeld, match="held by alice@ctl1"):
        store.release_lease(MACHINE, owner="bob@ctl2")
    assert store.release_lease(MACHINE) is True
    assert store.release_lease(MACHINE) is False
    assert store.leases() == {}
    assert store.acquire_lease(MACHINE, 600, owner="bob@ctl2").generation == 2


def test_a_lease_is_renewed_even_late_as_long_as_nobody_took_it(store: Store, clock: Clock) -> None:
    lease = store.acquire_lease(MACHINE, 60)
    clock.pass_seconds(120)

    renewed = store.renew_lease(lease, 60)
    assert store.leases() == {MACHINE: renewed}
    assert renewed.generation == lease.generation


def test_a_lease_that_another_took_and_gave_back_is_lost(store: Store, clock: Clock) -> None:
    lease = store.acquire_lease(MACHINE, 60)
    clock.pass_seconds(61)
    store.acquire_lease(MACHINE, 60, owner="bob@ctl2")
    store.release_lease(MACHINE, owner="bob@ctl2")

    with pytest.raises(LeaseHeld, match="ran out and was lost"):
        store.renew_lease(lease, 60)


def test_a_lease_lasts_more_than_nothing(store: Store) -> None:
    for seconds in (0, -1, float("inf"), float("nan")):
        with pytest.raises(BadInput):
            store.acquire_lease(MACHINE, seconds)


def test_a_lease_is_seen_by_everybody_who_opens_the_store(store: Store, location: str, clock: Clock) -> None:
    store.acquire_lease("site", 600)

    with open_store(location, now=clock, owner="bob@ctl2") as other:
        with pytest.raises(LeaseHeld, match="alice@ctl1"):
            other.acquire_lease("site", 600)


def test_without_a_clock_of_the_test_the_stores_own_clock_counts(location: str) -> None:
    with open_store(location) as store:
        store.acquire_lease(MACHINE, 3600)
        assert list(store.leases()) == [MACHINE]
        assert store.leases()[MACHINE].expires_at > store.leases()[MACHINE].acquired_at
