# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many transports at once on the emulated fleet: what they say that they did is what the fleet saw."""

from __future__ import annotations

from typing import Dict

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core.errors import TimedOut
from ansible_collections.hearth.datacenter.plugins.module_utils._core.fanout import Progress, fan_out
from ansible_collections.hearth.datacenter.plugins.module_utils._core.transport import (
    Deadline,
    Endpoint,
    Limits,
    Transport,
)
from ansible_collections.hearth.datacenter.plugins.module_utils._core.trust import Trust
from tests.emulators.redfish.fleet import Fleet

PATHS = ("/redfish/v1/", "/redfish/v1/", "/redfish/v1/odata", "/redfish")


@pytest.mark.parametrize("keep_alive", [True, False])
def test_the_account_of_sixty_is_the_fleet_s(keep_alive: bool) -> None:
    with Fleet(bmcs=60, network="127.41.20.0/24", platforms={"openbmc": 2, "idrac9": 1}, latency="5-20") as fleet:
        trust = Trust("verify", ca_path=fleet.ca)
        fleet.reset_statistics()

        def work(address: str, progress: Progress) -> Dict[str, int]:
            endpoint = Endpoint(address, fleet.https_port)
            with Transport(
                endpoint, trust, deadline=Deadline.after(30), keep_alive=keep_alive, on_progress=progress.beat
            ) as transport:
                for path in PATHS:
                    assert transport.request("GET", path).status < 400
                assert transport.peer is not None and transport.peer.how == "ca"
                return transport.counters.as_dict()

        accounts = [account for _address, account in fan_out(fleet.addresses, work, concurrency=16)]
        assert all(isinstance(account, dict) for account in accounts)
        total = {
            name: sum(account[name] for account in accounts if isinstance(account, dict))
            for name in ("requests", "handshakes", "connects", "retries")
        }
        seen = fleet.statistics()
        assert (total["requests"], total["handshakes"], total["connects"]) == (
            seen["requests"],
            seen["handshakes"],
            seen["connections"],
        )
        assert total["handshakes"] >= 60 and (keep_alive or total["handshakes"] == total["requests"])


def test_black_holes_do_not_hold_up_the_others() -> None:
    with Fleet(bmcs=60, network="127.41.21.0/24", platforms={"openbmc": 1}) as fleet:
        holes = set(fleet.addresses[::6])
        for address in holes:
            fleet.faults(address, black_hole={})
        done = []

        def work(address: str, progress: Progress) -> int:
            endpoint = Endpoint(address, fleet.https_port)
            limits = Limits(connect_timeout=3.0, request_timeout=3.0)
            with Transport(
                endpoint, Trust("off"), deadline=Deadline.after(30), limits=limits, on_progress=progress.beat
            ) as transport:
                return transport.request("GET", "/redfish/v1/").status

        for address, result in fan_out(fleet.addresses, work, concurrency=4, stalled_after=0.3):
            done.append(address)
            assert isinstance(result, TimedOut) if address in holes else result == 200
        # Ten holes of three seconds each in four slots: those that answer were all done before the last hole was.
        assert set(done[: 60 - len(holes)]) & holes == set()
