# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a user can get wrong: a clear error before anything is contacted, or a host with its reason; never a
traceback."""

from __future__ import annotations

import os
import pathlib
import resource
import shutil
import sqlite3
import subprocess
import time

import pytest

from tests.emulators.redfish.fleet import Fleet
from tests.integration.inventory_run import InventoryFolder


@pytest.fixture
def alone(tmp_path: pathlib.Path) -> InventoryFolder:
    """An inventory folder without a fleet: nothing here may be contacted."""
    return InventoryFolder(tmp_path)


@pytest.mark.parametrize(
    "options,words",
    [
        ({"targets": ["10.0.0.0/33"]}, ["10.0.0.0/33"]),
        ({"targets": ["10.0.0.9-10.0.0.1"]}, ["10.0.0.9-10.0.0.1"]),
        ({"targets": ["10.0.0.300"]}, ["10.0.0.300"]),
        ({"targets": ["not a name"]}, ["not a name"]),
        ({"targets": ["2001:db8::/32"]}, ["2001:db8::/32"]),
        ({"targets": []}, ["targets"]),
        ({"targets": ["10.0.0.1"], "exclude": ["10.0.0.0/99"]}, ["10.0.0.0/99"]),
        ({"targets": ["10.0.0.1"], "ports": ["https"]}, ["https", "ports"]),
        ({"targets": ["10.0.0.1"], "ports": ["70000"]}, ["70000"]),
        ({"targets": ["10.0.0.1"], "trust": "maybe"}, ["maybe", "verify"]),
        ({"targets": ["10.0.0.1"], "trust": True}, ["trust"]),
        ({"targets": ["10.0.0.1"], "ca_path": "/nonexistent/ca.pem"}, ["/nonexistent/ca.pem"]),
        ({"targets": ["10.0.0.1"], "map": "/nonexistent/slots.yml"}, ["/nonexistent/slots.yml"]),
        ({"targets": ["10.0.0.1"], "leases": ["/nonexistent/leases"]}, ["/nonexistent/leases"]),
        ({"targets": ["10.0.0.1"], "password": "x"}, ["username"]),
        ({"targets": ["10.0.0.1"], "username": "x"}, ["password"]),
        ({"targets": ["10.0.0.1"], "credentials": "text"}, ["credentials"]),
        ({"targets": ["10.0.0.1"], "credentials": [{"username": "x"}]}, ["credentials[0]", "password"]),
        ({"targets": ["10.0.0.1"], "credentials": [{"usr": "x"}]}, ["usr"]),
        ({"targets": ["10.0.0.1"], "concurrency": 0}, ["concurrency"]),
        ({"targets": ["10.0.0.1"], "connect_timeout": -1}, ["connect_timeout"]),
        ({"targets": ["10.0.0.1"], "deadline": 0}, ["deadline"]),
        ({"targets": ["10.0.0.1"], "shard": {"index": 3, "count": 3}}, ["shard"]),
        ({"targets": ["10.0.0.1"], "details": "everything"}, ["everything"]),
        ({"targets": ["10.0.0.1"], "surprise": 1}, ["surprise"]),
        ({"targets": ["127.49.99.1"], "filter": "a["}, ["filter"]),
    ],
)
def test_bad_options_are_refused_and_named(alone: InventoryFolder, options, words):
    said = alone.refused(**options)
    for word in words:
        assert word in said, said


@pytest.mark.parametrize(
    "text,words",
    [
        ("slots: 5\n", ["slots"]),
        ("slots:\n  - {slot: a, bmc: 10.0.0.1}\n  - {slot: a, bmc: 10.0.0.2}\n", ["slot a", "the same slot"]),
        ("slots:\n  - {slot: a}\n", ["a", "bmc"]),
        ("slots:\n  - {slot: a, bmc: 10.0.0.1, colour: red}\n", ["colour"]),
        ("slots:\n  - {slot: a, mac: 'zz:zz'}\n", ["zz:zz"]),
        ("slots:\n  - {slot: a, bmc: 10.0.0.1, pins: ['md5:1']}\n", ["md5:1"]),
        ("{{ broken", ["slots.yml"]),
    ],
)
def test_a_bad_map_is_refused_and_named(alone: InventoryFolder, text, words):
    (alone.folder / "slots.yml").write_text(text)
    said = alone.refused(map="slots.yml")
    for word in words:
        assert word in said, said


def test_a_store_of_a_newer_version_is_refused_untouched(alone: InventoryFolder):
    alone.write(targets=["127.49.99.1"])
    alone.list()
    store = alone.folder / "state.sqlite3"
    with sqlite3.connect(store) as database:
        newest = "(SELECT MAX(version) FROM hearth_schema)"
        assert database.execute(f"UPDATE hearth_schema SET version = 9999 WHERE version = {newest}").rowcount == 1
    database.close()
    before = store.read_bytes()
    said = alone.refused(targets=["127.49.99.1"])
    assert "9999" in said or "newer" in said
    assert store.read_bytes() == before


def test_no_credential_at_all_is_a_host_with_its_reason(inventory: InventoryFolder, fleet: Fleet):
    inventory.write(username=None, password=None, targets=fleet.addresses[:2])
    for host in inventory.list().hosts.values():
        assert host["hearth_bmc"]["state"] == "unauthorized" and host["hearth_bmc"]["error"]["next"]
    assert fleet.statistics()["failed_logins"] == 0


def test_a_network_where_everybody_refuses_stays_empty(alone: InventoryFolder):
    alone.write(targets=["127.49.0.0/16"], connect_timeout=2)
    began = time.monotonic()
    assert alone.list().hosts == {}
    assert time.monotonic() - began < 60


def test_a_silent_network_of_65536_addresses_ends_by_its_deadline_and_stays_empty(alone: InventoryFolder):
    """In a network namespace of its own, where packets to 10.66.0.0/16 vanish."""
    if shutil.which("ip") is None or resource.getrlimit(resource.RLIMIT_NOFILE)[0] < 1024:
        pytest.skip("needs iproute2 and 1,024 open files")
    name = f"hearth-silent-{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.skip(f"needs the privilege to make a network namespace: {made.stderr.strip()}")
    try:
        for words in (
            ["link", "add", "silent", "type", "veth", "peer", "name", "silence"],
            ["link", "set", "silent", "arp", "off", "up"],
            ["link", "set", "silence", "up"],
            ["addr", "add", "10.66.255.254/16", "dev", "silent"],
        ):
            done = subprocess.run(["ip", "-n", name, *words], capture_output=True, text=True, check=False)
            if done.returncode:
                pytest.skip(f"needs a pair of virtual network interfaces: {done.stderr.strip()}")
        alone.write(targets=["10.66.0.0/16"], exclude=["10.66.255.254"], connect_timeout=1, run_deadline=45)
        began = time.monotonic()
        ended = alone.command(
            "ip", "netns", "exec", name, "ansible-inventory", "-i", str(alone.source), "--graph", timeout=120
        )
        assert ended.code == 0, ended.said
        assert time.monotonic() - began < 60
        assert "|--" not in ended.stdout.replace("|--@", "")
    finally:
        subprocess.run(["ip", "netns", "delete", name], check=False)
