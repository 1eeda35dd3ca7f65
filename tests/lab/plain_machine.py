# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One machine of QEMU and swtpm without libvirt, BMC or rack: firmware with Microsoft's keys, CD-ROMs, a console file.

What boots on it is seen by its console and over SSH. It is gone when its block ends.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ADDRESS = "127.52.0.1"
MAC = "52:54:00:aa:00:01"
# QEMU's user network.
NODE_ADDRESS, NODE_GATEWAY = "10.0.2.15/24", "10.0.2.2"


@dataclass(frozen=True)
class Kind:
    """What differs between the architectures of machines."""

    program: str
    options: tuple[str, ...]
    code: Path
    variables: Path
    without_keys: Path
    """The same firmware variables without Secure Boot's keys: it is off."""
    tpm: str
    cdrom: str


KINDS = {
    "amd64": Kind(
        "qemu-system-x86_64",
        ("-machine", "q35,smm=on", "-cpu", "max", "-global", "driver=cfi.pflash01,property=secure,value=on"),
        Path("/usr/share/OVMF/OVMF_CODE_4M.ms.fd"),
        Path("/usr/share/OVMF/OVMF_VARS_4M.ms.fd"),
        Path("/usr/share/OVMF/OVMF_VARS_4M.fd"),
        "tpm-crb",
        "ide-cd,bus=ide.{index}",
    ),
    "arm64": Kind(
        "qemu-system-aarch64",
        ("-machine", "virt", "-cpu", "cortex-a72", "-device", "virtio-scsi-pci,id=scsi"),
        Path("/usr/share/AAVMF/AAVMF_CODE.ms.fd"),
        Path("/usr/share/AAVMF/AAVMF_VARS.ms.fd"),
        Path("/usr/share/AAVMF/AAVMF_VARS.fd"),
        # Firmware measures into it. Debian's kernel for arm64 has no driver for it (CONFIG_TCG_TIS is not set).
        "tpm-tis-device",
        "scsi-cd,bus=scsi.0",
    ),
}


class NoAnswer(Exception):
    """What was waited for did not come; the text ends with the console."""


@dataclass(frozen=True)
class PlainMachine:
    """A running machine."""

    folder: Path
    port: int
    qemu: subprocess.Popen[bytes]
    started: float

    def console(self) -> str:
        console = self.folder / "console.log"
        return console.read_bytes().decode("utf-8", "replace") if console.exists() else ""

    def wait_for(self, text: str, timeout: float) -> float:
        """Seconds after power-on at which the console had said it."""
        while text not in self.console():
            self._go_on(text, timeout)
        return time.monotonic() - self.started

    def wait_for_ssh(self, key: Path, host_key: str, timeout: float) -> float:
        """Seconds after power-on at which a command ran, over a connection to that host key and no other."""
        (self.folder / "known_hosts").write_text(f"[{ADDRESS}]:{self.port} {host_key}\n")
        while self.ssh(key, "true").returncode != 0:
            self._go_on("SSH", timeout)
        return time.monotonic() - self.started

    def ssh(self, key: Path, command: str) -> subprocess.CompletedProcess[str]:
        options = ["BatchMode=yes", "StrictHostKeyChecking=yes", "ConnectTimeout=10", "IdentitiesOnly=yes"]
        options += [f"UserKnownHostsFile={self.folder / 'known_hosts'}", "GlobalKnownHostsFile=/dev/null"]
        words = [word for option in options for word in ("-o", option)]
        return subprocess.run(
            ["ssh", "-F", "none", *words, "-i", str(key), "-p", str(self.port), f"root@{ADDRESS}", command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def wait_for_end(self, timeout: float) -> int:
        """QEMU's exit code, when the machine has powered itself off."""
        return self.qemu.wait(max(0.1, timeout - (time.monotonic() - self.started)))

    def _go_on(self, awaited: str, timeout: float) -> None:
        if self.qemu.poll() is not None or time.monotonic() - self.started > timeout:
            how = "in time" if self.qemu.poll() is None else "before the machine ended"
            raise NoAnswer(f"no {awaited!r} {how}; its console ends with\n{self.console()[-3000:]}")
        time.sleep(1)


@contextmanager
def plain_machine(
    folder: Path,
    media: Sequence[Path],
    *,
    port: int,
    architecture: str = "amd64",
    memory_mib: int = 2048,
    secure_boot: bool = True,
) -> Iterator[PlainMachine]:
    """Power a machine on with these CD-ROMs, booting from the first."""
    kind = KINDS[architecture]
    folder.mkdir(parents=True)
    variables = folder / "variables.fd"
    shutil.copyfile(kind.variables if secure_boot else kind.without_keys, variables)
    tpm = folder / "tpm"
    tpm.mkdir()
    subprocess.run(["swtpm_setup", "--tpm2", "--tpmstate", str(tpm)], check=True, capture_output=True)
    swtpm = subprocess.Popen(
        ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={tpm}", "--ctrl", f"type=unixio,path={tpm}/socket"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    words = [kind.program, *kind.options, "-accel", "tcg,thread=multi", "-smp", "2", "-m", str(memory_mib)]
    words += ["-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={kind.code}"]
    words += ["-drive", f"if=pflash,unit=1,format=raw,file={variables}"]
    words += ["-chardev", f"socket,id=tpm,path={tpm}/socket", "-tpmdev", "emulator,id=tpm0,chardev=tpm"]
    words += ["-device", f"{kind.tpm},tpmdev=tpm0"]
    for index, medium in enumerate(media):
        words += ["-drive", f"if=none,id=cd{index},media=cdrom,readonly=on,format=raw,file={medium}"]
        words += ["-device", f"{kind.cdrom.format(index=index)},drive=cd{index},bootindex={index}"]
    words += ["-netdev", f"user,id=net,restrict=on,hostfwd=tcp:{ADDRESS}:{port}-{NODE_ADDRESS[:-3]}:22"]
    words += ["-device", f"virtio-net-pci,netdev=net,mac={MAC}"]
    words += ["-display", "none", "-monitor", "none", "-serial", f"file:{folder / 'console.log'}", "-no-reboot"]
    try:
        _wait_for_socket(tpm / "socket")
        with (folder / "qemu.log").open("wb") as log:
            qemu = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            yield PlainMachine(folder, port, qemu, time.monotonic())
        finally:
            _end(qemu)
    finally:
        _end(swtpm)


def missing(architecture: str = "amd64") -> list[str]:
    """What this machine lacks for it, by name."""
    kind = KINDS[architecture]
    programs = [kind.program, "swtpm", "swtpm_setup", "ssh"]
    return [name for name in programs if shutil.which(name) is None] + [
        str(file) for file in (kind.code, kind.variables, kind.without_keys) if not file.exists()
    ]


def _wait_for_socket(path: Path) -> None:
    deadline = time.monotonic() + 30
    while not path.exists():
        if time.monotonic() > deadline:
            raise NoAnswer(f"swtpm made no {path}")
        time.sleep(0.05)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.kill(process.pid, signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
