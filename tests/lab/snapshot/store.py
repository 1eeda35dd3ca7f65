# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where snapshots lie: ``<lab>/snapshots/<name>/<machine>/``, whole or not there at all.

What their disks held lies below ``<lab>/layers``, each layer as long as a disk or a snapshot stands on it.
"""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.lab.engine.commands import run
from tests.lab.rack import Machine, Rack

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class SnapshotError(Exception):
    """Nothing was saved or restored; the text says why, and what can be done."""


@dataclass(frozen=True)
class Snapshot:
    """What was saved of one machine."""

    name: str
    machine: str
    directory: Path
    # Whether its memory was saved, so that it runs on when it is restored.
    running: bool
    uuid: str
    ek_certificates_sha256: dict[str, str]
    # What each disk held, by its bus.
    layers: dict[str, Path]

    @property
    def memory(self) -> Path:
        return self.directory / "memory"

    @property
    def nvram(self) -> Path:
        return self.directory / "firmware-variables.fd"

    @property
    def tpm(self) -> Path:
        return self.directory / "tpm2"


def place(rack: Rack, name: str, machine: Machine) -> Path:
    if not _NAME.fullmatch(name):
        raise SnapshotError(f"{name!r} is no name for a snapshot: letters, digits, dot, dash, underscore")
    return rack.directory / "snapshots" / name / machine.name


def find(rack: Rack, name: str, machine: Machine) -> Snapshot:
    directory = place(rack, name, machine)
    try:
        content = json.loads((directory / "snapshot.json").read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        there = ", ".join(sorted({snapshot.name for snapshot in listing(rack)})) or "none"
        raise SnapshotError(f"there is no snapshot {name} of {machine.name}; there are: {there}") from error
    return Snapshot(
        name=name,
        machine=machine.name,
        directory=directory,
        running=content["running"],
        uuid=content["uuid"],
        ek_certificates_sha256=content["ek_certificates_sha256"],
        layers={bus: Path(layer) for bus, layer in content["layers"].items()},
    )


def listing(rack: Rack) -> list[Snapshot]:
    """Every whole snapshot of the rack's machines."""
    known = {machine.name: machine for machine in rack.machines}
    found = []
    for record in sorted((rack.directory / "snapshots").glob("*/*/snapshot.json")):
        machine = known.get(record.parent.name)
        if machine is not None:
            found.append(find(rack, record.parent.parent.name, machine))
    return found


def write_record(directory: Path, machine: Machine, running: bool, kept: dict[str, Path]) -> None:
    """What makes a snapshot whole; written last."""
    content = {
        "schema": 1,
        "machine": machine.name,
        "uuid": machine.uuid,
        "running": running,
        "ek_certificates_sha256": dict(machine.ek_certificates_sha256),
        "layers": {bus: str(layer) for bus, layer in kept.items()},
    }
    beside = directory / ".snapshot.json"
    beside.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    beside.rename(directory / "snapshot.json")


def delete(rack: Rack, name: str, machine: Machine) -> None:
    """Forget a snapshot. What its disks held stays as long as the machine or another snapshot stands on it."""
    snapshot = find(rack, name, machine)
    (snapshot.directory / "snapshot.json").unlink()
    shutil.rmtree(snapshot.directory)
    if not any(snapshot.directory.parent.iterdir()):
        snapshot.directory.parent.rmdir()
    sweep(rack, machine)


def layer_place(rack: Rack, machine: Machine) -> Path:
    return rack.directory / "layers" / machine.name


def sweep(rack: Rack, machine: Machine) -> None:
    """Delete the layers of a machine's disks that nothing stands on any more."""
    tops = [disk.path for disk in machine.disks]
    tops += [top for each in listing(rack) if each.machine == machine.name for top in each.layers.values()]
    used = {layer for top in tops for layer in chain(top)}
    for layer in layer_place(rack, machine).glob("*.qcow2"):
        if layer not in used:
            layer.unlink()


def chain(disk: Path) -> list[Path]:
    """A qcow2 file and all that it stands on. A disk that runs is only looked at."""
    said = run(["qemu-img", "info", "--force-share", "--backing-chain", "--output", "json", str(disk)])
    return [Path(layer["filename"]) for layer in json.loads(said)]
