# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Save a machine."""

from __future__ import annotations

import os
import secrets
import shutil
from pathlib import Path

from tests.lab.engine import virsh
from tests.lab.rack import Machine, Rack
from tests.lab.snapshot import qemu, restoring
from tests.lab.snapshot.store import Snapshot, SnapshotError, find, layer_place, place, write_record


def save(rack: Rack, name: str, machine: Machine, *, patience: float = 60.0) -> Snapshot:
    """Save a machine as it is, running or off; one that runs, runs on afterwards.

    ``patience`` is how many seconds its operating system has to let go of the NVMe controller.
    """
    directory = place(rack, name, machine)
    if (directory / "snapshot.json").exists():
        raise SnapshotError(f"there is a snapshot {name} of {machine.name} already; delete it first")
    state = virsh.state(machine.name)
    if state not in ("running", "shut off"):
        raise SnapshotError(f"{machine.name} is {state}: power it on or off first")
    running = state == "running"
    if running:
        _refuse_media(machine)
    # What a killed run left there is no snapshot: only the record makes it one.
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(mode=0o711, parents=True)
    if running:
        qemu.unplug_nvme(machine, patience)
        virsh.virsh("save", machine.name, str(directory / "memory"), timeout=300)
    shutil.copytree(machine.tpm_state, directory / "tpm2")
    shutil.copy2(machine.nvram, directory / "firmware-variables.fd")
    kept = {disk.bus: _layer(rack, machine, disk.path) for disk in machine.disks}
    write_record(directory, machine, running, kept)
    snapshot = find(rack, name, machine)
    if running:
        restoring.resume(snapshot, machine)
    return snapshot


def _layer(rack: Rack, machine: Machine, disk: Path) -> Path:
    """What the disk holds becomes a layer of its own, and an empty one over it takes its place. Copies nothing.

    There is no moment without a disk: first the file has two names, then one of them becomes the new layer's.
    """
    kept = layer_place(rack, machine) / f"{disk.stem}-{secrets.token_hex(8)}.qcow2"
    kept.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
    os.link(disk, kept)
    restoring.lay_over(kept, disk)
    return kept


def _refuse_media(machine: Machine) -> None:
    """A medium comes from a server that may be gone when the machine is restored."""
    for line in virsh.virsh("domblklist", "--details", machine.name).splitlines():
        _type, device, slot, source = line.split(maxsplit=3)
        if device == "cdrom" and source != "-":
            raise SnapshotError(f"{machine.name} has a medium in {slot}: eject it first")
