# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A machine as libvirt's XML."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest

from tests.lab.engine import domain
from tests.lab.engine.machine import Machine, Plan

LAB = Path("/var/lib/some-lab")
QEMU = "{http://libvirt.org/schemas/domain/qemu/1.0}"


@pytest.fixture
def plan() -> Plan:
    return Plan(
        name="rack",
        lab=LAB,
        count=3,
        accelerator="tcg",
        memory_mib=2048,
        vcpus=2,
        virtio_gib=16,
        nvme_gib=8,
        management_network="172.31.213.0/24",
        management_bridge="mgmt",
        data_network="172.31.214.0/24",
        data_bridge="data",
    )


@pytest.fixture
def machine(plan: Plan) -> Machine:
    return plan.machines()[0]


def xml_of(machine: Machine) -> ET.Element:
    return ET.fromstring(domain.definition(machine, LAB)[0])


def test_machines_differ_in_all_that_names_them(plan: Plan) -> None:
    machines = plan.machines()
    for subject in (
        [each.name for each in machines],
        [each.uuid for each in machines],
        [each.serial for each in machines],
        [nic.mac for each in machines for nic in each.nics],
        [disk.serial for each in machines for disk in each.disks],
        [address for each in machines for address in (each.bmc_address, each.node_address)],
    ):
        assert len(set(subject)) == len(subject)


def test_another_rack_has_other_names_everywhere(plan: Plan) -> None:
    one, other = plan.machines()[0], replace(plan, name="other").machines()[0]
    assert one.uuid != other.uuid
    assert one.serial != other.serial
    assert {nic.mac for nic in one.nics}.isdisjoint(nic.mac for nic in other.nics)


def test_the_same_rack_has_the_same_machines_again(plan: Plan) -> None:
    assert plan.machines() == replace(plan).machines()


def test_addresses_follow_from_the_networks(machine: Machine) -> None:
    assert (machine.bmc_address, machine.node_address) == ("172.31.213.11", "172.31.214.11")


def test_secure_boot_needs_its_three_parts(machine: Machine) -> None:
    root = xml_of(machine)
    loader = root.find("os/loader")
    assert loader is not None
    assert loader.attrib == {"readonly": "yes", "secure": "yes", "type": "pflash"}
    smm = root.find("features/smm")
    assert smm is not None
    assert smm.get("state") == "on"
    assert root.findtext("os/nvram") == str(machine.nvram)


def test_the_firmware_says_the_same_uuid_as_libvirt(machine: Machine) -> None:
    root = xml_of(machine)
    entries = {entry.get("name"): entry.text for entry in root.iterfind("sysinfo/system/entry")}
    assert (entries["uuid"], entries["serial"]) == (machine.uuid, machine.serial)
    assert root.findtext("uuid") == machine.uuid


def test_two_empty_drives_wait_for_media(machine: Machine) -> None:
    drives = [disk for disk in xml_of(machine).iter("disk") if disk.get("device") == "cdrom"]
    assert [drive.find("source") for drive in drives] == [None, None]


def test_the_nvme_disk_is_on_qemus_own_command_line(machine: Machine) -> None:
    words = [word.get("value", "") for word in xml_of(machine).iterfind(f"{QEMU}commandline/{QEMU}arg")]
    devices = [json.loads(value) for option, value in zip(words, words[1:], strict=False) if option == "-device"]
    [nvme] = [device for device in devices if device["driver"] == "nvme"]
    assert nvme["serial"] == machine.disks[1].serial
    assert nvme["bus"] in [device["id"] for device in devices]


def test_kvm_is_another_kind_of_domain(machine: Machine) -> None:
    assert xml_of(machine).get("type") == "qemu"
    assert xml_of(replace(machine, accelerator="kvm")).get("type") == "kvm"


def test_a_definition_is_known_again_by_its_mark(machine: Machine) -> None:
    text, digest = domain.definition(machine, LAB)
    assert domain.mark_of(ET.fromstring(text)) == (str(LAB), digest)
    assert domain.definition(replace(machine, memory_mib=4096), LAB)[1] != digest
    assert domain.mark_of(ET.fromstring("<domain><name>of somebody else</name></domain>")) is None


def test_a_driver_that_confines_qemu_leaves_the_machine_alone(machine: Machine) -> None:
    """libvirt does not see the NVMe disk, so AppArmor would keep QEMU from it."""
    root = ET.fromstring(domain.definition(machine, LAB, ["apparmor"])[0])
    assert [label.attrib for label in root.iterfind("seclabel")] == [{"type": "none", "model": "apparmor"}]
    assert xml_of(machine).find("seclabel") is None


def test_what_another_server_did_to_the_drives_shows(machine: Machine) -> None:
    """sushy-emulator 2.2 removes CD drives, and writes boot orders of its own."""
    mine = domain.shape(xml_of(machine))
    assert domain.shape(xml_of(machine)) == mine
    without = xml_of(machine)
    devices = without.find("devices")
    assert devices is not None
    devices.remove(next(disk for disk in devices.iter("disk") if disk.get("device") == "cdrom"))
    assert domain.shape(without) != mine
    ordered = xml_of(machine)
    nic = ordered.find("devices/interface")
    assert nic is not None
    ET.SubElement(nic, "boot", order="1")
    assert domain.shape(ordered) != mine
