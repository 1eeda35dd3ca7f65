# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Secure Boot's state, from the file in which the machine's UEFI keeps its variables.

The format is EDK II's: a firmware volume that begins with a store of authenticated variables
(MdeModulePkg/Include/Guid/VariableFormat.h).
"""

from __future__ import annotations

import struct
import uuid
from dataclasses import dataclass
from pathlib import Path

_STORE = uuid.UUID("aaf32c78-947b-439a-a180-2e144ec37792").bytes_le  # gEfiAuthenticatedVariableGuid
_GLOBAL = uuid.UUID("8be4df61-93ca-11d2-aa0d-00e098032b8c").bytes_le
_ENABLE = uuid.UUID("f0a30bc7-af08-4556-99c4-001009c93a44").bytes_le  # gEfiSecureBootEnableDisableGuid
_HEADER = struct.Struct("<HBBIQ16sIII16s")
_START, _IN_USE = 0x55AA, 0x3F


@dataclass(frozen=True)
class SecureBootState:
    owned: bool  # a platform key is enrolled: user mode
    enabled: bool

    @property
    def enforced(self) -> bool:
        return self.owned and self.enabled


def secure_boot_state(path: Path) -> SecureBootState | None:
    """None where the file cannot be read, or holds no such store (another format than raw)."""
    try:
        found = _variables(path.read_bytes())
    except (OSError, struct.error):
        return None
    if found is None:
        return None
    owned = bool(found.get((_GLOBAL, "PK")))
    # EDK II makes the variable with the first platform key
    return SecureBootState(owned, found.get((_ENABLE, "SecureBootEnable"), b"\1" if owned else b"") == b"\1")


def _variables(store: bytes) -> dict[tuple[bytes, str], bytes] | None:
    begin = store.find(_STORE, 0, 4096)
    if begin < 0:
        return None
    (size,) = struct.unpack_from("<I", store, begin + 16)
    end = begin + size
    if end > len(store):
        return None
    place = begin + 28
    found: dict[tuple[bytes, str], bytes] = {}
    while place + _HEADER.size <= end:
        start, state, _reserved, _attributes, _count, _time, _key, name_size, data_size, vendor = _HEADER.unpack_from(
            store, place
        )
        if start != _START:
            break
        name_at = place + _HEADER.size
        data_at = name_at + name_size
        if data_at + data_size > end:
            return None
        if state == _IN_USE:
            name = store[name_at:data_at].decode("utf-16-le", "replace").rstrip("\0")
            found[vendor, name] = store[data_at : data_at + data_size]
        place = (data_at + data_size + 3) & ~3
    return found
