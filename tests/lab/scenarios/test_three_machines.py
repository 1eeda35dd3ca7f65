# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All machines of the rack boot at the same time; one whose BMC cannot read takes no other with it."""

from __future__ import annotations

import pytest

from tests.integration.playbook_run import Ran
from tests.lab.live import Live
from tests.lab.rack import Rack


@pytest.fixture(scope="module")
def ran(rack: Rack, live: Live) -> Ran:
    if len(rack.machines) < 3:
        pytest.skip(f"the rack has {len(rack.machines)} machines, and this needs 3")
    # The second one's media are published to an address that is not its BMC's.
    elsewhere = "{{ ['172.31.0.1'] if inventory_hostname == '%s' else [hearth_bmc.address] }}" % rack.machines[1].slot
    return live.boot(boot_live_reboot=True, boot_live_clients=elsewhere)


def test_two_of_them_are_judged_and_seen(ran: Ran, rack: Rack) -> None:
    assert ran.code != 0
    for machine in (rack.machines[0], rack.machines[2]):
        results = ran.of(machine.slot)
        verdicts = [result["live_image_verdict"]["verdict"] for result in results if "live_image_verdict" in result]
        serials = [result["machine"]["identity"]["serial"] for result in results if "machine" in result]
        assert (verdicts, serials) == (["ok"], [machine.serial]), ran.said[-12000:]


def test_the_third_is_told_of_with_its_reason(ran: Ran, rack: Rack, live: Live) -> None:
    slot = rack.machines[1].slot
    why = [str(result.get("msg")) for result, one, outcome in zip(ran.results, ran.hosts, ran.outcomes)
           if one == slot and outcome == "failed"]  # fmt: skip
    assert "Insert the image" in why[-1] and "It was not switched on." in why[-1]
    assert "failed, see above" in ran.said
    assert live.published() == []
