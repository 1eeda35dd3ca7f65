# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""libvirt on qemu:///system: the daemon that is there, or one of our own until the end; and a tiny machine on it."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

URI = "qemu:///system"
_PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
_EMULATOR = "qemu-system-x86_64"
_STARTS_WITHIN = 30.0

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


class NoLibvirt(Exception):
    """There is no libvirt to be had on this machine; the text says what it lacks."""


@dataclass(frozen=True)
class Domain:
    """A defined machine."""

    name: str

    @property
    def state(self) -> str:
        """ "running", "shut off", ..."""
        return virsh("domstate", self.name).strip()

    @property
    def definition(self) -> str:
        """What it will be started with, as XML."""
        return virsh("dumpxml", "--inactive", self.name)

    @property
    def process(self) -> str:
        """What tells one start of it from the next: the QEMU process."""
        return Path(f"/run/libvirt/qemu/{self.name}.pid").read_text(encoding="ascii").strip()


def virsh(*words: str, stdin: str | None = None) -> str:
    return subprocess.run(
        ["virsh", "-q", "-c", URI, *words], input=stdin, check=True, capture_output=True, text=True, timeout=60
    ).stdout


@contextlib.contextmanager
def libvirt(directory: Path) -> Iterator[None]:
    """A libvirtd that answers. One that was there stays; ours is ended, with what it started by itself."""
    missing = [name for name in ("virsh", "libvirtd", "virtlogd", _EMULATOR) if not shutil.which(name, path=_PATH)]
    if missing:
        raise NoLibvirt(f"{', '.join(missing)} not found (Debian packages libvirt-daemon-system, libvirt-clients,"
                        " qemu-system-x86)")  # fmt: skip
    if _answers():
        yield
        return
    if os.geteuid():
        raise NoLibvirt("no libvirtd answers, and only root can start one")
    with contextlib.ExitStack() as ended:
        # libvirtd asks virtlogd to write its machines' logs; without systemd nobody starts that on demand.
        for name in ("virtlogd", "libvirtd"):
            ended.enter_context(_running(name, directory))
        until = time.monotonic() + _STARTS_WITHIN
        while not _answers():
            if time.monotonic() > until:
                log = (directory / "libvirtd.log").read_text(encoding="utf-8", errors="replace")
                raise NoLibvirt(f"libvirtd does not answer: {log.strip()[-400:]}")
            time.sleep(0.1)
        yield
        for network in virsh("net-list", "--name").split():
            virsh("net-destroy", network)


@contextlib.contextmanager
def firmware_machine(name: str) -> Iterator[Domain]:
    """A machine that is off, and gone at the end."""
    emulator = shutil.which(_EMULATOR, path=_PATH) or _EMULATOR
    virsh("define", "/dev/stdin", stdin=_DOMAIN.format(name=name, emulator=emulator))
    domain = Domain(name)
    try:
        yield domain
    finally:
        if domain.state != "shut off":
            virsh("destroy", name)
        virsh("undefine", name)


def _answers() -> bool:
    asked = subprocess.run(["virsh", "-q", "-c", URI, "version"], capture_output=True, timeout=60, check=False)
    return asked.returncode == 0


@contextlib.contextmanager
def _running(name: str, directory: Path) -> Iterator[None]:
    program = shutil.which(name, path=_PATH) or name
    with (directory / f"{name}.log").open("wb") as log:
        process = subprocess.Popen([program], stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
