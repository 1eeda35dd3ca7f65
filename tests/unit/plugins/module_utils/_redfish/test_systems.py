# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which hosts stand behind a BMC, on trees of many shapes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.plugins.module_utils._redfish.looking import look, look_at, only
from tests.unit.plugins.module_utils._redfish.replay import Manners, Replay
from tests.unit.plugins.module_utils._redfish.trees import (
    ROOT,
    chassis,
    collection,
    hgx,
    manager,
    plain,
    ref,
    root,
    server,
    with_systems,
)

SYSTEMS = f"{ROOT}/Systems"


@pytest.mark.parametrize("name", ["1", "system", "System.Embedded.1", "Self", "437XR1138R2", "Node0"])
def test_a_system_of_any_id_is_a_host(name: str) -> None:
    bmc, machine = only(look_at(with_systems(name)))
    assert bmc["system_id"] == name
    assert bmc["system"] == f"{SYSTEMS}/{name}"
    assert machine["kind"] == "server"


def test_four_nodes_of_a_chassis_are_four_hosts() -> None:
    outcome = look_at(with_systems("Node0", "Node1", "Node2", "Node3"))
    assert [host["system_id"] for host in outcome.hosts] == ["Node0", "Node1", "Node2", "Node3"]
    assert {host["hearth_bmc"]["systems"] for host in outcome.hosts} == {4}
    assert len({host["hearth_server"]["serial"] for host in outcome.hosts}) == 4


def test_nodes_with_the_same_serial_and_without_uuid_all_stay() -> None:
    outcome = look_at(with_systems("Node0", "Node1", SerialNumber="EW21460041", UUID=""))
    assert [host["hearth_server"]["serial"] for host in outcome.hosts] == ["EW21460041"] * 2
    assert [host["hearth_server"]["uuid"] for host in outcome.hosts] == [None, None]
    assert [host["system_id"] for host in outcome.hosts] == ["Node0", "Node1"]


@pytest.mark.parametrize("order", [("System_0", "HGX_Baseboard_0"), ("HGX_Baseboard_0", "System_0")])
def test_a_baseboard_belongs_to_its_host_with_its_gpus(order: tuple[str, ...]) -> None:
    bmc, machine = only(look_at(hgx(order)))
    assert bmc["system_id"] == "System_0"
    assert bmc["systems"] == 1
    assert machine["gpus"] == {"count": 4, "model": "Example G1"}


def test_a_baseboard_without_a_host_is_a_host_of_its_own_kind() -> None:
    tree = hgx()
    tree.update(collection(SYSTEMS, f"{SYSTEMS}/HGX_Baseboard_0"))
    bmc, machine = only(look_at(tree))
    assert machine["kind"] == "baseboard"
    assert machine["gpus"]["count"] == 4


def test_a_baseboard_that_sleeps_leaves_the_number_of_gpus_open() -> None:
    """Its host is off, and everything behind the HGX controller says 503: no GPUs would be a lie."""
    tree = hgx()
    tree[ROOT]["Vendor"] = "NVIDIA"
    asleep = {path: 503 for path in tree if "HGX_" in path}
    with Replay(tree, Manners(status=asleep)) as bmc:
        outcome = look(bmc)
        hearth_bmc, machine = only(outcome)
        assert machine["gpus"]["count"] is None
        assert machine["serial"] == "SN-System_0-77"
        assert any("HGX_Baseboard_0" in warning for warning in hearth_bmc["warnings"])
        assert bmc.asked(f"{SYSTEMS}/HGX_Baseboard_0") == 1


def test_a_dpu_is_a_host_of_its_own_kind() -> None:
    tree = with_systems("1", "DPU1")
    tree[f"{SYSTEMS}/DPU1"]["SystemType"] = "DPU"
    outcome = look_at(tree)
    assert [host["hearth_server"]["kind"] for host in outcome.hosts] == ["server", "dpu"]


def test_members_null_is_no_system_and_says_so() -> None:
    tree = plain()
    tree[SYSTEMS]["Members"] = None
    bmc, machine = only(look_at(tree))
    assert machine["kind"] == "unknown"
    assert bmc["systems"] == 0
    assert any("lists no systems now" in warning for warning in bmc["warnings"])


