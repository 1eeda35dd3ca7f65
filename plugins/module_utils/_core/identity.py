# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which serial numbers and UUIDs say who a machine is, and which say nothing."""

from __future__ import annotations

import re
from typing import Any, Optional

from .hostile import clean

# What boards carry that nobody programmed. Compared in lower case, without anything that is no letter or digit.
_MEANINGLESS = frozenset("""
    0123456789 01234567890 012345678 01234567 123456789 1234567890 12345678 0123456789ab 0123456789abcdef
    01234567890123456789 01234567890123456789ab abcdefgh
    assettag baseboardserialnumber chassisserialnumber cpldserialnumber default defaultstring empty freeformassettag
    invalid na none notapplicable notavailable notdefined notpresent notset notspecified null oem serial serialnumber sn
    systemserialnumber tobefilled tobefilledbyoem undefined unknown unspecified
    """.split())
_NO_LETTER_OR_DIGIT = re.compile(r"[\W_]+")
# one character over and over: 000000, FFFFFF, XXXX
_REPEATED = re.compile(r"(.)\1*")

# Boards that left the factory without a UUID of their own share these (dmidecode and fwupd lists).
_DUMMY_UUIDS = frozenset(
    (
        "03000200-0400-0500-0006-000700080009",
        "00020003-0004-0005-0006-000700080009",
        "12345678-1234-5678-90ab-cddeefaabbcc",
        "12345678-1234-1234-1234-123456789012",
        "12345678-1234-5678-1234-567812345678",
        "01234567-89ab-cdef-0123-456789abcdef",
        "03020100-0504-0706-0809-0a0b0c0d0e0f",
        "00112233-4455-6677-8899-aabbccddeeff",
        "fefefefe-fefe-fefe-fefe-fefefefefefe",
    )
)
_UUID = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")
_MAC = re.compile(r"([0-9a-f]{2})[:\-]?" * 5 + r"([0-9a-f]{2})")


def serial(value: Any) -> Optional[str]:
    """A serial number that tells one machine from another, else None."""
    said = _said(value, 128)
    bare = _bare(said)
    if len(bare) < 2 or bare in _MEANINGLESS or _REPEATED.fullmatch(bare):
        return None
    return said


def label(value: Any) -> Optional[str]:
    """A name, part number or tag that somebody has filled in, else None."""
    said = _said(value, 256)
    bare = _bare(said)
    if not bare or bare in _MEANINGLESS or (len(bare) > 3 and _REPEATED.fullmatch(bare)):
        return None
    return said


def uuid(value: Any) -> Optional[str]:
    """A UUID in lower case with dashes, else None: empty, all zeros, all ones and factory dummies are none."""
    if not isinstance(value, str):
        return None
    said = value.strip().strip("{}").lower()
    if said.startswith("urn:uuid:"):
        said = said[9:]
    if not _UUID.fullmatch(said):
        return None
    digits = said.replace("-", "")
    if _REPEATED.fullmatch(digits):
        return None
    dashed = "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
    return None if dashed in _DUMMY_UUIDS else dashed


def mac(value: Any) -> Optional[str]:
    """A MAC address as ``aa:bb:cc:dd:ee:ff``, else None; all zeros and all ones are none."""
    if not isinstance(value, str):
        return None
    match = _MAC.fullmatch(value.strip().lower())
    if not match or _REPEATED.fullmatch("".join(match.groups())):
        return None
    return ":".join(match.groups())


def _said(value: Any, limit: int) -> str:
    """The text cleaned, a number written out, "" for anything else."""
    if isinstance(value, str):
        return clean(value, limit)
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else ""


def _bare(said: str) -> str:
    return _NO_LETTER_OR_DIGIT.sub("", said).lower()
