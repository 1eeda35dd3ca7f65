# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where snapshots lie: ``<lab>/snapshots/<name>/<machine>/``, whole or not there at all."""

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

    @property
    def memory(self) -> Path:
        return self.directory / "memory"

    @property
    def nvram(self) -> Path:
        return self.directory / "firmware-variables.fd"

    @property
    def tpm(self) -> Path:
        return self.directory / "tpm2"

    def disk(self, path: Path) -> Path:
        """Where the content of a machine's disk lies."""
        return self.directory / path.name


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


def write_record(directory: Path, machine: Machine, running: bool) -> None:
    """What makes a snapshot whole; written last."""
    content = {
        "schema": 1,
        "machine": machine.name,
        "uuid": machine.uuid,
        "running": running,
        "ek_certificates_sha256": dict(machine.ek_certificates_sha256),
    }
    (directory / "snapshot.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def delete(rack: Rack, name: str, machine: Machine) -> None:
    """Delete a snapshot that nothing stands on."""
    snapshot = find(rack, name, machine)
    for disk in machine.disks:
        if snapshot.disk(disk.path) in layers(disk.path):
            raise SnapshotError(
                f"{machine.name}'s {disk.bus} disk stands on snapshot {name}: restore or save another one first"
            )
        for other in listing(rack):
            if other != snapshot and snapshot.disk(disk.path) in layers(other.disk(disk.path)):
                raise SnapshotError(f"snapshot {other.name} of {other.machine} stands on {name}: delete that one first")
    shutil.rmtree(snapshot.directory)
    if not any(snapshot.directory.parent.iterdir()):
        snapshot.directory.parent.rmdir()


def layers(disk: Path) -> list[Path]:
    """A qcow2 file and all that it stands on. A disk that runs is only looked at."""
    if not disk.exists():
        return []
    said = run(["qemu-img", "info", "--force-share", "--backing-chain", "--output", "json", str(disk)])
    return [Path(layer["filename"]) for layer in json.loads(said)]
