# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core.errors import BadInput
from ansible_collections.hearth.datacenter.plugins.module_utils._core.state.store import Store


def test_a_fru_keeps_its_first_name(store: Store) -> None:
    assert store.remember_names({"serial:A": "web1"}) == {"serial:A": "web1"}
    assert store.remember_names({"serial:A": "web9"}) == {"serial:A": "web1"}
    assert store.names() == {"serial:A": "web1"}


def test_a_name_that_belongs_to_another_fru_is_not_given_twice(store: Store) -> None:
    store.remember_names({"serial:A": "web1"})

    assert store.remember_names({"serial:B": "web1", "serial:C": "web2"}) == {"serial:C": "web2"}
    assert store.names() == {"serial:A": "web1", "serial:C": "web2"}


def test_two_frus_that_wish_one_name_in_one_call_do_not_share_it(store: Store) -> None:
    assert store.remember_names({"serial:A": "web1", "serial:B": "web1"}) == {"serial:A": "web1"}


def test_a_forgotten_name_can_be_given_to_another_fru(store: Store) -> None:
    store.remember_names({"serial:A": "web1"})

    assert store.forget_names(["serial:A", "serial:B"]) == ["serial:A"]
    assert store.remember_names({"serial:B": "web1"}) == {"serial:B": "web1"}


def test_ten_thousand_names_are_remembered_and_asked_for(store: Store) -> None:
    names = {f"serial:{number}": f"node-{number}" for number in range(10_000)}

    assert store.remember_names(names) == names
    assert store.names(list(names)[5_000:5_003]) == {f"serial:{n}": f"node-{n}" for n in (5000, 5001, 5002)}


def test_an_empty_name_is_refused_and_the_others_of_the_call_are_not_written(store: Store) -> None:
    with pytest.raises(BadInput, match="name of a host is empty"):
        store.remember_names({"serial:A": "web1", "serial:B": ""})
    assert store.names() == {}
