# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Host records from documents, without a server."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core.endpoint import Endpoint
from ansible_collections.hearth.datacenter.plugins.module_utils._core.trust import Peer, Trust
from ansible_collections.hearth.datacenter.plugins.module_utils._redfish.host_record import (
    BmcView,
    MachineView,
    bmc_record,
    power_state,
    server_record,
    worst_health,
)
from ansible_collections.hearth.datacenter.plugins.module_utils._redfish.platforms.index import platform_of
from tests.unit.plugins.module_utils._redfish.trees import chassis, system

NOON = datetime(2026, 11, 21, 12, 0, 0, tzinfo=timezone.utc)


def bmc(root: dict[str, Any] | None = None, **more: Any) -> BmcView:
    root = {"RedfishVersion": "1.17.0"} if root is None else root
    return BmcView(Endpoint("192.0.2.10"), Trust("verify"), platform_of(root), root, systems=1, **more)


def record(document: dict[str, Any], root: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return server_record(bmc(root), MachineView(path="/redfish/v1/Systems/1", system=document, **more), NOON)


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ("On", "on"), ("Off", "off"), ("PoweringOn", "powering_on"), ("poweringoff", "powering_off"),
        ("PAUSED", "paused"), ("Reset", None), (None, None), (True, None), ({}, None),
    ],
)  # fmt: skip
def test_power_states_come_in_our_words(said: Any, state: str | None) -> None:
    assert power_state(said) == state


def test_a_machine_is_as_healthy_as_its_sickest_part() -> None:
    assert worst_health("OK", "Warning") == "warning"
    assert worst_health("Critical", "OK") == "critical"
    assert worst_health("OK", None) == "ok"
    assert worst_health("Fine", None, 7) is None


@pytest.mark.parametrize("said", ["", "Default string", "0123456789", "To be filled by O.E.M.", None, "00000000"])
def test_a_meaningless_serial_gives_way_to_the_chassis(said: str | None) -> None:
    machine = record(system(SerialNumber=said), chassis=chassis("1"))
    assert machine["serial"] == "CH-1-55"
    assert machine["chassis_serial"] == "CH-1-55"


def test_two_meaningless_serials_are_none() -> None:
    assert record(system(SerialNumber="None"), chassis=chassis("1", SerialNumber="Default string"))["serial"] is None


def test_the_service_tag_stands_beside_the_serial() -> None:
    root = {"RedfishVersion": "1.17.0", "Vendor": "Dell", "Oem": {"Dell": {"ServiceTag": "ABC1234"}}}
    machine = record(system(SerialNumber="CNIVC0014M0000", SKU="ABC1234"), root)
    assert (machine["serial"], machine["service_tag"], machine["sku"]) == ("CNIVC0014M0000", "ABC1234", "ABC1234")


def test_a_dummy_uuid_is_none() -> None:
    assert record(system(UUID="03000200-0400-0500-0006-000700080009"))["uuid"] is None


def test_a_host_that_is_off_and_unknown_has_no_cpus_rather_than_zero() -> None:
    machine = record(system(ProcessorSummary={"Count": 0}, MemorySummary={"TotalSystemMemoryGiB": 0.0}))
    assert machine["cpus"] is None and machine["memory_gib"] is None


def test_the_root_tells_firmware_and_mac_where_the_platform_has_them_there() -> None:
    hpe = {"RedfishVersion": "1.6.0", "Oem": {"Hpe": {"Manager": [{"ManagerFirmwareVersion": "2.72"}]}}}
    assert bmc_record(bmc(hpe), MachineView())["firmware"] == "2.72"
    dell = {"RedfishVersion": "1.17.0", "Oem": {"Dell": {"ManagerMACAddress": "B0:7B:25:D6:51:82"}}}
    assert bmc_record(bmc(dell), MachineView())["mac"] == ["b0:7b:25:d6:51:82"]


def test_a_bmc_that_never_spoke_claims_no_protocol_and_no_platform() -> None:
    silent = bmc_record(bmc({}), MachineView(), state="unreachable")
    assert (silent["protocol"], silent["platform"], silent["vendor"]) == ("", "", None)
    assert silent["address"] == "192.0.2.10"


def test_the_service_uuid_is_that_of_the_root_at_every_level() -> None:
    root = {"RedfishVersion": "1.17.0", "UUID": "92384634-2938-2342-8820-489239905423"}
    manager = {"UUID": "58893887-8974-2487-2389-841168418919"}
    assert bmc_record(bmc(root), MachineView(manager=manager))["uuid"] == "92384634-2938-2342-8820-489239905423"
    assert bmc_record(bmc(), MachineView(manager=manager))["uuid"] == "58893887-8974-2487-2389-841168418919"


@pytest.mark.parametrize(("how", "verified"), [("ca", True), ("pin", True), ("off", False), ("none", False)])
def test_verified_means_by_ca_or_by_pin(how: str, verified: bool) -> None:
    peer = Peer("c" * 64, "d" * 64, how != "none", how)
    shown = bmc_record(bmc(peer=peer), MachineView())
    assert shown["verified"] is verified
    assert shown["fingerprint"] == {"spki_sha256": "d" * 64, "cert_sha256": "c" * 64}


@pytest.mark.parametrize(
    ("modules", "present"),
    [([], False), ([{"Status": {"State": "Absent"}}], False), ([{"InterfaceType": "TPM2_0"}], True), (None, None)],
)
def test_no_tpm_is_told_apart_from_not_told(modules: Any, present: bool | None) -> None:
    from ansible_collections.hearth.datacenter.plugins.module_utils._redfish.security import tpm_of

    told = tpm_of(None, {"TrustedModules": modules}, None, each=False)  # type: ignore[arg-type]
    assert (told["present"] if told else None) == present
