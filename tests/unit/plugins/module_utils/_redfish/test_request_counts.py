# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The requests of each level, counted by the server: the table of discovery.py, held to its word."""

from __future__ import annotations

import pytest

from tests.unit.plugins.module_utils._redfish.looking import look, only
from tests.unit.plugins.module_utils._redfish.replay import Manners, Replay, Tree
from tests.unit.plugins.module_utils._redfish.trees import ROOT, chassis, hgx, plain, ref, with_systems

DELL = {"Vendor": "Dell", "Oem": {"Dell": {"ManagerMACAddress": "b0:7b:25:00:00:01"}}}


def requests(tree: Tree, details: str, manners: Manners | None = None, **more: bool) -> int:
    with Replay(tree, manners) as bmc:
        outcome = look(bmc, details=details, **more)
        only(outcome)
        assert outcome.counters["requests"] == len(bmc.requests)
        return len(bmc.requests)


@pytest.mark.parametrize(("details", "number"), [("minimal", 5), ("standard", 9), ("full", 19)])
def test_a_plain_server_without_expand(details: str, number: int) -> None:
    # full: 9 + 2 processors + 1 + 2 NICs + 1 + 1 storage unit + 3 drives
    assert requests(plain(), details) == number


@pytest.mark.parametrize(("details", "number"), [("minimal", 4), ("standard", 8), ("full", 13)])
def test_a_plain_server_with_expand(details: str, number: int) -> None:
    # full: 8 + NICs + storage units + 3 drives
    assert requests(plain(DELL), details) == number


@pytest.mark.parametrize(("details", "number"), [("minimal", 4), ("standard", 8)])
def test_basic_saves_the_logout(details: str, number: int) -> None:
    assert requests(plain(), details, Manners(sessions=False)) == number


def test_each_gpu_costs_a_request_without_expand_and_none_with() -> None:
    processors = ("CPU1", "CPU2", "GPU1", "GPU2", "GPU3", "GPU4")
    assert requests(plain(processors=processors), "standard") == 9 + 4
    assert requests(plain(DELL, processors=processors), "standard") == 8


def test_a_baseboard_costs_itself_its_processors_and_its_gpus() -> None:
    assert requests(hgx(), "standard") == 9 + 2 + 4


def test_an_enclosure_costs_one_request_where_the_chassis_has_no_rack() -> None:
    tree = plain()
    tree[f"{ROOT}/Chassis/1"] = chassis("1", Location=None, Links={"ContainedBy": ref(f"{ROOT}/Chassis/E")})
    tree[f"{ROOT}/Chassis/E"] = chassis("E")
    assert requests(tree, "standard") == 10


def test_a_second_system_costs_only_what_is_its_own() -> None:
    with Replay(with_systems("a", "b")) as bmc:
        look(bmc)
        assert len(bmc.requests) == 9 + 3  # the system, its Secure Boot, its processors


def test_bmc_macs_cost_nothing_where_the_root_tells_them() -> None:
    assert requests(plain(), "standard", read_bmc_macs=True) == 9 + 2
    assert requests(plain(DELL), "standard", read_bmc_macs=True) == 8


def test_nothing_is_asked_twice() -> None:
    with Replay(with_systems("a", "b")) as bmc:
        look(bmc, details="full")
        gets = [path for method, path in bmc.requests if method == "GET"]
        assert len(gets) == len(set(gets))
