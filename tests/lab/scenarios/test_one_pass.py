# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One machine of the rack, from its discovery to the live image that is proved by its TPM, and again.

This is the pass over the virtual rack that `make test` makes.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.playbook_run import Ran
from tests.lab.live import Live
from tests.lab.rack import Machine, Rack

MEDIA = {"hearth.datacenter.redfish_virtual_media": {"state": "ejected"}, "check_mode": True}
OVERRIDE = {"hearth.datacenter.redfish_boot": {"state": "disabled"}, "check_mode": True}


@pytest.fixture(scope="module")
def machine(rack: Rack) -> Machine:
    return rack.machines[0]


@pytest.fixture(scope="module")
def booted(live: Live, machine: Machine) -> Ran:
    return live.boot(machine, boot_live_reboot=True)


def seen(ran: Ran) -> dict[str, Any]:
    """What the machine saw of itself."""
    return next(dict(result["machine"]) for result in ran.results if "machine" in result)


def verdict(ran: Ran) -> dict[str, Any]:
    return next(dict(result["live_image_verdict"]) for result in ran.results if "live_image_verdict" in result)


def test_it_boots_into_the_live_image(booted: Ran) -> None:
    assert booted.code == 0, booted.said[-8000:]
    assert "It answers, " in booted.said


def test_the_verdict_is_that_it_runs_this_image(booted: Ran) -> None:
    assert verdict(booted)["verdict"] == "ok", verdict(booted)


def test_it_sees_what_the_rack_gave_it(booted: Ran, machine: Machine) -> None:
    inside = seen(booted)
    assert {disk["serial"]: disk["size_bytes"] for disk in inside["disks"]} == {
        disk.serial: disk.size_bytes for disk in machine.disks
    }
    assert {nic["mac"] for nic in inside["nics"]} == {nic.mac for nic in machine.nics}
    assert inside["identity"]["serial"] == machine.serial and inside["identity"]["uuid"] == machine.uuid
    assert inside["tpm"] == {"present": True, "version": "2.0"}
    assert (inside["secure_boot"], inside["lockdown"]) == (True, "integrity")
    assert inside["memory_bytes"] > 1 << 30
    for disk in machine.disks:
        assert disk.serial in booted.said  # in the table


def test_nothing_is_left_in_its_drives_or_on_the_media_server(booted: Ran, live: Live, machine: Machine) -> None:
    ran = live.tasks([MEDIA, OVERRIDE], machine)
    assert ran.code == 0, ran.said
    assert [result["changed"] for result in ran.results] == [False, False]
    assert live.published() == []


def test_the_key_of_the_boot_was_replaced(booted: Ran, live: Live, machine: Machine) -> None:
    given = next(result["live_image_node"]["ssh_host_key"] for result in booted.results if "live_image_node" in result)
    own = live.ssh(machine, "cat /etc/ssh/ssh_host_ed25519_key.pub").split()[:2]
    assert own != given.split()[:2]


def test_a_second_run_leaves_it_running(booted: Ran, live: Live, machine: Machine) -> None:
    boot = live.ssh(machine, "cat /proc/sys/kernel/random/boot_id")
    ran = live.boot(machine)
    assert ran.code == 0, ran.said[-8000:]
    assert not any(result.get("changed") for result in ran.results), ran.said
    assert verdict(ran)["verdict"] == "ok"
    assert live.ssh(machine, "cat /proc/sys/kernel/random/boot_id") == boot


def test_check_mode_says_so_and_changes_nothing(booted: Ran, live: Live, machine: Machine) -> None:
    boot = live.ssh(machine, "cat /proc/sys/kernel/random/boot_id")
    ran = live.boot(machine, words=["--check", "--diff"], boot_live_reboot=True)
    assert ran.code == 0, ran.said[-8000:]
    assert "live.iso" in ran.said and any(result.get("changed") for result in ran.results)
    assert live.ssh(machine, "cat /proc/sys/kernel/random/boot_id") == boot


def test_no_private_key_is_in_any_result(booted: Ran) -> None:
    assert "PRIVATE KEY" not in booted.said
    assert "PRIVATE KEY" not in repr(booted.results)
