# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The same machine through a BMC that is not ours: sushy-emulator, with one drive for discs and no sessions."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.integration.playbook_run import Ran
from tests.lab.live import Live
from tests.lab.rack import Machine, Rack


@pytest.fixture(scope="module")
def machine(rack: Rack, repaired: None) -> Machine:
    # The last one: sushy-emulator rewrites its definition.
    if not rack.servers.get("sushy_emulator"):
        pytest.skip("the rack has no sushy-emulator")
    return rack.machines[-1]


@pytest.fixture(scope="module")
def inventory(rack: Rack, live: Live, machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rack's variables, and an inventory that finds its machines at sushy-emulator."""
    folder = tmp_path_factory.mktemp("sushy")
    (folder / "group_vars").symlink_to(rack.inventory / "group_vars")
    ours = yaml.safe_load((rack.inventory / "hearth.bmc.yml").read_text())
    address, port = rack.servers["sushy_emulator"]["url"].rpartition("/")[2].split(":")
    slot = {"slot": machine.slot, "bmc": address, "system": machine.uuid, "uuid": machine.uuid}
    slots = {"slots": [{**slot, "ansible_host": machine.node_address}]}
    (folder / "slots.yml").write_text(yaml.safe_dump(slots))
    password = (rack.inventory.parent / "credentials" / "bmc-password").read_text().strip()
    source = {
        **ours,
        "targets": [address],
        "ports": [port],
        "map": str(folder / "slots.yml"),
        "password": password,
        "details": "standard",
        "state": f"sqlite://{folder}/state.sqlite3?persistent=yes",
    }
    path = folder / "sushy.bmc.yml"
    path.write_text(yaml.safe_dump(source))
    return path


@pytest.fixture(scope="module")
def ran(live: Live, rack: Rack, machine: Machine, inventory: Path) -> Ran:
    # sushy-emulator fetches the image itself, from the host's own address.
    return live.boot(
        machine,
        inventory=inventory,
        boot_live_reboot=True,
        boot_live_node_medium="patched",
        boot_live_clients=[rack.management.host],
    )


def test_it_boots_into_the_live_image_and_is_judged(ran: Ran, machine: Machine) -> None:
    assert ran.code == 0, ran.said[-8000:]
    [verdict] = [result["live_image_verdict"]["verdict"] for result in ran.results if "live_image_verdict" in result]
    [serial] = [result["machine"]["identity"]["serial"] for result in ran.results if "machine" in result]
    assert (verdict, serial) == ("ok", machine.serial)


def test_its_configuration_came_in_a_copy_of_the_image(ran: Ran, live: Live) -> None:
    [made] = [result for result in ran.results if "live_image_node" in result]
    # A medium of the node's own has a few hundred kB.
    assert made["live_image_node"]["size_bytes"] > 100_000_000
    assert live.published() == []
