# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documents and collections: paging, $expand, quirks of HTTP, and how much one BMC may ask of us."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core.deadline import Deadline
from ansible_collections.hearth.datacenter.plugins.module_utils._core.endpoint import Endpoint
from ansible_collections.hearth.datacenter.plugins.module_utils._core.errors import NotFound, ProtocolViolation
from ansible_collections.hearth.datacenter.plugins.module_utils._core.transport import Transport
from ansible_collections.hearth.datacenter.plugins.module_utils._core.trust import Trust
from ansible_collections.hearth.datacenter.plugins.module_utils._redfish import client as client_module
from ansible_collections.hearth.datacenter.plugins.module_utils._redfish.client import RedfishClient
from ansible_collections.hearth.datacenter.plugins.module_utils._redfish.platforms.record import Platform
from tests.unit.plugins.module_utils._redfish.looking import SITE
from tests.unit.plugins.module_utils._redfish.replay import Manners, Replay, Tree
from tests.unit.plugins.module_utils._redfish.trees import ROOT, collection, plain, ref

THINGS = f"{ROOT}/Things"
EXPANDS = Platform(name="expands", expand="$expand=.($levels=1)")
GENERIC = Platform(name="generic")


def things(number: int, **more: Any) -> Tree:
    tree = plain()
    tree.update(collection(THINGS, *(f"{THINGS}/{i}" for i in range(number)), **more))
    for i in range(number):
        tree[f"{THINGS}/{i}"] = {"@odata.id": f"{THINGS}/{i}", "Id": str(i), "Name": f"thing {i}"}
    return tree


@contextmanager
def reading(bmc: Replay, platform: Platform = GENERIC, **more: Any) -> Iterator[RedfishClient]:
    endpoint = Endpoint(str(bmc.address), int(bmc.port), "http")
    transport = Transport(endpoint, Trust("off"), deadline=Deadline.after(20))
    transport.connect()
    with RedfishClient(transport, platform, **more) as client:
        client.login((SITE,))
        yield client


def ids(bmc: Replay, platform: Platform = GENERIC) -> list[str]:
    with reading(bmc, platform) as client:
        return [document["Id"] for document in client.members(THINGS)]


# Collections


def test_members_are_read_one_by_one_where_expand_is_not_proven() -> None:
    with Replay(things(3)) as bmc:
        assert ids(bmc) == ["0", "1", "2"]
        assert not any("?" in path for path in bmc.paths())


def test_one_request_reads_all_members_where_expand_works() -> None:
    with Replay(things(3)) as bmc:
        assert ids(bmc, EXPANDS) == ["0", "1", "2"]
        assert [path for path in bmc.paths() if THINGS in path] == [f"{THINGS}?$expand=.($levels=1)"]


@pytest.mark.parametrize("how", ["refused", "broken", "short", "ignored"])
def test_expand_that_does_not_keep_its_promise_is_given_up(how: str) -> None:
    with Replay(things(3), Manners(expand=how)) as bmc:
        assert ids(bmc, EXPANDS) == ["0", "1", "2"]


def test_expand_that_failed_is_not_tried_a_second_time() -> None:
    with Replay(things(2), Manners(expand="refused")) as bmc, reading(bmc, EXPANDS) as client:
        list(client.members(THINGS))
        list(client.members(f"{ROOT}/Systems"))
        assert sum("expand" in path for path in bmc.paths()) == 1


def test_expanded_members_are_not_read_again() -> None:
    with Replay(things(2)) as bmc, reading(bmc, EXPANDS) as client:
        list(client.members(THINGS))
        assert client.get(f"{THINGS}/1")["Name"] == "thing 1"
        assert bmc.asked(f"{THINGS}/1") == 0


def test_a_platform_that_refuses_queries_is_sent_none() -> None:
    with Replay(things(2), Manners(queries=False)) as bmc:
        assert ids(bmc, Platform(name="irmc", queries=False, expand="$expand=.")) == ["0", "1"]
        assert not any("?" in path for path in bmc.paths())


def test_pages_are_followed_to_the_end() -> None:
    with Replay(things(10), Manners(page_size=3)) as bmc:
        assert ids(bmc) == [str(i) for i in range(10)]


def test_expand_that_pages_is_completed_from_the_plain_collection() -> None:
    tree = things(4)
    tree[THINGS]["Members@odata.nextLink"] = f"{THINGS}?$skip=4"
    tree[THINGS]["Members@odata.count"] = 4
    with Replay(tree) as bmc:
        assert ids(bmc, EXPANDS) == ["0", "1", "2", "3"]


def test_a_page_that_leads_to_itself_ends_with_a_warning() -> None:
    tree = things(2)
    tree[THINGS]["Members@odata.nextLink"] = THINGS
    with Replay(tree) as bmc, reading(bmc) as client:
        assert len(client.member_links(THINGS)) == 2
        assert any("no end" in warning for warning in client.warnings)


def test_pages_without_end_are_bounded() -> None:
    tree = things(1)
    tree[THINGS]["Members@odata.nextLink"] = f"{THINGS}/page1"
    for i in range(1, 200):
        tree[f"{THINGS}/page{i}"] = {
            "Members": [ref(f"{THINGS}/x{i}")],
            "Members@odata.nextLink": f"{THINGS}/page{i + 1}",
        }
    with Replay(tree) as bmc, reading(bmc) as client:
        assert len(client.member_links(THINGS)) == client_module.MAX_PAGES
        assert len(bmc.requests) < client_module.MAX_PAGES + 5
        assert any("no end" in warning for warning in client.warnings)


