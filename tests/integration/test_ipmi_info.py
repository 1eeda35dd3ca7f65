# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module ipmi_info: FRU, sensors, event log and the rest, from ipmi_sim and the RMCP+ peer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._glue.ipmi_info import IPMI_INFO
from ansible_collections.hearth.datacenter.plugins.module_utils._glue.redfish_info import REDFISH_INFO
from ansible_collections.hearth.datacenter.plugins.module_utils._ipmi import info as ipmi_info
from ansible_collections.hearth.datacenter.plugins.module_utils._ipmi.session import SHA1_WARNING
from ansible_collections.hearth.datacenter.plugins.module_utils._redfish import info as redfish_info
from tests.emulators.rmcp.machine import Machine
from tests.emulators.rmcp.peer import Account, RmcpPeer
from tests.integration.ipmi_run import FRU, SERIAL, hostvars, performed
from tests.integration.ipmi_sim import PASSWORD, USERNAME, IpmiSim, fru, missing_tool
from tests.integration.playbook_run import PlaybookFolder
from tests.integration.result_shape import shape

pytest.importorskip("pyghmi", reason="pyghmi is not installed")

ADDRESS = "127.63.5.1"
MODULE = "hearth.datacenter.ipmi_info"
SENSORS = {"Inlet Temp": 21, "CPU0 Temp": 75, "CPU1 Temp": 85}


def threshold_event(sensor: int, offset: int, *, gone: bool = False) -> bytes:
    """A temperature that went beyond a threshold, from the record type on (32.1)."""
    return bytes((0x02, 0, 0, 0, 0, 0x20, 0, 0x04, 0x01, sensor, 0x81 if gone else 0x01, 0x50 | offset, 80, 70))


@pytest.fixture(scope="module")
def sim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IpmiSim]:
    if missing_tool():
        pytest.skip(missing_tool())
    events = [threshold_event(2, 7), threshold_event(3, 9), threshold_event(3, 9, gone=True)]
    directory = tmp_path_factory.mktemp("sim") / "sim"
    with IpmiSim(directory, address="127.63.5.2", fru_data=FRU, sensors=SENSORS, chassis=True, events=events) as found:
        yield found


@pytest.fixture(scope="module")
def everything(sim: IpmiSim) -> dict[str, Any]:
    return performed(IPMI_INFO, sim, subset=["all"])


def read(bmc: Any, *subsets: str, **arguments: Any) -> dict[str, Any]:
    return performed(IPMI_INFO, bmc, **({"subset": list(subsets)} if subsets else {}), **arguments)


def test_who_it_is_whether_it_is_on_and_how_it_is(sim: IpmiSim) -> None:
    result = read(sim)
    assert result["changed"] is False and set(result["info"]) == {"system", "power", "health"}
    system = result["info"]["system"]
    assert {key: system[key] for key in ("manufacturer", "model", "serial", "part_number", "asset_tag")} == {
        "manufacturer": "Acme",
        "model": "Rocket 9",
        "serial": SERIAL,
        "part_number": "R9-1",
        "asset_tag": "shelf 4",
    }
    assert result["info"]["power"]["state"] == "off"
    assert result["info"]["health"]["health"] == "critical"
    assert SHA1_WARNING in result["warnings"]


def test_each_sensor_with_value_unit_and_health(everything: dict[str, Any]) -> None:
    assert everything["info"]["sensors"] == [
        {"id": name, "name": name, "type": "temperature", "reading": float(value), "unit": "Cel", "health": health}
        for (name, value), health in zip(SENSORS.items(), ("ok", "warning", "critical"))
    ]
    assert [condition["severity"] for condition in everything["info"]["health"]["conditions"]] == [
        "warning",
        "critical",
    ]
    assert everything["info"]["health"]["conditions"][0]["message"].startswith("CPU0 Temp: ")


def test_event_log_the_newest_first(everything: dict[str, Any]) -> None:
    (log,) = everything["info"]["logs"]
    assert [(entry["id"], entry["severity"]) for entry in log["entries"]] == [
        ("3", "ok"),
        ("2", "critical"),
        ("1", "warning"),
    ]
    assert log["entries"][1]["message"] == "Temperature, sensor 03h: Upper critical"
    assert log["entries"][0]["created"] is None, "the clock of this BMC was never set"


def test_long_event_log_is_read_near_its_end(tmp_path: Path) -> None:
    if missing_tool():
        pytest.skip(missing_tool())
    events = [threshold_event(number % 256, 9) for number in range(200)]
    with IpmiSim(tmp_path / "sim", address="127.63.5.3", fru_data=FRU, events=events) as sim:
        (log,) = read(sim, "logs")["info"]["logs"]
    assert [entry["id"] for entry in log["entries"]] == [str(number) for number in range(200, 150, -1)]


