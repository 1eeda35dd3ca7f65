# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each platform has the manners that it is there for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.emulators.redfish.personalities.index import PERSONALITIES
from tests.emulators.redfish.personality import SERVICE_ROOT
from tests.unit.emulators.rendered import NAMES, bmc, bodies, first, nodes, of_kind, platform, values

ROOTS: Mapping[str, tuple[str | None, str | None, str | None]] = {
    # platform: Vendor, Product, key in Oem
    "openbmc": (None, None, None),
    "idrac9": ("Dell", "Integrated Dell Remote Access Controller", "Dell"),
    "idrac10": ("Dell", "Integrated Dell Remote Access Controller", "Dell"),
    "ilo5": ("HPE", "ProLiant DL360 Gen10", "Hpe"),
    "ilo6": ("HPE", "ProLiant DL360 Gen11", "Hpe"),
    "ilo7": ("HPE", "ProLiant Compute DL360 Gen12", "Hpe"),
    "xcc": ("Lenovo", "ThinkSystem SR650 V3", "Lenovo"),
    "xcc3": ("Lenovo", "ThinkSystem SR650 V4", "Lenovo"),
    "supermicro": (None, None, "Supermicro"),
    "asus": ("AMI", "AMI Redfish Server", "Ami"),
    "asrockrack": ("AMI", "AMI Redfish Server", "Ami"),
    "gigabyte": ("GIGABYTE", "AMI Redfish Server", "Ami"),
    "dgx_h100": ("AMI", "AMI Redfish Server", "Ami"),
    "gh200": ("NVIDIA", "P3809", None),
    "gb200": ("NVIDIA", "GB200 NVL", None),
    "fujitsu": ("FUJITSU", "iRMC S6", "ts_fujitsu"),
    "intel": ("Intel Corporation", "M50CYP Family", None),
    "generic": ("Wayfarer", "WS-BMC", None),
    "multi_node": ("Twinpeak", "TP-CMC", None),
    "power_shelf": ("LITE-ON TECHNOLOGY CORP.", None, None),
    "pdu": ("Gantry Power", "GP-PDU 24", None),
}


@pytest.mark.parametrize("name", NAMES)
def test_the_root_tells_the_platform(name: str) -> None:
    root = bodies(name)[SERVICE_ROOT]
    vendor, product, key = ROOTS[name]
    assert (root.get("Vendor"), root.get("Product")) == (vendor, product)
    assert list(root.get("Oem", {})) == ([key] if key else [])
    assert root["RedfishVersion"].count(".") == 2


IDS: Mapping[str, tuple[list[str], list[str]]] = {
    # platform: systems, managers
    "openbmc": (["system"], ["bmc"]),
    "idrac9": (["System.Embedded.1"], ["iDRAC.Embedded.1"]),
    "idrac10": (["System.Embedded.1"], ["iDRAC.Embedded.1"]),
    "ilo5": (["1"], ["1"]),
    "xcc": (["1"], ["1"]),
    "supermicro": (["1"], ["1"]),
    "asus": (["Self"], ["Self"]),
    "asrockrack": (["Self"], ["Self"]),
    "gigabyte": (["Self"], ["Self"]),
    "dgx_h100": (["DGX", "HGX_Baseboard_0"], ["BMC", "HGX_BMC_0", "HGX_FabricManager_0"]),
    "gh200": (["System_0", "HGX_Baseboard_0"], ["BMC_0", "HGX_BMC_0"]),
    "gb200": (["HGX_Baseboard_0", "System_0"], ["BMC_0", "HGX_BMC_0"]),
    "fujitsu": (["0"], ["iRMC"]),
    "intel": (["system"], ["bmc"]),
    "multi_node": (["Node1", "Node2", "Node3", "Node4"], ["CMC"]),
}


@pytest.mark.parametrize("name", sorted(IDS))
def test_systems_and_managers_are_listed_by_the_platforms_ids(name: str) -> None:
    found = tuple(
        [
            member["@odata.id"].rstrip("/").rpartition("/")[2]
            for member in bodies(name)[f"{SERVICE_ROOT}/{kind}"]["Members"]
        ]
        for kind in ("Systems", "Managers")
    )
    assert found == IDS[name]


@pytest.mark.parametrize("name", ["pdu", "power_shelf"])
def test_power_equipment_knows_no_systems(name: str) -> None:
    assert "Systems" not in bodies(name)[SERVICE_ROOT]
    assert f"{SERVICE_ROOT}/Systems" not in bodies(name)
    assert first(name, "Chassis")["SerialNumber"] and first(name, "Manager")["FirmwareVersion"]


