# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A libvirt storage pool in the lab's directory: sushy-emulator puts the images there that it inserts."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

from tests.lab.engine import virsh
from tests.lab.engine.errors import LabError


def ensure(name: str, directory: Path) -> bool:
    """Make a pool of this name be there and active; whether anything was changed."""
    changed = False
    there = _directory_of(name)
    if there is None:
        directory.mkdir(mode=0o711, parents=True, exist_ok=True)
        virsh.virsh("pool-define-as", name, "dir", "--target", str(directory))
        changed = True
    elif there != directory:
        raise LabError(f"libvirt has a storage pool {name} in {there} that is not this lab's; choose another rack_name")
    if name not in virsh.virsh("pool-list", "--name").split():
        virsh.virsh("pool-start", name)
        changed = True
    return changed


def of_lab(lab: Path) -> list[str]:
    """The pools whose files lie in this lab."""
    found = []
    for name in virsh.pools():
        there = _directory_of(name)
        if there is not None and there.is_relative_to(lab):
            found.append(name)
    return found


def remove(name: str) -> None:
    if name in virsh.virsh("pool-list", "--name").split():
        virsh.virsh("pool-destroy", name)
    virsh.virsh("pool-undefine", name)


def _directory_of(name: str) -> Path | None:
    answer = virsh.ask("pool-dumpxml", name)
    if answer.returncode != 0:
        return None
    return Path(ET.fromstring(answer.stdout).findtext("target/path") or "/")
