# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A machine as libvirt's XML: q35, UEFI with Secure Boot, TPM 2.0, virtio and NVMe, two networks, two CD drives."""

from __future__ import annotations

import hashlib
import json
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path

from tests.lab.engine.machine import Disk, Machine

# What marks a domain as a rack's, and tells whether its definition is still the one that we would write.
METADATA = "https://hearth.datacenter/lab"
_QEMU = "http://libvirt.org/schemas/domain/qemu/1.0"

# Debian's OVMF with Secure Boot, and variables with Microsoft's keys enrolled.
FIRMWARE = Path("/usr/share/OVMF/OVMF_CODE_4M.ms.fd")
FIRMWARE_VARIABLES = Path("/usr/share/OVMF/OVMF_VARS_4M.ms.fd")

# The names that QEMU knows the NVMe disk by: snapshots unplug it and plug it back in.
NVME_PORT, NVME_DEVICE, NVME_NODE = "hearth-nvme-port", "hearth-nvme", "hearth-nvme-disk"

ET.register_namespace("lab", METADATA)
ET.register_namespace("qemu", _QEMU)


def definition(machine: Machine, lab: Path, confinements: Sequence[str] = ()) -> tuple[str, str]:
    """The domain's XML and its digest, which the XML carries in its metadata."""
    root = _tree(machine, confinements)
    digest = hashlib.sha256(ET.tostring(root)).hexdigest()
    mark = ET.SubElement(ET.SubElement(root, "metadata"), f"{{{METADATA}}}machine")
    mark.set("lab", str(lab))
    mark.set("digest", digest)
    return ET.tostring(root, encoding="unicode"), digest


def mark_of(domain: ET.Element) -> tuple[str, str] | None:
    """The lab and the digest that a definition carries, or None where it is no machine of a rack."""
    mark = domain.find(f"metadata/{{{METADATA}}}machine")
    return None if mark is None else (mark.get("lab", ""), mark.get("digest", ""))


def shape(domain: ET.Element) -> list[tuple[str | None, ...]]:
    """What others write into a definition: sushy-emulator replaces CD drives, and orders the boot anew."""
    found: list[tuple[str | None, ...]] = [("os", boot.get("dev")) for boot in domain.iterfind("os/boot")]
    for device in domain.iterfind("devices/*"):
        target, source, order = device.find("target"), device.find("source"), device.find("boot")
        if device.tag == "disk" or order is not None:
            found.append(
                (
                    device.tag,
                    device.get("device"),
                    None if target is None else target.get("dev"),
                    None if source is None else source.get("file"),
                    None if order is None else order.get("order"),
                )
            )
    return found


def nvme_device(disk: Disk) -> dict[str, object]:
    """QEMU's arguments of the NVMe controller: libvirt 9's schema knows no such bus."""
    return {"driver": "nvme", "id": NVME_DEVICE, "bus": NVME_PORT, "drive": NVME_NODE, "serial": disk.serial}


