# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The simulated machine: its power takes time, and it knows where it is going."""

from __future__ import annotations

import pytest

from tests.emulators.redfish.machine import SimulatedMachine
from tests.emulators.redfish.personality import Manners
from tests.unit.emulators.conftest import Time

MANNERS = Manners(power_on_seconds=4, power_off_seconds=2, graceful_off_seconds=30, boot_seconds=10)


@pytest.fixture
def machine(time: Time) -> SimulatedMachine:
    return SimulatedMachine(MANNERS, time)


def test_it_runs_at_first(machine: SimulatedMachine) -> None:
    assert (machine.power_state, machine.boot_progress, machine.powered_on) == ("On", "OSRunning", True)


def test_forced_off_takes_its_seconds(machine: SimulatedMachine, time: Time) -> None:
    assert machine.reset("ForceOff")
    assert machine.power_state == "PoweringOff"
    time.passes(1.9)
    assert machine.power_state == "PoweringOff"
    time.passes(0.2)
    assert (machine.power_state, machine.boot_progress, machine.powered_on) == ("Off", "None", False)


def test_on_boots_by_and_by(machine: SimulatedMachine, time: Time) -> None:
    machine.reset("ForceOff")
    time.passes(2)
    assert machine.reset("On")
    assert machine.power_state == "PoweringOn"
    time.passes(4)
    assert (machine.power_state, machine.boot_progress) == ("On", "PrimaryProcessorInitializationStarted")
    time.passes(9)
    assert machine.boot_progress == "OSBootStarted"
    time.passes(1)
    assert machine.boot_progress == "OSRunning"


@pytest.mark.parametrize("reset_type", ["On", "ForceOn"])
def test_on_while_on_is_reached_already(machine: SimulatedMachine, reset_type: str) -> None:
    assert not machine.reset(reset_type)


def test_off_while_off_is_reached_already(machine: SimulatedMachine, time: Time) -> None:
    machine.reset("ForceOff")
    time.passes(2)
    assert not machine.reset("ForceOff")
    assert not machine.reset("GracefulShutdown")
    assert not machine.reset("ForceRestart")


def test_a_forced_off_overtakes_a_graceful_one(machine: SimulatedMachine, time: Time) -> None:
    machine.reset("GracefulShutdown")
    time.passes(5)
    assert machine.power_state == "PoweringOff"
    assert machine.reset("ForceOff")
    time.passes(2)
    assert machine.power_state == "Off"


def test_a_power_cycle_goes_through_off(machine: SimulatedMachine, time: Time) -> None:
    machine.reset("PowerCycle")
    assert machine.power_state == "PoweringOff"
    time.passes(2)
    assert machine.power_state == "PoweringOn"
    time.passes(4)
    assert machine.power_state == "On"


def test_a_forced_restart_keeps_the_power_and_boots_anew(machine: SimulatedMachine) -> None:
    assert machine.reset("ForceRestart")
    assert (machine.power_state, machine.boot_progress) == ("On", "PrimaryProcessorInitializationStarted")


def test_the_power_button_toggles(machine: SimulatedMachine, time: Time) -> None:
    machine.reset("PushPowerButton")
    time.passes(30)
    assert machine.power_state == "Off"
    machine.reset("PushPowerButton")
    time.passes(4)
    assert machine.power_state == "On"


def test_pause_and_resume(machine: SimulatedMachine) -> None:
    assert machine.reset("Pause")
    assert machine.power_state == "Paused"
    assert not machine.reset("Pause")
    assert machine.reset("Resume")
    assert machine.power_state == "On"