def test_systems_that_are_empty_after_a_reset_are_not_silently_absent() -> None:
    tree = plain()
    tree.update(collection(SYSTEMS))
    bmc, machine = only(look_at(tree))
    assert any("90 to 200 seconds" in warning for warning in bmc["warnings"])
    assert machine["serial"] == "CH-1-55", "what the chassis tells is there"
    assert bmc["firmware"] == "4.5.6"


def test_pages_of_systems_are_all_read() -> None:
    tree = with_systems(*(f"Node{i}" for i in range(7)))
    assert len(look_at(tree, Manners(page_size=2)).hosts) == 7


def test_a_listed_system_that_does_not_exist_is_left_out_with_a_warning() -> None:
    tree = plain()
    tree[SYSTEMS]["Members"].append(ref(f"{SYSTEMS}/ghost"))
    bmc, machine = only(look_at(tree))
    assert bmc["system_id"] == "1"
    assert any("ghost is listed and does not exist" in warning for warning in bmc["warnings"])


@pytest.mark.parametrize("path", [SYSTEMS, ROOT, f"{ROOT}/Chassis/1", f"{SYSTEMS}/1/Processors"])
def test_a_listed_system_that_is_something_else_is_left_out_with_a_warning(path: str) -> None:
    tree = plain()
    tree[f"{ROOT}/Chassis/1"]["@odata.type"] = "#Chassis.v1_20_0.Chassis"
    tree[SYSTEMS]["Members"].insert(0, ref(path))
    bmc, machine = only(look_at(tree))
    assert bmc["system_id"] == "1"
    assert any("is something else" in warning for warning in bmc["warnings"])


def test_the_only_system_stays_although_it_does_not_exist() -> None:
    tree = plain()
    del tree[f"{SYSTEMS}/1"]
    bmc, machine = only(look_at(tree))
    assert bmc["system_id"] == "1"
    assert machine["model"] is None


@pytest.mark.parametrize("status", [403, 500, 400])
def test_a_system_that_cannot_be_read_is_a_host_without_details(status: int) -> None:
    outcome = look_at(with_systems("a", "b"), Manners(status={f"{SYSTEMS}/a": status}))
    assert [host["system_id"] for host in outcome.hosts] == ["a", "b"]
    assert outcome.hosts[0]["hearth_server"]["power_state"] is None
    assert outcome.hosts[1]["hearth_server"]["power_state"] == "on"
    assert any(f"system a: HTTP {status}" in warning for warning in outcome.hosts[0]["hearth_bmc"]["warnings"])


def test_an_empty_slot_is_no_host() -> None:
    tree = with_systems("a", "b")
    tree[f"{SYSTEMS}/b"]["Status"] = {"State": "Absent"}
    bmc, machine = only(look_at(tree))
    assert bmc["system_id"] == "a"
    assert any("empty slot" in warning for warning in bmc["warnings"])


def test_a_root_that_forgets_systems_is_helped_by_the_specification() -> None:
    tree = plain()
    for name in ("Systems", "Chassis", "Managers"):
        del tree[ROOT][name]
    bmc, machine = only(look_at(tree))
    assert machine["serial"] == "SN-1-77"
    assert any("does not link to Systems" in warning for warning in bmc["warnings"])


def test_a_system_without_links_finds_its_manager_and_chassis_in_the_collections() -> None:
    """As HPE's Cray EX: two nodes, no Links, several controllers and chassis."""
    tree = with_systems("Node0", "Node1")
    for name in ("Node0", "Node1"):
        del tree[f"{SYSTEMS}/{name}"]["Links"]
    names = ("Enclosure", "Mezz0", "Node0", "Node1")
    tree.update(collection(f"{ROOT}/Chassis", *(f"{ROOT}/Chassis/{name}" for name in names)))
    for name in names:
        tree[f"{ROOT}/Chassis/{name}"] = chassis(name, ChassisType="Blade")
    tree.update(collection(f"{ROOT}/Managers", f"{ROOT}/Managers/MCU0", f"{ROOT}/Managers/BMC"))
    tree[f"{ROOT}/Managers/MCU0"] = manager("MCU0", ManagerType="AuxiliaryController")
    served = {"ManagerForServers": [ref(f"{SYSTEMS}/Node0"), ref(f"{SYSTEMS}/Node1/")]}
    tree[f"{ROOT}/Managers/BMC"] = manager("BMC", ManagerType="EnclosureManager", Links=served)
    outcome = look_at(tree)
    assert [host["hearth_bmc"]["chassis"] for host in outcome.hosts] == [f"{ROOT}/Chassis/Node{i}" for i in (0, 1)]
    assert {host["hearth_bmc"]["manager"] for host in outcome.hosts} == {f"{ROOT}/Managers/BMC"}


