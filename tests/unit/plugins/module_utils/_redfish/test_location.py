# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

from ansible_collections.hearth.datacenter.plugins.module_utils._redfish.location import location_of


def at(**location: Any) -> dict[str, Any]:
    return {"Location": location}


def test_placement_gives_row_rack_and_unit() -> None:
    found = location_of(at(Placement={"Row": "North", "Rack": "WEB43", "RackOffset": 7}))
    assert found is not None
    assert (found["row"], found["rack"], found["unit"], found["slot"]) == ("North", "WEB43", 7, "u07")
    assert found["text"] == "North / WEB43 / u07"


def test_a_rack_offset_beside_an_empty_rack_is_a_factory_default() -> None:
    assert location_of(at(Placement={"Rack": "", "RackOffset": 1})) is None


def test_info_is_read_by_its_format() -> None:
    found = location_of(at(Info="DC1;R1;A;rack001;12", InfoFormat="DataCenter;RoomName;Aisle;RackName;RackSlot"))
    assert found is not None
    assert (found["building"], found["room"], found["row"], found["rack"], found["slot"]) == (
        "DC1", "R1", "A", "rack001", "12",
    )  # fmt: skip


def test_info_with_a_slot_and_no_rack_says_nothing() -> None:
    assert location_of(at(Info=";;;;1", InfoFormat="DataCenter;RoomName;Aisle;RackName;RackSlot")) is None


def test_a_blade_takes_its_rack_from_the_enclosure_and_keeps_its_own_slot() -> None:
    found = location_of(at(PartLocation={"ServiceLabel": "Blade 3"}), at(Placement={"Rack": "WEB43", "RackOffset": 12}))
    assert found is not None
    assert (found["rack"], found["unit"], found["slot"]) == ("WEB43", 12, "Blade 3")


def test_wrong_types_are_no_location() -> None:
    for value in (None, 7, "Rack 7", [], {"Placement": "R7", "PartLocation": [], "Info": 7, "InfoFormat": []}):
        assert location_of({"Location": value}) is None


def test_a_location_is_cleaned() -> None:
    found = location_of(at(Placement={"Rack": "{{ 7*7 }}", "Row": "\x1b[2JA"}))
    assert found is not None
    assert found["rack"] == "{ { 7*7 } }"
    assert found["row"] == "A"
