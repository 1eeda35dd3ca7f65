# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a machine of the rack is: names, numbers and files, all of them from the rack's name and its position."""

from __future__ import annotations

import hashlib
import ipaddress
import uuid
from dataclasses import dataclass
from pathlib import Path

_UUIDS = uuid.UUID("5c2b2f2e-6a0e-4c0b-9d2b-1f6a2b8f1d55")
GIB = 1024**3


@dataclass(frozen=True)
class Disk:
    """A disk: ``bus`` is virtio or nvme."""

    bus: str
    serial: str
    path: Path
    size_bytes: int


@dataclass(frozen=True)
class Nic:
    """A network card: ``network`` is management or data."""

    network: str
    bridge: str
    mac: str


@dataclass(frozen=True)
class Machine:
    """A machine of the rack, as it is to be."""

    index: int
    name: str
    slot: str
    uuid: str
    serial: str
    directory: Path
    memory_mib: int
    vcpus: int
    accelerator: str
    disks: tuple[Disk, ...]
    nics: tuple[Nic, ...]
    bmc_address: str
    node_address: str

    @property
    def console(self) -> Path:
        return self.directory / "console.log"

    @property
    def nvram(self) -> Path:
        return self.directory / "firmware-variables.fd"

    @property
    def tpm(self) -> Path:
        """Holds ``tpm2/``, where libvirt's swtpm keeps its state."""
        return self.directory / "tpm"

    @property
    def libvirt_tpm(self) -> Path:
        """Where libvirt 9.0 looks for it: a symbolic link to our directory."""
        return Path("/var/lib/libvirt/swtpm") / self.uuid


@dataclass(frozen=True)
class Plan:
    """The rack as its variables describe it."""

    name: str
    lab: Path
    count: int
    accelerator: str
    memory_mib: int
    vcpus: int
    virtio_gib: int
    nvme_gib: int
    management_network: str
    management_bridge: str
    data_network: str
    data_bridge: str

    def machines(self) -> list[Machine]:
        return [self._machine(index) for index in range(1, self.count + 1)]

    def _machine(self, index: int) -> Machine:
        name = f"{self.name}-{index}"
        directory = self.lab / "machines" / name
        tag = hashlib.sha256(self.name.encode()).hexdigest()[:4].upper()
        return Machine(
            index=index,
            name=name,
            slot=f"lab-u{index:02d}",
            uuid=str(uuid.uuid5(_UUIDS, name)),
            serial=f"HLAB{tag}{index:04d}",
            directory=directory,
            memory_mib=self.memory_mib,
            vcpus=self.vcpus,
            accelerator=self.accelerator,
            disks=(
                Disk("virtio", f"HV{tag}{index:04d}", directory / "virtio.qcow2", self.virtio_gib * GIB),
                Disk("nvme", f"HN{tag}{index:04d}", directory / "nvme.qcow2", self.nvme_gib * GIB),
            ),
            nics=(
                Nic("management", self.management_bridge, _mac(self.name, index, 0)),
                Nic("data", self.data_bridge, _mac(self.name, index, 1)),
            ),
            bmc_address=host_of(self.management_network, 10 + index),
            node_address=host_of(self.data_network, 10 + index),
        )


def host_of(network: str, number: int) -> str:
    """An address of a network by its number."""
    return str(ipaddress.ip_network(network)[number])


def _mac(rack: str, index: int, nic: int) -> str:
    # 52:54:00 is QEMU's; the rest keeps two racks on one host apart.
    tail = hashlib.sha256(f"{rack}/{index}/{nic}".encode()).digest()
    return "52:54:00:" + ":".join(f"{octet:02x}" for octet in tail[:3])
