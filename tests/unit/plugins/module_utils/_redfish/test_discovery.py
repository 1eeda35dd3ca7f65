# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What becomes of one BMC: every ending is an outcome, none an exception."""

from __future__ import annotations

import json
import socket
import threading
import time
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core.endpoint import Endpoint
from ansible_collections.hearth.datacenter.plugins.module_utils._core.errors import BadInput
from ansible_collections.hearth.datacenter.plugins.module_utils._redfish.discovery import (
    DiscoveryRequest,
    discover,
)
from ansible_collections.hearth.datacenter.plugins.module_utils._redfish.service_root import root_digest
from tests.unit.plugins.module_utils._redfish.looking import OFF, SITE, look, look_at, only, request_for
from tests.unit.plugins.module_utils._redfish.replay import Manners, Replay
from tests.unit.plugins.module_utils._redfish.trees import ROOT, plain


def at(port: int, address: str = "127.42.2.1", **more: Any) -> DiscoveryRequest:
    settings: dict[str, Any] = {"connect_timeout": 1.0, "deadline": 2.0, **more}
    return DiscoveryRequest(Endpoint(address, port, "http"), OFF, (SITE,), **settings)


def test_an_outcome_is_json_and_has_the_keys_of_the_contract() -> None:
    outcome = look_at(plain())
    assert outcome.is_redfish and outcome.answered and not outcome.refused and not outcome.unchanged
    (host,) = json.loads(json.dumps(outcome.hosts))
    assert set(host["hearth_bmc"]) == {
        "address", "port", "scheme", "protocol", "platform", "vendor", "product", "redfish_version", "firmware",
        "model", "uuid", "mac", "sessions", "system", "system_id", "manager", "chassis", "systems", "trust", "ca_path",
        "fingerprint", "verified", "credential", "state", "error", "warnings",
    }  # fmt: skip
    assert set(host["hearth_server"]) >= {
        "kind", "manufacturer", "model", "serial", "uuid", "sku", "part_number", "asset_tag", "hostname",
        "bios_version", "health", "power_state", "observed_at", "cpus", "cpu_model", "cores", "memory_gib", "gpus",
        "nics", "drives", "tpm", "secure_boot", "location",
    }  # fmt: skip


def test_a_standard_look_tells_the_machine() -> None:
    bmc, machine = only(look_at(plain()))
    assert bmc["firmware"] == "4.5.6"
    assert bmc["uuid"] == "92384634-2938-2342-8820-489239905423"
    assert machine["secure_boot"] == {"enabled": True, "active": True, "mode": "UserMode"}
    assert machine["tpm"] == {"present": True, "type": "TPM2_0", "firmware": "7.2", "state": "enabled"}
    assert (machine["cpus"], machine["cores"], machine["memory_gib"]) == (2, 64, 512)
    assert machine["location"]["rack"] == "R7"
    assert machine["nics"] is None and machine["drives"] is None


def test_a_full_look_tells_its_parts() -> None:
    bmc, machine = only(look_at(plain(processors=("CPU1", "CPU2", "GPU1")), details="full"))
    assert machine["nics"][0] == {"id": "1", "mac": "02:00:00:00:00:01", "speed_mbps": 25000, "link": "up"}
    assert [drive["serial"] for drive in machine["drives"]] == ["D-0-4711", "D-1-4711", "D-2-4711"]
    assert machine["cpu_model"] == "Example CPU 9000"
    assert machine["gpus"]["devices"][0]["id"] == "GPU1"


def test_a_minimal_look_leaves_open_what_it_does_not_read() -> None:
    bmc, machine = only(look_at(plain(), details="minimal"))
    assert machine["power_state"] == "on"
    assert machine["gpus"] == {"count": None, "model": None}
    assert machine["secure_boot"] is None and machine["location"] is None and bmc["firmware"] is None


@pytest.mark.parametrize("details", ["minimal", "standard", "full"])
def test_bmc_macs_are_read_when_asked_for(details: str) -> None:
    bmc, machine = only(look_at(plain(), details=details, read_bmc_macs=True))
    assert bmc["mac"] == ["02:00:00:00:00:ff"]


def test_the_observation_carries_its_time_in_utc() -> None:
    east = timezone(timedelta(hours=9))
    with Replay(plain()) as bmc:
        outcome = discover(request_for(bmc), now=lambda: datetime(2026, 11, 21, 9, 0, 0, tzinfo=east))
    assert only(outcome)[1]["observed_at"] == "2026-11-21T00:00:00Z"


def test_details_that_do_not_exist_are_bad_input() -> None:
    with pytest.raises(BadInput):
        discover(at(1, details="everything"))


# Nobody, and nobody of ours


def test_a_closed_port_is_refused() -> None:
    with socket.socket() as unused:
        unused.bind(("127.42.2.1", 0))
        outcome = discover(at(unused.getsockname()[1]))
    assert outcome.refused and not outcome.answered and not outcome.is_redfish
    assert outcome.group == "bmc_unreachable"
    assert outcome.hosts[0]["hearth_bmc"]["error"]["type"] == "ConnectionRefused"
    assert outcome.hosts[0]["hearth_bmc"]["protocol"] == ""