def _tree(machine: Machine, confinements: Sequence[str]) -> ET.Element:
    virtio, nvme = machine.disks
    root = ET.Element("domain", {"type": "kvm" if machine.accelerator == "kvm" else "qemu"})
    _text(root, "name", machine.name)
    _text(root, "uuid", machine.uuid)
    _text(root, "memory", str(machine.memory_mib), unit="MiB")
    _text(root, "vcpu", str(machine.vcpus))
    _identity(root, machine)
    system = ET.SubElement(root, "os")
    _text(system, "type", "hvm", arch="x86_64", machine="q35")
    _text(system, "loader", str(FIRMWARE), readonly="yes", secure="yes", type="pflash")
    _text(system, "nvram", str(machine.nvram))
    ET.SubElement(system, "smbios", mode="sysinfo")
    features = ET.SubElement(root, "features")
    ET.SubElement(features, "acpi")
    ET.SubElement(features, "apic")
    ET.SubElement(features, "smm", state="on")
    ET.SubElement(root, "cpu", mode="host-passthrough" if machine.accelerator == "kvm" else "maximum")
    ET.SubElement(root, "clock", offset="utc")
    for event, action in (("on_poweroff", "destroy"), ("on_reboot", "restart"), ("on_crash", "destroy")):
        _text(root, event, action)
    devices = ET.SubElement(root, "devices")
    _text(devices, "emulator", "/usr/bin/qemu-system-x86_64")
    _virtio(devices, virtio)
    for target in ("sda", "sdb"):
        drive = ET.SubElement(devices, "disk", type="file", device="cdrom")
        ET.SubElement(drive, "driver", name="qemu", type="raw")
        ET.SubElement(drive, "target", dev=target, bus="sata")
        ET.SubElement(drive, "readonly")
    for nic in machine.nics:
        interface = ET.SubElement(devices, "interface", type="bridge")
        ET.SubElement(interface, "mac", address=nic.mac)
        ET.SubElement(interface, "source", bridge=nic.bridge)
        ET.SubElement(interface, "model", type="virtio")
        # No option ROM: nothing boots from the network here, and the firmware loses no minute trying.
        ET.SubElement(interface, "rom", enabled="no")
    serial = ET.SubElement(devices, "serial", type="file")
    ET.SubElement(serial, "source", path=str(machine.console), append="on")
    ET.SubElement(ET.SubElement(devices, "tpm", model="tpm-crb"), "backend", type="emulator", version="2.0")
    _text(ET.SubElement(devices, "rng", model="virtio"), "backend", "/dev/urandom", model="random")
    ET.SubElement(devices, "memballoon", model="none")
    for model in confinements:
        # AppArmor's and SELinux's labels for the NVMe disk would be libvirt's work, and libvirt does not see that disk.
        ET.SubElement(root, "seclabel", type="none", model=model)
    _nvme(root, nvme)
    return root


def _text(parent: ET.Element, tag: str, content: str, **attributes: str) -> None:
    ET.SubElement(parent, tag, attributes).text = content


def _identity(root: ET.Element, machine: Machine) -> None:
    sysinfo = ET.SubElement(root, "sysinfo", type="smbios")
    blocks = {
        "system": {
            "manufacturer": "Hearth",
            "product": "Virtual rack machine",
            "serial": machine.serial,
            "uuid": machine.uuid,
            "sku": "HLAB",
            "family": "tests/lab",
        },
        "baseBoard": {"manufacturer": "Hearth", "product": "QEMU q35", "serial": f"{machine.serial}B"},
        "chassis": {"manufacturer": "Hearth", "serial": f"{machine.serial}C", "asset": machine.slot},
    }
    for block, entries in blocks.items():
        element = ET.SubElement(sysinfo, block)
        for name, content in entries.items():
            _text(element, "entry", content, name=name)


def _virtio(devices: ET.Element, disk: Disk) -> None:
    element = ET.SubElement(devices, "disk", type="file", device="disk")
    ET.SubElement(element, "driver", name="qemu", type="qcow2", discard="unmap")
    ET.SubElement(element, "source", file=str(disk.path))
    ET.SubElement(element, "target", dev="vda", bus="virtio")
    ET.SubElement(element, "boot", order="1")
    _text(element, "serial", disk.serial)


def _nvme(root: ET.Element, disk: Disk) -> None:
    port = {"driver": "pcie-root-port", "id": NVME_PORT, "bus": "pcie.0", "addr": "0x1c", "chassis": 100, "port": 100}
    node = {
        "driver": "qcow2",
        "node-name": NVME_NODE,
        "discard": "unmap",
        "file": {"driver": "file", "filename": str(disk.path)},
    }
    line = ET.SubElement(root, f"{{{_QEMU}}}commandline")
    # The boot index leaves room for the orders that a BMC gives to the devices that libvirt knows.
    arguments = [
        ("-blockdev", node),
        ("-device", port),
        ("-device", {**nvme_device(disk), "bootindex": 90}),
    ]
    for option, value in arguments:
        for word in (option, json.dumps(value)):
            ET.SubElement(line, f"{{{_QEMU}}}arg", value=word)
