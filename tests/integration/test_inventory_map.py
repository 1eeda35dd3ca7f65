# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The operator's map and lease files: the slot is where, the machine is who."""

from __future__ import annotations

import yaml

from tests.emulators.redfish.fleet import Fleet
from tests.integration.inventory_run import InventoryFolder


def write_map(inventory: InventoryFolder, *slots) -> None:
    (inventory.folder / "slots.yml").write_text(yaml.safe_dump({"slots": list(slots)}))


def server_of(fleet: Fleet, platform: str):
    return next(bmc for bmc in fleet.bmcs if bmc["platform"] == platform)


def test_slots_name_hosts_by_address_and_by_serial(inventory: InventoryFolder, fleet: Fleet):
    one, two = server_of(fleet, "openbmc"), server_of(fleet, "idrac9")
    write_map(
        inventory,
        {"slot": "rack1-u01", "bmc": one["address"], "serial": one["serial"], "ansible_host": "10.30.0.11"},
        {"slot": "rack1-u02", "serial": two["serial"]},
    )
    inventory.write(map="slots.yml", targets=[one["address"], two["address"]])
    hosts = inventory.list().hosts
    assert set(hosts) == {"rack1-u01", "rack1-u02"}
    assert hosts["rack1-u01"]["ansible_host"] == "10.30.0.11"
    assert hosts["rack1-u01"]["hearth_bmc"]["identity"] == "expected"
    assert hosts["rack1-u02"]["hearth_bmc"]["address"] == two["address"]


def test_the_wrong_machine_in_a_slot_is_said(inventory: InventoryFolder, fleet: Fleet):
    one = server_of(fleet, "openbmc")
    write_map(inventory, {"slot": "rack1-u01", "bmc": one["address"], "serial": "ANOTHER"})
    inventory.write(map="slots.yml", targets=[])
    record = inventory.list().hosts["rack1-u01"]["hearth_bmc"]
    assert record["identity"] == "mismatch"
    assert any("ANOTHER" in warning and one["serial"].lower() in warning for warning in record["warnings"])


def test_a_serial_that_nobody_has_is_a_host_with_its_reason(inventory: InventoryFolder, fleet: Fleet):
    write_map(inventory, {"slot": "rack1-u09", "serial": "NOBODY"})
    inventory.write(map="slots.yml", targets=fleet.addresses[:2])
    listed = inventory.list()
    assert listed.groups["bmc_unreachable"] == ["rack1-u09"]
    assert "NOBODY" in listed.hosts["rack1-u09"]["hearth_bmc"]["error"]["msg"]


def test_an_unverified_machine_does_not_get_into_a_slot_by_its_claim(inventory: InventoryFolder, fleet: Fleet):
    one = server_of(fleet, "openbmc")
    write_map(inventory, {"slot": "rack1-u01", "serial": one["serial"]})
    inventory.write(map="slots.yml", targets=[one["address"]], trust="pin")
    listed = inventory.list()
    assert listed.groups["bmc_unreachable"] == ["rack1-u01"]
    assert listed.groups["bmc_unpinned"] == [one["address"]]


def test_a_node_of_a_shared_chassis_has_its_slot(inventory: InventoryFolder, fleet: Fleet):
    chassis = server_of(fleet, "multi_node")
    inventory.write(targets=[chassis["address"]])
    node = sorted(host["hearth_bmc"]["system_id"] for host in inventory.list().hosts.values())[1]
    write_map(inventory, {"slot": "rack2-u01-b", "bmc": chassis["address"], "system": node})
    inventory.write(map="slots.yml", targets=[])
    hosts = inventory.list().hosts
    assert len(hosts) == 4
    assert hosts["rack2-u01-b"]["hearth_bmc"]["system_id"] == node


def test_leases_lead_to_bmcs_and_macs_to_slots(inventory: InventoryFolder, fleet: Fleet):
    one, two = fleet.addresses[0], fleet.addresses[1]
    (inventory.folder / "dnsmasq.leases").write_text(
        f"1893456000 52:54:00:20:00:01 {one} bmc1 *\n1893456000 52:54:00:20:00:02 {two} * *\n"
    )
    write_map(inventory, {"slot": "rack1-u01", "mac": "52-54-00-20-00-02"})
    inventory.write(map="slots.yml", targets=[], leases=["dnsmasq.leases"])
    hosts = inventory.list().hosts
    assert len(hosts) == 2
    assert hosts["rack1-u01"]["hearth_bmc"]["address"] == two


def test_a_slot_that_the_shard_does_not_hold_is_left_to_another(inventory: InventoryFolder, fleet: Fleet):
    single = [bmc["address"] for bmc in fleet.bmcs if bmc["platform"] != "multi_node"]
    write_map(inventory, *({"slot": f"u{number:02}", "bmc": address} for number, address in enumerate(single)))
    names: list[str] = []
    for index in range(2):
        inventory.write(map="slots.yml", targets=[], shard={"index": index, "count": 2}, details="minimal")
        listed = inventory.list()
        assert listed.groups.get("bmc_unreachable", []) == []
        names.extend(name for name, host in listed.hosts.items() if host["hearth_bmc"].get("slot"))
    assert sorted(names) == [f"u{number:02}" for number in range(len(single))]


def test_a_chassis_of_four_takes_no_slot_without_its_system(inventory: InventoryFolder, fleet: Fleet):
    write_map(inventory, {"slot": "rack2-u01", "bmc": server_of(fleet, "multi_node")["address"]})
    inventory.write(map="slots.yml", targets=[])
    listed = inventory.list()
    assert len(listed.hosts) == 5
    error = listed.hosts["rack2-u01"]["hearth_bmc"]["error"]
    assert error["type"] == "BadInput" and "system" in error["next"]


def test_a_name_is_remembered_when_a_twin_appears(inventory: InventoryFolder, fleet: Fleet):
    nodes = server_of(fleet, "openbmc")
    inventory.write(targets=[nodes["address"]])
    (name,) = inventory.list().hosts
    (again,) = inventory.list().hosts
    assert again == name == nodes["serial"]
