# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._redfish.platforms.index import (
    PLATFORMS,
    at_path,
    platform_named,
    platform_of,
    refined,
)
from ansible_collections.hearth.datacenter.plugins.module_utils._redfish.platforms.record import Platform, Sign

AMI = {"Vendor": "AMI", "Product": "AMI Redfish Server", "Oem": {"Ami": {"RtpVersion": "1.7.0"}}}


def ilo(generation: str, key: str = "Hpe") -> dict[str, Any]:
    return {"Oem": {key: {"Manager": [{"ManagerType": generation, "ManagerFirmwareVersion": "2.72"}]}}}


@pytest.mark.parametrize(
    ("root", "name"),
    [
        ({"Vendor": "Dell", "Product": "Integrated Dell Remote Access Controller"}, "idrac9"),
        ({"Oem": {"Dell": {"ServiceTag": "ABC1234"}}}, "idrac9"),
        ({"Vendor": "Dell", "Product": "Integrated Dell Remote Access Controller 10"}, "idrac10"),
        ({"Vendor": "HPE", "Product": "ProLiant DL380 Gen10", **ilo("iLO 5")}, "ilo5"),
        ({"Vendor": "HPE", "Product": "ProLiant DL380 Gen11", **ilo("iLO 6")}, "ilo6"),
        ({"Vendor": "HPE", "Product": "ProLiant DL380 Gen12", **ilo("iLO 7")}, "ilo7"),
        (ilo("iLO 4", "Hp"), "ilo4"),
        ({"Vendor": "HPE", "Product": "ProLiant DL380 Gen10"}, "ilo5"),
        ({"Vendor": "Lenovo", "RedfishVersion": "1.15.0"}, "xcc"),
        ({"Vendor": "Lenovo", "Product": "Lenovo XClarity Controller 3"}, "xcc3"),
        ({"Oem": {"Supermicro": {}}}, "supermicro"),
        ({"Vendor": "Supermicro"}, "supermicro"),
        (AMI, "megarac"),
        ({**AMI, "Vendor": "ASRockRack"}, "megarac_asrockrack"),
        ({**AMI, "Vendor": "GIGABYTE"}, "megarac_gigabyte"),
        ({**AMI, "Vendor": "ASUSTeK"}, "megarac_asus"),
        ({"Vendor": "NVIDIA", "Product": "P3809"}, "gh200"),
        ({"Vendor": "NVIDIA", "Product": "GB200 NVL"}, "gb200"),
        ({"Vendor": "NVIDIA", "Product": "VR NVL72"}, "nvidia"),
        ({"Vendor": "Nvidia", "Product": "BlueField-3 DPU"}, "bluefield"),
        ({"Oem": {"ts_fujitsu": {}}}, "irmc"),
        ({"Vendor": "Intel Corporation"}, "intel"),
        ({"Links": {"ManagerProvidingService": {"@odata.id": "/redfish/v1/Managers/bmc"}}}, "openbmc"),
        (
            {"Vendor": "Contoso", "Links": {"ManagerProvidingService": {"@odata.id": "/redfish/v1/Managers/bmc"}}},
            "generic",
        ),
        ({"Id": "RedvirtService", "RedfishVersion": "1.5.0"}, "sushy_tools"),
        ({"Vendor": "Contoso", "Product": "Toaster"}, "generic"),
        ({}, "generic"),
    ],
)
def test_the_root_tells_the_platform(root: dict[str, Any], name: str) -> None:
    assert platform_of(root).name == name


def test_the_server_header_helps_where_the_root_says_nothing() -> None:
    assert platform_of({}, "HPE-iLO-Server/1.30").name == "ilo5"
    assert platform_of({}, "HP-iLO-Server/1.30").name == "ilo4"


@pytest.mark.parametrize(
    ("root", "of", "document", "name"),
    [
        ({"Vendor": "Dell"}, "manager", {"Model": "17G Monolithic"}, "idrac10"),
        ({"Vendor": "Dell"}, "manager", {"Model": "16G Monolithic"}, "idrac9"),
        ({"Vendor": "Lenovo"}, "manager", {"Model": "Lenovo XClarity Controller 3"}, "xcc3"),
        ({"Vendor": "Lenovo"}, "manager", {"Model": "Lenovo XClarity Controller"}, "xcc"),
        (AMI, "system", {"Model": "DGXH100", "Manufacturer": "NVIDIA"}, "dgx_h100"),
        (AMI, "system", {"Manufacturer": "ASUSTeK COMPUTER INC."}, "megarac_asus"),
        (AMI, "system", {"Manufacturer": "GIGABYTE"}, "megarac_gigabyte"),
        (AMI, "system", {"Manufacturer": "ASRockRack"}, "megarac_asrockrack"),
        (AMI, "system", {"Manufacturer": "Contoso"}, "megarac"),
        ({"Vendor": "NVIDIA", "Product": "P3809"}, "system", {"Model": "N5110_LD"}, "nvswitch"),
        ({"Vendor": "NVIDIA", "Product": "P3809"}, "system", {"Model": "GB200 NVL"}, "gb200"),
        ({}, "system", {"Manufacturer": "Intel Corporation"}, "intel"),
    ],
)
def test_a_later_document_refines_the_platform(
    root: dict[str, Any], of: str, document: dict[str, Any], name: str
) -> None:
    assert refined(platform_of(root), of, document).name == name


@pytest.mark.parametrize("value", [None, 7, True, [], ["Dell"], {"Dell": 1}, 1.5, "x" * 100000])
def test_wrong_types_in_a_root_never_raise(value: Any) -> None:
    root = dict.fromkeys(("Vendor", "Product", "RedfishVersion", "Oem", "Links", "Systems"), value)
    assert platform_of(root).name in {platform.name for platform in PLATFORMS}
    assert refined(platform_of(root), "system", root)


def test_every_platform_has_a_name_of_its_own_and_can_be_found_by_it() -> None:
    names = [platform.name for platform in PLATFORMS]
    assert len(set(names)) == len(names)
    assert all(platform_named(name).name == name for name in names)
    assert platform_named("no such").name == "generic"


def test_refinements_lead_to_platforms_that_exist() -> None:
    names = {platform.name for platform in PLATFORMS}
    assert {r.becomes for platform in PLATFORMS for r in platform.refinements} <= names


def test_a_record_with_a_broken_expression_fails_when_it_is_written() -> None:
    with pytest.raises(Exception, match="unterminated|missing"):
        Sign(vendor="(")


def test_attempts_stay_below_the_lockout_threshold() -> None:
    assert Platform(name="unknown").attempts() == 2
    assert Platform(name="strict", lockout_threshold=3).attempts() == 2
    assert Platform(name="lenient", lockout_threshold=5).attempts() == 4
    assert Platform(name="mad", lockout_threshold=1).attempts() == 1


def test_no_query_is_ever_planned_for_a_platform_that_refuses_them() -> None:
    assert all(not platform.expand for platform in PLATFORMS if not platform.queries)


def test_at_path_walks_lists_and_ends_quietly() -> None:
    root = {"Oem": {"Hpe": {"Manager": [{"ManagerType": "iLO 5"}]}}}
    assert at_path(root, "Oem/Hpe/Manager/0/ManagerType") == "iLO 5"
    assert at_path(root, "Oem/Hpe/Manager/1/ManagerType") is None
    assert at_path(root, "Oem/Hp/Manager/0") is None
