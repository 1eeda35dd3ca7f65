# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The inventory cache, and what refresh makes of it: counted at the fleet."""

from __future__ import annotations

import pytest

from tests.emulators.redfish.fleet import Fleet
from tests.integration.inventory_run import InventoryFolder

CACHE = {"cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": "cache", "cache_timeout": 3600}


def asked(fleet: Fleet) -> int:
    return fleet.statistics()["requests"]


def test_a_cached_result_asks_nobody_and_gives_the_same_hosts(inventory: InventoryFolder, fleet: Fleet):
    inventory.write(**CACHE)
    first = inventory.list()
    fleet.reset_statistics()
    second = inventory.list()
    assert asked(fleet) == 0
    assert second.hosts == first.hosts and second.groups == first.groups


def test_flush_cache_reads_again_whatever_refresh_says(inventory: InventoryFolder, fleet: Fleet):
    for refresh in ("none", "changed"):
        inventory.write(**CACHE, refresh=refresh)
        inventory.list()
        fleet.reset_statistics()
        inventory.list("--flush-cache")
        assert fleet.statistics()["logins"] >= len(fleet.addresses)


def test_refresh_all_reads_everything_again(inventory: InventoryFolder, fleet: Fleet):
    inventory.write(**CACHE, refresh="all")
    inventory.list()
    fleet.reset_statistics()
    inventory.list()
    assert fleet.statistics()["logins"] >= len(fleet.addresses)


def test_refresh_changed_asks_each_root_and_logs_in_nowhere(inventory: InventoryFolder, fleet: Fleet):
    inventory.write(**CACHE, refresh="changed")
    first = inventory.list()
    fleet.reset_statistics()
    second = inventory.list()
    statistics = fleet.statistics()
    assert statistics["logins"] == 0
    # An iLO 5 that wants compression refuses the first request and answers the second.
    assert statistics["requests"] == len(fleet.addresses) + sum(bmc["platform"] == "ilo5" for bmc in fleet.bmcs)
    assert second.hosts == first.hosts


def test_refresh_changed_reads_again_where_the_last_run_failed(inventory: InventoryFolder, fleet: Fleet):
    dark = fleet.addresses[0]
    fleet.faults(dark, refused={})
    inventory.write(**CACHE, refresh="changed")
    assert len(inventory.list().groups["bmc_unreachable"]) == 1
    fleet.faults(dark)
    fleet.reset_statistics()
    listed = inventory.list()
    assert listed.groups.get("bmc_unreachable", []) == []
    assert fleet.statistics()["logins"] == 1


def test_refresh_changed_says_when_a_bmc_is_gone(inventory: InventoryFolder, fleet: Fleet):
    inventory.write(**CACHE, refresh="changed")
    inventory.list()
    fleet.faults(fleet.addresses[0], refused={})
    assert len(inventory.list().groups["bmc_unreachable"]) == 1


@pytest.mark.parametrize("change", [{"details": "minimal"}, {"exclude": ["127.49.0.1"]}, {"trust": "pin"}])
def test_a_cache_of_other_settings_is_not_used(inventory: InventoryFolder, fleet: Fleet, change):
    inventory.write(**CACHE)
    inventory.list()
    fleet.reset_statistics()
    inventory.write(**CACHE, **change)
    inventory.list()
    assert asked(fleet) > 0


def test_groups_filter_and_map_are_applied_to_a_cached_result(inventory: InventoryFolder, fleet: Fleet):
    inventory.write(**CACHE)
    inventory.list()
    fleet.reset_statistics()
    inventory.write(
        **CACHE,
        filter="hearth_bmc.platform == 'openbmc'",
        keyed_groups=[{"key": "hearth_bmc.platform", "prefix": "p"}],
        groups={"powered": "hearth_server.power_state == 'on'"},
        compose={"model": "hearth_server.model | lower"},
        strict=True,
    )
    listed = inventory.list()
    assert asked(fleet) == 0
    assert listed.groups["p_openbmc"] == list(listed.hosts) == listed.groups["powered"]
    assert all(host["model"] == host["hearth_server"]["model"].lower() for host in listed.hosts.values())


def test_a_damaged_cache_is_made_anew(inventory: InventoryFolder, fleet: Fleet):
    inventory.write(**CACHE, targets=fleet.addresses[:2])
    first = inventory.list()
    (file,) = (path for path in (inventory.folder / "cache").iterdir())
    file.write_text(file.read_text().replace('"payload"', '"other"'))
    assert set(inventory.list().hosts) == set(first.hosts)
