# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Records of the event log and sensors in our words, from bytes that a BMC may have made up."""

from __future__ import annotations

import dataclasses
from typing import Any, Dict

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core.deadline import Deadline
from ansible_collections.hearth.datacenter.plugins.module_utils._ipmi import info
from ansible_collections.hearth.datacenter.plugins.module_utils._ipmi.access import Access, Connection
from ansible_collections.hearth.datacenter.plugins.module_utils._ipmi.session import Login

from .test_record import WELL

AT_2026 = (1795276631).to_bytes(4, "little")


def record(kind: int = 2, seconds: bytes = AT_2026, direction: int = 0x01) -> str:
    return (b"\x07\x00" + bytes([kind]) + seconds + bytes([0x20, 0, 4, 1, 9, direction, 0x57, 80, 70])).hex()


def entry(**event: Any) -> Dict[str, Any]:
    return info._entry({"record": record(), **event})


def sensor(*reading: Any) -> Dict[str, Any]:
    ((found, _states),) = info._sensors_and_states(dataclasses.replace(WELL, sensor_readings=(reading,)))
    return found


def test_event_with_the_words_of_its_sensor_type() -> None:
    assert entry(type="Temperature", event="Upper critical", health=2) == {
        "id": "7",
        "created": "2026-11-21T15:57:11Z",
        "severity": "critical",
        "message": "Temperature, sensor 09h: Upper critical",
        "message_id": None,
    }


def test_event_without_words_shows_its_bytes() -> None:
    assert entry()["message"] == "type 01h, sensor 09h: event 01h 575046"
    assert info._entry({"record": record(direction=0x81)})["message"].endswith("(no longer)")
    assert entry()["severity"] is None


@pytest.mark.parametrize("kind", [0xC0, 0xDF, 0xE0, 0xFF])
def test_record_of_a_vendor_is_not_interpreted(kind: int) -> None:
    found = info._entry({"record": record(kind)})
    assert found["message"].startswith(f"OEM record {kind:02x}")
    assert (found["created"] is None) is (kind >= 0xE0)


@pytest.mark.parametrize("seconds", [0, 4711, 0x1FFFFFFF, 0xFFFFFFFF])
def test_time_of_a_clock_that_was_not_set_is_no_time(seconds: int) -> None:
    assert info._entry({"record": record(seconds=seconds.to_bytes(4, "little"))})["created"] is None


def test_hostile_words_are_cleaned() -> None:
    text = entry(type="{{ 7*7 }}\x1b[2J", event="{% raw %}" + "A" * 10_000)["message"]
    assert "{{" not in text and "{%" not in text and "\x1b" not in text and len(text) < 500


def test_sensor_in_ucum() -> None:
    assert sensor("CPU", "Temperature", 41.00001, "°C", 0, [])["unit"] == "Cel"
    assert sensor("Fan", "Fan", 4200, "RPM", 0, [])["unit"] == "{rev}/min"
    assert sensor("CPU", "Temperature", 41.00001, "°C", 0, [])["reading"] == 41.0


def test_sensor_without_a_value_has_none() -> None:
    found = sensor("PSU", "Power Supply", None, "", 2, ["failure"])
    assert (found["reading"], found["unit"], found["health"]) == (None, None, "critical")


def test_log_without_an_end_is_said_to_have_none() -> None:
    connection = Connection(Access("127.63.0.1", (Login("a", "b"),)), 2, 2, Deadline.after(1), None)
    events = tuple({"record": record()} for _number in range(80))
    reading = dataclasses.replace(WELL, events=events, events_complete=False)
    (log,) = info._logs(reading, connection) or ()
    assert len(log["entries"]) == 50
    assert len(connection.warnings) == 1
