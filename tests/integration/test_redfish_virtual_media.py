# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""redfish_virtual_media through Ansible, on hosts of every platform to which nobody can connect."""

from __future__ import annotations

import typing as t

import pytest

from tests.emulators.redfish.fleet import Fleet
from tests.integration.every_platform import EveryPlatform, fleet_of_each

pytest.importorskip("sushy", reason="the Python library sushy is not installed")

MEDIA = "hearth.datacenter.redfish_virtual_media"
ISO, OTHER = "http://10.0.0.9/images/live.iso", "http://10.0.0.9/images/other.iso"
LIVE = {MEDIA: {"image": ISO}}
REPLACED = {MEDIA: {"image": OTHER}}
EJECTED = {MEDIA: {"state": "ejected"}}
REFUSED = {MEDIA: {"image": "http://nobody.invalid/live.iso"}}
CANARY = "canary-media-4711"
NO_SERVERS = ("pdu", "power_shelf")
WITHOUT_MEDIA = (*NO_SERVERS, "dgx_h100")


@pytest.fixture(scope="module")
def racks() -> t.Iterator[Fleet]:
    with fleet_of_each("127.62.22.0/24") as fleet:
        yield fleet


@pytest.fixture(scope="module")
def hosts(racks: Fleet, tmp_path_factory: pytest.TempPathFactory) -> EveryPlatform:
    return EveryPlatform(tmp_path_factory.mktemp("media"), racks)


@pytest.fixture(autouse=True)
def _nothing_left(racks: Fleet, hosts: EveryPlatform) -> t.Iterator[None]:
    yield
    assert racks.statistics()["sessions_open"] == 0


def held(result: dict[str, t.Any]) -> list[str]:
    return [slot["image"] for slot in result["virtual_media"]["slots"] if slot["inserted"]]


def test_check_then_run_then_run_again_on_every_platform(hosts: EveryPlatform) -> None:
    servers = hosts.of_platforms(*WITHOUT_MEDIA)
    for host, runs in hosts.runs(servers, LIVE).items():
        runs.assert_convergent()
        assert held(runs.check) == held(runs.first) == held(runs.second) == [ISO], host
        assert runs.first["virtual_media"]["slot"] == runs.check["virtual_media"]["slot"]
    for host, runs in hosts.runs(servers, REPLACED).items():
        runs.assert_convergent()
        assert held(runs.first) == [OTHER], host
        assert ISO in runs.first["diff"]["before"].values()
    for host, runs in hosts.runs(servers, EJECTED).items():
        runs.assert_convergent()
        assert held(runs.first) == [], host


def test_what_the_bmc_refuses_is_an_error_and_the_old_medium_is_in_again(hosts: EveryPlatform) -> None:
    servers = hosts.of_platforms(*WITHOUT_MEDIA)
    for host, (empty, full, refused, still) in hosts.results(servers, [REFUSED, LIVE, REFUSED, LIVE]).items():
        assert empty["error"]["type"] == refused["error"]["type"] == "Refused", host
        assert full["changed"] and "in it again" in refused["error"]["next"]
        assert still["changed"] is False
    hosts.results(servers, [EJECTED])


def test_where_there_are_no_virtual_media(hosts: EveryPlatform) -> None:
    result = hosts.one("dgx_h100", LIVE)
    assert (result["changed"], result["error"]["type"]) == (False, "Unsupported")
    for platform in NO_SERVERS:
        assert hosts.one(platform, LIVE)["error"]["type"] == "BadInput"


@pytest.mark.parametrize(
    ("platform", "arguments", "kind", "word"),
    [
        ("generic", {}, "BadInput", "image"),
        ("generic", {"image": "live.iso"}, "BadInput", "URL"),
        ("generic", {"image": "http://a:b@10.0.0.9/live.iso"}, "BadInput", "credentials"),
        ("generic", {"image": ISO, "image_username": "reader"}, "BadInput", "image_password"),
        ("generic", {"state": "ejected", "write_protected": True}, "BadInput", "write_protected"),
        ("generic", {"image": ISO, "slot": "CD9"}, "NotFound", "CD9"),
        ("generic", {"image": ISO, "media_type": "floppy"}, "Unsupported", "floppy"),
        ("supermicro", {"image": f"{ISO}?a=b"}, "BadInput", "refuses"),
        ("xcc", {"image": ISO, "slot": "Remote1"}, "Unsupported", "URL"),
    ],
)
def test_bad_input_is_told_before_anything_changes(
    hosts: EveryPlatform, platform: str, arguments: dict[str, t.Any], kind: str, word: str
) -> None:
    result = hosts.one(platform, {MEDIA: arguments})
    assert (result["changed"], result["error"]["type"]) == (False, kind)
    assert word in result["msg"]
    assert hosts.one(platform, EJECTED)["changed"] is False


def test_in_process_and_delegated_give_the_same(hosts: EveryPlatform) -> None:
    host = hosts.host("idrac9")
    delegated = {**LIVE, "delegate_to": "jump"}
    here, _dummy, there = hosts.results([host], [LIVE, EJECTED, delegated], "--diff")[host]
    assert there["changed"] and here["virtual_media"] == there["virtual_media"] and here["diff"] == there["diff"]
    again, _dummy = hosts.results([host], [delegated, EJECTED])[host]
    assert again["changed"] is False
    first, second = hosts.results([host], [REFUSED, {**REFUSED, "delegate_to": "jump"}])[host]
    assert first["error"] == second["error"] and first["msg"] == second["msg"]


def test_the_password_of_the_images_server_is_nowhere(hosts: EveryPlatform) -> None:
    arguments = {"image": ISO, "image_username": "reader", "image_password": CANARY}
    tasks: list[dict[str, t.Any]] = [
        {MEDIA: arguments, "ignore_errors": True},
        {MEDIA: arguments, "delegate_to": "jump"},
        EJECTED,
    ]
    ran = hosts.play(tasks, "-vvvv", "--diff", hosts=[hosts.host("gh200")])
    assert ran.code == 0
    assert [result["changed"] for result in ran.results] == [True, False, True]
    assert CANARY not in ran.said and CANARY not in str(ran.results)
