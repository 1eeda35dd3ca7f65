# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The inventory plugin against one BMC of every platform: who is found, as what, and what it costs them."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

from tests.emulators.redfish.fleet import Fleet
from tests.integration.inventory_run import InventoryFolder

SYSTEMLESS = {"pdu", "power_shelf"}
# What bears the rack's serial there is the chassis; the system's own is that of the board.
BOARD_SERIALS = {"gh200", "gb200"}


def by_address(hosts):
    found = {}
    for name, variables in hosts.items():
        found.setdefault(variables["hearth_bmc"]["address"], []).append((name, variables))
    return found


def test_every_platform_becomes_a_host_and_no_session_is_left(inventory: InventoryFolder, fleet: Fleet):
    inventory.write()
    listed = inventory.list()
    found = by_address(listed.hosts)
    assert set(found) == set(fleet.addresses)
    for bmc in fleet.bmcs:
        hosts = found[bmc["address"]]
        assert len(hosts) == (4 if bmc["platform"] == "multi_node" else 1), bmc
        for _name, variables in hosts:
            record = variables["hearth_bmc"]
            assert record["state"] == "ok" and record["error"] is None and record["verified"], record
            assert record["firmware"] or bmc["platform"] in SYSTEMLESS, record
            server = variables["hearth_server"]
            assert server["manufacturer"] and server["model"], server
            if bmc["platform"] in SYSTEMLESS:
                assert server["kind"] in ("pdu", "power_shelf")
            else:
                assert server["kind"] == "server"
                assert server["power_state"] in ("on", "off") and server["health"] in ("ok", "warning", "critical")
                assert server["cpus"] and server["memory_gib"], server
    assert fleet.statistics()["sessions_open"] == 0
    assert fleet.statistics()["failed_logins"] == 0
    assert listed.groups.get("bmc_unreachable", []) == []


def test_hosts_are_called_by_their_serials(inventory: InventoryFolder, fleet: Fleet):
    inventory.write()
    names = by_address(inventory.list().hosts)
    for bmc in fleet.bmcs:
        if bmc["platform"] not in (*SYSTEMLESS, *BOARD_SERIALS, "multi_node"):
            assert [name for name, _variables in names[bmc["address"]]] == [bmc["serial"]]


def test_nodes_of_one_chassis_have_names_of_their_own(inventory: InventoryFolder, fleet: Fleet):
    (chassis,) = [bmc for bmc in fleet.bmcs if bmc["platform"] == "multi_node"]
    inventory.write(targets=[chassis["address"]])
    hosts = inventory.list().hosts
    assert len(hosts) == 4
    assert len({variables["hearth_bmc"]["system_id"] for variables in hosts.values()}) == 4
    for name, variables in hosts.items():
        assert name.endswith("-" + variables["hearth_bmc"]["system_id"])


def test_gpus_of_a_baseboard_belong_to_their_host(inventory: InventoryFolder, fleet: Fleet):
    (dgx,) = [bmc for bmc in fleet.bmcs if bmc["platform"] == "dgx_h100"]
    inventory.write(targets=[dgx["address"]])
    ((_name, variables),) = inventory.list().hosts.items()
    assert variables["hearth_server"]["gpus"]["count"] == 8


def test_a_range_finds_who_is_there_and_nobody_else(inventory: InventoryFolder, fleet: Fleet):
    first, last = fleet.addresses[0], fleet.addresses[3]
    inventory.write(targets=[f"{first}-{last}", "127.49.77.0/24"], exclude=[fleet.addresses[1]])
    found = by_address(inventory.list().hosts)
    assert set(found) == {fleet.addresses[0], fleet.addresses[2], fleet.addresses[3]}


def test_an_expected_address_where_nobody_is_becomes_a_host_with_its_reason(inventory: InventoryFolder, fleet: Fleet):
    inventory.write(targets=["127.49.77.7", fleet.addresses[0]])
    listed = inventory.list()
    assert listed.groups["bmc_unreachable"] == ["127.49.77.7"]
    error = listed.hosts["127.49.77.7"]["hearth_bmc"]["error"]
    assert error["type"] == "ConnectionRefused" and error["next"]


@pytest.mark.parametrize("fault", ["black_hole", "tls_stall"])
def test_a_bmc_that_accepts_and_says_nothing_is_a_host_with_its_reason(
    inventory: InventoryFolder, fleet: Fleet, fault: str
):
    fleet.faults(fleet.addresses[0], **{fault: {}})
    inventory.write(targets=[f"{fleet.addresses[0]}-{fleet.addresses[2]}"], connect_timeout=1)
    began = time.monotonic()
    listed = inventory.list()
    assert time.monotonic() - began < 15
    (dead,) = listed.groups["bmc_unreachable"]
    assert listed.hosts[dead]["hearth_bmc"]["address"] == fleet.addresses[0]
    assert listed.hosts[dead]["hearth_bmc"]["error"]["type"] == "TimedOut"
    assert len(listed.hosts) == 3


