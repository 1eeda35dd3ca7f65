# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bring a machine back to what was saved."""

from __future__ import annotations

import os
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path
from tempfile import NamedTemporaryFile

from tests.lab.engine import virsh
from tests.lab.engine.commands import run
from tests.lab.engine.domain import NVME_DEVICE
from tests.lab.rack import Machine, Rack
from tests.lab.snapshot import qemu
from tests.lab.snapshot.store import Snapshot, SnapshotError, find, sweep

_QEMU = "{http://libvirt.org/schemas/domain/qemu/1.0}"


def restore(rack: Rack, name: str, machine: Machine) -> Snapshot:
    """Stop the machine, whatever it does, and have it as it was saved: running on, or off."""
    snapshot = find(rack, name, machine)
    if snapshot.uuid != machine.uuid:
        raise SnapshotError(f"snapshot {name} is of another {machine.name}: its UUID is {snapshot.uuid}")
    if virsh.state(machine.name) != "shut off":
        virsh.virsh("destroy", machine.name)
    _put_back(snapshot, machine)
    if snapshot.running:
        resume(snapshot, machine)
    sweep(rack, machine)
    return snapshot


def resume(snapshot: Snapshot, machine: Machine) -> None:
    """Start the machine from its saved memory; disks, TPM and firmware variables are as they were then."""
    with NamedTemporaryFile("w", suffix=".xml", encoding="utf-8") as definition:
        definition.write(_definition(snapshot))
        definition.flush()
        virsh.virsh("restore", str(snapshot.memory), "--xml", definition.name, "--running", timeout=300)
    qemu.plug_nvme(machine)


def lay_over(layer: Path, disk: Path) -> None:
    """Make a disk an empty layer over another, in one step."""
    beside = disk.with_suffix(".layer")
    beside.unlink(missing_ok=True)
    run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", str(layer), str(beside)])
    _as_owner_of(layer, beside)
    beside.replace(disk)


def _as_owner_of(model: Path, path: Path) -> None:
    """The same owner: QEMU opens some files that libvirt does not know of."""
    status = model.stat()
    os.chown(path, status.st_uid, status.st_gid)
    path.chmod(status.st_mode & 0o7777)


def _put_back(snapshot: Snapshot, machine: Machine) -> None:
    for disk in machine.disks:
        lay_over(snapshot.layers[disk.bus], disk.path)
    shutil.copy2(snapshot.nvram, machine.nvram)
    _as_owner_of(machine.disks[0].path, machine.nvram)
    for old in machine.tpm_state.iterdir():
        old.unlink()
    for saved in snapshot.tpm.iterdir():
        shutil.copy2(saved, machine.tpm_state)
        # swtpm's user, whose directory it is.
        status = machine.tpm_state.stat()
        os.chown(machine.tpm_state / saved.name, status.st_uid, status.st_gid)


def _definition(snapshot: Snapshot) -> str:
    """The saved domain without its NVMe controller, which was unplugged, and without what libvirt wrote about layers:
    it says that the disks stand on nothing, and now they stand on the snapshot."""
    root = ET.fromstring(virsh.virsh("save-image-dumpxml", "--security-info", str(snapshot.memory)))
    for disk in root.iter("disk"):
        for layer in disk.findall("backingStore"):
            disk.remove(layer)
    line = root.find(f"{_QEMU}commandline")
    if line is not None:
        words = line.findall(f"{_QEMU}arg")
        for option, value in zip(words, words[1:], strict=False):
            if option.get("value") == "-device" and f'"id": "{NVME_DEVICE}"' in value.get("value", ""):
                line.remove(option)
                line.remove(value)
    return ET.tostring(root, encoding="unicode")
