# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a domain is made of, from its own XML."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from xml.etree import ElementTree

from tests.emulators.redfish.domains.command_line import drives as drives_of_arguments
from tests.emulators.redfish.domains.virsh import checked_name, read_now
from tests.emulators.redfish.machine import MachineFailed

_QEMU = "{http://libvirt.org/schemas/domain/qemu/1.0}"
_KIB = {"b": 1 / 1024, "bytes": 1 / 1024, "KB": 1000 / 1024, "k": 1, "KiB": 1, "MB": 1_000_000 / 1024, "M": 1024,
        "MiB": 1024, "GB": 1e9 / 1024, "G": 1024**2, "GiB": 1024**2}  # fmt: skip


@dataclass(frozen=True)
class DomainDrive:
    bus: str  # "virtio", "sata", "scsi", "usb", "nvme"
    serial: str  # "" where it has none
    path: str  # of its image; "" where it is not a file
    size_bytes: int


@dataclass(frozen=True)
class Tray:
    """One CD-ROM drive, into which virtual media go."""

    target: str  # "sda"
    bus: str  # "sata"


@dataclass(frozen=True)
class Nic:
    mac: str
    model: str
    link_up: bool


@dataclass(frozen=True)
class Domain:
    uri: str
    name: str
    uuid: str
    manufacturer: str
    product: str
    serial: str
    asset_tag: str
    memory_mib: int
    cpu_model: str
    sockets: int
    cores: int  # of each socket
    threads: int  # of each core
    architecture: str
    drives: tuple[DomainDrive, ...]
    trays: tuple[Tray, ...]
    nics: tuple[Nic, ...]
    tpm: str  # version, "2.0"; "" without one
    console: str  # the file that its serial port writes; "" where it writes none
    nvram: str  # the file of its firmware variables; "" where it is no UEFI machine


def examine(uri: str, name: str) -> Domain:
    """Reads the persistent definition. Raises MachineFailed for a domain that is not there or cannot be used."""
    text = read_now(uri, "dumpxml", "--inactive", "--domain", checked_name(name))
    return described(uri, text)


def described(uri: str, text: str) -> Domain:
    """Raises MachineFailed for XML that is no domain."""
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise MachineFailed(f"libvirt's XML cannot be read: {error}") from error
    name = root.findtext("name", "")
    system = _entries(root, "system")
    sockets, cores, threads = _topology(root)
    arguments = [part.get("value", "") for part in root.iter(f"{_QEMU}arg")]
    attached = [_drive(disk) for disk in root.iterfind("devices/disk") if disk.get("device", "disk") == "disk"]
    attached += [
        DomainDrive(drive.kind, drive.serial, drive.path, _size(drive.path)) for drive in drives_of_arguments(arguments)
    ]
    return Domain(
        uri=uri,
        name=name,
        uuid=root.findtext("uuid", "").lower(),
        manufacturer=system.get("manufacturer", "QEMU"),
        product=system.get("product", "Standard PC"),
        serial=system.get("serial", ""),
        asset_tag=_entries(root, "chassis").get("asset", ""),
        memory_mib=_memory_mib(root),
        cpu_model=root.findtext("cpu/model", "") or "QEMU Virtual CPU",
        sockets=sockets,
        cores=cores,
        threads=threads,
        architecture=_attribute(root, "os/type", "arch"),
        drives=tuple(attached),
        trays=tuple(
            Tray(_attribute(disk, "target", "dev"), _attribute(disk, "target", "bus"))
            for disk in root.iterfind("devices/disk")
            if disk.get("device") == "cdrom"
        ),
        nics=tuple(_nic(interface) for interface in root.iterfind("devices/interface")),
        tpm=_tpm(root),
        console=_console(root),
        nvram=root.findtext("os/nvram", "").strip(),
    )


def _attribute(node: ElementTree.Element, path: str, name: str) -> str:
    found = node.find(path)
    return "" if found is None else found.get(name, "")


def _entries(root: ElementTree.Element, block: str) -> dict[str, str]:
    """SMBIOS strings of one block, where the domain states some."""
    found = root.find(f"sysinfo[@type='smbios']/{block}")
    entries = () if found is None else found.iterfind("entry")
    return {entry.get("name", ""): (entry.text or "").strip() for entry in entries}


def _memory_mib(root: ElementTree.Element) -> int:
    memory = root.find("memory")
    if memory is None:
        return 0
    return round(int(memory.text or 0) * _KIB.get(memory.get("unit", "KiB"), 1) / 1024)


def _topology(root: ElementTree.Element) -> tuple[int, int, int]:
    topology = root.find("cpu/topology")
    if topology is None:
        return int(root.findtext("vcpu", "1")), 1, 1  # libvirt's own default: a socket for each
    dies = int(topology.get("dies", "1"))
    return int(topology.get("sockets", "1")), dies * int(topology.get("cores", "1")), int(topology.get("threads", "1"))


def _drive(disk: ElementTree.Element) -> DomainDrive:
    path = _attribute(disk, "source", "file") or _attribute(disk, "source", "dev")
    return DomainDrive(_attribute(disk, "target", "bus"), disk.findtext("serial", "").strip(), path, _size(path))


def _size(path: str) -> int:
    """Bytes that the guest sees of an image; 0 where nobody can say."""
    if not path:
        return 0
    command = ["qemu-img", "info", "--force-share", "--output=json", path]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    return int(json.loads(done.stdout)["virtual-size"]) if done.returncode == 0 else 0


def _nic(interface: ElementTree.Element) -> Nic:
    return Nic(
        mac=_attribute(interface, "mac", "address").lower(),
        model=_attribute(interface, "model", "type"),
        link_up=_attribute(interface, "link", "state") != "down",
    )


def _tpm(root: ElementTree.Element) -> str:
    tpm = root.find("devices/tpm")
    return "" if tpm is None else _attribute(tpm, "backend", "version") or "2.0"


def _console(root: ElementTree.Element) -> str:
    for serial in root.iterfind("devices/serial"):
        path = _attribute(serial, "source", "path") if serial.get("type") == "file" else ""
        path = path or _attribute(serial, "log", "file")
        if path:
            return path
    return ""