GPUS = {"dgx_h100": 8, "gh200": 1, "gb200": 4}


@pytest.mark.parametrize("name", NAMES)
def test_gpus_are_processors_of_the_baseboard(name: str) -> None:
    gpus = [body for body in of_kind(name, "Processor") if body.get("ProcessorType") == "GPU"]
    assert len(gpus) == GPUS.get(name, 0)
    assert all("/Systems/HGX_Baseboard_0/Processors/" in body["@odata.id"] for body in gpus)
    assert all(body["Model"] and body["SerialNumber"] for body in gpus)


OLD_AND_NEW: Mapping[str, tuple[bool, bool]] = {
    # platform: Power and Thermal, PowerSubsystem and ThermalSubsystem
    "openbmc": (False, True),
    "idrac9": (True, True),
    "idrac10": (False, True),
    "ilo5": (True, False),
    "ilo6": (True, True),
    "ilo7": (False, True),
    "supermicro": (True, False),
    "fujitsu": (True, False),
    "gb200": (False, True),
    "generic": (True, True),
}


@pytest.mark.parametrize("name", sorted(OLD_AND_NEW))
def test_sensors_come_in_the_models_that_the_firmware_speaks(name: str) -> None:
    chassis = first(name, "Chassis")
    old = "Power" in chassis and "Thermal" in chassis
    new = "PowerSubsystem" in chassis and "ThermalSubsystem" in chassis
    assert (old, new) == OLD_AND_NEW[name]


@pytest.mark.parametrize("name", sorted(name for name, (old, _dummy) in OLD_AND_NEW.items() if old))
def test_the_older_model_counts_revolutions_in_whole_numbers(name: str) -> None:
    assert all(isinstance(fan["Reading"], int) for fan in first(name, "Thermal")["Fans"])


def test_fans_of_grace_are_sensors_only() -> None:
    for name in ("gh200", "gb200"):
        assert not of_kind(name, "Fan")
        assert [body for body in of_kind(name, "Sensor") if body["ReadingType"] == "Rotational"]


LEDS = {
    "openbmc": {"LocationIndicatorActive"},
    "idrac9": {"IndicatorLED", "LocationIndicatorActive"},
    "idrac10": {"LocationIndicatorActive"},
    "ilo5": {"IndicatorLED"},
    "ilo7": {"LocationIndicatorActive"},
    "asus": {"IndicatorLED"},
    "gh200": {"IndicatorLED", "LocationIndicatorActive"},
}


@pytest.mark.parametrize("name", sorted(LEDS))
def test_the_locate_light_has_the_property_of_its_time(name: str) -> None:
    system = first(name, "ComputerSystem")
    assert {key for key in ("IndicatorLED", "LocationIndicatorActive") if key in system} == LEDS[name]


def test_openbmc_has_no_secure_boot_and_a_bios_that_only_resets() -> None:
    system = first("openbmc", "ComputerSystem")
    assert "SecureBoot" not in system and "EthernetInterfaces" not in system
    bios = bodies("openbmc")[system["Bios"]["@odata.id"]]
    assert list(bios["Actions"]) == ["#Bios.ResetBios"] and "Attributes" not in bios


@pytest.mark.parametrize("name", ["idrac9", "xcc", "generic", "supermicro", "asus", "fujitsu"])
def test_secure_boot_is_a_resource_elsewhere(name: str) -> None:
    system = first(name, "ComputerSystem")
    assert isinstance(bodies(name)[system["SecureBoot"]["@odata.id"]]["SecureBootEnable"], bool)


def test_a_tpm_is_told_where_the_platform_tells_it() -> None:
    assert first("idrac9", "ComputerSystem")["TrustedModules"][0]["InterfaceType"] == "TPM2_0"
    assert "TrustedModules" not in first("gh200", "ComputerSystem")


def test_idrac_keeps_its_service_tag_in_the_sku_and_the_root() -> None:
    for index in (0, 1):
        tag = bodies("idrac9", index)[SERVICE_ROOT]["Oem"]["Dell"]["ServiceTag"]
        assert (
            first("idrac9", "ComputerSystem", index)["SKU"]
            == tag
            != first("idrac9", "ComputerSystem", index)["SerialNumber"]
        )


def test_virtual_media_lie_where_each_idrac_has_them() -> None:
    assert "VirtualMedia" in first("idrac9", "Manager") and "VirtualMedia" in first("idrac9", "ComputerSystem")
    assert "VirtualMedia" not in first("idrac10", "Manager")
    slots = bodies("idrac10")[f"{SERVICE_ROOT}/Systems/System.Embedded.1/VirtualMedia"]["Members"]
    assert [slot["@odata.id"][-2:] for slot in slots] == ["/1", "/2"]


