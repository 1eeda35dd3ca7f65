# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Quirks that a platform's record names, each on a BMC that misbehaves that way."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core.attempts import Attempts
from ansible_collections.hearth.datacenter.plugins.module_utils._core.deadline import Deadline
from ansible_collections.hearth.datacenter.plugins.module_utils._core.endpoint import Endpoint
from ansible_collections.hearth.datacenter.plugins.module_utils._core.errors import Busy, Unsupported
from ansible_collections.hearth.datacenter.plugins.module_utils._core.transport import Transport
from ansible_collections.hearth.datacenter.plugins.module_utils._core.trust import Trust
from ansible_collections.hearth.datacenter.plugins.module_utils._redfish.credential import Credential
from ansible_collections.hearth.datacenter.plugins.module_utils._redfish.login import log_in
from ansible_collections.hearth.datacenter.plugins.module_utils._redfish.platforms.record import Platform
from tests.unit.plugins.module_utils._redfish.looking import SITE, look, look_at, only
from tests.unit.plugins.module_utils._redfish.replay import Manners, Replay
from tests.unit.plugins.module_utils._redfish.trees import ROOT, collection, hgx, plain, ref

ADVERTISED = {
    "ProtocolFeaturesSupported": {"ExpandQuery": {"ExpandAll": True, "Levels": True, "MaxLevels": 6, "NoLinks": True}}
}
ILO: dict[str, Any] = {"Vendor": "HPE", "Oem": {"Hpe": {"Manager": [{"ManagerType": "iLO 5"}]}}}
ILO7: dict[str, Any] = {"Vendor": "HPE", "Oem": {"Hpe": {"Manager": [{"ManagerType": "iLO 7"}]}}}
AMI: dict[str, Any] = {"Vendor": "AMI", "RedfishVersion": "1.11.0", "Oem": {"Ami": {"RtpVersion": "13.03"}}}


@pytest.mark.parametrize(
    "root",
    [
        AMI,
        {"Vendor": "NVIDIA", "Product": "GB200 NVL"},
        {"Oem": {"Supermicro": {}}},
        {"Oem": {"ts_fujitsu": {}}},
        {"Oem": {"Hp": {"Manager": [{"ManagerType": "iLO 4"}]}}},
        {"Links": {"ManagerProvidingService": ref(f"{ROOT}/Managers/bmc")}},
        {"Vendor": "Stranger"},
    ],
    ids=["megarac", "gb200", "supermicro", "irmc", "ilo4", "openbmc", "generic"],
)
def test_expand_that_is_advertised_and_not_proven_is_never_used(root: dict[str, Any]) -> None:
    with Replay(plain({**root, **ADVERTISED}), Manners(expand="broken")) as bmc:
        only(look(bmc, details="full"))
        assert not any("?" in path for path in bmc.paths())


@pytest.mark.parametrize("root", [{"Vendor": "Dell"}, ILO, {"Vendor": "Lenovo"}], ids=["idrac9", "ilo5", "xcc"])
def test_expand_that_is_proven_is_used_without_looking_at_what_is_advertised(root: dict[str, Any]) -> None:
    with Replay(plain(root)) as bmc:
        only(look(bmc))
        assert any("$expand=" in path for path in bmc.paths())


def test_an_ilo_before_7_gets_a_connection_for_each_request() -> None:
    with Replay(plain(ILO)) as bmc:
        outcome = look(bmc)
        assert bmc.connections == outcome.counters["requests"] - 1  # the root's connection serves the login, too


def test_an_ilo_7_keeps_its_connection() -> None:
    with Replay(plain(ILO7)) as bmc:
        look(bmc)
        assert bmc.connections == 1


def test_an_ilo_is_asked_for_gzip_since_identity_is_406() -> None:
    with Replay(plain(ILO), Manners(gzip=True, identity_406=True)) as bmc:
        assert only(look(bmc))[1]["serial"] == "SN-1-77"
        assert bmc.refused_encodings <= 1, "only the root, before the platform is known"


@pytest.mark.parametrize("first", ["ghost", "DGX"])
def test_bogus_members_of_a_dgx_are_no_news(first: str) -> None:
    tree = plain(AMI)
    tree[f"{ROOT}/Systems/DGX"] = {**tree[f"{ROOT}/Systems/1"], "Id": "DGX", "Model": "DGXH100"}
    names = [first, "DGX" if first == "ghost" else "ghost"]
    tree.update(collection(f"{ROOT}/Systems", *(f"{ROOT}/Systems/{name}" for name in names)))
    bmc, machine = only(look_at(tree))
    assert bmc["platform"] == "dgx_h100"
    assert bmc["warnings"] == []