def test_a_machine_without_a_serial_takes_its_chassis_then_its_baseboards() -> None:
    tree = hgx()
    tree[f"{SYSTEMS}/System_0"]["SerialNumber"] = ""
    tree[f"{ROOT}/Chassis/1"]["ChassisType"] = "Component"
    machine = only(look_at(tree))[1]
    assert machine["serial"] == "CH-1-55"
    assert machine["chassis_serial"] is None, "a component is no chassis that a person could look for"
    tree[f"{ROOT}/Chassis/1"]["SerialNumber"] = ""
    assert only(look_at(tree))[1]["serial"] == "158-BOARD"


def test_a_machine_before_a_part_of_it_where_both_are_linked() -> None:
    tree = plain()
    tree[f"{SYSTEMS}/1"]["Links"]["Chassis"] = [ref(f"{ROOT}/Chassis/Card"), ref(f"{ROOT}/Chassis/1")]
    tree[f"{ROOT}/Chassis/Card"] = chassis("Card", ChassisType="Card")
    bmc, machine = only(look_at(tree))
    assert (bmc["chassis"], machine["chassis_serial"]) == (f"{ROOT}/Chassis/1", "CH-1-55")


def test_the_platform_names_the_chassis_that_is_the_machine() -> None:
    tree = hgx()
    tree[ROOT].update(Vendor="NVIDIA", Product="GB200 NVL")
    tree[f"{SYSTEMS}/System_0"]["SerialNumber"] = None
    tree[f"{ROOT}/Chassis/1"]["ChassisType"] = "Component"
    tree[f"{ROOT}/Chassis/Chassis_0"] = chassis("Chassis_0", ChassisType="Shelf", SerialNumber="TRAY-1")
    bmc, machine = only(look_at(tree))
    assert machine["serial"] == "TRAY-1"
    del tree[f"{ROOT}/Chassis/Chassis_0"]
    bmc, machine = only(look_at(tree))
    assert machine["serial"] == "CH-1-55"
    assert bmc["warnings"] == [], "that it may lack is no news"


def test_a_blade_is_located_by_its_enclosure() -> None:
    tree = plain()
    blade = chassis("1", ChassisType="Blade", Location={"PartLocation": {"ServiceLabel": "Blade 2"}})
    blade["Links"] = {"ContainedBy": ref(f"{ROOT}/Chassis/Enclosure")}
    tree[f"{ROOT}/Chassis/1"] = blade
    tree[f"{ROOT}/Chassis/Enclosure"] = chassis("Enclosure", ChassisType="Enclosure")
    bmc, machine = only(look_at(tree))
    assert (machine["location"]["rack"], machine["location"]["slot"]) == ("R7", "Blade 2")


def test_chassis_that_contain_each_other_end() -> None:
    tree = plain()
    for name, outer in (("1", "2"), ("2", "1")):
        tree[f"{ROOT}/Chassis/{name}"] = chassis(name, Location=None)
        tree[f"{ROOT}/Chassis/{name}"]["Links"] = {"ContainedBy": ref(f"{ROOT}/Chassis/{outer}")}
    bmc, machine = only(look_at(tree))
    assert machine["location"] is None


@pytest.mark.parametrize("part", ["Managers/1", "Chassis/1", "Systems/1/Processors", "Systems/1/SecureBoot"])
@pytest.mark.parametrize("status", [403, 404, 500])
def test_one_part_that_cannot_be_read_costs_only_itself(part: str, status: int) -> None:
    bmc, machine = only(look_at(plain(), Manners(status={f"{ROOT}/{part}": status})))
    assert machine["serial"] == "SN-1-77"
    assert bmc["warnings"], "and it is told"
    assert bmc["state"] == "ok"


