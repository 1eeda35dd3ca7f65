# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.hearth.datacenter.plugins.module_utils._core.state.bmc_memory import BmcMemory
from ansible_collections.hearth.datacenter.plugins.module_utils._core.state.store import Store

from .conftest import Clock

ADDRESS = "10.0.0.7:443"
NOON = "2026-11-21T12:00:00.000000Z"


def test_a_memory_comes_back_as_it_was_given(store: Store) -> None:
    store.remember_bmcs([BmcMemory(ADDRESS, True, "site", "sha256:1"), BmcMemory("10.0.0.8:443")])

    assert store.bmcs() == {
        ADDRESS: BmcMemory(ADDRESS, True, "site", "sha256:1", NOON),
        "10.0.0.8:443": BmcMemory("10.0.0.8:443", recorded_at=NOON),
    }
    assert list(store.bmcs(["10.0.0.8:443", "10.0.0.9:443"])) == ["10.0.0.8:443"]


def test_a_bmc_once_seen_with_redfish_stays_so(store: Store) -> None:
    store.remember_bmcs([BmcMemory(ADDRESS, seen_redfish=True)])
    store.remember_bmcs([BmcMemory(ADDRESS, seen_redfish=False, credential="ipmi")])

    assert store.bmcs()[ADDRESS].seen_redfish is True
    assert store.bmcs()[ADDRESS].credential == "ipmi"


def test_what_is_not_known_this_time_does_not_overwrite_what_is(store: Store) -> None:
    store.remember_bmcs([BmcMemory(ADDRESS, True, "site", "sha256:1")])
    store.remember_bmcs([BmcMemory(ADDRESS, True, "", "sha256:2")])

    assert store.bmcs()[ADDRESS] == BmcMemory(ADDRESS, True, "site", "sha256:2", NOON)


def test_a_memory_that_says_nothing_new_is_not_written(store: Store, clock: Clock) -> None:
    store.remember_bmcs([BmcMemory(ADDRESS, True, "site", "sha256:1")])
    clock.pass_seconds(60)
    store.remember_bmcs([BmcMemory(ADDRESS, True, "site", "sha256:1")])

    assert store.bmcs()[ADDRESS].recorded_at == NOON


def test_of_an_address_that_comes_twice_the_later_counts(store: Store) -> None:
    store.remember_bmcs([BmcMemory(ADDRESS, credential="first"), BmcMemory(ADDRESS, credential="second")])

    assert store.bmcs()[ADDRESS].credential == "second"


def test_a_forgotten_bmc_is_unknown_again(store: Store) -> None:
    store.remember_bmcs([BmcMemory(ADDRESS, seen_redfish=True)])

    assert store.forget_bmcs([ADDRESS, "10.0.0.9:443"]) == [ADDRESS]
    assert store.bmcs() == {}


def test_ten_thousand_memories(store: Store) -> None:
    memories = [BmcMemory(f"bmc-{number}:443", True, "site", f"sha256:{number}") for number in range(10_000)]
    store.remember_bmcs(memories)

    assert len(store.bmcs()) == 10_000
    assert store.bmcs(memory.address for memory in memories[:2])["bmc-1:443"].root_digest == "sha256:1"
