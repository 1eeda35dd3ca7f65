# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every capture of real BMCs is replayed to the letter."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import pytest

from tests.emulators.redfish.fleet import CHECKOUT, Fleet
from tests.unit.emulators.raw_client import Client

CAPTURES = CHECKOUT.parent / "shared" / "captures"


def test_all_captures_are_served_as_they_stand(tmp_path: Path) -> None:
    archives = sorted(CAPTURES.glob("*.tar.xz"))
    if not archives:
        pytest.skip(f"no captures: {CAPTURES} has no *.tar.xz")
    for archive in archives:
        with tarfile.open(archive) as opened:
            opened.extractall(tmp_path / archive.name.removesuffix(".tar.xz"), filter="data")
    with Fleet(None, "127.43.23.0/24", options=["--replay", str(tmp_path)]) as fleet:
        assert len(fleet.bmcs) == len(archives)
        for bmc in fleet.bmcs:
            folder = tmp_path / bmc["platform"]
            with Client(fleet, bmc["address"]) as client:
                assert client.log_in().status == 201
                for file in folder.rglob("index.json"):
                    inside = file.parent.relative_to(folder).as_posix()
                    answer = client.get("/redfish/v1" + ("" if inside == "." else f"/{inside}"))
                    assert answer.status == 200, f"{folder.name}: {inside}"
                    expected = json.loads(file.read_text(encoding="utf-8-sig"))
                    found = answer.json()
                    if "@odata.id" not in expected:
                        found.pop("@odata.id")
                    assert found == expected, f"{folder.name}: {inside}"
                assert client.log_out().status == 204
        assert fleet.statistics()["internal_errors"] == 0
