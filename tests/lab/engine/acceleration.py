# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Does KVM really work here? That the device is there says little: a nested hypervisor may lack SMM, or hang guests."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.lab.engine.domain import FIRMWARE, FIRMWARE_VARIABLES

_FIRMWARE_SPEAKS = b"BdsDxe"


def kvm_works(within: float = 20.0) -> tuple[bool, str]:
    """Start the firmware of our machines under KVM and wait until it speaks on the serial line. (works, why not)."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return False, "there is no /dev/kvm that can be opened"
    with TemporaryDirectory(prefix="hearth-kvm-") as directory:
        return _firmware_comes_up(Path(directory), "kvm", within)


def _firmware_comes_up(directory: Path, accelerator: str, within: float) -> tuple[bool, str]:
    shutil.copyfile(FIRMWARE_VARIABLES, directory / "variables.fd")
    serial, errors = directory / "serial", directory / "errors"
    command = ["qemu-system-x86_64", "-machine", "q35,smm=on", "-accel", accelerator, "-m", "256", "-display", "none"]
    command += ["-nodefaults", "-no-reboot", "-serial", f"file:{serial}"]
    command += ["-global", "driver=cfi.pflash01,property=secure,value=on"]
    command += ["-drive", f"if=pflash,format=raw,readonly=on,file={FIRMWARE}"]
    command += ["-drive", f"if=pflash,format=raw,file={directory / 'variables.fd'}"]
    with errors.open("wb") as output:
        qemu = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            with contextlib.suppress(FileNotFoundError):
                if _FIRMWARE_SPEAKS in serial.read_bytes():
                    return True, ""
            if qemu.poll() is not None:
                said = errors.read_text(encoding="utf-8", errors="replace").strip().splitlines()
                return False, said[-1] if said else f"QEMU ended with {qemu.returncode}"
            time.sleep(0.1)
        return False, f"the firmware said nothing in {within:g} s"
    finally:
        qemu.kill()
        qemu.wait()