def test_a_next_page_on_another_host_is_refused() -> None:
    tree = things(2)
    tree[THINGS]["Members@odata.nextLink"] = f"https://192.0.2.1{THINGS}?$skip=2"
    with Replay(tree) as bmc, reading(bmc) as client:
        assert len(client.member_links(THINGS)) == 2
        assert any("another host" in warning for warning in client.warnings)


def test_a_collection_of_a_million_is_cut() -> None:
    tree = things(0)
    tree[THINGS]["Members"] = [ref(f"{THINGS}/{i}") for i in range(50_000)]
    with Replay(tree) as bmc, reading(bmc) as client:
        assert len(client.member_links(THINGS)) == client_module.MAX_MEMBERS


@pytest.mark.parametrize("members", [None, {}, "none", 7, [None, "", 7, {}, {"@odata.id": None}]])
def test_members_of_a_wrong_type_are_no_members(members: Any) -> None:
    tree = things(0)
    tree[THINGS]["Members"] = members
    with Replay(tree) as bmc, reading(bmc) as client:
        assert list(client.members(THINGS)) == []


def test_a_member_that_cannot_be_read_is_a_warning_and_the_others_are_there() -> None:
    with Replay(things(3), Manners(status={f"{THINGS}/1": 500})) as bmc, reading(bmc) as client:
        assert [document["Id"] for document in client.members(THINGS, "things")] == ["0", "2"]
        (warning,) = client.warnings
        assert warning.startswith("things: HTTP 500")


# Documents


def test_a_document_is_read_once_whatever_the_slash_at_its_end() -> None:
    with Replay(things(1)) as bmc, reading(bmc) as client:
        assert client.get(f"{THINGS}/0") is client.get(f"{THINGS}/0/")
        assert bmc.asked(f"{THINGS}/0") == 1


def test_what_does_not_exist_is_asked_once() -> None:
    with Replay(things(1)) as bmc, reading(bmc) as client:
        for _time in range(2):
            with pytest.raises(NotFound):
                client.get(f"{THINGS}/9")
        assert bmc.asked(f"{THINGS}/9") == 1
        assert client.is_missing(f"{THINGS}/9")


def test_an_absolute_uri_of_the_same_host_is_its_path() -> None:
    with Replay(things(1)) as bmc, reading(bmc) as client:
        assert client.get(f"http://{bmc.address}:{bmc.port}{THINGS}/0")["Id"] == "0"


@pytest.mark.parametrize("uri", [f"https://192.0.2.1{THINGS}/0", "//192.0.2.1/x", "http://127.42.0.1:1/x"])
def test_a_uri_of_another_host_is_refused(uri: str) -> None:
    with Replay(things(1)) as bmc, reading(bmc) as client:
        with pytest.raises((ProtocolViolation, NotFound)):
            client.get(uri)
        assert client.try_get(uri, "elsewhere") is None


def test_requests_are_bounded() -> None:
    with Replay(things(20)) as bmc, reading(bmc, max_requests=5) as client:
        assert len(list(client.members(THINGS))) == 4
        assert any("no end" in warning for warning in client.warnings)
        assert len(bmc.requests) < 10


def test_warnings_are_bounded() -> None:
    manners = Manners(status={f"{THINGS}/{i}": 500 for i in range(100)})
    with Replay(things(100), manners) as bmc, reading(bmc) as client:
        for i in range(100):
            client.try_get(f"{THINGS}/{i}", f"thing {i}")
        assert len(client.warnings) == client_module.MAX_WARNINGS


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1, 2]", b'{"a": ', b'"text"', b"[" * 100_000, b"\xff\xfe\x00"])
def test_what_is_no_json_object_is_a_warning(body: bytes) -> None:
    with Replay(things(1), Manners(raw={f"{THINGS}/0": body})) as bmc, reading(bmc) as client:
        assert client.try_get(f"{THINGS}/0", "thing") is None
        assert client.warnings


# HTTP by the platform's record


def test_a_platform_without_keep_alive_gets_a_connection_for_each_request() -> None:
    with Replay(things(1)) as bmc, reading(bmc, Platform(name="closes", keep_alive=False)) as client:
        client.get(f"{THINGS}/0")
        client.get(THINGS)
        assert client.transport.counters.connects == client.transport.counters.requests


def test_a_bmc_that_closes_after_each_answer_is_read() -> None:
    with Replay(things(3), Manners(close=True)) as bmc:
        assert ids(bmc) == ["0", "1", "2"]


def test_the_record_decides_on_compression_and_compressed_bodies_are_read() -> None:
    with Replay(things(2), Manners(gzip=True)) as bmc:
        assert ids(bmc, Platform(name="gzips", headers=(("Accept-Encoding", "gzip"),))) == ["0", "1"]


def test_what_sleeps_while_the_host_is_off_is_not_waited_for() -> None:
    manners = Manners(status={f"{THINGS}/HGX_0": 503})
    with Replay(things(0), manners) as bmc, reading(bmc, Platform(name="hgx", asleep=r"/HGX_")) as client:
        assert client.try_get(f"{THINGS}/HGX_0", "baseboard") is None
        assert bmc.asked(f"{THINGS}/HGX_0") == 1
