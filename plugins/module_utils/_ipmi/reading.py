# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What IPMI can tell about a machine, read with one login.

==========  =======================================================================================================
details     what is read, and with how many IPMI commands
==========  =======================================================================================================
minimal     device ID, device and system GUID, chassis status (4); FRU 0 (1, and 1 per 224 bytes, usually 2)
standard    ... and the sensors (2, and 1 to 3 per sensor record, and 1 per sensor), the event log's count (1)
full        ... and the MAC address of the BMC (1; asks for the privilege level OPERATOR, the others for USER)
==========  =======================================================================================================

Sensors get at most half of the time that is left; a machine whose sensors take longer has no health and a warning.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any, Dict, Mapping, Optional, Tuple

from .._core.deadline import Deadline
from .._core.errors import AccessDenied, BadInput
from . import device
from .child.login import OPERATOR, USER
from .session import Answer, Login, ask

DETAILS = ("minimal", "standard", "full")


@dataclass(frozen=True)
class Reading:
    """One machine as IPMI shows it. Strings are as the BMC gave them: record.py cleans them on their way out."""

    device: Optional[device.DeviceId]
    bmc_guid: str
    system_guid: str
    power: Optional[str]
    """ "on", "off" or None"""
    chassis_faults: Tuple[str, ...]
    fru: Mapping[str, str]
    """FRU 0 under pyghmi's field names ("Serial Number", "Board serial number", ...)"""
    sensors: Optional[int]
    """how many sensors gave a reading; None: not read"""
    sensor_health: int
    """child.machine.read_sensors' bits: 1 warning, 2 critical, 4 failed"""
    bad_sensors: Tuple[Tuple[str, Tuple[str, ...]], ...]
    """name and states of every sensor that is not well"""
    sel_entries: Optional[int]
    mac: str
    suite: int
    """cipher suite of the session: 17 or 3"""
    logins: int
    """how often a digest of the password went out"""
    commands: int
    warnings: Tuple[str, ...] = field(default=())
    sensor_readings: Tuple[Tuple[Any, ...], ...] = field(default=())
    """name, type, value, units, health bits and states of every sensor that gave a reading"""
    events: Optional[Tuple[Mapping[str, Any], ...]] = None
    """child.events.read_events' records; None: not read"""
    events_complete: bool = True
    restore_policy: Optional[str] = None
    """what the machine does when its power comes back, in Redfish's words"""


def read(
    address: str,
    login: Login,
    *,
    port: int = 623,
    deadline: Deadline,
    details: str = "standard",
    read_mac: bool = False,
    suites: Tuple[int, ...] = (17, 3),
    cancelled: Optional[threading.Event] = None,
) -> Reading:
    """Read one machine; raises what session.ask raises."""
    if details not in DETAILS:
        raise BadInput(f"unknown details {details!r}", expected=", ".join(DETAILS), found=details)
    request: Dict[str, Any] = {"mac": read_mac or details == "full"}
    if details != "minimal":
        request.update(sel=True, sensors=deadline.remaining() / 2)
    privilege = OPERATOR if request["mac"] else USER
    try:
        answer = ask(
            address,
            login,
            request,
            port=port,
            deadline=deadline,
            privilege=privilege,
            suites=suites,
            cancelled=cancelled,
        )
    except AccessDenied:
        if privilege == USER:
            raise
        # The BMC said so before it saw a proof of the password, so this is still the first attempt with it.
        request["mac"] = False
        answer = ask(address, login, request, port=port, deadline=deadline, suites=suites, cancelled=cancelled)
    return reading_of(answer)


def reading_of(answer: Answer) -> Reading:
    """What the child's answer to child.machine.read means."""
    data = answer.data
    sensors = data.get("sensors")
    if not isinstance(sensors, dict):
        sensors = {}
    chassis = _bytes(data, "chassis_status")
    events = data.get("events")
    return Reading(
        device=device.device_id(_bytes(data, "device_id")),
        bmc_guid=device.guid(_bytes(data, "device_guid")),
        system_guid=device.guid(_bytes(data, "system_guid")),
        power=device.power_state(chassis),
        chassis_faults=device.chassis_faults(chassis),
        fru={str(name): str(value) for name, value in dict(data.get("fru") or {}).items()},
        sensors=sensors.get("seen"),
        sensor_health=int(sensors.get("health", 0)),
        bad_sensors=tuple((str(bad["name"]), tuple(map(str, bad["states"]))) for bad in sensors.get("bad", ())),
        sel_entries=device.sel_entries(_bytes(data, "sel_info")),
        mac=device.lan_mac(_bytes(data, "lan_mac")),
        suite=answer.suite,
        logins=answer.proofs,
        commands=int(data.get("commands", 0)),
        warnings=answer.warnings,
        sensor_readings=tuple(tuple(one) for one in sensors.get("readings", ())),
        events=tuple(events["records"]) if isinstance(events, dict) else None,
        events_complete=bool(events.get("complete")) if isinstance(events, dict) else True,
        restore_policy=device.restore_policy(chassis),
    )


def _bytes(data: Mapping[str, Any], name: str) -> bytes:
    return bytes.fromhex(str(data.get(name, "")))
