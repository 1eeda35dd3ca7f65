# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Unified kernel images: one as it was recorded, made of Debian's stub by binutils, and small ones of our own."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.unit.plugins.module_utils._tpm.installed_files import installed, kernel
from tests.unit.plugins.module_utils._tpm.recorded_installed import COMMAND_LINE, OS_RELEASE, UNIFIED_DISK

STUB = Path("/usr/lib/systemd/boot/efi/linuxx64.efi.stub")
SNAKEOIL = Path("/usr/share/ovmf/PkKek-1-snakeoil.key")
#: objcopy writes the time into the image, and it is measured into PCR 4.
RECORDED_AT = 0x6B0256A3
#: In the order in which they lay in the image that was recorded.
PLACES = {".osrel": 0x20000, ".cmdline": 0x30000, ".initrd": 0x40000, ".linux": 0x2000000}


def recorded_sections() -> dict[str, bytes]:
    return {
        ".osrel": OS_RELEASE.encode(),
        ".cmdline": COMMAND_LINE.encode(),
        ".initrd": UNIFIED_DISK.initrd,
        ".linux": kernel(),
    }


def unified_image(folder: Path, sections: dict[str, bytes], *, places: dict[str, int] | None = None) -> Path:
    """The sections beside Debian's stub."""
    words: list[str | Path] = ["objcopy"]
    for name, contents in sections.items():
        file = folder / f"section{name}"
        file.write_bytes(contents)
        place = (places or PLACES)[name]
        words += ["--add-section", f"{name}={file}", "--change-section-vma", f"{name}={place:#x}"]
    image = folder / "unified.efi"
    subprocess.run([*words, installed(STUB), image], check=True, capture_output=True)
    made = bytearray(image.read_bytes())
    (pe,) = struct.unpack_from("<I", made, 0x3C)
    struct.pack_into("<I", made, pe + 8, RECORDED_AT)
    image.write_bytes(made)
    return image


def sign(image: Path, folder: Path) -> Path:
    """By the key that OVMF's snakeoil variables trust; the password of it is public."""
    key = folder / "key.pem"
    subprocess.run(
        ["openssl", "rsa", "-in", installed(SNAKEOIL), "-passin", "pass:snakeoil", "-out", key],
        check=True,
        capture_output=True,
    )
    signed = image.with_suffix(".signed")
    subprocess.run(
        ["sbsign", "--key", key, "--cert", SNAKEOIL.with_suffix(".pem"), "--output", signed, image],
        check=True,
        capture_output=True,
    )
    return signed


def small_image(sections: Sequence[tuple[str, bytes]], *, machine: int = 0x8664, filling: int = 0) -> bytes:
    """A PE32+ image that holds these sections and no program. ``filling``: zeros behind each, in memory only."""
    headers = 64 + 24 + 240 + 40 * len(sections)
    at = (headers + 511) // 512 * 512
    table, contents = b"", b""
    for name, data in sections:
        raw = data.ljust((len(data) + 511) // 512 * 512, b"\0")
        table += name.encode().ljust(8, b"\0")
        table += struct.pack("<IIIIIIHHI", len(data) + filling, 0x1000, len(raw), at + len(contents), 0, 0, 0, 0, 0)
        contents += raw
    optional = bytearray(240)
    struct.pack_into("<H", optional, 0, 0x20B)
    struct.pack_into("<I", optional, 60, at)
    struct.pack_into("<I", optional, 108, 16)
    dos = b"MZ".ljust(0x3C, b"\0") + struct.pack("<I", 64)
    coff = b"PE\0\0" + struct.pack("<HHIIIHH", machine, len(sections), 0, 0, 0, 240, 0x22)
    return (dos + coff + bytes(optional) + table).ljust(at, b"\0") + contents


def magic(version: str) -> tuple[str, bytes]:
    """By which a stub says what it is."""
    return ".sdmagic", f"#### LoaderInfo: systemd-stub {version} ####\0".encode()