def test_the_run_ends_at_its_own_deadline_and_says_who_was_not_asked(inventory: InventoryFolder, fleet: Fleet):
    for address in fleet.addresses[:6]:
        fleet.faults(address, black_hole={})
    inventory.write(targets=fleet.addresses[:6], connect_timeout=4, concurrency=1, run_deadline=2)
    began = time.monotonic()
    listed = inventory.list()
    assert time.monotonic() - began < 12
    assert len(listed.groups["bmc_unreachable"]) == 6


@pytest.mark.parametrize(
    "fault,options",
    [
        ("random_401", {"rate": 0.2}),
        ("slow_resource", {"path": "/redfish/v1/Systems", "seconds": 1}),
        ("wrong_etag", {}),
        ("duplicate_etag", {}),
        ("broken_expand", {}),
        ("endless_paging", {}),
        ("endless_paging", {"fresh": True}),
        ("endless_links", {}),
        ("restart", {"after": 4, "seconds": 1}),
        ("unavailable", {"retry_after": 1}),
        ("drop_mid_body", {}),
        ("truncated", {}),
        ("not_json", {}),
        ("huge_body", {}),
    ],
)
def test_a_faulty_bmc_is_a_host_or_a_host_with_its_reason(inventory: InventoryFolder, fleet: Fleet, fault, options):
    targets = [bmc["address"] for bmc in fleet.bmcs if bmc["platform"] in ("openbmc", "idrac9", "generic")]
    for address in targets:
        fleet.faults(address, **{fault: options})
    inventory.write(targets=targets, deadline=8)
    began = time.monotonic()
    listed = inventory.list()
    assert time.monotonic() - began < 40
    assert set(by_address(listed.hosts)) == set(targets)
    for variables in listed.hosts.values():
        record = variables["hearth_bmc"]
        assert record["state"] == "ok" or record["error"]["type"] and record["error"]["msg"], record


def test_an_interrupted_run_leaves_no_session(inventory: InventoryFolder, fleet: Fleet):
    path = "/redfish/v1/Systems"
    for address in fleet.addresses:
        fleet.faults(address, slow_resource={"path": path, "seconds": 30})
    inventory.write(deadline=60)
    process = subprocess.Popen(
        ["ansible-inventory", "-i", str(inventory.source), "--list"],
        cwd=inventory.folder,
        env=inventory.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        until = time.monotonic() + 30
        while fleet.statistics()["sessions_open"] < 8 and time.monotonic() < until:
            time.sleep(0.1)
        assert fleet.statistics()["sessions_open"] >= 8
        for address in fleet.addresses:
            fleet.faults(address)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) != 0
    finally:
        process.kill()
        process.wait()
    assert fleet.statistics()["sessions_open"] == 0


COUNT_WHAT_IS_LEFT = """
import os, sys, threading
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader

init_plugin_loader()
InventoryManager(loader=DataLoader(), sources=[sys.argv[1]])  # opens what Ansible itself opens once
before = threading.active_count(), sorted(os.listdir("/proc/self/fd"))
hosts = InventoryManager(loader=DataLoader(), sources=[sys.argv[1]]).hosts
after = threading.active_count(), sorted(os.listdir("/proc/self/fd"))
sys.exit(0 if len(hosts) > 20 and before == after and after[0] == 1 else f"{len(hosts)} hosts, {before} then {after}")
"""


def test_after_parsing_there_is_one_thread_and_no_new_file(inventory: InventoryFolder, fleet: Fleet):
    ended = inventory.command(sys.executable, "-c", COUNT_WHAT_IS_LEFT, str(inventory.write()))
    assert ended.code == 0, ended.said


def test_a_filter_keeps_what_it_is_true_for(inventory: InventoryFolder, fleet: Fleet):
    inventory.write(filter="hearth_server.gpus.count > `3`")
    hosts = inventory.list().hosts
    assert hosts and all(variables["hearth_server"]["gpus"]["count"] > 3 for variables in hosts.values())


def test_shards_take_every_bmc_once(inventory: InventoryFolder, fleet: Fleet):
    seen: list[str] = []
    for index in range(3):
        inventory.write(shard={"index": index, "count": 3}, details="minimal")
        seen.extend(by_address(inventory.list().hosts))
    assert sorted(seen) == sorted(fleet.addresses)


def test_full_reads_interfaces_and_drives(inventory: InventoryFolder, fleet: Fleet):
    servers = [bmc for bmc in fleet.bmcs if bmc["platform"] in ("idrac9", "ilo6", "xcc", "supermicro")]
    inventory.write(targets=[bmc["address"] for bmc in servers], details="full")
    for variables in inventory.list().hosts.values():
        server = variables["hearth_server"]
        assert server["nics"] and all(nic["mac"] for nic in server["nics"]), server["nics"]
        assert server["drives"] and all(drive["serial"] for drive in server["drives"]), server["drives"]


def test_verification_does_not_depend_on_the_environment(inventory: InventoryFolder, fleet: Fleet):
    inventory.write(targets=fleet.addresses[:2])
    nonsense = dict.fromkeys(("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"), "/nonexistent.pem")
    assert all(host["hearth_bmc"]["state"] == "ok" for host in inventory.list(**nonsense).hosts.values())