def test_no_subset_of_redfish_info_is_missing_and_none_is_guessed(everything: dict[str, Any]) -> None:
    nothing = {name for name, value in everything["info"].items() if value is None}
    assert set(everything["info"]) == set(redfish_info.SUBSETS)
    # ipmi_sim knows no boot flags that were never set ... and the rest is not in IPMI
    assert nothing - {"boot"} == {"security", "processors", "gpus", "memory", "nics", "drives", "media", "accounts"}


def test_options_and_subsets_are_those_of_redfish_info() -> None:
    assert list(ipmi_info.SUBSETS) == list(redfish_info.SUBSETS)
    assert ipmi_info.DEFAULT_SUBSETS == redfish_info.DEFAULT_SUBSETS
    ours, theirs = dict(IPMI_INFO.argument_spec), dict(REDFISH_INFO.argument_spec)
    assert set(ours) - set(theirs) == {"cipher_suites"}
    assert set(theirs) - set(ours) == {"scheme", "trust", "ca_path", "pins", "platform", "discovered"}
    for option in set(ours) & set(theirs) - {"port"}:
        assert ours[option] == theirs[option], option


def test_boot_flags_in_the_words_of_redfish_info() -> None:
    machine = Machine(fru=FRU)
    machine.do(0, 8, bytes((5, 0xE0, 0x18, 0, 0, 0)), 4)
    with RmcpPeer(ADDRESS, machine=machine) as peer:
        result = read(peer, "boot", "bmc", "firmware")
    boot = result["info"]["boot"]
    assert (boot["enabled"], boot["target"], boot["mode"]) == ("continuous", "BiosSetup", "UEFI")
    assert {"Pxe", "Hdd", "Cd", "Usb", "BiosSetup"} <= set(boot["targets"])
    assert result["info"]["bmc"]["firmware"] == result["info"]["firmware"][0]["version"] == "3.11"
    assert "warnings" not in result


def test_account_that_may_only_read_gets_what_it_may() -> None:
    accounts = {USERNAME: Account(PASSWORD, privilege=2)}
    with RmcpPeer(ADDRESS, accounts=accounts, machine=Machine(fru=FRU)) as peer:
        result = read(peer, "system", "boot")
        assert (result["info"]["system"]["serial"], result["info"]["boot"]) == (SERIAL, None)
        assert any("OPERATOR" in text for text in result["warnings"])
        assert peer.received["rakp3"] == 1


def test_machine_without_sensors_and_log_is_no_error() -> None:
    with RmcpPeer(ADDRESS) as peer:
        result = read(peer, "system", "power", "health", "sensors", "logs")
        info = result["info"]
        assert (info["sensors"], info["logs"], info["health"]["health"]) == (None, None, None)
        assert (info["power"]["state"], info["power"]["restore_policy"]) == ("off", "LastState")
        assert len(result["warnings"]) == 2, "what could not be read is said"


def test_query_is_answered_and_a_bad_one_contacts_nobody() -> None:
    pytest.importorskip("jmespath", reason="jmespath is not installed")
    with RmcpPeer(ADDRESS, machine=Machine(fru=FRU)) as peer:
        assert read(peer, query="system.serial")["query_result"] == SERIAL
        before = sum(peer.received.values())
        assert read(peer, query="system[")["error"]["type"] == "BadInput"
        assert sum(peer.received.values()) == before


def test_hostile_strings_are_harmless(tmp_path: Path) -> None:
    if missing_tool():
        pytest.skip(missing_tool())
    evil = "{{ lookup('pipe', 'id') }}\x1b[2J{% raw %}\x9b31m\n"
    data = fru([evil, evil], [evil] * 5, [evil] * 7)
    with IpmiSim(tmp_path / "sim", address="127.63.5.4", fru_data=data, sensors={"{{ 7*7 }}": 20}) as sim:
        text = json.dumps(read(sim, "all"), ensure_ascii=False)
    assert "lookup" in text and "7*7" in text, "the hostile strings did not get here at all"
    assert not any(opener in text for opener in ("{{", "{%", "%}", "\x1b", "\x9b", "\\u001b", "\\n"))


def test_through_ansible_both_front_ends_give_the_same(tmp_path: Path, sim: IpmiSim) -> None:
    folder = PlaybookFolder(tmp_path)
    found = []
    for where in ({}, {"delegate_to": "jump"}):
        tasks = [{MODULE: {"subset": ["all"]}, **where}, {MODULE: {"subset": ["x"]}, "ignore_errors": True, **where}]
        ran = folder.run(tasks, "--check", "-vvv", **hostvars(sim))
        assert ran.outcomes == ["ok", "failed"]
        assert PASSWORD not in ran.said
        found.append(ran.results)
    assert [shape(result) for result in found[0]] == [shape(result) for result in found[1]]
    assert found[0][0]["info"]["sensors"] == found[1][0]["info"]["sensors"]
