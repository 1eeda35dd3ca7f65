# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The digest by which UEFI measures a program into PCR 4.

Windows Authenticode Portable Executable Signature Format, "Calculating the PE Image Hash": everything except the
checksum, the certificate table's directory entry and the certificate table.
"""

from __future__ import annotations

import hashlib

from .pe_image import parse_pe


def authenticode_sha256(image: bytes) -> str:
    """Lower-case hex; BadInput for what is no PE image."""
    return authenticode_digest(image, "sha256").hex()


def authenticode_digest(image: bytes, hash_name: str) -> bytes:
    """By a hash of :mod:`hashlib`: firmware measures into each bank by its own. BadInput for what is no PE image."""
    pe = parse_pe(image)
    digest = hashlib.new(hash_name, image[: pe.checksum_at])
    if pe.certificates_entry_at:
        digest.update(image[pe.checksum_at + 4 : pe.certificates_entry_at])
        digest.update(image[pe.certificates_entry_at + 8 : pe.headers_size])
    else:
        digest.update(image[pe.checksum_at + 4 : pe.headers_size])
    hashed = pe.headers_size
    for section in sorted(pe.sections, key=lambda one: (one.raw_at, one.raw_size)):
        if section.raw_size:
            digest.update(image[section.raw_at : section.raw_at + section.raw_size])
            hashed += section.raw_size
    if len(image) > hashed + pe.certificates_size:
        digest.update(image[hashed : len(image) - pe.certificates_size])
    return digest.digest()
