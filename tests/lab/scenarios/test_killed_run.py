# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run that is killed when its machine answers already: the next one does not take that machine for a finished one."""

from __future__ import annotations

import os
import signal
import subprocess

import pytest

from tests.integration.playbook_run import Ran
from tests.lab.live import BOOT_LIVE, Live, environment
from tests.lab.rack import Machine, Rack

EMPTY = {"hearth.datacenter.redfish_virtual_media": {"state": "ejected"}, "check_mode": True}


@pytest.fixture(scope="module")
def machine(rack: Rack) -> Machine:
    return rack.machines[0]


@pytest.fixture(scope="module")
def boot(live: Live, machine: Machine) -> str:
    """The boot that a killed run has left, with the media in and published."""
    command = ["ansible-playbook", "-i", "hearth.bmc.yml", BOOT_LIVE, "--limit", machine.slot]
    command += ["-e", "boot_live_reboot=true"]
    run = subprocess.Popen(
        command,
        cwd=live.rack.inventory,
        env=environment(live.rack),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    said = ""
    with run:
        for line in run.stdout or []:
            said += line
            if line.startswith("TASK [") and "Make a key on the node" in line:
                os.killpg(run.pid, signal.SIGKILL)
    assert run.returncode == -signal.SIGKILL, said[-6000:]
    assert len(live.published()) == 1
    assert [result["changed"] for result in live.tasks([EMPTY], machine).results] == [True]
    return live.ssh(machine, "cat /proc/sys/kernel/random/boot_id")


@pytest.fixture(scope="module")
def ran(live: Live, machine: Machine, boot: str) -> Ran:
    return live.boot(machine)


def test_the_next_run_boots_it_anew_and_judges_it(ran: Ran, live: Live, machine: Machine, boot: str) -> None:
    assert ran.code == 0, ran.said[-6000:]
    assert live.ssh(machine, "cat /proc/sys/kernel/random/boot_id") != boot
    [verdict] = [result["live_image_verdict"]["verdict"] for result in ran.results if "live_image_verdict" in result]
    assert verdict == "ok"


def test_nothing_of_either_is_left(ran: Ran, live: Live, machine: Machine) -> None:
    assert live.published() == []
    assert [result["changed"] for result in live.tasks([EMPTY], machine).results] == [False]
