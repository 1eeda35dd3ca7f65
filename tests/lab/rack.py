# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rack as it stands, read from the ``rack.json`` that the role wrote: what scenarios and benches start from."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.lab.engine.machine import Disk

DEFAULT_DIRECTORY = Path("/var/lib/hearth-lab")


class NoRack(Exception):
    """There is no rack here, or not a whole one."""


@dataclass(frozen=True)
class Nic:
    network: str
    mac: str


@dataclass(frozen=True)
class Machine:
    """A machine of the rack. ``name`` is its libvirt domain, ``slot`` its place in the inventory."""

    name: str
    index: int
    slot: str
    uuid: str
    serial: str
    accelerator: str
    bmc_address: str
    bmc_port: int
    nics: tuple[Nic, ...]
    disks: tuple[Disk, ...]
    tpm_state: Path
    # Lower-case hex of the DER's SHA-256, by kind of key: rsa2048, secp384r1.
    ek_certificates_sha256: Mapping[str, str]
    console: Path
    nvram: Path
    node_address: str

    @property
    def bmc_url(self) -> str:
        return f"https://{self.bmc_address}:{self.bmc_port}"

    def mac(self, network: str) -> str:
        """The hardware address on a network: management or data."""
        return next(nic.mac for nic in self.nics if nic.network == network)

    def disk(self, bus: str) -> Disk:
        """The disk on a bus: virtio or nvme."""
        return next(disk for disk in self.disks if disk.bus == bus)


@dataclass(frozen=True)
class Network:
    network: str
    host: str
    bridge: str


@dataclass(frozen=True)
class Rack:
    """Everything that rack.json says; ``servers`` holds what stands beside the machines, as the file has it."""

    name: str
    directory: Path
    accelerator: str
    management: Network
    data: Network
    ca_certificate: Path
    ca_key: Path
    ek_ca_certificates: Path
    machines: tuple[Machine, ...]
    servers: Mapping[str, Any]

    @property
    def inventory(self) -> Path:
        return self.directory / "inventory"

    def machine(self, name: str) -> Machine:
        """A machine by its name, its slot or its number."""
        for machine in self.machines:
            if name in (machine.name, machine.slot, str(machine.index)):
                return machine
        raise NoRack(f"the rack has no machine {name}: it has {', '.join(each.name for each in self.machines)}")


def directory() -> Path:
    """Where the rack's state is: HEARTH_LAB, or the place that root's rack has by default."""
    return Path(os.environ.get("HEARTH_LAB") or DEFAULT_DIRECTORY)


def read(lab: Path | None = None) -> Rack:
    """The rack in a lab directory."""
    path = (lab or directory()) / "rack.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise NoRack(f"there is no rack: {path} is not there; make rack-up makes one") from error
    if content["schema"] != 1:
        raise NoRack(f"{path} was written by another version of this checkout: make rack-down rack-up")
    servers = ("fleet", "media", "sushy_emulator", "vbmc", "tang", "seats")
    return Rack(
        name=content["name"],
        directory=Path(content["directory"]),
        accelerator=content["accelerator"],
        management=Network(**content["management"]),
        data=Network(**content["data"]),
        ca_certificate=Path(content["ca"]["certificate"]),
        ca_key=Path(content["ca"]["key"]),
        ek_ca_certificates=Path(content["ek_ca"]["certificates"]),
        machines=tuple(_machine(each) for each in content["machines"]),
        servers={name: content[name] for name in servers if name in content},
    )


def _machine(content: dict[str, Any]) -> Machine:
    return Machine(
        name=content["name"],
        index=content["index"],
        slot=content["slot"],
        uuid=content["uuid"],
        serial=content["serial"],
        accelerator=content["accelerator"],
        bmc_address=content["bmc"]["address"],
        bmc_port=content["bmc"]["port"],
        nics=tuple(Nic(**nic) for nic in content["nics"]),
        disks=tuple(Disk(**{**disk, "path": Path(disk["path"])}) for disk in content["disks"]),
        tpm_state=Path(content["tpm"]["state_directory"]),
        ek_certificates_sha256=content["tpm"]["ek_certificates_sha256"],
        console=Path(content["console"]),
        nvram=Path(content["nvram"]),
        node_address=content["node_address"],
    )
