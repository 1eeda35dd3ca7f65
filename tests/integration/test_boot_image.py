# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""playbooks/boot_image.yml: machines boot from an image, and what fails leaves nothing set."""

from __future__ import annotations

import pathlib
import typing as t

import pytest

from tests.emulators.redfish.fleet import Fleet
from tests.integration.discovered_hosts import DiscoveredHosts

pytest.importorskip("sushy", reason="the Python library sushy is not installed")

PLAYBOOK = "hearth.datacenter.boot_image"
URL = "http://10.0.0.9/images/live.iso"
PLATFORMS = {"idrac9": 1, "ilo6": 1, "supermicro": 1, "openbmc": 1}
STATE = [
    {"hearth.datacenter.redfish_virtual_media": {"state": "ejected", "image": URL}, "check_mode": True},
    {"hearth.datacenter.redfish_boot": {"state": "disabled"}, "check_mode": True},
]


@pytest.fixture
def fleet() -> t.Iterator[Fleet]:
    with Fleet(len(PLATFORMS), "127.62.26.0/24", platforms=PLATFORMS, options=["--power-seconds", "0.2"]) as fleet:
        yield fleet
        assert fleet.statistics()["sessions_open"] == 0


@pytest.fixture
def hosts(fleet: Fleet, tmp_path: pathlib.Path) -> DiscoveredHosts:
    return DiscoveredHosts(tmp_path, fleet)


def image_and_override(hosts: DiscoveredHosts) -> dict[str, tuple[bool, bool]]:
    """Host → whether the image is in, and whether an override is set."""
    ran = hosts.play(STATE)
    return {host: t.cast("tuple[bool, bool]", tuple(one["changed"] for one in ran.of(host))) for host in hosts.hosts}


def restarts(hosts: DiscoveredHosts) -> int:
    return sum(result["changed"] for result in hosts.ran(0, "").results if "power" in result)


def test_each_machine_boots_from_the_image_and_it_is_taken_out_again(hosts: DiscoveredHosts) -> None:
    checked = hosts.playbook(PLAYBOOK, "-e", f"boot_image_url={URL}", "--check", "--diff")
    assert checked.code == 0, checked.said
    assert set(image_and_override(hosts).values()) == {(False, False)}

    ran = hosts.playbook(PLAYBOOK, "-e", f"boot_image_url={URL}", "-e", "boot_image_method=force")
    assert ran.code == 0, ran.said
    assert restarts(hosts) == len(PLATFORMS)
    # the image is in, and the boot has used the override up
    assert set(image_and_override(hosts).values()) == {(True, False)}

    ran = hosts.playbook(PLAYBOOK, "-e", "boot_image_state=ejected")
    assert ran.code == 0, ran.said
    assert set(image_and_override(hosts).values()) == {(False, False)}


def test_a_machine_whose_bmc_refuses_the_image_is_not_restarted(hosts: DiscoveredHosts) -> None:
    ran = hosts.playbook(PLAYBOOK, "-e", "boot_image_url=http://nobody.invalid/live.iso")
    assert ran.code != 0 and restarts(hosts) == 0
    said = " ".join(ran.said.split())
    assert "Insert the image: HTTP 400" in said and "The machine boots by its own order." in said


def test_a_restart_that_fails_leaves_neither_image_nor_override(hosts: DiscoveredHosts, fleet: Fleet) -> None:
    for bmc in fleet.bmcs:
        # an operating system that does not end
        fleet.admin("POST", f"/bmcs/{bmc['address']}/manners", {"graceful_off_seconds": 600})
    ran = hosts.playbook(PLAYBOOK, "-e", f"boot_image_url={URL}", "-e", "boot_image_timeout=2")
    assert ran.code != 0
    assert "Restart the machine" in ran.said and "The image is not in." in " ".join(ran.said.split())
    assert set(image_and_override(hosts).values()) == {(False, False)}


def test_what_is_missing_is_asked_for(hosts: DiscoveredHosts) -> None:
    ran = hosts.playbook(PLAYBOOK)
    assert ran.code != 0 and "boot_image_url" in ran.said
