# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan: which BMC is where, of which platform, with which identity and faults."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.emulators.redfish.personalities.index import PERSONALITIES
from tests.emulators.redfish.plan import FaultShare, Plan, PlanError, addresses, fault_map, platform_names, units


def plan(bmcs: int = 100, network: str = "127.43.0.0/16", **more: object) -> Plan:
    return Plan(bmcs, network, **{"platforms": {"generic": 1}, **more})  # type: ignore[arg-type]


def test_addresses_are_the_first_hosts_of_the_network() -> None:
    assert addresses(plan(3, "127.43.8.0/29")) == ["127.43.8.1", "127.43.8.2", "127.43.8.3"]


def test_localhost_itself_is_left_to_others() -> None:
    assert addresses(plan(2, "127.0.0.0/24")) == ["127.0.0.2", "127.0.0.3"]


@pytest.mark.parametrize(
    ("network", "says"),
    [("10.0.0.0/8", "loopback"), ("127.43.0.0/99", "--network"), ("127.43.0.0/29", "room for 6"), ("x", "--network")],
)
def test_a_network_that_cannot_be_is_refused_with_the_reason(network: str, says: str) -> None:
    with pytest.raises(PlanError, match=says):
        addresses(plan(7, network))


def test_platform_shares_are_exact_and_mixed_along_the_rack() -> None:
    names = platform_names(plan(200, platforms={"openbmc": 5, "idrac9": 3, "generic": 2}))
    assert Counter(names) == {"openbmc": 100, "idrac9": 60, "generic": 40}
    assert Counter(names[:10]) == {"openbmc": 5, "idrac9": 3, "generic": 2}


@pytest.mark.parametrize("platforms", [{}, {"generic": 0}, {"generic": -1}])
def test_platforms_without_weight_are_refused(platforms: dict[str, int]) -> None:
    with pytest.raises(PlanError):
        platform_names(plan(platforms=platforms))


def test_an_unknown_platform_is_named_with_those_that_are_known() -> None:
    with pytest.raises(PlanError, match=r"no personality vax.*generic"):
        list(units(plan(platforms={"vax": 1}), PERSONALITIES))


def test_every_identity_is_its_own_and_the_same_in_each_run() -> None:
    mix = dict.fromkeys(PERSONALITIES, 1)
    made = [unit for unit, _dummy in units(plan(10_000, "127.0.0.0/8", platforms=mix), PERSONALITIES)]
    again = [unit for unit, _dummy in units(plan(10_000, "127.0.0.0/8", platforms=mix), PERSONALITIES)]
    assert made == again
    assert len({unit.uuid for unit in made}) == 10_000
    assert len({unit.serial for unit in made}) == 10_000
    assert len({unit.mac(port) for unit in made for port in (0, 1, 255)}) == 30_000
    assert len({(unit.rack, unit.slot) for unit in made}) == 10_000


def test_another_seed_is_another_fleet() -> None:
    one = {unit.uuid for unit, _dummy in units(plan(seed=1), PERSONALITIES)}
    two = {unit.uuid for unit, _dummy in units(plan(seed=2), PERSONALITIES)}
    assert not one & two


def test_faults_fall_on_exact_shares_of_different_bmcs() -> None:
    faults = (FaultShare("black_hole", percent=5), FaultShare("refused", percent=1), FaultShare("restart", count=3))
    found = fault_map(plan(1000, faults=faults))
    assert Counter(name for names in found.values() for name in names) == {
        "black_hole": 50,
        "refused": 10,
        "restart": 3,
    }
    assert all(len(names) == 1 for names in found.values())
    assert found == fault_map(plan(1000, faults=faults))


def test_a_fault_of_all_is_beside_the_others() -> None:
    faults = (FaultShare("wrong_etag"), FaultShare("refused", percent=10))
    found = fault_map(plan(20, faults=faults))
    assert len(found) == 20
    assert sum("refused" in names for names in found.values()) == 2
