# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""redfish_info through Ansible: in process for hosts that are off, and as a module on another machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.emulators.redfish.fleet import Fleet
from tests.emulators.redfish.personalities.index import PERSONALITIES
from tests.integration.result_shape import shape
from tests.integration.test_redfish_power import WITHOUT_POWER, Rack, bmc_of

MODULE = "hearth.datacenter.redfish_info"


@pytest.fixture(scope="module")
def every() -> Iterator[Fleet]:
    """One BMC of every platform."""
    with Fleet(len(PERSONALITIES), "127.61.50.0/24", platforms=dict.fromkeys(PERSONALITIES, 1)) as fleet:
        yield fleet


@pytest.fixture
def one(every: Fleet, tmp_path: Path) -> Rack:
    entry = next(entry for entry in every.bmcs if entry["platform"] == "idrac9")
    return Rack(tmp_path, every, {"idrac9": bmc_of(every, entry)})


def test_everything_of_every_platform_and_nothing_changes(every: Fleet, tmp_path: Path) -> None:
    before = {address: every.admin("GET", f"/bmcs/{address}")["power"] for address in every.addresses}
    every.reset_statistics()
    rack = Rack(tmp_path, every, {entry["platform"]: bmc_of(every, entry) for entry in every.bmcs})
    task = {MODULE: {"subset": ["all"]}, "ignore_errors": True}
    ran = rack.play([task], "--check", "--diff", forks=20)
    for entry in every.bmcs:
        (result,) = ran.of(entry["platform"])
        assert result["changed"] is False and "diff" not in result or "error" in result
        if entry["platform"] in WITHOUT_POWER:
            assert result["error"]["type"] == "BadInput"
        else:
            assert result["info"]["power"]["state"] == "on", entry["platform"]
    # Nothing but logins and logouts was written.
    statistics = every.statistics()
    assert statistics["sessions_open"] == 0
    assert not statistics["per_method"].get("PATCH") and not statistics["per_method"].get("PUT")
    assert statistics["per_method"].get("POST", 0) <= statistics["logins"]
    assert {address: every.admin("GET", f"/bmcs/{address}")["power"] for address in every.addresses} == before


def test_a_query_answers_from_the_info(one: Rack) -> None:
    pytest.importorskip("jmespath", reason="jmespath is not installed: no query")
    tasks = [
        {MODULE: {"query": "power.state"}},
        {MODULE: {"subset": ["drives"], "query": "drives[?health == 'ok'].id"}},
        {MODULE: {"query": "nothing.there"}},
        {MODULE: {"query": "power["}, "ignore_errors": True},
        {MODULE: {"query": "length(power.state, `1`)"}, "ignore_errors": True},
    ]
    for where in ({}, {"delegate_to": "jump"}):
        state, drives, nothing, broken, wrong = one.play([{**task, **where} for task in tasks]).results
        assert state["query_result"] == "on" and state["info"]["power"]["state"] == "on"
        assert len(drives["query_result"]) == len(drives["info"]["drives"]) > 0
        assert nothing["query_result"] is None
        for refused in (broken, wrong):
            assert refused["error"]["type"] == "BadInput" and "query is not usable" in refused["msg"]


def test_both_front_ends_give_the_same_keys(one: Rack) -> None:
    arguments: list[dict[str, Any]] = [
        {},
        {"subset": ["all"]},
        {"subset": ["weather"]},
        {"system": "nowhere"},
        {"username": "hearth", "password": "wrong"},
    ]
    results = []
    for where in ({}, {"delegate_to": "jump"}):
        tasks = [{MODULE: given, "ignore_errors": True, **where} for given in arguments]
        results.append(one.play(tasks, "--diff").results)
    assert len(results[0]) == len(arguments)
    for here, there in zip(*results):
        assert shape(here) == shape(there)


def test_nothing_is_asked_of_a_host_that_is_off(one: Rack) -> None:
    ran = one.play([{MODULE: {}}], "-vvvv")
    assert ran.outcomes == ["ok"] and "ESTABLISH" not in ran.said
    assert one.fleet.password not in ran.said and not (one.folder / "remote-tmp").exists()
