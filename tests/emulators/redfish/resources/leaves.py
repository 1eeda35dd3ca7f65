# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Leaves that several personalities share: what differs from machine to machine, or changes while it runs."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

from tests.emulators.redfish.personality import OMITTED, BmcView, Json, Leaf, volatile


def rack(bmc: BmcView) -> Any:
    return bmc.unit.rack


def rack_offset(bmc: BmcView) -> Any:
    return bmc.unit.slot


def unit_id(pattern: str) -> Leaf:
    """A text with the unit's serial in it: ``unit_id("idrac-{serial}")``; also ``{rack}`` and ``{slot}``."""
    return lambda bmc: pattern.format(serial=bmc.unit.serial, rack=bmc.unit.rack, slot=bmc.unit.slot)


def host_name(bmc: BmcView) -> Any:
    return f"{bmc.unit.rack}-u{bmc.unit.slot:02d}"


def bmc_host_name(bmc: BmcView) -> Any:
    return f"bmc-{bmc.unit.serial.lower()}"


def uuid_of(name: str) -> Leaf:
    return lambda bmc: bmc.unit.uuid_of(name)


def upper_mac(port: int) -> Leaf:
    """Some firmware (iDRAC, Supermicro) writes host MACs in capitals."""
    return lambda bmc: bmc.unit.mac(port).upper()


def flat_mac(port: int) -> Leaf:
    return lambda bmc: bmc.unit.mac(port).replace(":", "").upper()


def uuid_from_mac(bmc: BmcView) -> Any:
    """A UUID that is the BMC's MAC behind zeros: what Supermicro boards without a programmed UUID report."""
    return "00000000-0000-0000-0000-" + bmc.unit.mac(0).replace(":", "").upper()


def bmc_ipv4(bmc: BmcView) -> Any:
    return [
        {
            "Address": bmc.unit.address,
            "AddressOrigin": "DHCP",
            "SubnetMask": "255.255.0.0",
            "Gateway": bmc.unit.address.rsplit(".", 1)[0] + ".254",
        }
    ]


# The UUID of the service, which root and manager tell alike.
SERVICE_UUID = uuid_of("service")


def boot_progress(system: str = "") -> Leaf:
    return volatile(lambda bmc: bmc.machine(system).boot_progress)


def last_reset_time(system: str = "") -> Leaf:
    """When the machine was last switched on or restarted, by the BMC's clock; nothing where that is not known."""

    def leaf(bmc: BmcView) -> Json:
        seconds = bmc.machine(system).seconds_since_boot
        if seconds == math.inf:
            return OMITTED
        booted = bmc.now() - timedelta(seconds=seconds)
        return booted.strftime("%Y-%m-%dT%H:%M:%S+00:00")

    return volatile(leaf)


def while_on(value: Any, off: Any, system: str = "") -> Leaf:
    """One value while the host has power, another while it has none."""
    return lambda bmc: value if bmc.machine(system).powered_on else off


def state_when_on(off: str = "Disabled", system: str = "") -> Leaf:
    return while_on("Enabled", off, system)


def reading_now(name: str, middle: float, spread: float, digits: int = 1) -> Leaf:
    """A sensor; without digits an integer, which is what the older model wants of a fan."""
    return volatile(lambda bmc: round(bmc.reading(name, middle, spread), digits or None))


def reading_when_on(name: str, middle: float, spread: float, digits: int = 1, system: str = "") -> Leaf:
    """A sensor in the host's part of the machine: null while the host is off."""
    leaf = reading_now(name, middle, spread, digits)
    return volatile(lambda bmc: leaf(bmc) if bmc.machine(system).powered_on else None)


def session_timeout(bmc: BmcView) -> Any:
    return int(bmc.manners.session_timeout)


def lockout_threshold(bmc: BmcView) -> Any:
    return bmc.manners.lockout_threshold


def password_length(which: int) -> Leaf:
    """0: the shortest password, 1: the longest."""
    return lambda bmc: bmc.manners.password_length[which]
