# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which chassis controls lead from a power state to the wanted one."""

from __future__ import annotations

from typing import List, Tuple

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._ipmi import power
from ansible_collections.hearth.datacenter.plugins.module_utils._ipmi.power import WantedPower, plan_power
from ansible_collections.hearth.datacenter.plugins.module_utils._redfish import power_plan


def steps(now: str, state: str, method: str = "graceful") -> List[Tuple[str, str, float]]:
    found = plan_power(now, WantedPower(state, method, graceful_timeout=300, force_timeout=60))
    return [(step.reset_type, step.target, step.timeout) for step in found]


@pytest.mark.parametrize("method", power.METHODS)
def test_nothing_is_sent_to_a_machine_that_is_as_wanted(method: str) -> None:
    assert steps("on", "on", method) == steps("off", "off", method) == []


@pytest.mark.parametrize("state", ["on", "restarted", "power_cycled"])
@pytest.mark.parametrize("method", power.METHODS)
def test_machine_that_is_off_needs_only_its_power(state: str, method: str) -> None:
    assert steps("off", state, method) == [("On", "on", 60)]


def test_graceful_waits_longer_than_force() -> None:
    assert steps("on", "off") == [("GracefulShutdown", "off", 300)]
    assert steps("on", "off", "force") == [("ForceOff", "off", 60)]


def test_force_is_the_second_choice_only_where_it_was_asked_for() -> None:
    (graceful,) = plan_power("on", WantedPower("off"))
    (both,) = plan_power("on", WantedPower("off", "graceful_then_force"))
    assert graceful.otherwise is None
    assert both.otherwise is not None and both.otherwise.reset_type == "ForceOff"


def test_restart_is_a_reset_by_force_and_a_shutdown_and_a_start_otherwise() -> None:
    assert steps("on", "restarted", "force") == [("ForceRestart", "on", 60)]
    assert [step[0] for step in steps("on", "restarted")] == ["GracefulShutdown", "On"]


def test_power_cycle_can_be_seen_to_happen() -> None:
    """IPMI's own (02h) leaves nothing to read back; and the power supplies get their moment without load."""
    assert [step[0] for step in steps("on", "power_cycled", "force")] == ["ForceOff", "On"]
    assert plan_power("on", WantedPower("power_cycled", "force"))[1].pause_before >= 1


def test_states_and_methods_are_those_of_redfish() -> None:
    assert (power.STATES, power.METHODS) == (power_plan.STATES, power_plan.METHODS)


def test_time_for_all_steps_is_no_less_than_what_they_may_take() -> None:
    for method in power.METHODS:
        for state in power.STATES:
            wanted = WantedPower(state, method, 10, 5)
            planned = list(plan_power("on", wanted))
            planned += [step.otherwise for step in planned if step.otherwise is not None]
            assert sum(step.timeout + step.pause_before for step in planned) <= wanted.longest
