# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""redfish_info's engine: every subset on every platform, in the same shape, and nothing left open."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core.errors import BadInput, HearthError
from ansible_collections.hearth.datacenter.plugins.module_utils._redfish.boot import (
    BootWanted,
    apply_boot,
    plan_boot,
    read_boot,
)
from ansible_collections.hearth.datacenter.plugins.module_utils._redfish.info import SUBSETS, read_info
from tests.emulators.redfish.fleet import Fleet
from tests.unit.plugins.module_utils._redfish.emulated import EVERY_PLATFORM, EmulatedBmc, bmc_of

WITH_SYSTEMS = [name for name in EVERY_PLATFORM if name not in ("pdu", "power_shelf")]

# The keys that each subset has on every platform, of its parts where it lists parts.
KEYS = {
    "system": {"id", "path", "kind", "manufacturer", "model", "serial", "uuid", "asset_tag", "hostname", "location"},
    "power": {"state", "resets", "restore_policy", "boot_progress", "booted_at"},
    "health": {"health", "rollup", "state", "processors", "memory", "chassis", "conditions"},
    "bmc": {"platform", "redfish_version", "model", "firmware", "health", "time", "macs"},
    "security": {"secure_boot", "tpm"},
    "processors": {"id", "type", "manufacturer", "model", "cores", "threads", "max_mhz", "serial", "health"},
    "gpus": {"count", "model", "devices"},
    "memory": {"total_gib", "modules"},
    "nics": {"id", "mac", "speed_mbps", "link"},
    "drives": {"id", "serial", "model", "capacity_bytes", "media", "protocol", "health"},
    "firmware": {"id", "name", "version", "updateable", "released", "state"},
    "boot": {"enabled", "target", "mode", "http_uri", "targets", "order", "pending"},
    "media": {"id", "path", "types", "inserted", "image", "image_name", "write_protected", "connected_via"},
    "sensors": {"id", "name", "type", "reading", "unit", "health"},
    "logs": {"id", "name", "path", "entries"},
    "accounts": {"id", "username", "role", "enabled", "locked"},
}


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    platforms = dict.fromkeys(EVERY_PLATFORM, 1)
    with Fleet(len(platforms), "127.61.40.0/24", platforms=platforms) as running:
        yield running


@pytest.fixture(params=WITH_SYSTEMS)
def bmc(request: pytest.FixtureRequest, fleet: Fleet) -> Iterator[EmulatedBmc]:
    found = bmc_of(fleet, request.param)
    yield found
    fleet.faults(found.address)
    assert found.open_sessions == 0


def read(bmc: EmulatedBmc, *subsets: str, **access: Any) -> dict[str, Any]:
    platform = next(one["platform"] for one in bmc.fleet.bmcs if one["address"] == bmc.address)
    if platform == "multi_node":
        access.setdefault("system_id", "Node2")
    with bmc.opened(**access) as session:
        return read_info(session, subsets)


def test_every_subset_on_every_platform(bmc: EmulatedBmc) -> None:
    info = read(bmc, *SUBSETS)
    assert list(info) == SUBSETS == list(KEYS)
    json.dumps(info)
    for subset, keys in KEYS.items():
        value = info[subset]
        for one in value if isinstance(value, list) else [value]:
            assert one is None or keys <= set(one), subset
    assert info["system"]["manufacturer"] or info["system"]["model"]
    assert info["power"]["state"] == "on" and info["power"]["resets"]
    assert info["memory"] is None or info["memory"]["total_gib"]
    assert info["accounts"][0]["username"]
    assert any(isinstance(one["reading"], (int, float)) for one in info["sensors"])


def test_only_what_is_asked_for_is_read(fleet: Fleet) -> None:
    bmc = bmc_of(fleet, "openbmc")
    fleet.reset_statistics()
    assert list(read(bmc, "power")) == ["power"]
    # root, login, Systems, the system, logout; one more where $expand does not work
    assert fleet.statistics()["requests"] <= 6
    assert list(read(bmc, "health", "system")) == ["system", "health"]


def test_gpus_of_a_baseboard_belong_to_their_host(fleet: Fleet) -> None:
    gpus = read(bmc_of(fleet, "gb200"), "gpus")["gpus"]
    assert gpus["count"] and len(gpus["devices"]) == gpus["count"]


def test_the_boot_that_is_told_is_the_next_one(fleet: Fleet) -> None:
    """iDRAC10 keeps it in the settings object, and shows the last one at the system."""
    bmc = bmc_of(fleet, "idrac10")
    unset = read(bmc, "boot")["boot"]
    assert (unset["enabled"], unset["pending"]) == ("disabled", False)
    with bmc.opened() as session:
        chosen = session.system()
        apply_boot(session, plan_boot(session, chosen, read_boot(session, chosen), BootWanted("once", "pxe")))
        shown = session.fresh(chosen.path)["Boot"]["BootSourceOverrideEnabled"]
    waiting = read(bmc, "boot")["boot"]
    assert shown == "Disabled"
    assert (waiting["enabled"], waiting["target"].lower(), waiting["pending"]) == ("once", "pxe", True)


def test_an_unknown_subset_is_refused(fleet: Fleet) -> None:
    with pytest.raises(BadInput) as caught:
        read(bmc_of(fleet, "openbmc"), "power", "weather")
    assert (caught.value.found, "power" in caught.value.expected) == ("weather", True)


def test_what_a_bmc_says_is_cleaned(fleet: Fleet) -> None:
    bmc = bmc_of(fleet, "intel")
    fleet.faults(bmc.address, hostile_strings={})
    try:
        said = json.dumps(read(bmc, *SUBSETS))
    finally:
        fleet.faults(bmc.address)
    assert "{{" not in said and "{%" not in said and "\\u001b" not in said and "\\u202e" not in said


@pytest.mark.parametrize(
    ("fault", "options"),
    [
        ("random_401", {"rate": 0.2}),
        ("unavailable", {"retry_after": 1, "times": 2}),
        ("drop_mid_body", {"rate": 0.2, "methods": ["GET", "DELETE"]}),
        ("truncated", {"rate": 0.2, "methods": ["GET"]}),
        ("not_json", {"rate": 0.2, "methods": ["GET"]}),
        ("broken_expand", {}),
        ("endless_paging", {}),
        ("endless_links", {}),
        ("huge_body", {"bytes": 40_000_000, "methods": ["GET"], "rate": 0.2}),
    ],
)
def test_with_a_fault_what_can_be_read_or_a_typed_error(fleet: Fleet, fault: str, options: dict[str, Any]) -> None:
    bmc = bmc_of(fleet, "generic")
    fleet.faults(bmc.address, **{fault: options})
    try:
        info = read(bmc, "system", "power", "health", "firmware", "logs", "sensors", deadline=10.0)
    except HearthError as error:
        assert error.type != "HearthError"
    else:
        assert info["power"]["state"] == "on"
    finally:
        fleet.faults(bmc.address)
    assert bmc.open_sessions == 0
