# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""MAC addresses as people, switches and lease files write them.

PRIVATE to the collection.
"""

from __future__ import annotations

import re

ACCEPTED = "six bytes in hex: aa:bb:cc:dd:ee:ff, aa-bb-cc-dd-ee-ff, aabb.ccdd.eeff or aabbccddeeff"

_FORMS = re.compile(
    r"[0-9a-f]{2}(?::[0-9a-f]{2}){5}|[0-9a-f]{2}(?:-[0-9a-f]{2}){5}|[0-9a-f]{4}(?:\.[0-9a-f]{4}){2}|[0-9a-f]{12}"
)


def mac_address(text: str) -> str | None:
    """The address as aa:bb:cc:dd:ee:ff; None for anything else, for all zeros and for a group's address."""
    bare = text.strip().lower()
    if not _FORMS.fullmatch(bare):
        return None
    digits = re.sub(r"[:.-]", "", bare)
    if not int(digits, 16) or int(digits[:2], 16) & 1:
        return None
    return ":".join(digits[at : at + 2] for at in range(0, 12, 2))
