# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core.errors import BadInput
from ansible_collections.hearth.datacenter.plugins.module_utils._core.state.pins import Pin
from ansible_collections.hearth.datacenter.plugins.module_utils._core.state.store import Store

from .conftest import Clock

ADDRESS = "10.0.0.7:443"
KEY = "spki-sha256:" + "ab" * 32
OTHER_KEY = "spki-sha256:" + "cd" * 32


def test_a_pin_says_who_recorded_it_when_and_why(store: Store) -> None:
    store.record_pin(ADDRESS, KEY, comment="read off the label")

    assert store.pins() == {
        ADDRESS: Pin(ADDRESS, KEY, "read off the label", "2026-11-21T12:00:00.000000Z", "alice@ctl1")
    }


def test_the_newest_pin_of_an_address_holds_and_the_older_stays_on_record(store: Store, clock: Clock) -> None:
    store.record_pin(ADDRESS, KEY)
    clock.pass_seconds(60)
    store.record_pin(ADDRESS, OTHER_KEY, comment="board replaced")

    assert store.pins([ADDRESS])[ADDRESS].key == OTHER_KEY
    assert [(pin.key, pin.comment) for pin in store.pin_history(ADDRESS)] == [(KEY, ""), (OTHER_KEY, "board replaced")]


def test_a_removed_pin_holds_no_more_and_its_history_stays(store: Store) -> None:
    store.record_pins({ADDRESS: KEY, "10.0.0.8:443": KEY})

    assert store.remove_pin(ADDRESS, comment="sold") is True
    assert store.remove_pin(ADDRESS) is False
    assert list(store.pins()) == ["10.0.0.8:443"]
    assert [(pin.state, pin.comment) for pin in store.pin_history(ADDRESS)] == [("pinned", ""), ("removed", "sold")]

    store.record_pin(ADDRESS, OTHER_KEY)
    assert store.pins([ADDRESS])[ADDRESS].key == OTHER_KEY


def test_only_the_asked_addresses_are_answered_however_many_they_are(store: Store) -> None:
    store.record_pins({f"10.1.{number // 256}.{number % 256}:443": KEY for number in range(3000)})
    asked = [f"10.1.{number // 256}.{number % 256}:443" for number in range(1000, 3100)]

    assert sorted(store.pins(asked)) == sorted(asked[:2000])
    assert store.pins([]) == {}


@pytest.mark.parametrize("address, key", [("", KEY), (ADDRESS, ""), (ADDRESS, "a\0b"), ("\udcff:443", KEY)])
def test_what_no_database_keeps_unchanged_is_refused_and_nothing_is_written(
    store: Store, address: str, key: str
) -> None:
    with pytest.raises(BadInput):
        store.record_pins({"10.0.0.9:443": KEY, address: key})
    assert store.pins() == {}


def test_quotes_percent_signs_and_question_marks_are_only_text(store: Store) -> None:
    comment = """'"; DROP TABLE hearth_pins; -- %s %(x)s ? {keys} $1 \\ ü 漢"""
    store.record_pin(ADDRESS, KEY, comment=comment)

    assert store.pins([ADDRESS, comment])[ADDRESS].comment == comment
