# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What IPMI tells of a machine, by subset, in the shapes of Redfish's (../_redfish/info.py). Nothing is changed.

A subset that IPMI does not have is None, and so is every value. Every string in it has passed hostile.clean.
"""

from __future__ import annotations

import struct
from datetime import datetime, timezone
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from .._core import identity
from .._core.errors import AccessDenied, BadInput, HearthError, Refused, Unsupported, VerificationFailed
from .._core.hostile import clean
from . import boot, record
from .access import Connection
from .power import CONTROLS
from .reading import Reading

Info = Dict[str, Any]

SUBSETS = (
    "system",
    "power",
    "health",
    "bmc",
    "security",
    "processors",
    "gpus",
    "memory",
    "nics",
    "drives",
    "firmware",
    "boot",
    "media",
    "sensors",
    "logs",
    "accounts",
)
DEFAULT_SUBSETS = ("system", "power", "health")
NEEDS_OPERATOR = frozenset(("bmc", "boot"))
"""Subsets of which the MAC address, or everything, needs the privilege level OPERATOR."""

_ENTRIES = 50  # newest of the log
_SENSORS = 512
# Before that a BMC's clock was not set: the time counts from its start (31.1).
_SET_CLOCK = 0x20000000
_UNKNOWN_TIME = 0xFFFFFFFF

_WHO = (
    "kind",
    "manufacturer",
    "model",
    "serial",
    "chassis_serial",
    "service_tag",
    "uuid",
    "sku",
    "part_number",
    "asset_tag",
    "hostname",
    "bios_version",
    "location",
)

# pyghmi's units as UCUM, where they differ (IPMI 2.0, table 43-15)
_UCUM = {
    "°C": "Cel",
    "°F": "[degF]",
    "degrees C": "Cel",
    "degrees F": "[degF]",
    "K": "K",
    "RPM": "{rev}/min",
    "CFM": "[ft_i]3/min",
    "%": "%",
}


def read_info(connection: Connection, subsets: Sequence[str]) -> Info:
    """The subsets asked for, each under its name."""
    unknown = [name for name in subsets if name not in SUBSETS]
    if unknown:
        raise BadInput("unknown subset", expected=", ".join(SUBSETS), found=", ".join(unknown), where="subset")
    request: Dict[str, Any] = {"mac": "bmc" in subsets}
    # Sensors and events get a share of the time, so that a slow BMC still gives the rest.
    share = connection.access.deadline / 4
    if {"health", "sensors"} & set(subsets):
        request["sensors"] = share
    if "logs" in subsets:
        request["events"] = share
    reading = connection.read(**request)
    return {name: _READERS[name](reading, connection) for name in SUBSETS if name in subsets}


def _system(reading: Reading, _connection: Connection) -> Info:
    server = record.hearth_server(reading, datetime.now(timezone.utc))
    return {"id": "", "path": "", **{key: server[key] for key in _WHO}}


def _power(reading: Reading, _connection: Connection) -> Info:
    return {
        "state": reading.power,
        "resets": sorted(CONTROLS),
        "restore_policy": reading.restore_policy,
        "boot_progress": None,
        "booted_at": None,
    }


def _health(reading: Reading, _connection: Connection) -> Info:
    health = record.health(reading)
    conditions: List[Info] = [{"message": fault, "severity": "warning"} for fault in reading.chassis_faults]
    conditions += [
        {"message": clean(f"{sensor['name']}: {states}", 512), "severity": sensor["health"]}
        for sensor, states in _sensors_and_states(reading)
        if sensor["health"] not in (None, "ok")
    ]
    return {
        "health": health,
        "rollup": health,
        "state": None,
        "processors": None,
        "memory": None,
        "chassis": "warning" if reading.chassis_faults else None,
        "conditions": conditions[:_SENSORS],
    }


def _bmc(reading: Reading, connection: Connection) -> Info:
    bmc = record.hearth_bmc(reading, connection.access.address, connection.access.port, connection.credential)
    return {
        "platform": "ipmi",
        "redfish_version": None,
        "model": None,
        "firmware": bmc["firmware"],
        "health": None,
        "time": None,
        "macs": bmc["mac"],
    }


def _firmware(reading: Reading, _connection: Connection) -> Optional[List[Info]]:
    if reading.device is None:
        return None
    bmc: Info = {"id": "BMC", "name": "BMC", "version": clean(reading.device.firmware, 64)}
    return [{**bmc, "updateable": None, "released": None, "state": None}]


def _boot(_reading: Reading, connection: Connection) -> Optional[Info]:
    try:
        flags = boot.read_boot(connection)
    except (AccessDenied, Refused, Unsupported, VerificationFailed) as error:
        _left_out(connection, "boot", error)
        return None
    shown = flags.shown()
    return {
        "enabled": shown["state"],
        "target": _redfish_word(shown["target"]) if shown["target"] else "None",
        "mode": {"uefi": "UEFI", "legacy": "Legacy"}.get(shown["mode"] or ""),
        "http_uri": None,
        "targets": [_redfish_word(target) for target in boot.TARGETS],
        "order": [],
        "pending": shown["pending"],
    }


def _sensors(reading: Reading, _connection: Connection) -> Optional[List[Info]]:
    if reading.sensors is None:
        return None
    return [sensor for sensor, _states in _sensors_and_states(reading)]


def _logs(reading: Reading, connection: Connection) -> Optional[List[Info]]:
    if reading.events is None:
        return None
    if not reading.events_complete:
        connection.warn("the event log has more records than were read, or no end")
    entries = [_entry(event) for event in reversed(reading.events)]
    return [{"id": "SEL", "name": "System Event Log", "path": None, "entries": entries[:_ENTRIES]}]


def _nothing(_reading: Reading, _connection: Connection) -> None:
    return None


_READERS: Mapping[str, Callable[[Reading, Connection], Any]] = {
    **dict.fromkeys(SUBSETS, _nothing),
    "system": _system,
    "power": _power,
    "health": _health,
    "bmc": _bmc,
    "firmware": _firmware,
    "boot": _boot,
    "sensors": _sensors,
    "logs": _logs,
}


def _sensors_and_states(reading: Reading) -> List[Tuple[Info, str]]:
    found = []
    for name, kind, value, unit, health, states in reading.sensor_readings[:_SENSORS]:
        said = identity.label(str(name))
        sensor = {
            "id": said,
            "name": said,
            "type": clean(str(kind), 64).lower() or None,
            "reading": round(float(value), 3) if value is not None else None,
            "unit": _UCUM.get(str(unit).strip(), clean(str(unit), 32)) or None,
            "health": _word(int(health)),
        }
        found.append((sensor, clean(", ".join(map(str, states)), 256)))
    return found


def _entry(event: Mapping[str, Any]) -> Info:
    """A record of the event log (32.1); an OEM's own has a time at most, and its bytes for a message."""
    data = bytes.fromhex(str(event.get("record", "")))
    number, kind, seconds = struct.unpack_from("<HBI", data)
    message = f"OEM record {data[2:].hex()}"
    if kind < 0xC0:
        what = clean(str(event.get("type") or ""), 64) or f"type {data[10]:02X}h"
        said = clean(str(event.get("event") or ""), 256) or f"event {data[12] & 0x7F:02X}h {data[13:16].hex()}"
        gone = " (no longer)" if data[12] & 0x80 and not event.get("event") else ""
        message = f"{what}, sensor {data[11]:02X}h: {said}{gone}"
    timed = kind < 0xE0 and _SET_CLOCK <= seconds < _UNKNOWN_TIME
    return {
        "id": str(number),
        "created": datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ") if timed else None,
        "severity": _word(int(event["health"])) if "health" in event else None,
        "message": message,
        "message_id": None,
    }


def _word(health: int) -> str:
    """pyghmi's bits (1 warning, 2 critical, 4 failed) in the words of every host."""
    return "critical" if health > 1 else "warning" if health else "ok"


def _redfish_word(target: str) -> str:
    return "".join(word.capitalize() for word in target.split("_"))


def _left_out(connection: Connection, subset: str, error: HearthError) -> None:
    connection.warn(f"{subset} could not be read: {error.msg}")