@pytest.mark.parametrize("name", ["ilo5", "ilo6", "ilo7"])
def test_every_link_of_an_ilo_ends_in_a_slash(name: str) -> None:
    for path, body in bodies(name).items():
        for pointer, value in nodes(body):
            if pointer.endswith("@odata.id") and "#" not in value:
                kept = any(word in f"{path}{value}" for word in ("/Entries", "/Sessions", "/Accounts", "/Tasks"))
                assert value.endswith("/") or kept, f"{path}#{pointer}"


def test_lenovos_remote_slots_take_no_media_and_nothing_is_continuous() -> None:
    slots = {body["Id"]: body["Actions"] for body in of_kind("xcc", "VirtualMedia")}
    assert "#VirtualMedia.InsertMedia" in slots["EXT1"]
    assert not [name for name in slots if name[:4] in ("RDOC", "Remo") and "#VirtualMedia.InsertMedia" in slots[name]]
    allowed = first("xcc", "ComputerSystem")["Boot"]["BootSourceOverrideEnabled@Redfish.AllowableValues"]
    assert "Continuous" not in allowed


def test_supermicros_uuid_is_its_mac_and_its_boot_has_no_mode() -> None:
    system = first("supermicro", "ComputerSystem")
    mac = first("supermicro", "Manager")["EthernetInterfaces"]["@odata.id"] + "/1"
    assert system["UUID"].lower().endswith(bodies("supermicro")[mac]["MACAddress"].replace(":", ""))
    assert "BootSourceOverrideMode" not in system["Boot"]
    assert "UsbCd" in system["Boot"]["BootSourceOverrideTarget@Redfish.AllowableValues"]
    assert system["SerialNumber"] != first("supermicro", "Chassis")["SerialNumber"]


def test_supermicro_links_with_a_stray_slash() -> None:
    assert first("supermicro", "Manager")["Links"]["ManagerInChassis"]["@odata.id"].endswith("/Chassis/1/")


def test_asrockrack_knows_itself_by_its_chassis_alone() -> None:
    system = first("asrockrack", "ComputerSystem")
    assert system["SerialNumber"] == "To Be Filled By O.E.M."
    assert system["UUID"] == first("asrockrack", "ComputerSystem", 1)["UUID"]
    assert first("asrockrack", "Chassis")["SerialNumber"] != first("asrockrack", "Chassis", 1)["SerialNumber"]


def test_gigabytes_host_macs_follow_the_bmcs() -> None:
    macs = [int(value.replace(":", ""), 16) for _dummy, value in values("gigabyte", {"MACAddress"})]
    bmc_mac = next(value for where, value in values("gigabyte", {"MACAddress"}) if "/Managers/" in where)
    assert int(bmc_mac.replace(":", ""), 16) + 1 in macs


def test_four_nodes_share_a_serial_and_have_no_uuid_to_tell_them_apart() -> None:
    systems = of_kind("multi_node", "ComputerSystem")
    assert len(systems) == 4 and len({body["SerialNumber"] for body in systems}) == 1
    assert {body["SerialNumber"] for body in of_kind("multi_node", "Chassis")} == {systems[0]["SerialNumber"]}
    assert [body["UUID"] for body in systems].count("") == 2
    assert len({body["UUID"] for body in systems}) == 2


def test_nodes_behind_one_bmc_are_switched_one_by_one() -> None:
    asked = bmc("multi_node", 0)
    node1, node2 = (f"{SERVICE_ROOT}/Systems/Node{number}" for number in (1, 2))
    asked.machine(node1).reset("ForceOn")
    asked.machine(node2).reset("ForceOff")
    states = [(asked.body(path) or {})["PowerState"] for path in (node1, node2)]
    assert states[0] in ("On", "PoweringOn") and states[1] in ("Off", "PoweringOff")


def test_dgx_has_modules_without_a_name_and_a_member_that_is_not_there() -> None:
    switch = bodies("dgx_h100")[f"{SERVICE_ROOT}/Chassis/HGX_NVSwitch_0"]
    assert "Name" not in switch and "ChassisType" not in switch
    assert "FirmwareVersion" not in bodies("dgx_h100")[f"{SERVICE_ROOT}/Managers/HGX_FabricManager_0"]
    sensors = bodies("dgx_h100")[f"{SERVICE_ROOT}/Chassis/DGX/Sensors"]
    assert sensors["Members@odata.count"] > PERSONALITIES["dgx_h100"].manners.page_size


