# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A tiny machine on qemu:///system, on the libvirtd that is there or on one of our own until the end."""

from __future__ import annotations

import contextlib
import os
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.lab.engine import libvirtd, virsh
from tests.lab.engine.daemons import Daemons

_EMULATOR = "qemu-system-x86_64"

# No disk, no network: it stays in its firmware, which finds nothing to boot. Nobody there listens to a power button.
_DOMAIN = """
<domain type='qemu'>
  <name>{name}</name>
  <memory unit='MiB'>32</memory>
  <vcpu>1</vcpu>
  <os><type arch='x86_64' machine='pc'>hvm</type><boot dev='hd'/></os>
  <features><acpi/></features>
  <devices>
    <emulator>{emulator}</emulator>
    <controller type='usb' model='none'/>
    <memballoon model='none'/>
  </devices>
</domain>
"""


@dataclass(frozen=True)
class FirmwareMachine:
    """What libvirt says of the machine of this name."""

    name: str

    @property
    def state(self) -> str:
        """``running``, ``shut off``, ..."""
        return virsh.state(self.name)

    @property
    def boot_devices(self) -> list[str]:
        """What its next start will try, in libvirt's words: hd, network, cdrom."""
        definition = virsh.definition(self.name)
        return [] if definition is None else [str(boot.get("dev")) for boot in definition.iterfind("os/boot")]

    @property
    def started(self) -> str:
        """What tells one start of it from the next: the id that libvirt gives to each."""
        live = ET.fromstring(virsh.virsh("dumpxml", self.name))
        return str(live.get("id"))


@contextlib.contextmanager
def firmware_machine(name: str, directory: Path) -> Iterator[FirmwareMachine]:
    """A machine that is off, and gone at the end; LabError where there is no libvirt to be had.

    :param directory: for logs and process ids of a libvirtd that has to be started
    """
    daemons = Daemons(directory)
    libvirtd.ensure(daemons)
    try:
        emulator = shutil.which(_EMULATOR, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin")
        virsh.virsh("define", "/dev/stdin", stdin=_DOMAIN.format(name=name, emulator=emulator or _EMULATOR))
        machine = FirmwareMachine(name)
        try:
            yield machine
        finally:
            if machine.state != "shut off":
                virsh.virsh("destroy", name)
            virsh.virsh("undefine", name)
    finally:
        libvirtd.stop(daemons)
