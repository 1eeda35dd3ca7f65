# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One result out of many, and how many hosts may fail."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core.errors import BadInput, TimedOut, Unsupported
from ansible_collections.hearth.datacenter.plugins.module_utils._glue.contract import (
    Contract,
    Outcome,
    failure,
    perform,
)
from ansible_collections.hearth.datacenter.plugins.module_utils._glue.fleet import (
    Tally,
    concurrency,
    fleet_contract,
    may_fail,
    refuse_what_is_of_one_host,
)

ON = {"changed": True, "diff": {"before": {"power_state": "off"}, "after": {"power_state": "on"}}}
SAME = {"changed": False, "diff": {"before": {"power_state": "on"}, "after": {"power_state": "on"}}}


def dead() -> dict[str, Any]:
    return failure(TimedOut("no answer", where="https://10.0.0.1"))


def tally(allowed: int = 0, **results: dict[str, Any]) -> Tally:
    counted = Tally(["n1", "n2", "n3"], allowed)
    for name, result in results.items():
        counted.add(name, result)
    return counted


@pytest.mark.parametrize(
    ("wanted", "hosts", "allowed"),
    [("0", 10, 0), ("3", 10, 3), ("50%", 10, 5), ("2%", 49, 0), ("2%", 100, 2), ("100%", 7, 7), (" 2.5 % ", 200, 5)],
)
def test_a_number_or_a_percentage_may_fail(wanted: str, hosts: int, allowed: int) -> None:
    assert may_fail(wanted, hosts) == allowed


@pytest.mark.parametrize("wanted", ["-1", "101%", "few", "", "%", "1.5"])
def test_what_is_neither_is_refused(wanted: str) -> None:
    with pytest.raises(BadInput, match="max_fail"):
        may_fail(wanted, 10)


@pytest.mark.parametrize("wanted", [0, -1, 1025])
def test_concurrency_has_bounds(wanted: int) -> None:
    with pytest.raises(BadInput, match="concurrency"):
        concurrency({"concurrency": wanted})


def test_diffs_of_changed_hosts_become_the_tasks_diff() -> None:
    result = tally(n2=ON, n1=SAME, n3=SAME).result(diff_mode=True)
    assert result["diff"] == {"before": {"n2": {"power_state": "off"}}, "after": {"n2": {"power_state": "on"}}}
    assert list(result["hosts"]) == ["n1", "n2", "n3"]
    assert result["hosts"]["n2"] == {"changed": True}
    assert (result["changed"], result["failed_hosts"], result["not_begun_hosts"]) == (True, [], [])


def test_too_many_failures_fail_the_task_which_still_says_what_changed() -> None:
    result = tally(n2=dead(), n1=ON).result(diff_mode=False)
    assert result["failed"] is True and result["changed"] is True
    assert (result["failed_hosts"], result["not_begun_hosts"]) == (["n2"], ["n3"])
    assert result["error"]["type"] == "HostsFailed"
    assert result["error"]["expected"] == "at most 0 failed hosts"
    assert "TimedOut on n2" in result["msg"] and "1 hosts were not begun" in result["msg"]


def test_failures_that_are_allowed_are_a_warning() -> None:
    result = tally(1, n2=dead(), n1=SAME, n3=SAME).result(diff_mode=False)
    assert "failed" not in result
    assert result["warnings"] == ["1 of 3 hosts failed: TimedOut on n2"]
    assert result["hosts"]["n2"]["error"]["type"] == "TimedOut"


def test_the_same_warning_of_many_hosts_is_said_once() -> None:
    unsure = {"changed": False, "warnings": ["nothing says which machine this must be"]}
    result = tally(n1=unsure, n2=unsure, n3=unsure).result(diff_mode=False)
    assert result["warnings"] == ["n1 and 2 more: nothing says which machine this must be"]


def test_what_is_of_one_host_is_refused_for_a_fleet() -> None:
    one = Contract("power", lambda request: Outcome(False), {"address": {"type": "str", "required": True}})
    many = fleet_contract("fleet_power", one)
    assert many.argument_spec["address"]["required"] is False
    refuse_what_is_of_one_host({"address": None, "identity": None})
    with pytest.raises(BadInput, match="address would hold for every host"):
        refuse_what_is_of_one_host({"address": "10.0.0.1"})


def test_run_as_a_module_it_says_where_it_runs() -> None:
    many = fleet_contract("fleet_power", Contract("power", lambda request: Outcome(False), {}))
    result = perform(many, {}, check_mode=False, diff_mode=False)
    assert result["error"]["type"] == Unsupported.__name__
    assert "delegate_to" in result["error"]["next"]