def test_gb200_lists_its_baseboard_first_with_an_empty_uuid_and_null_members() -> None:
    assert bodies("gb200")[f"{SERVICE_ROOT}/Systems/HGX_Baseboard_0"]["UUID"] == ""
    assert bodies("gb200")[f"{SERVICE_ROOT}/Systems/System_0/EthernetInterfaces"]["Members"] is None


@pytest.mark.parametrize("name", ["dgx_h100", "gh200", "gb200"])
def test_nvidia_offers_no_power_cycle(name: str) -> None:
    action = first(name, "ComputerSystem")["Actions"]["#ComputerSystem.Reset"]
    allowed = bodies(name)[action["@Redfish.ActionInfo"]]["Parameters"][0]["AllowableValues"]
    assert "ForceOff" in allowed and "PowerCycle" not in allowed


MANNERS: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    "openbmc refuses $expand": ("openbmc", lambda m: m.expand == "refused_501"),
    "iDRAC 9 has eight sessions": ("idrac9", lambda m: m.session_limit == 8),
    "iDRAC 9 has account slots": ("idrac9", lambda m: m.account_slots == 16 and m.first_account_slot == 2),
    "iDRAC 9 expands one level": ("idrac9", lambda m: m.expand == "works" and m.expand_levels == 1),
    "iDRAC 9 pages by fifty": ("idrac9", lambda m: m.page_size == 50),
    "iDRAC 10 says 409": ("idrac10", lambda m: m.reached_state == "refused_409"),
    "iLO 5 closes": ("ilo5", lambda m: not m.keep_alive),
    "iLO 6 closes": ("ilo6", lambda m: not m.keep_alive),
    "iLO 7 keeps": ("ilo7", lambda m: m.keep_alive),
    "iLO 5 wants a body": ("ilo5", lambda m: not m.empty_post_body),
    "iLO 5 refuses identity": ("ilo5", lambda m: not m.identity_encoding),
    "iLO has weak ETags": ("ilo5", lambda m: m.etag == "weak"),
    "XCC has sixteen sessions": ("xcc", lambda m: m.session_limit == 16),
    "XCC requires If-Match": ("xcc", lambda m: m.if_match == "required"),
    "XCC 3 refuses If-Match": ("xcc3", lambda m: m.if_match == "refused"),
    "Gigabyte requires If-Match": ("gigabyte", lambda m: m.if_match == "required"),
    "DGX expands badly": ("dgx_h100", lambda m: m.expand == "broken"),
    "DGX is slow with firmware": ("dgx_h100", lambda m: f"{SERVICE_ROOT}/UpdateService/FirmwareInventory" in m.slow),
    "DGX locks accounts": ("dgx_h100", lambda m: m.lockout_threshold > 0),
    "Fujitsu takes no queries": ("fujitsu", lambda m: m.query == m.expand == "refused_400"),
    "Fujitsu is slow": ("fujitsu", lambda m: len(m.slow) > 2),
    "a stranger tells no Location": ("multi_node", lambda m: m.session_location == "none" and m.etag == "weak"),
    "a PDU links absolutely": ("pdu", lambda m: m.absolute_links and m.etag == "duplicate"),
    "a shelf has empty ETags": ("power_shelf", lambda m: m.etag == "empty"),
    "Intel ignores $expand": ("intel", lambda m: m.expand == "ignored"),
}


@pytest.mark.parametrize("manner", sorted(MANNERS))
def test_the_platform_has_the_manner(manner: str) -> None:
    name, holds = MANNERS[manner]
    assert holds(PERSONALITIES[name].manners)


@pytest.mark.parametrize("name", ["dgx_h100", "gh200", "gb200"])
def test_the_baseboard_falls_silent_with_its_host_and_the_host_does_not(name: str) -> None:
    prefixes = PERSONALITIES[name].manners.host_off_503
    silent = [path for path in bodies(name) if path.startswith(prefixes)]
    assert any("/Processors/GPU" in path for path in silent)
    assert platform(name).tree.first("ComputerSystem") not in silent


@pytest.mark.parametrize("name", NAMES)
def test_slow_resources_are_in_the_tree(name: str) -> None:
    assert set(PERSONALITIES[name].manners.slow) <= set(bodies(name))


@pytest.mark.parametrize("name", NAMES)
def test_what_the_root_says_of_expand_is_what_the_manners_pretend(name: str) -> None:
    root = bodies(name)[SERVICE_ROOT]
    expand = root.get("ProtocolFeaturesSupported", {}).get("ExpandQuery", {})
    promised = bool(expand.get("NoLinks"))
    assert promised == (PERSONALITIES[name].manners.expand in ("works", "broken"))
    if promised:
        assert expand["MaxLevels"] == PERSONALITIES[name].manners.expand_levels
