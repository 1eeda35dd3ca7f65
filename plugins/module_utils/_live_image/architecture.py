# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What differs between the architectures of images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, Tuple

from .._core.errors import BadInput


@dataclass(frozen=True)
class Architecture:
    """One of Debian's architectures, as an image sees it."""

    name: str
    kernel_package: str
    boot_packages: Tuple[str, ...]
    shim: str
    """Path in the packages, Microsoft's signature on it."""
    shim_name: str
    """Where the firmware looks on a removable medium (UEFI 2.10, 3.5.1.1)."""
    grub: str
    """Path in the packages, Debian's signature on it. The build for CD-ROMs: it looks for its medium by /.disk/info."""
    grub_name: str
    """The name that shim loads."""
    consoles: Tuple[str, ...]
    """The last one gets what programs print."""
    emulator: str
    """Of qemu-user-static, where the build host is of another architecture."""


_ARCHITECTURES: Dict[str, Architecture] = {
    "amd64": Architecture(
        "amd64",
        "linux-image-amd64",
        ("shim-signed", "grub-efi-amd64-signed"),
        "usr/lib/shim/shimx64.efi.signed",
        "BOOTX64.EFI",
        "usr/lib/grub/x86_64-efi-signed/gcdx64.efi.signed",
        "grubx64.efi",
        ("tty0", "ttyS0,115200n8"),
        "qemu-x86_64",
    ),
    "arm64": Architecture(
        "arm64",
        "linux-image-arm64",
        ("shim-signed", "grub-efi-arm64-signed"),
        "usr/lib/shim/shimaa64.efi.signed",
        "BOOTAA64.EFI",
        "usr/lib/grub/arm64-efi-signed/gcdaa64.efi.signed",
        "grubaa64.efi",
        ("tty0", "ttyAMA0,115200n8"),
        "qemu-aarch64",
    ),
}


def architecture(name: str) -> Architecture:
    """The architecture of that name in Debian."""
    try:
        return _ARCHITECTURES[name]
    except KeyError:
        raise BadInput(
            f"no image can be made for {name}", expected=" or ".join(sorted(_ARCHITECTURES)), found=name
        ) from None
