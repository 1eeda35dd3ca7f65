# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A machine behind IPMI in the shape that every discovered host has. Every string in it has passed hostile.clean."""

from __future__ import annotations

import threading
from datetime import datetime, timezone
from typing import Any, Callable, Dict, List, Mapping, Optional, Tuple, Union

from .._core import identity
from .._core.deadline import Deadline
from .._core.hostile import clean
from .reading import Reading, read
from .session import Login

# A BMC whose every sensor complains shall not fill the inventory.
_MAX_REASONS = 8


def read_bmc(
    address: str,
    username: str,
    password: str,
    *,
    port: int = 623,
    deadline: Union[float, Deadline],
    details: str = "standard",
    read_bmc_macs: bool = False,
    credential: str = "",
    cancelled: Optional[threading.Event] = None,
    now: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
) -> Dict[str, Any]:
    """The host record of a machine behind IPMI: {"system_id", "hearth_bmc", "hearth_server", "counters"}.

    All strings are cleaned, everything is JSON. The password is tried once.

    :param deadline: seconds for this BMC, or the moment at which they are over
    :param credential: what the operator calls this login; lands in hearth_bmc
    :raises AuthenticationFailed, TimedOut, Unreachable, MissingLibrary and the rest of session.ask
    """
    until = deadline if isinstance(deadline, Deadline) else Deadline.after(deadline)
    reading = read(
        address,
        Login(username, password, credential),
        port=port,
        deadline=until,
        details=details,
        read_mac=read_bmc_macs,
        cancelled=cancelled,
    )
    return {
        "system_id": "",
        "hearth_bmc": hearth_bmc(reading, address, port, credential),
        "hearth_server": hearth_server(reading, now()),
        "counters": {"logins": reading.logins, "requests": reading.commands},
    }


def hearth_bmc(reading: Reading, address: str, port: int, credential: str) -> Dict[str, Any]:
    """The hostvar about the BMC.

    ``verified`` stays false: the login proves that the BMC knows the password, which says who it is only as long as no
    two BMCs share one.
    """
    device = reading.device
    return {
        "address": address,
        "port": port,
        "scheme": "",
        "protocol": "ipmi",
        "platform": "ipmi",
        "vendor": device.vendor if device else None,
        "product": None,
        "redfish_version": None,
        "firmware": device.firmware if device else None,
        "model": None,
        "uuid": identity.uuid(reading.bmc_guid),
        "mac": [mac for mac in (identity.mac(reading.mac),) if mac],
        "sessions": "",
        "system": "",
        "system_id": "",
        "manager": "",
        "chassis": "",
        "systems": 1,
        "trust": "off",
        "ca_path": None,
        "fingerprint": {"spki_sha256": "", "cert_sha256": ""},
        "verified": False,
        "credential": credential,
        "state": "ok",
        "error": None,
        "warnings": _warnings(reading),
    }


def hearth_server(reading: Reading, observed_at: datetime) -> Dict[str, Any]:
    """The hostvar about the machine; None is what IPMI does not tell."""
    fru = reading.fru
    return {
        "kind": "server",
        "manufacturer": _first(fru, "Manufacturer", "Board manufacturer") or (reading.device and reading.device.vendor),
        "model": _first(fru, "Product name", "Board product name"),
        "serial": _serial(fru),
        "chassis_serial": identity.serial(fru.get("Chassis serial number")),
        "service_tag": None,
        "uuid": identity.uuid(reading.system_guid),
        "sku": None,
        "part_number": _first(fru, "Model", "Board model", "Chassis part number"),
        "asset_tag": _first(fru, "Asset Number"),
        "hostname": None,
        "bios_version": None,
        "health": health(reading),
        "power_state": reading.power,
        "observed_at": observed_at.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "cpus": None,
        "cpu_model": None,
        "cores": None,
        "memory_gib": None,
        "gpus": {"count": None, "model": None},
        "nics": None,
        "drives": None,
        "tpm": None,
        "secure_boot": None,
        "location": None,
    }


def _first(fru: Mapping[str, str], *names: str) -> Optional[str]:
    return next(filter(None, (identity.label(fru.get(name)) for name in names)), None)


def _serial(fru: Mapping[str, str]) -> Optional[str]:
    """The product's serial number is the machine's; where nobody wrote one, the chassis' or the board's is."""
    names = ("Serial Number", "Chassis serial number", "Board serial number")
    return next(filter(None, (identity.serial(fru.get(name)) for name in names)), None)


def health(reading: Reading) -> Optional[str]:
    """The worst of sensors and chassis flags in the words of every host; None: sensors were not read and no flag is up.

    A chassis flag says that there is a fault and not how bad it is, so it counts as a warning.
    """
    if reading.sensor_health > 1:
        return "critical"
    if reading.sensor_health or reading.chassis_faults:
        return "warning"
    return "ok" if reading.sensors else None


def _warnings(reading: Reading) -> List[str]:
    reasons = [f"chassis: {fault}" for fault in reading.chassis_faults]
    reasons.extend(_complaint(name, states) for name, states in reading.bad_sensors)
    hidden = len(reasons) - _MAX_REASONS
    if hidden > 0:
        reasons[_MAX_REASONS:] = [f"and {hidden} more sensors that are not well"]
    return [*reading.warnings, *reasons]


def _complaint(name: str, states: Tuple[str, ...]) -> str:
    return f"sensor {clean(name, 64)}: {clean(', '.join(states), 128)}"
