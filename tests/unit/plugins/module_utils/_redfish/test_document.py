# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._redfish.document import (
    count,
    flag,
    health_word,
    items,
    last_segment,
    link,
    links,
    number,
    part,
    text,
    word,
)

WRONG = [None, True, 7, 1.5, "text", "", [], [1, None, "x"], {}, {"a": 1}, [{"@odata.id": None}], {"@odata.id": 7}]


@pytest.mark.parametrize("value", WRONG)
def test_nothing_raises_on_any_type(value: Any) -> None:
    for read in (text, number, count, flag, items, link, links, word, health_word):
        read(value)
    part(value, "a", "b")
    assert part({"a": value}, "a", "b") == {}


def test_numbers_may_be_strings() -> None:
    assert number("512") == 512
    assert number(" 1.5 ") == 1.5
    assert number(512.0) == 512 and isinstance(number(512.0), int)
    assert number("1e400") is None
    assert number("1e300") is None
    assert number("many") is None
    assert number(True) is None


def test_a_count_of_nothing_is_unknown() -> None:
    assert count(0) is None
    assert count("2") == 2
    assert count(None) is None


def test_words_that_mean_unknown_are_none() -> None:
    assert [text(value) for value in ("N/A", "None", "", "  ", "Unknown", None)] == [None] * 6
    assert text(7) == "7"


def test_links_may_be_single_null_doubled_or_bare() -> None:
    assert links([{"@odata.id": "/a"}, {"@odata.id": "/a"}, None, {"@odata.id": ""}, "/b"]) == ["/a", "/b"]
    assert links({"@odata.id": "/a"}) == ["/a"]
    assert links(None) == []
    assert link({"href": "/old"}) == "/old"


def test_the_last_segment_ignores_slash_query_and_fragment() -> None:
    assert last_segment("/redfish/v1/Systems/Self/") == "Self"
    assert last_segment("/redfish/v1/Systems/1?$expand=.") == "1"
    assert last_segment("/redfish/v1/Chassis/1/Power#/PowerSupplies/0") == "Power"
