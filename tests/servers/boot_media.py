# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Media that boot nothing but GRUB, which says a word and then does as it is told: small enough for every test."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

_SHIM = Path("/usr/lib/shim/shimx64.efi.signed")
_GRUB = Path("/usr/lib/grub/x86_64-efi-signed/gcdx64.efi.signed")  # the one that looks for its files on a medium

WAITS = "sleep 3600"
HALTS = "halt"
RESTARTS = "reboot"


def missing() -> list[str]:
    """What these media need and this machine lacks, by name of the Debian package."""
    files = {"shim-signed": _SHIM, "grub-efi-amd64-signed": _GRUB}
    programs = {"mtools": "mformat", "xorriso": "xorriso"}
    lacking = [package for package, path in files.items() if not path.exists()]
    return lacking + [package for package, program in programs.items() if shutil.which(program) is None]


def _script(word: str, then: str) -> str:
    return f"set timeout=0\nterminal_output console\necho {word}\n{then}\n"


def iso(path: Path, word: str, then: str = WAITS, *, padding: int = 0) -> Path:
    """An ISO 9660 image for UEFI with Secure Boot; ``padding`` bytes more, to be read slowly."""
    with tempfile.TemporaryDirectory(prefix="hearth-medium-") as name:
        folder = Path(name)
        content = folder / "content"
        (content / "boot" / "grub").mkdir(parents=True)
        (content / "boot" / "grub" / "grub.cfg").write_text(_script(word, then))
        if padding:
            (content / "padding").write_bytes(bytes(padding))
        _efi(content / "boot" / "efi.img", 8)
        command = ["xorriso", "-as", "mkisofs", "-quiet", "-V", "HEARTH_TEST", "-o", str(path)]
        _run(*command, "-e", "boot/efi.img", "-no-emul-boot", "-R", str(content))
    return path


def disk(path: Path, word: str, then: str = WAITS) -> Path:
    """A raw disk image: one FAT file system with shim, GRUB and its script."""
    with tempfile.TemporaryDirectory(prefix="hearth-medium-") as name:
        script = Path(name) / "grub.cfg"
        script.write_text(_script(word, then))
        _efi(path, 40)
        _run("mmd", "-i", str(path), "::/boot", "::/boot/grub")
        _run("mcopy", "-i", str(path), str(script), "::/boot/grub/grub.cfg")
    return path


def _efi(path: Path, mib: int) -> None:
    with open(path, "wb") as file:
        file.truncate(mib * 1024 * 1024)
    _run("mformat", "-i", str(path), "::")
    _run("mmd", "-i", str(path), "::/EFI", "::/EFI/BOOT")
    _run("mcopy", "-i", str(path), str(_SHIM), "::/EFI/BOOT/BOOTX64.EFI")
    _run("mcopy", "-i", str(path), str(_GRUB), "::/EFI/BOOT/grubx64.efi")


def _run(*command: str) -> None:
    subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=True)
