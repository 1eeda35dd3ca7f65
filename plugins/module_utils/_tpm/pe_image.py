# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The headers of a UEFI program (Microsoft, "PE Format"): what its digest, its signature and its sections need."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Tuple

from .._core.errors import BadInput

AMD64 = 0x8664

_PE32 = 0x10B
_PE32_PLUS = 0x20B
_CERTIFICATE_TABLE = 4
#: Loaders take no more (Microsoft, "COFF File Header").
_MOST_SECTIONS = 96


@dataclass(frozen=True)
class Section:
    """Offsets and sizes in bytes; in the file (raw), and once it is loaded (virtual)."""

    name: str
    virtual_size: int
    raw_at: int
    raw_size: int


@dataclass(frozen=True)
class PeImage:
    machine: int
    checksum_at: int
    headers_size: int
    certificates_entry_at: int
    """Of the certificate table's directory entry; 0 where the image has no room for one."""
    certificates_at: int
    certificates_size: int
    sections: Tuple[Section, ...]
    """In the order of the section table."""


def parse_pe(image: bytes) -> PeImage:
    """BadInput for what is no PE image, or is cut short."""
    try:
        return _parse(image)
    except struct.error:
        raise no_image("a truncated header") from None


def _parse(image: bytes) -> PeImage:
    if image[:2] != b"MZ":
        raise no_image("no DOS header")
    (pe,) = struct.unpack_from("<I", image, 0x3C)
    if image[pe : pe + 4] != b"PE\0\0":
        raise no_image("no PE signature")
    machine, section_count = struct.unpack_from("<HH", image, pe + 4)
    (optional_size,) = struct.unpack_from("<H", image, pe + 20)
    optional = pe + 24
    (magic,) = struct.unpack_from("<H", image, optional)
    if magic not in (_PE32, _PE32_PLUS):
        raise no_image(f"optional header magic {magic:#x}")
    if section_count > _MOST_SECTIONS:
        raise no_image(f"{section_count} sections")
    directories = optional + (96 if magic == _PE32 else 112)
    (directory_count,) = struct.unpack_from("<I", image, directories - 4)
    (headers_size,) = struct.unpack_from("<I", image, optional + 60)
    entry = certificates_at = certificates_size = 0
    if directory_count > _CERTIFICATE_TABLE:
        entry = directories + 8 * _CERTIFICATE_TABLE
        certificates_at, certificates_size = struct.unpack_from("<II", image, entry)
    sections = []
    for index in range(section_count):
        at = optional + optional_size + 40 * index
        virtual_size, _virtual_at, raw_size, raw_at = struct.unpack_from("<IIII", image, at + 8)
        if raw_size and raw_at + raw_size > len(image):
            raise no_image("a section beyond the end")
        name = image[at : at + 8].rstrip(b"\0").decode("ascii", "replace")
        sections.append(Section(name, virtual_size, raw_at, raw_size))
    return PeImage(
        machine=machine,
        checksum_at=optional + 64,
        headers_size=headers_size,
        certificates_entry_at=entry,
        certificates_at=certificates_at,
        certificates_size=certificates_size,
        sections=tuple(sections),
    )


def signature_of(image: bytes) -> bytes:
    """The certificate table, which holds the signatures; empty where the image is not signed."""
    parsed = parse_pe(image)
    return image[parsed.certificates_at : parsed.certificates_at + parsed.certificates_size]


def no_image(found: str) -> BadInput:
    return BadInput("this is no UEFI program", expected="a PE image", found=found)
