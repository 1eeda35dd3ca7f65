# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the admin endpoint counts is what the clients did, exactly."""

from __future__ import annotations

import threading
from collections import Counter

from tests.emulators.redfish.fleet import Fleet
from tests.unit.emulators.raw_client import Client, basic

ROOT = "/redfish/v1"


def test_counts_are_those_of_concurrent_clients(fleet: Fleet) -> None:
    fleet.reset_statistics()
    done: Counter[str] = Counter()
    lock = threading.Lock()

    def work(number: int) -> None:
        mine: Counter[str] = Counter()
        for address in fleet.addresses[number % 3 :: 3]:
            with Client(fleet, address) as client:
                assert client.log_in(password="wrong").status == 401
                mine["POST"] += 1
                mine["failed_logins"] += 1
                assert client.log_in().status == 201
                mine["POST"] += 1
                mine["logins"] += 1
                mine["sessions_created"] += 1
                for _dummy in range(5):
                    assert client.get(f"{ROOT}/Systems").status == 200
                    mine["GET"] += 1
                if number % 2:
                    assert client.log_out().status == 204
                    mine["DELETE"] += 1
                    mine["sessions_deleted"] += 1
                mine["handshakes"] += 1
        with lock:
            done.update(mine)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = fleet.statistics()
    assert found["per_method"] == {method: done[method] for method in ("POST", "GET", "DELETE")}
    assert found["requests"] == done["POST"] + done["GET"] + done["DELETE"]
    for name in ("logins", "failed_logins", "sessions_created", "sessions_deleted", "handshakes"):
        assert found[name] == done[name], name
    assert found["connections"] == done["handshakes"]
    assert found["sessions_open"] == done["sessions_created"] - done["sessions_deleted"]
    per_bmc = fleet.admin("GET", "/bmcs")
    assert sum(bmc["statistics"]["requests"] for bmc in per_bmc.values()) == found["requests"]
    assert sum(bmc["sessions_open"] for bmc in per_bmc.values()) == found["sessions_open"]
    for address in fleet.addresses:
        fleet.admin("POST", f"/bmcs/{address}/end_sessions")
    assert fleet.statistics()["sessions_open"] == 0


def test_each_basic_request_is_a_login(fleet: Fleet, client: Client) -> None:
    fleet.reset_statistics()
    client.headers = basic(fleet.username, fleet.password)
    for _dummy in range(3):
        client.get(f"{ROOT}/Systems")
    found = fleet.statistics()
    assert (found["logins"], found["sessions_created"], found["requests"]) == (3, 0, 3)


def test_a_reset_sets_all_to_zero_but_open_sessions(fleet: Fleet, client: Client) -> None:
    client.log_in()
    fleet.reset_statistics()
    found = fleet.statistics()
    assert found["sessions_open"] == 1
    assert all(found[name] == 0 for name in ("requests", "handshakes", "connections", "logins", "sessions_created"))
    client.log_out()


def test_time_memory_and_the_size_of_the_fleet_are_told(fleet: Fleet, client: Client) -> None:
    fleet.reset_statistics()
    for _dummy in range(50):
        client.get(ROOT)
    found = fleet.statistics()
    assert 0 < found["cpu_seconds"] < 5
    assert 10_000_000 < found["rss_bytes"] < 1_000_000_000
    assert (found["bmcs"], found["workers"], found["internal_errors"]) == (12, 2, 0)
