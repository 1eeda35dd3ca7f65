# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the child reads of a machine: identifiers, power, FRU data and sensors."""

from __future__ import annotations

import struct
import time
from typing import Any, Callable, Dict, List

from .bmc import Bmc
from .endings import OutOfTime
from .events import read_events

# Completion codes (IPMI 2.0, table 5-2): the request is longer than this BMC likes; there is no such thing here
TOO_LONG = frozenset((0xC7, 0xC8, 0xC9, 0xCA, 0xFF))
NO_SUCH_RECORD = frozenset((0x81, 0xC1, 0xC3, 0xC9, 0xCB, 0xCC))

# FRU data begins with the areas that are read here; what follows are records for power supplies and the like.
MAX_FRU = 8192

MAX_READINGS = 1024

# What a BMC's bytes can make pyghmi's parsers raise
PARSING_FAILED = (ValueError, LookupError, TypeError, ArithmeticError, AttributeError, AssertionError, struct.error)
# ... and its sensor code says this of a repository that it does not know
SENSORS_FAILED = PARSING_FAILED + (NotImplementedError,)


def read(bmc: Bmc, libraries: Any, request: Dict[str, Any]) -> Dict[str, Any]:
    """What details, sensors and mac in the request ask for. Every part but the first may be missing."""
    warnings: List[str] = []
    reading: Dict[str, Any] = {
        "device_id": bmc.hex(6, 0x01),
        "device_guid": bmc.hex(6, 0x08),
        "system_guid": bmc.hex(6, 0x37),
        "chassis_status": bmc.hex(0, 0x01),
        "warnings": warnings,
    }
    reading["fru"] = optional("the FRU inventory", lambda: read_fru(bmc, libraries.fru), libraries, warnings) or {}
    if request.get("sel"):
        reading["sel_info"] = bmc.hex(0x0A, 0x40)
    if request.get("mac"):
        reading["lan_mac"] = bmc.hex(0x0C, 0x02, (0x0E, 5, 0, 0))
    if request.get("sensors"):
        bmc.until = time.monotonic() + float(request["sensors"])
        reading["sensors"] = optional("the sensors", lambda: read_sensors(bmc, libraries.sdr), libraries, warnings)
        bmc.until = float("inf")
    if request.get("events"):
        bmc.until = time.monotonic() + float(request["events"])
        reading["events"] = optional("the event log", lambda: read_events(bmc, libraries), libraries, warnings)
        bmc.until = float("inf")
    return reading


def optional(what: str, part: Callable[[], Dict[str, Any]], libraries: Any, warnings: List[str]) -> Any:
    try:
        return part()
    except OutOfTime:
        warnings.append(what + " could not be read in time")
    except libraries.exceptions.IpmiException as error:
        warnings.append(f"the BMC refused {what}: {error}")
    except SENSORS_FAILED as error:
        warnings.append(f"what the BMC gave for {what} makes no sense ({type(error).__name__})")
    return None


def read_fru(bmc: Bmc, fru: Any) -> Dict[str, Any]:
    """FRU 0 by pyghmi's field names; a field that is no text comes as hex."""
    data = fetch_fru(bmc)
    fields: Dict[str, Any] = {}
    for name, value in (fru.FRU(rawdata=data).info if data else {}).items():
        if isinstance(value, (bytes, bytearray)):
            value = bytes(value).hex()
        if isinstance(value, str):
            fields[str(name)] = value
    return fields


def fetch_fru(bmc: Bmc) -> bytes:
    """The bytes of FRU 0; b"" where the machine has none.

    Not by pyghmi's own reader, which gives up on BMCs that call its 224 bytes a length error (C8h, as ipmi_sim does).
    """
    area = bmc.raw_command(0x0A, 0x10, (0,))
    if area["code"] in NO_SUCH_RECORD:
        return b""
    unit = 2 if bmc.data(area)[2] & 1 else 1  # some count in words
    size = min((area["data"][0] | area["data"][1] << 8) * unit, MAX_FRU)
    data, chunk = b"", 224
    while len(data) < size:
        at, count = len(data) // unit, min(chunk, size - len(data)) // unit
        answer = bmc.raw_command(0x0A, 0x11, (0, at & 0xFF, at >> 8, count))
        if answer["code"] in TOO_LONG and chunk > 8:
            chunk //= 2
            continue
        part = bmc.data(answer)[1:]
        if not part:
            break
        data += part
    return data[:size]


def read_sensors(bmc: Bmc, sdr: Any) -> Dict[str, Any]:
    """The worst health that any sensor reports (pyghmi's bits: 1 warning, 2 critical, 4 failed), and which do.

    "readings" are all of them, each [name, type, value or None, units, health, states].
    """
    repository = sdr.SDR(bmc)
    health, seen, bad, readings = 0, 0, [], []
    for number in repository.get_sensor_numbers():
        sensor = repository.sensors[number]
        answer = bmc.raw_command(4, 0x2D, (sensor.sensor_number,), rslun=sensor.sensor_lun)
        if "error" in answer:
            continue  # sensors come and go with the machine's power
        reading = sensor.decode_sensor_reading(bmc, answer["data"])
        seen += 1
        states = [str(state) for state in reading.states]
        value = reading.value if isinstance(reading.value, (int, float)) else None
        readings.append(
            [str(reading.name), str(reading.type), value, str(reading.units or ""), int(reading.health or 0), states]
        )
        if reading.health:
            health |= int(reading.health)
            bad.append({"name": str(reading.name), "states": states})
    return {"health": health, "seen": seen, "bad": bad[:64], "readings": readings[:MAX_READINGS]}
