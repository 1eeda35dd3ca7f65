# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Save a machine."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tests.lab.engine import virsh
from tests.lab.engine.commands import run
from tests.lab.rack import Machine, Rack
from tests.lab.snapshot import qemu, restoring
from tests.lab.snapshot.store import Snapshot, SnapshotError, find, layers, place, write_record


def save(rack: Rack, name: str, machine: Machine) -> Snapshot:
    """Save a machine as it is, running or off; one that runs, runs on afterwards."""
    directory = place(rack, name, machine)
    if (directory / "snapshot.json").exists():
        raise SnapshotError(f"there is a snapshot {name} of {machine.name} already; delete it first")
    state = virsh.state(machine.name)
    if state not in ("running", "shut off"):
        raise SnapshotError(f"{machine.name} is {state}: power it on or off first")
    running = state == "running"
    if running:
        _refuse_media(machine)
    _undo_half(directory, machine)
    directory.mkdir(mode=0o711, parents=True)
    if running:
        qemu.unplug_nvme(machine)
        virsh.virsh("save", machine.name, str(directory / "memory"), timeout=300)
    shutil.copytree(machine.tpm_state, directory / "tpm2")
    shutil.copy2(machine.nvram, directory / "firmware-variables.fd")
    for disk in machine.disks:
        _layer(disk.path, directory / disk.path.name)
    write_record(directory, machine, running)
    snapshot = find(rack, name, machine)
    if running:
        restoring.resume(snapshot, machine)
    return snapshot


def _layer(disk: Path, target: Path) -> None:
    """The disk's content becomes the snapshot's; an empty layer over it takes its place. Copies nothing.

    There is no moment without a disk: first the file has two names, then one of them becomes the layer's.
    """
    os.link(disk, target)
    beside = disk.with_suffix(".layer")
    beside.unlink(missing_ok=True)
    run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", str(target), str(beside)])
    restoring.as_owner_of(target, beside)
    beside.replace(disk)


def _undo_half(directory: Path, machine: Machine) -> None:
    """Remove what a killed run left of a snapshot; a disk that stands on it already gets its content back."""
    for disk in machine.disks:
        target = directory / disk.path.name
        if target in layers(disk.path)[1:]:
            if virsh.state(machine.name) != "shut off":
                raise SnapshotError(
                    f"{machine.name} runs on disks of a save that was killed: power it off, and save again"
                )
            run(["qemu-img", "commit", "-q", str(disk.path)], timeout=600)
            target.replace(disk.path)
    shutil.rmtree(directory, ignore_errors=True)


def _refuse_media(machine: Machine) -> None:
    """A medium comes from a server that may be gone when the machine is restored."""
    for line in virsh.virsh("domblklist", "--details", machine.name).splitlines():
        _type, device, slot, source = line.split(maxsplit=3)
        if device == "cdrom" and source != "-":
            raise SnapshotError(f"{machine.name} has a medium in {slot}: eject it first")
