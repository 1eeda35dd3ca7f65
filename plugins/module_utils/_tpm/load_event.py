# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a program came from that firmware measured (UEFI_IMAGE_LOAD_EVENT; PC Client Firmware Profile, 10.2.3).

The digest of such an event is of the program: nothing vouches for what stands here. It helps to find the program.
"""

from __future__ import annotations

import struct
import uuid
from typing import List, Tuple

_HEAD = struct.Struct("<QQQQ")
_MOST_NODES = 32

# UEFI 2.10, 10.3: type and subtype of nodes.
_PCI = (1, 1)
_DISK_PARTITION = (4, 1)
_FILE_PATH = (4, 4)
_FIRMWARE_FILE = (4, 6)
_FIRMWARE_VOLUME = (4, 7)
_END = 0x7F


def loaded_from(data: bytes) -> str:
    """The device path, nodes of interest by name; "" where there is none."""
    if len(data) < _HEAD.size:
        return ""
    (length,) = struct.unpack_from("<Q", data, 24)
    at, end = _HEAD.size, _HEAD.size + length
    if end > len(data):
        return ""
    names: List[str] = []
    while at + 4 <= end and len(names) < _MOST_NODES:
        kind, subkind, size = struct.unpack_from("<BBH", data, at)
        if kind == _END or size < 4 or at + size > end:
            break
        names.append(_node((kind, subkind), data[at + 4 : at + size]))
        at += size
    return "/".join(names)


def _node(kind: Tuple[int, int], data: bytes) -> str:
    if kind == _FILE_PATH:
        return data.decode("utf-16-le", "replace").rstrip("\0")
    if kind in (_FIRMWARE_FILE, _FIRMWARE_VOLUME) and len(data) == 16:
        return f"{'FvFile' if kind == _FIRMWARE_FILE else 'Fv'}({uuid.UUID(bytes_le=data)})"
    if kind == _DISK_PARTITION and len(data) == 38:
        return f"HD({struct.unpack_from('<I', data)[0]},{uuid.UUID(bytes_le=data[20:36])})"
    if kind == _PCI and len(data) == 2:
        return f"Pci({data[1]:x},{data[0]:x})"
    return f"Path({kind[0]},{kind[1]})"
