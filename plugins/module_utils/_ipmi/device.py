# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the bytes of a BMC mean: device ID, GUIDs, chassis status, event log, LAN address (IPMI 2.0, 20, 28, 31, 23)."""

from __future__ import annotations

import struct
import uuid
from dataclasses import dataclass
from typing import Optional, Tuple

# IANA enterprise numbers of those who build BMCs, under the names that Redfish services use for themselves
MANUFACTURERS = {
    11: "HPE",
    343: "Intel",
    674: "Dell",
    2011: "Huawei",
    2623: "ASUS",
    5703: "NVIDIA",
    5771: "Cisco",
    6653: "Tyan",
    7244: "Quanta",
    10368: "Fujitsu",
    10876: "Supermicro",
    15370: "Gigabyte",
    19046: "Lenovo",
    20301: "Lenovo",  # System x, IBM's until 2014
    20974: "AMI",
    42817: "IBM",
    47196: "HPE",
    49622: "ASRockRack",
    49769: "YADRO",
}

_CHASSIS_FAULTS = (
    (0, 0x02, "power overload"),
    (0, 0x04, "interlock open"),
    (0, 0x08, "power fault"),
    (0, 0x10, "power control fault"),
    (2, 0x04, "drive fault"),
    (2, 0x08, "cooling fault"),
)


@dataclass(frozen=True)
class DeviceId:
    """Who built the BMC and what runs on it."""

    firmware: str
    """major.minor, as the BMC states it: "3.17" """
    manufacturer: int
    """IANA enterprise number"""
    product: int
    """the manufacturer's number of the product"""
    ipmi_version: str

    @property
    def vendor(self) -> Optional[str]:
        return MANUFACTURERS.get(self.manufacturer)


def device_id(data: bytes) -> Optional[DeviceId]:
    """From Get Device ID; None where the answer is too short to be one."""
    if len(data) < 11:
        return None
    major, minor, version = data[2] & 0x7F, data[3], data[4]
    return DeviceId(
        firmware=f"{major}.{minor:02x}",  # the minor part is BCD
        manufacturer=int.from_bytes(data[6:9], "little") & 0xFFFFF,
        product=struct.unpack_from("<H", data, 9)[0],
        ipmi_version=f"{version & 0x0F}.{version >> 4}",
    )


def guid(data: bytes) -> str:
    """A GUID as UUID text, or "".

    IPMI wants all 16 bytes reversed; what machines really give has the byte order of SMBIOS, so that it equals what
    dmidecode and Redfish say about the same machine.
    """
    return str(uuid.UUID(bytes_le=data)) if len(data) == 16 else ""


def power_state(chassis: bytes) -> Optional[str]:
    """ "on" or "off", from Get Chassis Status."""
    if not chassis:
        return None
    return "on" if chassis[0] & 0x01 else "off"


def restore_policy(chassis: bytes) -> Optional[str]:
    """What the machine does when its power comes back, in the words of Redfish's PowerRestorePolicy."""
    if not chassis:
        return None
    return ("AlwaysOff", "LastState", "AlwaysOn", None)[chassis[0] >> 5 & 0x03]


def chassis_faults(chassis: bytes) -> Tuple[str, ...]:
    """The faults that Get Chassis Status flags; none is normal."""
    return tuple(name for index, bit, name in _CHASSIS_FAULTS if len(chassis) > index and chassis[index] & bit)


def sel_entries(info: bytes) -> Optional[int]:
    """How many records the system event log holds, from Get SEL Info."""
    return int(struct.unpack_from("<H", info, 1)[0]) if len(info) >= 14 else None


def lan_mac(parameter: bytes) -> str:
    """The MAC address of the BMC's LAN channel, from LAN parameter 5, or ""."""
    return ":".join(f"{byte:02x}" for byte in parameter[1:7]) if len(parameter) >= 7 else ""