# No systems at all


def power_equipment(kind: str) -> dict[str, Any]:
    tree = root(PowerEquipment=ref(f"{ROOT}/PowerEquipment"))
    del tree[ROOT]["Systems"]
    tree[f"{ROOT}/PowerEquipment"] = {kind: ref(f"{ROOT}/PowerEquipment/{kind}")}
    tree.update(collection(f"{ROOT}/PowerEquipment/{kind}", f"{ROOT}/PowerEquipment/{kind}/1"))
    tree[f"{ROOT}/PowerEquipment/{kind}/1"] = {
        "@odata.id": f"{ROOT}/PowerEquipment/{kind}/1",
        "Model": "ZAP",
        "SerialNumber": "P-4242",
        "Links": {"ManagedBy": [ref(f"{ROOT}/Managers/BMC")]},
    }
    tree[f"{ROOT}/Managers/BMC"] = manager("BMC")
    return tree


@pytest.mark.parametrize(("collection_name", "kind"), [("RackPDUs", "pdu"), ("PowerShelves", "power_shelf")])
def test_power_equipment_is_one_host_of_its_kind(collection_name: str, kind: str) -> None:
    bmc, machine = only(look_at(power_equipment(collection_name)))
    assert (machine["kind"], machine["serial"], machine["model"]) == (kind, "P-4242", "ZAP")
    assert (bmc["systems"], bmc["system_id"], bmc["firmware"]) == (0, "", "4.5.6")


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({"ChassisType": "Enclosure"}, "enclosure"),
        ({"ChassisType": "RackMount", "Name": "Power Shelf Chassis"}, "power_shelf"),
        ({"ChassisType": "RackMount", "Name": "Rack PDU Chassis"}, "pdu"),
        ({}, "enclosure"),
    ],
)
def test_a_chassis_without_systems_is_one_host(more: dict[str, Any], kind: str) -> None:
    tree = root()
    del tree[ROOT]["Systems"]
    tree.update(collection(f"{ROOT}/Chassis", f"{ROOT}/Chassis/Blade0", f"{ROOT}/Chassis/Main-Chassis"))
    tree[f"{ROOT}/Chassis/Blade0"] = chassis("Blade0", ChassisType="Blade")
    tree[f"{ROOT}/Chassis/Main-Chassis"] = chassis("Main-Chassis", **more)
    bmc, machine = only(look_at(tree))
    assert (machine["kind"], machine["serial"]) == (kind, "CH-Main-Chassis-55")


def test_a_bmc_of_nothing_is_still_a_host() -> None:
    tree = root()
    for name in ("Systems", "Chassis", "Managers"):
        del tree[ROOT][name]
    bmc, machine = only(look_at(tree))
    assert machine["kind"] == "unknown"


# Processors and GPUs


def test_gpus_are_counted_with_their_model() -> None:
    bmc, machine = only(look_at(plain(processors=("CPU1", "CPU2", "GPU1", "GPU2"))))
    assert machine["gpus"] == {"count": 2, "model": "Example G1"}
    assert machine["cpus"] == 2


def test_processors_that_are_all_cpus_are_not_read() -> None:
    with Replay(plain()) as bmc:
        assert only(look(bmc))[1]["gpus"] == {"count": 0, "model": None}
        assert not any("/Processors/" in path for path in bmc.paths())


def test_a_summary_that_counts_gpus_as_processors_is_seen_through() -> None:
    tree = plain(processors=("CPU0", "GPU0", "GPU1"), ProcessorSummary={"Count": 3})
    bmc, machine = only(look_at(tree))
    assert (machine["cpus"], machine["gpus"]["count"]) == (1, 2)


def test_processors_whose_ids_say_nothing_are_read_unless_the_summary_explains_them() -> None:
    tree = plain(processors=("1", "2", "3"))
    tree[f"{SYSTEMS}/1/Processors/3"]["ProcessorType"] = "GPU"
    assert only(look_at(tree))[1]["gpus"]["count"] == 1
    with Replay(plain(processors=("1", "2"))) as bmc:
        assert only(look(bmc))[1]["gpus"]["count"] == 0
        assert not any("/Processors/" in path for path in bmc.paths())


