# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A reading becomes a host record: what counts as a serial, what health is, and that no string gets in as it came."""

from __future__ import annotations

import dataclasses
import json
from datetime import datetime, timezone
from typing import Any, Dict, Iterator

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core.endpoint import Endpoint
from ansible_collections.hearth.datacenter.plugins.module_utils._core.trust import Trust
from ansible_collections.hearth.datacenter.plugins.module_utils._ipmi import device
from ansible_collections.hearth.datacenter.plugins.module_utils._ipmi.reading import Reading
from ansible_collections.hearth.datacenter.plugins.module_utils._ipmi.record import hearth_bmc, hearth_server
from ansible_collections.hearth.datacenter.plugins.module_utils._redfish import host_record
from ansible_collections.hearth.datacenter.plugins.module_utils._redfish.platforms.generic import GENERIC

NOW = datetime(2026, 11, 21, 15, 0, 0, tzinfo=timezone.utc)
HOSTILE = "{{ lookup('pipe', 'id') }}\x1b]0;owned\x07\u202e{% raw %}" + "A" * 1_000_000

WELL = Reading(
    device=device.DeviceId("3.17", 10876, 2433, "2.0"),
    bmc_guid="00112233-4455-6677-8899-aabbccddee01",
    system_guid="00112233-4455-6677-8899-aabbccddee02",
    power="on",
    chassis_faults=(),
    fru={
        "Manufacturer": "Acme",
        "Product name": "Rocket 9",
        "Model": "R9-1",
        "Serial Number": "P-1",
        "Asset Number": "shelf 4",
        "Board manufacturer": "Board Co",
        "Board product name": "B1",
        "Board serial number": "B-1",
        "Chassis serial number": "C-1",
    },
    sensors=12,
    sensor_health=0,
    bad_sensors=(),
    sel_entries=3,
    mac="aa:bb:cc:00:00:01",
    suite=17,
    logins=1,
    commands=40,
)


def server(**changes: Any) -> Dict[str, Any]:
    return hearth_server(dataclasses.replace(WELL, **changes), NOW)


def bmc(**changes: Any) -> Dict[str, Any]:
    return hearth_bmc(dataclasses.replace(WELL, **changes), "10.0.0.1", 623, "site")


def fru(**changes: Any) -> Dict[str, str]:
    """WELL's FRU with changes; names are written with underscores for spaces, None takes a field out."""
    fields = {**WELL.fru, **{name.replace("_", " "): value for name, value in changes.items()}}
    return {name: value for name, value in fields.items() if value is not None}


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from strings(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from strings(item)


def test_record_is_json_and_says_ipmi() -> None:
    assert bmc()["protocol"] == "ipmi"
    assert json.loads(json.dumps([bmc(), server()])) == [bmc(), server()]


def test_record_has_the_keys_of_every_other_host() -> None:
    """A playbook may not have to know by which protocol a machine was found."""
    view = host_record.BmcView(Endpoint("10.0.0.1"), Trust("off"), GENERIC)
    machine = host_record.MachineView()
    assert list(bmc()) == list(host_record.bmc_record(view, machine))
    assert list(server()) == list(host_record.server_record(view, machine, NOW))


def test_product_fields_come_first() -> None:
    found = server()
    assert [found[key] for key in ("manufacturer", "model", "serial", "part_number", "asset_tag")] == [
        "Acme",
        "Rocket 9",
        "P-1",
        "R9-1",
        "shelf 4",
    ]


@pytest.mark.parametrize(
    "said", ["", "0123456789", "To be filled by O.E.M.", "000000", "Default string", " ", "x", "N/A"]
)
def test_serial_that_says_nothing_gives_way_to_the_chassis(said: str) -> None:
    assert server(fru=fru(Serial_Number=said))["serial"] == "C-1"


def test_serial_of_the_board_is_better_than_none() -> None:
    assert server(fru=fru(Serial_Number=None, Chassis_serial_number="0000"))["serial"] == "B-1"
    assert server(fru={})["serial"] is None


def test_maker_of_the_bmc_stands_in_for_the_machine_s() -> None:
    assert server(fru={})["manufacturer"] == "Supermicro"
    assert server(fru={}, device=None)["manufacturer"] is None


@pytest.mark.parametrize(
    "guid",
    [
        "",
        "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "03000200-0400-0500-0006-000700080009",
    ],
)
def test_uuid_that_says_nothing_is_none(guid: str) -> None:
    assert server(system_guid=guid)["uuid"] is None
    assert bmc(bmc_guid=guid)["uuid"] is None


@pytest.mark.parametrize("mac", ["", "00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff"])
def test_mac_that_says_nothing_is_left_out(mac: str) -> None:
    assert bmc(mac=mac)["mac"] == []
    assert bmc()["mac"] == ["aa:bb:cc:00:00:01"]


@pytest.mark.parametrize(
    ("changes", "health"),
    [
        ({}, "ok"),
        ({"sensor_health": 1}, "warning"),
        ({"sensor_health": 2}, "critical"),
        ({"sensor_health": 5}, "critical"),
        ({"chassis_faults": ("drive fault",)}, "warning"),
        ({"chassis_faults": ("drive fault",), "sensor_health": 2}, "critical"),
        ({"sensors": None}, None),
        ({"sensors": 0}, None),
        ({"sensors": None, "chassis_faults": ("power fault",)}, "warning"),
    ],
)
def test_health_is_the_worst_that_was_seen(changes: Dict[str, Any], health: str) -> None:
    assert server(**changes)["health"] == health


def test_reasons_for_bad_health_are_warnings_and_bounded() -> None:
    many = tuple((f"FAN{number}", ("lower critical threshold",)) for number in range(100))
    warnings = bmc(bad_sensors=many, chassis_faults=("cooling fault",), warnings=("sha1",))["warnings"]
    assert warnings[:3] == ["sha1", "chassis: cooling fault", "sensor FAN0: lower critical threshold"]
    assert warnings[-1] == "and 93 more sensors that are not well"
    assert len(warnings) == 10


def test_peer_stays_unverified() -> None:
    """A shared password proves nothing about who the BMC is."""
    assert (bmc()["verified"], bmc()["trust"], bmc()["fingerprint"]["spki_sha256"]) == (False, "off", "")


def test_hostile_strings_are_harmless_in_every_field() -> None:
    hostile = dict.fromkeys(WELL.fru, HOSTILE)
    record = [server(fru=hostile), bmc(fru=hostile, bad_sensors=((HOSTILE, (HOSTILE, HOSTILE)),))]
    found = list(strings(record))
    assert any("lookup" in text for text in found), "the hostile strings did not get here at all"
    for text in found:
        assert not any(opener in text for opener in ("{{", "{%", "{#", "}}", "%}"))
        assert text.isprintable()
        assert len(text) <= 300


def test_observed_at_is_utc() -> None:
    assert server()["observed_at"] == "2026-11-21T15:00:00Z"
