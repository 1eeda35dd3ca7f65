# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A small real machine for one test: a libvirt domain with UEFI, Secure Boot, a TPM, two disks and two CD-ROM drives.

Its files lie below /var/tmp, in a folder that QEMU's own user can go through.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from xml.sax.saxutils import escape

from tests.servers import boot_media

URI = "qemu:///system"
CODE, VARIABLES = Path("/usr/share/OVMF/OVMF_CODE_4M.ms.fd"), Path("/usr/share/OVMF/OVMF_VARS_4M.ms.fd")
_PACKAGES = {
    "libvirt-clients": "virsh",
    "qemu-utils": "qemu-img",
    "qemu-system-x86": "qemu-system-x86_64",
    "swtpm": "swtpm",
}


def missing() -> str:
    """What stands in the way of such machines here; "" for nothing."""
    if os.geteuid() != 0:
        return "root: libvirt's system instance is asked"
    lacking = [package for package, program in _PACKAGES.items() if shutil.which(program) is None]
    lacking += [] if CODE.exists() and VARIABLES.exists() else ["ovmf"]
    lacking += boot_media.missing()
    if lacking:
        return "the Debian packages " + ", ".join(lacking)
    done = subprocess.run(["virsh", "-c", URI, "version"], capture_output=True, timeout=60, check=False)
    return "" if done.returncode == 0 else f"libvirtd, which does not answer at {URI}"


def virsh(*arguments: str) -> str:
    command = ["virsh", "-q", "-c", URI, *arguments]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, f"virsh {' '.join(arguments)}: {done.stderr}"
    return done.stdout


class LibvirtDomain:
    """``with LibvirtDomain("power") as machine: …``; the name is hearth-backend-<pid>-power."""

    def __init__(self, name: str, *, memory_mib: int = 512, disk_word: str = "DISK", disk_then: str = boot_media.WAITS,
                 trays: int = 2, tpm: bool = True, serial: str | None = None) -> None:  # fmt: skip
        self.name = f"hearth-backend-{os.getpid()}-{name}"
        self.uuid = str(uuid.uuid4())
        self.serial = serial if serial is not None else f"HB{os.getpid()}{name.upper()}"
        self.disk_serials = {"virtio": f"V{os.getpid()}", "nvme": f"N{os.getpid()}"}
        self.macs = tuple(
            f"52:54:00:{number:02x}:{os.getpid() >> 8 & 255:02x}:{os.getpid() & 255:02x}" for number in (1, 2)
        )
        self._memory_mib = memory_mib
        self._disk = (disk_word, disk_then)
        self._trays = trays
        self._tpm = tpm

    def __enter__(self) -> LibvirtDomain:
        self.folder = Path(tempfile.mkdtemp(prefix=f"{self.name}-", dir="/var/tmp"))
        self.folder.chmod(0o711)
        try:
            boot_media.disk(self.folder / "virtio.img", *self._disk)
            with open(self.folder / "nvme.img", "wb") as nvme:
                nvme.truncate(64 * 1024 * 1024)
            shutil.copy(VARIABLES, self.folder / "variables.fd")
            for path in self.folder.iterdir():
                path.chmod(0o666)
            (self.folder / "domain.xml").write_text(self._xml())
            virsh("define", str(self.folder / "domain.xml"))
        except BaseException:
            shutil.rmtree(self.folder)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()
        with contextlib.suppress(AssertionError):
            virsh("undefine", self.name, "--nvram", "--tpm")
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def console(self) -> Path:
        return self.folder / "console.log"

    def said(self) -> str:
        return self.console.read_text(errors="replace") if self.console.exists() else ""

    def state(self) -> str:
        return virsh("domstate", self.name).strip()

    def stop(self) -> None:
        with contextlib.suppress(AssertionError):
            if self.state() != "shut off":
                virsh("destroy", self.name)

    def wait(self, what: str, found: Callable[[], object], seconds: float = 240.0) -> None:
        """The machine is emulated, and others use the processors: patience, with an end."""
        until = time.monotonic() + seconds
        while not found():
            assert time.monotonic() < until, f"{self.name}: no {what} in {seconds:g} s; console:\n{self.said()[-2000:]}"
            time.sleep(0.25)

    def wait_for(self, word: str, times: int = 1) -> None:
        """Until the console has said the word so often."""
        self.wait(f"{word!r} on the console", lambda: self.said().count(word) >= times)

    def _xml(self) -> str:
        trays = "".join(
            f"<disk type='file' device='cdrom'><driver name='qemu' type='raw'/><target dev='sd{letter}' bus='sata'/>"
            "<readonly/></disk>"
            for letter in "abcd"[: self._trays]
        )
        nics = "".join(
            f"<interface type='user'><mac address='{mac}'/><model type='virtio'/><rom enabled='no'/></interface>"
            for mac in self.macs
        )
        nvme = f"nvme,id=nvme0,drive=nvme-disk,serial={self.disk_serials['nvme']},bootindex=9,addr=0x10"
        arguments = ("-drive", f"file={self.folder}/nvme.img,if=none,id=nvme-disk,format=raw", "-device", nvme)
        tpm = "<tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>" if self._tpm else ""
        return f"""
<domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
 <name>{escape(self.name)}</name><uuid>{self.uuid}</uuid><memory unit='MiB'>{self._memory_mib}</memory><vcpu>1</vcpu>
 <sysinfo type='smbios'><system><entry name='manufacturer'>Hearth</entry><entry name='product'>Test machine</entry>
 <entry name='serial'>{escape(self.serial)}</entry><entry name='uuid'>{self.uuid}</entry></system></sysinfo>
 <os><type arch='x86_64' machine='q35'>hvm</type><loader readonly='yes' secure='yes' type='pflash'>{CODE}</loader>
 <nvram>{self.folder}/variables.fd</nvram><smbios mode='sysinfo'/></os>
 <features><acpi/><apic/><smm state='on'/></features><cpu mode='maximum' check='none'/>
 <on_poweroff>destroy</on_poweroff><on_reboot>restart</on_reboot><on_crash>destroy</on_crash>
 <devices><emulator>/usr/bin/qemu-system-x86_64</emulator>
  <disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='{self.folder}/virtio.img'/>
  <target dev='vda' bus='virtio'/><serial>{self.disk_serials['virtio']}</serial><boot order='1'/></disk>
  {trays}{nics}
  <serial type='file'><source path='{self.folder}/console.log' append='on'/>
  <target type='isa-serial' port='0'/></serial>
  {tpm}<memballoon model='none'/>
 </devices>
 <qemu:commandline>{"".join(f"<qemu:arg value='{argument}'/>" for argument in arguments)}</qemu:commandline>
</domain>"""