def test_who_accepts_and_never_answers_is_unreachable_and_not_refused() -> None:
    with socket.socket() as hole:
        hole.bind(("127.42.2.1", 0))
        hole.listen()
        started = time.monotonic()
        outcome = discover(at(hole.getsockname()[1], deadline=0.5))
        assert time.monotonic() - started < 2.0
    assert outcome.group == "bmc_unreachable"
    assert outcome.error is not None and outcome.error["type"] == "TimedOut"
    assert not outcome.refused and not outcome.answered


@pytest.mark.parametrize("body", [b"<html>hello</html>", b"{}", b'{"name": "not redfish"}', b"[]"])
def test_something_else_on_the_port_is_no_redfish(body: bytes) -> None:
    with Replay(plain(), Manners(raw={ROOT: body})) as bmc:
        outcome = look(bmc)
        assert outcome.group == "bmc_unreachable"
        assert not outcome.is_redfish and outcome.answered and not outcome.refused
        assert bmc.logins == []


def test_a_root_that_is_not_there_is_no_redfish() -> None:
    with Replay({}) as bmc:
        assert not look(bmc).is_redfish
        assert bmc.logins == []


def test_a_root_that_wants_a_login_is_read_after_it() -> None:
    with Replay(plain({"Vendor": "Contoso"}), Manners(guarded_root=True)) as bmc:
        hearth_bmc, machine = only(look(bmc))
        assert hearth_bmc["vendor"] == "Contoso"
        assert machine["serial"] == "SN-1-77"


def test_systems_that_cannot_be_reached_make_the_bmc_unreachable() -> None:
    with Replay(plain(), Manners(slow={f"{ROOT}/Systems": 5.0})) as bmc:
        outcome = look(bmc, deadline=1.0)
    assert outcome.group == "bmc_unreachable"
    assert outcome.hosts[0]["hearth_bmc"]["platform"] == "generic", "what the root told is there"


def test_a_login_that_may_not_see_systems_is_unauthorized() -> None:
    outcome = look_at(plain(), Manners(status={f"{ROOT}/Systems": 403}))
    assert outcome.group == "bmc_unauthorized"
    assert outcome.error["type"] == "AccessDenied"


def test_one_slow_resource_costs_its_own_facts_and_is_told() -> None:
    with Replay(plain(), Manners(slow={f"{ROOT}/Chassis/1": 5.0})) as bmc:
        hearth_bmc, machine = only(look(bmc, deadline=1.5))
        assert machine["serial"] == "SN-1-77"
        assert hearth_bmc["firmware"] == "4.5.6"
        assert any("out of time" in warning for warning in hearth_bmc["warnings"])
        assert len(hearth_bmc["warnings"]) == 1
        assert bmc.open_sessions == {}


# What changed since the last time


def test_an_unchanged_root_ends_the_look_before_the_login() -> None:
    with Replay(plain()) as bmc:
        digest = look(bmc).root_digest
        asked = len(bmc.requests)
        outcome = look(bmc, previous_root=digest)
        assert outcome.unchanged and outcome.hosts == [] and outcome.root_digest == digest
        assert len(bmc.requests) == asked + 1
        bmc.tree[ROOT]["RedfishVersion"] = "1.18.0"
        assert not look(bmc, previous_root=digest).unchanged


def test_a_changed_etag_of_the_root_is_a_change() -> None:
    with Replay(plain(), Manners(etag='"one"')) as bmc:
        digest = look(bmc).root_digest
        bmc.manners.etag = '"two"'
        assert not look(bmc, previous_root=digest).unchanged


def test_a_clock_in_the_root_is_no_change() -> None:
    one = {"RedfishVersion": "1.6.0", "Oem": {"Hpe": {"Time": "2026-11-21T10:00:00Z", "Manager": [{"x": 1}]}}}
    two = {"RedfishVersion": "1.6.0", "Oem": {"Hpe": {"Time": "2026-11-21T11:11:11Z", "Manager": [{"x": 1}]}}}
    assert root_digest(one) == root_digest(two)
    two["Oem"]["Hpe"]["Manager"] = [{"x": 2}]  # type: ignore[index]
    assert root_digest(one) != root_digest(two)


# Interruption


def test_an_interruption_leaves_no_session_open() -> None:
    cancelled = threading.Event()
    with Replay(plain(), Manners(slow={f"{ROOT}/Systems/1": 0.5})) as bmc:
        threading.Timer(0.2, cancelled.set).start()
        outcome = discover(request_for(bmc), cancelled=cancelled)
        assert outcome.error is not None and outcome.error["type"] == "Cancelled"
        assert bmc.created == 1
        assert bmc.open_sessions == {}


def test_an_interruption_before_it_begins_asks_nothing() -> None:
    cancelled = threading.Event()
    cancelled.set()
    with Replay(plain()) as bmc:
        discover(request_for(bmc), cancelled=cancelled)
        assert bmc.requests == []


def test_counters_are_the_servers_own_count() -> None:
    with Replay(plain()) as bmc:
        outcome = look(bmc, details="full")
        assert outcome.counters["requests"] == len(bmc.requests)
        assert outcome.counters["logins"] == len(bmc.logins) == 1


def test_progress_is_told_while_bytes_arrive() -> None:
    class Beats:
        number = 0

        def beat(self) -> None:
            self.number += 1

    beats = Beats()
    with Replay(plain()) as bmc:
        discover(request_for(bmc), progress=beats)
    assert beats.number >= 5
