# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which FRU fields and GUIDs say something about a machine, and which were left as the board was made."""

from __future__ import annotations

import re
from typing import Optional

from .._core.hostile import clean

# Compared in lower case and without anything that is no letter or digit.
_LEFT_BLANK = frozenset("""
    0123456789 01234567890 012345678 01234567 123456789 1234567890 12345678 0123456789ab 0123456789abcdef
    01234567890123456789 01234567890123456789ab
    assettag baseboardserialnumber chassisserialnumber cpldserialnumber default defaultstring empty freeformassettag
    invalid na none notapplicable notavailable notdefined notpresent notset notspecified null oem serial serialnumber sn
    systemserialnumber tobefilled tobefilledbyoem undefined unknown unspecified
    """.split())
_NO_LETTER_OR_DIGIT = re.compile(r"[\W_]+")
_ONE_CHARACTER = re.compile(r"(.)\1*")

# UUIDs that boards share which never got one of their own
_SHARED_UUIDS = frozenset(
    (
        "03000200-0400-0500-0006-000700080009",
        "00020003-0004-0005-0006-000700080009",
        "12345678-1234-5678-90ab-cddeefaabbcc",
        "03020100-0504-0706-0809-0a0b0c0d0e0f",
        "00112233-4455-6677-8899-aabbccddeeff",
    )
)


def label(value: Optional[str], limit: int = 256) -> Optional[str]:
    """The field cleaned, or None where it says nothing."""
    said = clean(value or "", limit)
    bare = _NO_LETTER_OR_DIGIT.sub("", said).lower()
    if not bare or bare in _LEFT_BLANK or (len(bare) > 3 and _ONE_CHARACTER.fullmatch(bare)):
        return None
    return said


def serial(value: Optional[str]) -> Optional[str]:
    """A serial number that tells one machine from another, or None."""
    said = label(value, 128)
    if said is None or len(said) < 2 or _ONE_CHARACTER.fullmatch(_NO_LETTER_OR_DIGIT.sub("", said)):
        return None
    return said


def uuid(value: str) -> Optional[str]:
    """The UUID, or None where it is empty, all one digit, or one that many boards share."""
    if not value or _ONE_CHARACTER.fullmatch(value.replace("-", "")) or value in _SHARED_UUIDS:
        return None
    return value