def test_what_is_behind_hgx_and_asleep_is_asked_once_and_not_waited_for() -> None:
    tree = hgx()
    tree[ROOT].update(Vendor="NVIDIA", Product="P3809")
    asleep = {path: 503 for path in tree if "HGX_" in path}
    with Replay(tree, Manners(status=asleep)) as bmc:
        bmc_record, machine = only(look(bmc))
        assert machine["power_state"] == "on"
        assert all(bmc.asked(path) <= 1 for path in asleep)


def test_a_bluefield_with_null_members_and_an_empty_uuid_is_a_dpu() -> None:
    tree = plain({"Vendor": "Nvidia", "Product": "BlueField-3 DPU"}, UUID="", ProcessorSummary={"Count": 0})
    tree[f"{ROOT}/Systems/1/Processors"]["Members"] = None
    bmc, machine = only(look_at(tree))
    assert bmc["platform"] == "bluefield"
    assert (machine["kind"], machine["uuid"], machine["cpus"], machine["gpus"]["count"]) == ("dpu", None, None, None)


def test_a_bmc_that_refuses_queries_is_read() -> None:
    with Replay(plain({"Oem": {"ts_fujitsu": {}}}), Manners(queries=False)) as bmc:
        assert only(look(bmc, details="full"))[1]["drives"]


@pytest.mark.parametrize("etag", ['W/"1"', '""', '""1""', "1", '"a", "a"'])
def test_etags_of_every_kind_do_not_hinder_reading(etag: str) -> None:
    assert look_at(plain(), Manners(etag=etag)).root_digest


def test_links_with_slashes_at_their_end_lead_to_the_same_documents() -> None:
    tree = plain()

    def slashed(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: v + "/" if k == "@odata.id" else slashed(v) for k, v in value.items()}
        return [slashed(entry) for entry in value] if isinstance(value, list) else value

    with Replay({path: slashed(document) for path, document in tree.items()}) as bmc:
        bmc_record, machine = only(look(bmc))
        assert machine["secure_boot"] and machine["location"] and bmc_record["firmware"]
        assert bmc_record["system_id"] == "1"
        assert len(bmc.requests) == 9


def test_absolute_links_to_the_bmc_itself_are_followed() -> None:
    with Replay({}) as bmc:
        base = f"http://{bmc.address}:{bmc.port}"

        def absolute(value: Any) -> Any:
            if isinstance(value, dict):
                return {k: base + v if k == "@odata.id" else absolute(v) for k, v in value.items()}
            return [absolute(entry) for entry in value] if isinstance(value, list) else value

        bmc.tree = {path: absolute(document) for path, document in plain().items()}
        bmc_record, machine = only(look(bmc))
        assert machine["secure_boot"] and machine["location"] and bmc_record["firmware"]


# What a record may say, and no platform of today says


def transport_to(bmc: Replay) -> Transport:
    transport = Transport(Endpoint(str(bmc.address), int(bmc.port), "http"), Trust("off"), deadline=Deadline.after(10))
    transport.connect()
    return transport


def only_site() -> Attempts[Credential]:
    return Attempts((SITE,), 2, "the only BMC")


def test_a_platform_may_prefer_basic() -> None:
    with Replay(plain()) as bmc, transport_to(bmc) as transport:
        login, answer = log_in(transport, Platform(name="b", login="basic"), only_site())
        assert login.basic and login.session == ""
        assert answer is not None and answer.status == 200
        assert bmc.logins == [] and bmc.created == 0


def test_a_platform_may_forbid_basic() -> None:
    strict = Platform(name="s", basic_allowed=False, session_limit=4)
    with Replay(plain(), Manners(session_limit=0, session_full=400)) as bmc, transport_to(bmc) as transport:
        with pytest.raises(Busy, match="no session left"):
            log_in(transport, strict, only_site())
        assert bmc.credentials_seen == []
    with Replay(plain(), Manners(sessions=False)) as bmc, transport_to(bmc) as transport:
        with pytest.raises(Unsupported):
            log_in(transport, strict, only_site())
        assert bmc.credentials_seen == []
