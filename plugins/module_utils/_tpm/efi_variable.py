# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""UEFI variables as firmware measures them (UEFI_VARIABLE_DATA; PC Client Platform Firmware Profile, 10.2.6)."""

from __future__ import annotations

import struct
import uuid
from dataclasses import dataclass
from typing import Optional

GLOBAL = "8be4df61-93ca-11d2-aa0d-00e098032b8c"


@dataclass(frozen=True)
class EfiVariable:
    guid: str
    name: str
    value: bytes


def parse_efi_variable(data: bytes) -> Optional[EfiVariable]:
    """None for what is no such structure, or is followed by anything."""
    if len(data) < 32:
        return None
    name_length, value_length = struct.unpack_from("<QQ", data, 16)
    if name_length > len(data) or 32 + 2 * name_length + value_length != len(data):
        return None
    name_end = 32 + 2 * name_length
    name = data[32:name_end].decode("utf-16-le", "replace")
    return EfiVariable(str(uuid.UUID(bytes_le=data[:16])), name, data[name_end:])
