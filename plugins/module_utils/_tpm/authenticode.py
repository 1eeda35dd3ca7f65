# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The digest by which UEFI measures a program into PCR 4.

Windows Authenticode Portable Executable Signature Format, "Calculating the PE Image Hash": everything except the
checksum, the certificate table's directory entry and the certificate table.
"""

from __future__ import annotations

import hashlib
import struct

from .._core.errors import BadInput

_PE32 = 0x10B
_PE32_PLUS = 0x20B
_CERTIFICATE_TABLE = 4


def authenticode_sha256(image: bytes) -> str:
    """Lower-case hex; BadInput for what is no PE image."""
    try:
        return _digest(image)
    except struct.error:
        raise _no_image("a truncated header") from None


def _digest(image: bytes) -> str:
    if image[:2] != b"MZ":
        raise _no_image("no DOS header")
    (pe,) = struct.unpack_from("<I", image, 0x3C)
    if image[pe : pe + 4] != b"PE\0\0":
        raise _no_image("no PE signature")
    (section_count,) = struct.unpack_from("<H", image, pe + 6)
    (optional_size,) = struct.unpack_from("<H", image, pe + 20)
    optional = pe + 24
    (magic,) = struct.unpack_from("<H", image, optional)
    if magic not in (_PE32, _PE32_PLUS):
        raise _no_image(f"optional header magic {magic:#x}")
    checksum = optional + 64
    directories = optional + (96 if magic == _PE32 else 112)
    (directory_count,) = struct.unpack_from("<I", image, directories - 4)
    (headers_size,) = struct.unpack_from("<I", image, optional + 60)
    digest = hashlib.sha256(image[:checksum])
    certificates_size = 0
    if directory_count > _CERTIFICATE_TABLE:
        entry = directories + 8 * _CERTIFICATE_TABLE
        (certificates_size,) = struct.unpack_from("<I", image, entry + 4)
        digest.update(image[checksum + 4 : entry])
        digest.update(image[entry + 8 : headers_size])
    else:
        digest.update(image[checksum + 4 : headers_size])
    hashed = headers_size
    sections = []
    for index in range(section_count):
        raw_size, raw_at = struct.unpack_from("<II", image, optional + optional_size + 40 * index + 16)
        if raw_size:
            sections.append((raw_at, raw_size))
    for raw_at, raw_size in sorted(sections):
        if raw_at + raw_size > len(image):
            raise _no_image("a section beyond the end")
        digest.update(image[raw_at : raw_at + raw_size])
        hashed += raw_size
    if len(image) > hashed + certificates_size:
        digest.update(image[hashed : len(image) - certificates_size])
    return digest.hexdigest()


def _no_image(found: str) -> BadInput:
    return BadInput("this is no UEFI program", expected="a PE image", found=found)
