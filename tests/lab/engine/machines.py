# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bring the machines of a rack to what they are to be, and take them away again."""

from __future__ import annotations

import contextlib
import os
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path

from tests.lab.engine import domain, tpm, virsh
from tests.lab.engine.commands import run
from tests.lab.engine.errors import LabError
from tests.lab.engine.machine import Disk, Machine

# Where libvirt and swtpm write about a domain, whoever it belongs to.
_LOGS = (Path("/var/log/libvirt/qemu"), Path("/var/log/swtpm/libvirt/qemu"))


def ensure(machines: Sequence[Machine], lab: Path) -> list[str]:
    """Make every machine exist as it is to be, and no other of this lab; what was changed, a line each."""
    changes = []
    wanted = {machine.name for machine in machines}
    for name in of_lab(lab):
        if name not in wanted:
            remove(name, lab)
            changes.append(f"{name}: removed")
    owner, confinements = virsh.qemu_owner(), virsh.confinements()
    for machine in machines:
        machine.directory.mkdir(mode=0o711, parents=True, exist_ok=True)
        changes += [f"{machine.name}: {what}" for what in _files(machine, lab, owner)]
        if _define(machine, lab, confinements):
            changes.append(f"{machine.name}: defined")
    return changes


def of_lab(lab: Path) -> list[str]:
    """The domains that carry this lab's mark."""
    found = []
    for name in virsh.domains():
        current = virsh.definition(name)
        mark = None if current is None else domain.mark_of(current)
        if mark is not None and mark[0] == str(lab):
            found.append(name)
    return found


def remove(name: str, lab: Path) -> None:
    """Stop a machine of this lab and remove it with everything that libvirt and swtpm keep about it."""
    current = virsh.definition(name)
    if current is not None:
        if virsh.state(name) != "shut off":
            virsh.virsh("destroy", name)
        virsh.virsh("undefine", "--nvram", "--keep-tpm", "--managed-save", "--snapshots-metadata", name)
        link = Path("/var/lib/libvirt/swtpm") / (current.findtext("uuid") or name)
        if link.is_symlink():
            link.unlink()
    shutil.rmtree(lab / "machines" / name, ignore_errors=True)
    for directory in _LOGS:
        for log in directory.glob(f"{name}*.log*"):
            # hearth-lab-1 must not take hearth-lab-10's away.
            if not log.name[len(name)].isdigit():
                log.unlink(missing_ok=True)


def _files(machine: Machine, lab: Path, owner: tuple[int, int]) -> list[str]:
    made = []
    for disk in machine.disks:
        if not disk.path.exists():
            _make_disk(disk, owner)
            made.append(f"{disk.bus} disk made")
    if not machine.nvram.exists():
        beside = machine.nvram.with_suffix(".new")
        shutil.copyfile(domain.FIRMWARE_VARIABLES, beside)
        os.chown(beside, *owner)
        beside.rename(machine.nvram)
        made.append("firmware variables from Debian's template with Microsoft's keys")
    if tpm.ensure(machine.tpm, machine.name, lab / "ek-ca"):
        made.append("TPM made")
    link = machine.libvirt_tpm
    if not (link.is_symlink() and Path(os.readlink(link)) == machine.tpm):
        if link.is_symlink() and not link.exists():
            link.unlink()  # of a lab whose directory was deleted by hand
        if os.path.lexists(link):
            raise LabError(f"{link} is there already and not this lab's; remove it when no machine of yours needs it")
        link.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
        link.symlink_to(machine.tpm)
        made.append("TPM linked to where libvirt looks")
    if not machine.console.exists():
        machine.console.touch(mode=0o644)
        made.append("console file")
    return made


def _make_disk(disk: Disk, owner: tuple[int, int]) -> None:
    beside = disk.path.with_suffix(".new")
    with contextlib.suppress(FileNotFoundError):
        beside.unlink()
    run(["qemu-img", "create", "-q", "-f", "qcow2", str(beside), str(disk.size_bytes)])
    os.chown(beside, *owner)
    beside.rename(disk.path)


def _define(machine: Machine, lab: Path, confinements: Sequence[str]) -> bool:
    text, digest = domain.definition(machine, lab, confinements)
    current = virsh.definition(machine.name)
    if current is not None:
        mark = domain.mark_of(current)
        if mark is None or mark[0] != str(lab):
            raise LabError(
                f"a domain {machine.name} is there already and is"
                f" {'of the lab in ' + mark[0] if mark else 'no machine of a lab'};"
                " undefine it, or choose another rack_name"
            )
        if mark[1] == digest and domain.shape(current) == domain.shape(ET.fromstring(text)):
            return False
    # One that runs is as it was until its next start.
    virsh.virsh("define", "--validate", "/dev/stdin", stdin=text)
    return True
