# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Query parameters, and platforms that refuse, ignore or break them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.emulators.redfish import filter as filters
from tests.emulators.redfish.bmc import Bmc
from tests.emulators.redfish.messages import Refusal
from tests.emulators.redfish.personality import Manners, Tree, collection, link, links
from tests.unit.emulators.in_process import get

DRIVES = "/redfish/v1/Drives"


def tree() -> Tree:
    drives: Tree = {
        f"{DRIVES}/{number}": {
            "@odata.type": "#Drive.v1_0_0.Drive",
            "Id": str(number),
            "CapacityBytes": number * 1000,
            "Status": {"Health": "OK" if number % 2 else "Warning", "State": "Enabled"},
            "Volume": link("/redfish/v1/Volume"),
            "Links": {"Chassis": link("/redfish/v1/Chassis")},
        }
        for number in range(1, 8)
    }
    return {
        "/redfish/v1": {"@odata.type": "#ServiceRoot.v1_0_0.ServiceRoot", "Drives": link(DRIVES)},
        DRIVES: collection("DriveCollection", "Drives"),
        **drives,
        "/redfish/v1/Volume": {"@odata.type": "#Volume.v1_0_0.Volume", "Name": "Volume"},
        "/redfish/v1/Chassis": {"@odata.type": "#Chassis.v1_0_0.Chassis", "Drives": links(DRIVES, "/redfish/v1/gone")},
        "/redfish/v1/Ones": collection("OneCollection", "Ones"),
        "/redfish/v1/Ones/1": {"@odata.type": "#One.v1_0_0.One", "Name": "the only one"},
        "/redfish/v1/Sensor": {"@odata.type": "#Sensor.v1_7_0.Sensor", "Name": "Inlet", "Reading": 21.5},
    }


@pytest.fixture
def ask(make_bmc: Callable[..., Bmc]) -> Callable[..., Any]:
    def asked(target: str, manners: Manners | None = None) -> Any:
        return get(make_bmc(manners, tree()), target)

    return asked


def ids(body: dict[str, Any]) -> list[str]:
    return [member["@odata.id"].rpartition("/")[2] for member in body["Members"]]


def test_expand_puts_the_members_in(ask: Callable[..., Any]) -> None:
    body = ask(f"{DRIVES}?$expand=.").json()
    assert [member["CapacityBytes"] for member in body["Members"]] == [1000 * number for number in range(1, 8)]
    assert body["Members"][0]["Volume"] == {"@odata.id": "/redfish/v1/Volume"}


def test_expand_levels_go_deeper_and_leave_links_alone(ask: Callable[..., Any]) -> None:
    member = ask(f"{DRIVES}?$expand=.($levels=2)").json()["Members"][0]
    assert member["Volume"]["Name"] == "Volume"
    assert member["Links"]["Chassis"] == {"@odata.id": "/redfish/v1/Chassis"}


def test_expand_of_all_takes_links_too_and_leaves_dead_ones(ask: Callable[..., Any]) -> None:
    chassis = ask(f"{DRIVES}/1?$expand=*($levels=2)").json()["Links"]["Chassis"]
    assert chassis["Drives"][0]["Name"] == "Drives"
    assert chassis["Drives"][1] == {"@odata.id": "/redfish/v1/gone"}


def test_expand_of_links_only(ask: Callable[..., Any]) -> None:
    body = ask(f"{DRIVES}/1?$expand=~").json()
    assert body["Links"]["Chassis"]["@odata.type"] == "#Chassis.v1_0_0.Chassis"
    assert body["Volume"] == {"@odata.id": "/redfish/v1/Volume"}


@pytest.mark.parametrize("value", ["x", ".($levels=7)", ".($levels=0)", ".($levels=a)", "", ".($depth=1)"])
def test_a_malformed_expand_is_a_400(ask: Callable[..., Any], value: str) -> None:
    assert ask(f"{DRIVES}?$expand={value}").status == 400


def test_top_and_skip_cut_and_link_nothing(ask: Callable[..., Any]) -> None:
    body = ask(f"{DRIVES}?$skip=2&$top=3").json()
    assert ids(body) == ["3", "4", "5"]
    assert body["Members@odata.count"] == 7
    assert "Members@odata.nextLink" not in body


@pytest.mark.parametrize("value", ["-1", "a", ""])
def test_a_malformed_number_is_a_400(ask: Callable[..., Any], value: str) -> None:
    assert ask(f"{DRIVES}?$top={value}").status == 400
    assert ask(f"{DRIVES}?$skip={value}").status == 400


def test_paging_of_what_is_no_collection_is_a_400(ask: Callable[..., Any]) -> None:
    assert ask(f"{DRIVES}/1?$top=1").status == 400


