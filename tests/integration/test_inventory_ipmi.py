# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A BMC that answers only IPMI, through the inventory plugin: found by its pong, logged in to where the user says
so."""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

import pytest

from tests.emulators.redfish.fleet import Fleet
from tests.integration.inventory_run import InventoryFolder
from tests.integration.ipmi_sim import PASSWORD, USERNAME, IpmiSim, fru, missing_tool

pytestmark = [
    pytest.mark.skipif(bool(missing_tool()), reason=missing_tool()),
    pytest.mark.skipif(os.geteuid() != 0, reason="UDP port 623 needs root"),
]

ADDRESS = "127.45.9.1"


@pytest.fixture(scope="module")
def bmc(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[IpmiSim]:
    data = fru(
        [], ["Board Works", "Board One", "B1", "P1", ""], ["Acme", "Rocket 9", "R9", "v2", "SN-0042", "{{ 7*7 }}", ""]
    )
    with IpmiSim(tmp_path_factory.mktemp("ipmi"), address=ADDRESS, fru_data=data, port=623) as sim:
        yield sim


@pytest.fixture
def inventory(tmp_path: Path) -> InventoryFolder:
    return InventoryFolder(tmp_path)


def test_a_pong_makes_a_host_and_no_login(inventory: InventoryFolder, bmc: IpmiSim):
    inventory.write(targets=["127.45.9.0/29"], ipmi="presence", username=USERNAME, password=PASSWORD)
    listed = inventory.list()
    assert listed.groups["bmc_unpinned"] == list(listed.hosts) == [ADDRESS]
    record = listed.hosts[ADDRESS]["hearth_bmc"]
    assert record["protocol"] == "ipmi" and record["error"]["type"] == "CredentialWithheld"
    assert "ipmi: login" in record["error"]["next"]


def test_with_the_users_word_the_machine_is_read(inventory: InventoryFolder, bmc: IpmiSim):
    inventory.write(targets=["127.45.9.0/29"], ipmi="login", username=USERNAME, password=PASSWORD)
    hosts = inventory.list().hosts
    assert list(hosts) == ["SN-0042"]
    host = hosts["SN-0042"]
    assert host["hearth_bmc"]["state"] == "ok" and host["hearth_bmc"]["verified"] is False
    assert host["hearth_server"]["manufacturer"] == "Acme" and host["hearth_server"]["power_state"] in ("on", "off")
    assert "{{" not in str(host)


def test_the_map_may_allow_it_for_one_slot(inventory: InventoryFolder, bmc: IpmiSim):
    (inventory.folder / "slots.yml").write_text(
        f"slots:\n  - {{slot: rack3-u02, bmc: {ADDRESS}, protocol: ipmi, ipmi_login: true}}\n"
    )
    inventory.write(map="slots.yml", ipmi="never", username=USERNAME, password=PASSWORD)
    assert inventory.list().hosts["rack3-u02"]["hearth_server"]["serial"] == "SN-0042"


def test_a_wrong_password_is_unauthorized(inventory: InventoryFolder, bmc: IpmiSim):
    inventory.write(targets=[ADDRESS], ipmi="login", username=USERNAME, password="wrong")
    listed = inventory.list()
    assert listed.groups["bmc_unauthorized"] == [ADDRESS]


def test_never_means_that_nobody_is_there(inventory: InventoryFolder, bmc: IpmiSim):
    inventory.write(targets=["127.45.9.0/29"], ipmi="never", username=USERNAME, password=PASSWORD)
    assert inventory.list().hosts == {}


def test_a_bmc_once_seen_with_redfish_is_not_asked_over_ipmi(inventory: InventoryFolder, bmc: IpmiSim):
    """Whoever silences its Redfish must not get our credential over something weaker."""
    with Fleet(1, "127.45.9.0/29", platforms={"generic": 1}) as fleet:
        assert fleet.addresses == [ADDRESS]
        inventory.fleet = fleet
        inventory.write(targets=[ADDRESS], ipmi="login", username=fleet.username, password=fleet.password)
        assert [host["hearth_bmc"]["protocol"] for host in inventory.list().hosts.values()] == ["redfish"]
        fleet.faults(ADDRESS, refused={})
        listed = inventory.list()
        assert len(listed.groups["bmc_unreachable"]) == 1
        (host,) = listed.hosts.values()
        assert host["hearth_bmc"]["protocol"] != "ipmi"
