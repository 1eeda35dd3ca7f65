# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Replayed captures: served as they stand, with or without a login."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.emulators.redfish.fleet import Fleet
from tests.emulators.redfish.plan import PlanError
from tests.emulators.redfish.replay import captures, read_tree
from tests.unit.emulators.raw_client import Client

ROOT = "/redfish/v1"

CAPTURE: dict[str, Any] = {
    "": {"@odata.id": "/redfish/v1/", "@odata.type": "#ServiceRoot.v1_0_0.ServiceRoot", "Vendor": "Strange"},
    "Systems": {
        "@odata.type": "#ComputerSystemCollection.ComputerSystemCollection",
        "Members": [{"@odata.id": "/redfish/v1/Systems/A"}, {"@odata.id": "/redfish/v1/Systems/gone"}],
        "Members@odata.count": 2,
    },
    "Systems/A": {"Id": "A", "SerialNumber": " ", "Oem": {"Weird": [None, {}]}},
    "Odd": {"@odata.type": "#OddCollection.OddCollection", "Members": None},
    "Odder": {"@odata.type": "#OddCollection.OddCollection"},
    "Odder/Child": {"Id": "Child"},
    "Paged": {"Members": [], "Members@odata.count": 99, "Members@odata.nextLink": "/redfish/v1/Paged?$skip=50"},
    "Paged?$skip=50": {"Members": [{"@odata.id": "/redfish/v1/Paged/50"}], "Members@odata.count": 99},
    "odata": {"value": [], "captured": True},
}


def write(folder: Path, capture: dict[str, Any]) -> Path:
    for path, body in capture.items():
        file = folder / path / "index.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(body if isinstance(body, str) else json.dumps(body), encoding="utf-8")
    return folder


def test_every_resource_is_served_as_it_stands(tmp_path: Path) -> None:
    folder = write(tmp_path / "capture", CAPTURE)
    with Fleet(None, "127.43.5.0/24", options=["--replay", str(folder), "--no-authentication"]) as fleet:
        assert [bmc["platform"] for bmc in fleet.bmcs] == ["capture"]
        with Client(fleet, fleet.addresses[0]) as client:
            for path, body in CAPTURE.items():
                answer = client.get(f"{ROOT}/{path}".rstrip("/"))
                assert answer.status == 200
                found = answer.json()
                found.pop("@odata.id")
                assert found == {key: value for key, value in body.items() if key != "@odata.id"}
            assert client.get(f"{ROOT}/Systems/gone").status == 404


@pytest.mark.parametrize(("features", "expands"), [({"ExpandQuery": {"NoLinks": True}}, True), ({}, False)])
def test_it_takes_the_queries_that_its_root_says(tmp_path: Path, features: dict[str, Any], expands: bool) -> None:
    folder = write(tmp_path / "capture", {**CAPTURE, "": {"ProtocolFeaturesSupported": features}})
    with Fleet(None, "127.43.5.0/24", options=["--replay", str(folder), "--no-authentication"]) as fleet:
        with Client(fleet, fleet.addresses[0]) as client:
            member = client.get(f"{ROOT}/Systems?$expand=.").json()["Members"][0]
            assert ("SerialNumber" in member) == expands


def test_a_capture_without_sessions_gets_them_so_that_one_can_log_in(tmp_path: Path) -> None:
    folder = write(tmp_path / "capture", CAPTURE)
    with Fleet(3, "127.43.5.0/24", options=["--replay", str(folder)]) as fleet:
        with Client(fleet, fleet.addresses[2]) as client:
            assert client.get(f"{ROOT}/Systems").status == 401
            assert client.log_in().status == 201
            assert client.get(f"{ROOT}/Systems/A").json()["SerialNumber"] == " "
            assert "SessionService" not in client.get(ROOT).json()
            assert client.log_out().status == 204


def test_a_folder_of_captures_is_one_bmc_each(tmp_path: Path) -> None:
    for name in ("beta", "alpha"):
        write(tmp_path / name, {**CAPTURE, "": {"Vendor": name}})
    (tmp_path / "LICENSES").mkdir()
    with Fleet(None, "127.43.5.0/24", options=["--replay", str(tmp_path)]) as fleet:
        assert [bmc["platform"] for bmc in fleet.bmcs] == ["alpha", "beta"]
        for bmc in fleet.bmcs:
            with Client(fleet, bmc["address"]) as client:
                assert client.get(ROOT).json()["Vendor"] == bmc["platform"]


def test_its_own_sessions_are_kept_where_it_has_some(tmp_path: Path) -> None:
    sessions = {"@odata.type": "#SessionCollection.SessionCollection", "Members": [], "Members@odata.count": 0}
    folder = write(tmp_path / "capture", {**CAPTURE, "SessionService/Sessions": sessions})
    tree = read_tree(folder)
    assert f"{ROOT}/SessionService" not in tree
    assert tree[f"{ROOT}/SessionService/Sessions"] == sessions


@pytest.mark.parametrize(("text", "says"), [("{", "is no JSON"), ("[]", "is no JSON object")])
def test_a_broken_capture_is_named(tmp_path: Path, text: str, says: str) -> None:
    write(tmp_path, {"": {}, "Systems": text})
    with pytest.raises(PlanError, match=says):
        read_tree(tmp_path)


def test_an_empty_folder_is_no_capture(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="neither index.json nor"):
        captures(tmp_path)
