# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The system event log, read by the child."""

from __future__ import annotations

from typing import Any, Dict, List

from .bmc import Bmc

# Completion codes (IPMI 2.0, table 5-2) that say: no such record
NO_SUCH_EVENT = frozenset((0xC9, 0xCB, 0xCC))

MAX_EVENTS = 4096
# How many records before the last one are read
NEWEST_EVENTS = 64


def read_events(bmc: Bmc, libraries: Any) -> Dict[str, Any]:
    """The newest records of the event log, oldest first, as hex (IPMI 2.0, 31.5), and pyghmi's words for what they say.

    Records are chained from the oldest on, but mostly numbered without gaps: it is tried to begin near the end. A BMC
    that chains its records in a circle, or to no end, gives MAX_EVENTS of them.
    """
    constants = bmc.get_event_constants()
    records: List[Dict[str, Any]] = []
    newest = event_record(bmc, 0xFFFF)
    last = newest[2] | newest[3] << 8 if newest else 0
    number = last - NEWEST_EVENTS if last > NEWEST_EVENTS and event_record(bmc, last - NEWEST_EVENTS) else 0
    seen = set()
    while newest and number != 0xFFFF and number not in seen and len(records) < MAX_EVENTS:
        seen.add(number)
        data = event_record(bmc, number)
        if not data:
            break
        number = data[0] | data[1] << 8
        records.append({"record": data[2:18].hex(), **said_of(data[2:18], constants)})
    return {"records": records, "complete": number == 0xFFFF or not newest}


def event_record(bmc: Bmc, number: int) -> bytes:
    """The next record's number and this record; b"" where there is none of that number."""
    answer = bmc.raw_command(0x0A, 0x43, (0, 0, number & 0xFF, number >> 8, 0, 0xFF))
    if answer["code"] in NO_SUCH_EVENT:
        return b""
    data = bmc.data(answer)
    if len(data) < 18:
        raise ValueError("a record that is too short")
    return data


def said_of(record: bytes, constants: Any) -> Dict[str, Any]:
    """The sensor's type, the event and its health bits, by pyghmi's tables; nothing for an OEM's own record."""
    if len(record) < 16 or record[2] >= 0xC0:
        return {}
    kind, gone, offset = record[12] & 0x7F, bool(record[12] & 0x80), record[13] & 0x0F
    if kind == 0x6F:
        table = constants.sensor_type_offsets.get(record[10], {})
    else:
        table = constants.generic_type_offsets.get(kind, {})
    known = table.get(offset, {})
    prefix = "deassertion_" if gone else ""
    return {
        "type": str(constants.sensor_type_codes.get(record[10], "")),
        "event": str(known.get(prefix + "desc", "")),
        "health": int(known.get(prefix + "severity", 0)),
    }
