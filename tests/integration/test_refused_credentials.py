# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A wrong password is sent to a BMC once in a run: not by every task, by every host behind it and in every fork."""

from __future__ import annotations

import json
import pathlib
import typing as t

import pytest

from tests.emulators.redfish.fleet import Fleet
from tests.integration.discovered_hosts import DiscoveredHosts
from tests.integration.inventory_run import InventoryFolder

INFO = {"hearth.datacenter.redfish_info": {"subset": ["power"]}, "ignore_errors": True}
POWER = {"hearth.datacenter.redfish_power": {"state": "on"}, "ignore_errors": True}
FLEET = {"hearth.datacenter.redfish_fleet_info": {"subset": ["power"], "max_fail": "100%"}, "run_once": True}
WRONG = {"hearth_bmc_password": "not it"}


@pytest.fixture(scope="module")
def racks() -> t.Iterator[Fleet]:
    with Fleet(2, "127.41.1.0/24", platforms={"generic": 1, "multi_node": 1}) as running:
        yield running


@pytest.fixture
def hosts(racks: Fleet, tmp_path: pathlib.Path) -> t.Iterator[DiscoveredHosts]:
    """BMCs that lock an account at the third wrong password: one with a machine behind it, and one with four."""
    found = DiscoveredHosts(tmp_path, racks)
    for address in racks.addresses:
        racks.admin("POST", f"/bmcs/{address}/manners", {"lockout_threshold": 3})
    yield found
    for address in racks.addresses:
        racks.admin("POST", f"/bmcs/{address}/manners", {})
        racks.admin("POST", f"/bmcs/{address}/credentials", {"username": racks.username, "password": racks.password})


def failed_logins(fleet: Fleet) -> list[int]:
    described = fleet.admin("GET", "/bmcs")
    return [described[address]["statistics"]["failed_logins"] for address in fleet.addresses]


@pytest.mark.parametrize("forks", ["1", "5"])
def test_once_for_each_bmc_over_tasks_hosts_and_forks(hosts: DiscoveredHosts, racks: Fleet, forks: str) -> None:
    ran = hosts.play([INFO, POWER, INFO, FLEET], vars=WRONG, environment={"ANSIBLE_FORKS": forks})
    assert failed_logins(racks) == [1, 1]
    for result in ran.results[:-1]:
        assert result["error"]["type"] == "AuthenticationFailed"
    assert {host["error"]["type"] for host in ran.results[-1]["hosts"].values()} == {"AuthenticationFailed"}
    assert "not tried again" in ran.results[-2]["msg"]
    # The next run is told the right password, and the account is not locked.
    assert set(hosts.play([INFO]).outcomes) == {"ok"}


def test_a_password_that_is_corrected_within_the_run_is_tried(hosts: DiscoveredHosts, racks: Fleet) -> None:
    corrected = {**INFO, "vars": {"hearth_bmc_password": racks.password}}
    ran = hosts.play([{**INFO, "vars": WRONG}, {**POWER, "vars": WRONG}, corrected])
    assert failed_logins(racks) == [1, 1]
    assert ran.outcomes.count("ok") == len(hosts.hosts)


def test_delegated_tasks_send_it_once_from_there(hosts: DiscoveredHosts, racks: Fleet) -> None:
    name = hosts.name_of(racks.addresses[0])
    there = {"delegate_to": "jump"}
    corrected = {**INFO, **there, "vars": {"hearth_bmc_password": racks.password}}
    wrong = {**there, "vars": WRONG}
    ran = hosts.play([{**INFO, **wrong}, {**POWER, **wrong}, {**INFO, **wrong}, corrected, corrected], hosts=[name])
    assert sum(failed_logins(racks)) == 1
    assert ran.outcomes == ["failed"] * 3 + ["ok"] * 2
    assert [result["error"]["type"] for result in ran.results[:3]] == ["AuthenticationFailed"] * 3


def test_of_several_the_one_that_was_refused_is_left_out(hosts: DiscoveredHosts, racks: Fleet) -> None:
    listed = [
        {"name": "old", "username": racks.username, "password": "not it"},
        {"name": "new", "username": racks.username, "password": racks.password},
    ]
    said = {"hearth_bmc_credentials": listed, "hearth_bmc_username": "", "hearth_bmc_password": ""}
    ran = hosts.play([INFO, POWER, INFO, FLEET], vars=said)
    assert set(ran.outcomes) == {"ok"} and failed_logins(racks) == [1, 1]


def test_what_discovery_was_refused_is_not_sent_by_the_tasks(racks: Fleet, tmp_path: pathlib.Path) -> None:
    """The inventory plugin and the tasks of one run of ansible-playbook."""
    inventory = InventoryFolder(tmp_path, racks)
    inventory.write(password="not it")
    said = {"hearth_bmc_username": racks.username, **WRONG}
    play = {"hosts": "bmc_unauthorized", "gather_facts": False, "vars": said, "tasks": [INFO, INFO]}
    (tmp_path / "play.yml").write_text(json.dumps([play]))
    racks.reset_statistics()
    ended = inventory.command("ansible-playbook", "-i", str(inventory.source), str(tmp_path / "play.yml"))
    assert "not tried again" in ended.said and ended.said.count("ignored=2") == 2
    assert failed_logins(racks) == [1, 1]