def test_a_platform_that_pages_gives_everything_once(ask: Callable[..., Any]) -> None:
    manners, target, found = Manners(page_size=3), DRIVES, []
    for _dummy in range(10):
        body = ask(target, manners).json()
        assert body["Members@odata.count"] == 7
        found += ids(body)
        target = body.get("Members@odata.nextLink")
        if target is None:
            break
    assert found == [str(number) for number in range(1, 8)]


def test_a_platform_that_pages_and_takes_no_queries_still_serves_its_next_links(ask: Callable[..., Any]) -> None:
    manners = Manners(page_size=3, query="ignored")
    assert ids(ask(f"{DRIVES}?$skip=6", manners).json()) == ["7"]
    assert ids(ask(f"{DRIVES}?$top=1", manners).json()) == ["1", "2", "3"]


def test_select_keeps_what_is_named(ask: Callable[..., Any]) -> None:
    body = ask(f"{DRIVES}/1?$select=Id,Status/Health").json()
    assert {key: value for key, value in body.items() if key != "@odata.etag"} == {
        "@odata.id": f"{DRIVES}/1",
        "@odata.type": "#Drive.v1_0_0.Drive",
        "Id": "1",
        "Status": {"Health": "OK"},
    }


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("Id eq '3'", ["3"]),
        ("CapacityBytes gt 5000", ["6", "7"]),
        ("CapacityBytes ge 2000 and CapacityBytes le 3000", ["2", "3"]),
        ("Status/Health eq 'Warning' and not (Id eq '4')", ["2", "6"]),
        ("Id eq '1' or Id eq '2' and CapacityBytes lt 10", ["1"]),
        ("(Id eq '1' or Id eq '2') and CapacityBytes lt 1500", ["1"]),
        ("Missing eq null and CapacityBytes eq 1000", ["1"]),
        ("Id gt 5", []),
        ("Id ne 'it''s'", ["1", "2", "3", "4", "5", "6", "7"]),
    ],
)
def test_filter(ask: Callable[..., Any], expression: str, found: list[str]) -> None:
    body = ask(f"{DRIVES}?$filter={expression}").json()
    assert ids(body) == found
    assert body["Members@odata.count"] == len(found)


@pytest.mark.parametrize(
    "expression", ["", "Id", "Id eq", "Id is 'x'", "(Id eq '1'", "Id eq '1' Id", "'", "eq eq eq eq"]
)
def test_a_malformed_filter_is_a_400(expression: str) -> None:
    with pytest.raises(Refusal) as refused:
        filters.parse(expression)
    assert refused.value.status == 400


def test_only_returns_the_single_member(ask: Callable[..., Any]) -> None:
    assert ask("/redfish/v1/Ones?only").json()["Name"] == "the only one"
    assert len(ask(f"{DRIVES}?only").json()["Members"]) == 7
    assert ask(f"{DRIVES}?only&$top=1").status == 400
    assert ask(f"{DRIVES}/1?only").status == 400


def test_excerpt_of_a_sensor(ask: Callable[..., Any]) -> None:
    body = ask("/redfish/v1/Sensor?excerpt").json()
    assert body["Reading"] == 21.5
    assert "Name" not in body
    assert ask(f"{DRIVES}/1?excerpt").status == 400


@pytest.mark.parametrize(("manner", "status"), [("refused_501", 501), ("refused_400", 400), ("ignored", 200)])
def test_platforms_without_expand(ask: Callable[..., Any], manner: str, status: int) -> None:
    answer = ask(f"{DRIVES}?$expand=.", Manners(expand=manner))
    assert answer.status == status
    if status == 200:
        assert list(answer.json()["Members"][0]) == ["@odata.id"]


@pytest.mark.parametrize(("manner", "status"), [("refused_501", 501), ("refused_400", 400), ("ignored", 200)])
@pytest.mark.parametrize("query", ["$select=Id", "$top=1", "$filter=Id eq '1'", "only"])
def test_platforms_without_other_queries(ask: Callable[..., Any], manner: str, status: int, query: str) -> None:
    assert ask(f"{DRIVES}?{query}", Manners(query=manner)).status == status


def test_a_broken_expand_says_200_and_expands_nothing(ask: Callable[..., Any]) -> None:
    body = ask(f"{DRIVES}?$expand=.", Manners(expand="broken")).json()
    assert list(body["Members"][0]) == ["@odata.id"]


def test_select_alone_may_be_missing(ask: Callable[..., Any]) -> None:
    assert ask(f"{DRIVES}?$select=Name", Manners(select=False)).status == 501
    assert ask(f"{DRIVES}?$top=1", Manners(select=False)).status == 200


def test_an_unknown_dollar_parameter_is_refused_and_another_one_ignored(ask: Callable[..., Any]) -> None:
    assert ask(f"{DRIVES}?$orderby=Id").status == 501
    assert ask(f"{DRIVES}?oem=1").status == 200