def test_an_absent_gpu_does_not_count() -> None:
    tree = plain(processors=("CPU1", "CPU2", "GPU1", "GPU2"))
    tree[f"{SYSTEMS}/1/Processors/GPU2"]["Status"] = {"State": "Absent"}
    assert only(look_at(tree))[1]["gpus"]["count"] == 1


def test_a_gpu_that_is_listed_and_cannot_be_read_counts() -> None:
    tree = plain(processors=("CPU1", "CPU2", "GPU1", "GPU2"))
    bmc, machine = only(look_at(tree, Manners(status={f"{SYSTEMS}/1/Processors/GPU2": 500})))
    assert machine["gpus"] == {"count": 2, "model": "Example G1"}


def test_an_empty_processor_collection_leaves_gpus_open() -> None:
    assert only(look_at(plain(processors=())))[1]["gpus"]["count"] is None


def test_gpus_that_are_pcie_devices_are_found_where_the_platform_has_them() -> None:
    tree = plain({"Oem": {"Supermicro": {}}})
    devices = f"{ROOT}/Chassis/1/PCIeDevices"
    tree[f"{ROOT}/Chassis/1"]["PCIeDevices"] = ref(devices)
    tree.update(collection(devices, *(f"{devices}/{name}" for name in ("NIC1", "GPU1", "GPU2"))))
    for name in ("GPU1", "GPU2"):
        tree[f"{devices}/{name}"] = {"@odata.id": f"{devices}/{name}", "Id": name, "Model": "Example G2"}
    with Replay(tree) as bmc:
        assert only(look(bmc))[1]["gpus"] == {"count": 2, "model": "Example G2"}
        assert bmc.asked(f"{devices}/NIC1") == 0


def test_gpus_in_hpes_device_list_are_found_and_its_switches_are_not() -> None:
    tree = plain({"Vendor": "HPE", "Oem": {"Hpe": {"Manager": [{"ManagerType": "iLO 5"}]}}})
    devices = f"{ROOT}/Chassis/1/Devices"
    tree[f"{ROOT}/Chassis/1"]["Oem"] = {"Hpe": {"Links": {"Devices": ref(devices)}}}
    tree.update(collection(devices, *(f"{devices}/{i}" for i in range(4))))
    for i, (kind, name) in enumerate(
        [("GPU", "Example G3"), ("GPU", "Example G3"), ("GPU", "Example NV Switch"), ("LOM/NIC", "Example N1")]
    ):
        tree[f"{devices}/{i}"] = {"@odata.id": f"{devices}/{i}", "DeviceType": kind, "Name": name}
    assert only(look_at(tree))[1]["gpus"] == {"count": 2, "model": "Example G3"}
    del tree[f"{ROOT}/Chassis/1"]["Oem"]
    assert only(look_at(tree))[1]["gpus"]["count"] == 0, "without the list its processors are asked"


def test_a_gpu_without_a_model_takes_it_from_its_pcie_device() -> None:
    tree = plain(processors=("CPU1", "CPU2", "GPU1"))
    tree[f"{SYSTEMS}/1/Processors/GPU1"].update(
        Model=None, Links={"PCIeDevice": ref(f"{ROOT}/Chassis/1/PCIeDevices/slot_3")}
    )
    tree[f"{ROOT}/Chassis/1/PCIeDevices/slot_3"] = {"Name": "Example G4"}
    assert only(look_at(tree))[1]["gpus"] == {"count": 1, "model": "Example G4"}


def test_two_models_of_gpu_are_both_named() -> None:
    tree = plain(processors=("CPU1", "CPU2", "GPU1", "GPU2", "GPU3"))
    tree[f"{SYSTEMS}/1/Processors/GPU3"]["Model"] = "Another"
    assert only(look_at(tree))[1]["gpus"]["model"] == "Example G1, Another"


def test_servers_of_the_same_bmc_keep_their_own_processors() -> None:
    tree = with_systems("a", "b")
    tree.update(server("b", processors=("CPU1", "CPU2", "GPU1")))
    outcome = look_at(tree)
    assert [host["hearth_server"]["gpus"]["count"] for host in outcome.hosts] == [0, 1]
