# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What changes from minute to minute: sensors, and the newest entries of the logs."""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Mapping, Optional

from .client import RedfishClient
from .document import absent, first_text, health_word, items, last_segment, link, number, part, text

Reading = Dict[str, Any]

_ENTRIES = 50  # newest of each log
_SENSORS = 512

# Before the Sensor schema (2018): lists in two documents, each with its own name for the reading.
_LEGACY = (
    ("Thermal", "Temperatures", "temperature", "ReadingCelsius", "Cel"),
    ("Thermal", "Fans", "fan", "Reading", ""),
    ("Power", "Voltages", "voltage", "ReadingVolts", "V"),
    ("Power", "PowerControl", "power", "PowerConsumedWatts", "W"),
)


def sensors_info(client: RedfishClient, chassis: Optional[Mapping[str, Any]]) -> Optional[List[Reading]]:
    """Name, type, reading, unit (UCUM, as the Sensor schema writes it) and health of each sensor of the chassis."""
    if chassis is None:
        return None
    path = link(chassis.get("Sensors"))
    found = [_sensor(one) for one in client.members(path, "sensors") if not absent(one)] if path else []
    legacy = [link(chassis.get(name)) for name in ("Thermal", "Power")]
    if not found and any(legacy):
        found = list(_in_lists(client, chassis))
    return found[:_SENSORS] if found or path or any(legacy) else None


def _sensor(one: Mapping[str, Any]) -> Reading:
    return {
        "id": first_text(one.get("Id"), last_segment(link(one))),
        "name": text(one.get("Name")),
        "type": (text(one.get("ReadingType"), 64) or "").lower() or None,
        "reading": number(one.get("Reading")),
        "unit": text(one.get("ReadingUnits"), 32),
        "health": health_word(part(one, "Status").get("Health")),
    }


def _in_lists(client: RedfishClient, chassis: Mapping[str, Any]) -> Iterator[Reading]:
    for name, listed, kind, reading, unit in _LEGACY:
        document = client.try_get(link(chassis.get(name)), name.lower()) or {}
        for one in items(document.get(listed)):
            if isinstance(one, dict) and not absent(one):
                units = text(one.get("ReadingUnits"), 32) if kind == "fan" else unit
                yield {
                    "id": first_text(one.get("MemberId"), one.get("Name")),
                    "name": first_text(one.get("Name"), one.get("FanName")),
                    "type": kind,
                    "reading": number(one.get(reading)),
                    "unit": units,
                    "health": health_word(part(one, "Status").get("Health")),
                }


def logs_info(
    client: RedfishClient, system: Mapping[str, Any], manager: Optional[Mapping[str, Any]]
) -> Optional[List[Dict[str, Any]]]:
    """The logs of the system and of its manager, each with its newest entries, the newest first."""
    paths = [link(system.get("LogServices")), link((manager or {}).get("LogServices"))]
    if not any(paths):
        return None
    logs = []
    for path in dict.fromkeys(filter(None, paths)):
        for service in client.members(path, "logs"):
            entries = [_entry(one) for one in _newest(client, link(service.get("Entries")))]
            entries.sort(key=lambda entry: str(entry["created"] or ""), reverse=True)
            logs.append(
                {
                    "id": first_text(service.get("Id"), last_segment(link(service))),
                    "name": text(service.get("Name")),
                    "path": text(link(service), 512),
                    "entries": entries[:_ENTRIES],
                }
            )
    return logs


def _newest(client: RedfishClient, path: str) -> List[Mapping[str, Any]]:
    """Entries among which the newest are: most BMCs send them within the collection, in either order."""
    document = client.find(path, "log entries") if path else None
    if document is None:
        return []
    listed = items(document.get("Members"))
    bodies: List[Mapping[str, Any]] = [one for one in listed if isinstance(one, dict) and len(one) > 1]
    if bodies and len(bodies) == len(listed) and not link(document.get("Members@odata.nextLink")):
        return bodies
    uris = client.member_links(path, "log entries")
    ends = uris if len(uris) <= 2 * _ENTRIES else uris[:_ENTRIES] + uris[-_ENTRIES:]
    found = (client.try_get(uri, "log entry") for uri in ends)
    return [one for one in found if one is not None]


def _entry(one: Mapping[str, Any]) -> Dict[str, Any]:
    return {
        "id": first_text(one.get("Id"), last_segment(link(one))),
        "created": text(one.get("Created"), 64),
        "severity": health_word(one.get("Severity")),
        "message": text(one.get("Message"), 1024),
        "message_id": text(one.get("MessageId")),
    }
