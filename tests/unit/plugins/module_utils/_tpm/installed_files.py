# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""File systems with the files that recorded boots came from: Debian's own packages, and what was recorded."""

from __future__ import annotations

import functools
import shutil
import struct
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.event_log import EventLog, parse_event_log
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.installed_boot import GrubFiles, Mount
from tests.unit.plugins.module_utils._tpm.recorded_boots import MENUENTRY, RecordedBoot
from tests.unit.plugins.module_utils._tpm.recorded_installed import BOOT_UUID, ESP_CONFIG, GRUB_CONFIG, GRUB_DISK

SHIM = Path("/usr/lib/shim/shimx64.efi.signed")
SIGNED_GRUBS = Path("/usr/lib/grub/x86_64-efi-signed")
CACHE = Path.home() / ".cache/hearth/live-image/packages"
KERNEL_PACKAGE = "linux-image-6.1.0-56-amd64_6.1.192-2_amd64.deb"


def installed(path: Path) -> Path:
    if not path.exists():
        pytest.skip(f"{path} is not installed")
    return path


@functools.cache
def kernel() -> bytes:
    """The kernel that was recorded, from where a build of the live image leaves its packages."""
    package = CACHE / KERNEL_PACKAGE
    if not package.exists():
        pytest.skip(f"no {KERNEL_PACKAGE} in {CACHE}: build the live image once, with this kernel")
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE) as unpacking:
        name = "./boot/vmlinuz-6.1.0-56-amd64"
        done = subprocess.run(["tar", "-xO", name], stdin=unpacking.stdout, capture_output=True, check=True)
        unpacking.communicate()
    return done.stdout


@dataclass
class GrubTree:
    """A medium, an EFI partition or a /boot below ``folder``, and what GRUB calls it."""

    folder: Path
    grub: Path
    shim: Path
    mounts: list[Mount]
    replacements: dict[str, str] = field(default_factory=dict)

    def files(self) -> GrubFiles:
        return GrubFiles(
            grub=str(self.grub), file_systems=tuple(self.mounts), shim=str(self.shim), replacements=self.replacements
        )


def medium_tree(folder: Path, boot: RecordedBoot = MENUENTRY, *, device: str = "") -> GrubTree:
    """The medium of a boot that was recorded without its initrd, which is another one here."""
    (folder / "boot/grub").mkdir(parents=True)
    (folder / "boot/grub/grub.cfg").write_text(boot.grub_cfg, encoding="utf-8")
    (folder / ".disk").mkdir()
    (folder / ".disk/info").write_text("hearth test\n", encoding="utf-8")
    (folder / "live").mkdir()
    (folder / "live/vmlinuz").write_bytes(kernel())
    (folder / "live/initrd.img").write_bytes(b"not the initrd that was recorded")
    shutil.copy(installed(SHIM), folder / "BOOTX64.EFI")
    shutil.copy(installed(SIGNED_GRUBS / "gcdx64.efi.signed"), folder / "grubx64.efi")
    return GrubTree(folder, folder / "grubx64.efi", folder / "BOOTX64.EFI", [Mount(str(folder), device)])


def disk_tree(folder: Path) -> GrubTree:
    """What GRUB_DISK was recorded from: the EFI system partition and /boot, mounted."""
    esp, boot = folder / "efi", folder / "boot"
    (esp / "EFI/debian").mkdir(parents=True)
    (boot / "grub").mkdir(parents=True)
    shutil.copy(installed(SHIM), esp / "EFI/debian/shimx64.efi")
    shutil.copy(installed(SIGNED_GRUBS / "grubx64.efi.signed"), esp / "EFI/debian/grubx64.efi")
    (esp / "EFI/debian/grub.cfg").write_text(ESP_CONFIG, encoding="utf-8")
    (boot / "grub/grub.cfg").write_text(GRUB_CONFIG, encoding="utf-8")
    (boot / "vmlinuz").write_bytes(kernel())
    (boot / "initrd.img").write_bytes(GRUB_DISK.initrd)
    mounts = [Mount(str(esp), uuid="1234-ABCD"), Mount(str(boot), uuid=BOOT_UUID)]
    return GrubTree(folder, esp / "EFI/debian/grubx64.efi", esp / "EFI/debian/shimx64.efi", mounts)


def efi_variables(folder: Path, log: bytes) -> Path:
    """The machine's UEFI variables after this boot, as Linux shows them."""
    folder.mkdir()
    for name, guid, value in measured_variables(parse_event_log(log)):
        (folder / f"{name}-{guid}").write_bytes(struct.pack("<I", 7) + value)
    return folder


def measured_variables(log: EventLog) -> list[tuple[str, str, bytes]]:
    """Secure Boot's variables in PCR 7, by a second reader; firmware has those that are not empty."""
    found = []
    for event in log.of_pcr(7):
        if event.event_type != "EV_EFI_VARIABLE_DRIVER_CONFIG":
            continue
        first, second, third = struct.unpack_from("<IHH", event.data)
        guid = f"{first:08x}-{second:04x}-{third:04x}-{event.data[8:10].hex()}-{event.data[10:16].hex()}"
        (length,) = struct.unpack_from("<Q", event.data, 16)
        name = event.data[32 : 32 + 2 * length].decode("utf-16-le")
        if event.data[32 + 2 * length :]:
            found.append((name, guid, event.data[32 + 2 * length :]))
    return found
