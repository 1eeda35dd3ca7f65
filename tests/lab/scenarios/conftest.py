# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What scenarios start from: the virtual rack that is up, and the live image with all that booting it needs."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.lab import rack as lab
from tests.lab.live import Live
from tests.toolchain.lab import rack_up
from tests.toolchain.scenarios import NO_RACK


@pytest.fixture(scope="session")
def rack() -> lab.Rack:
    """The rack in HEARTH_LAB. Without one every scenario is skipped, and says why."""
    if os.environ.get(NO_RACK):
        pytest.skip(os.environ[NO_RACK])
    try:
        return lab.read()
    except lab.NoRack as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def live(rack: lab.Rack, tmp_path_factory: pytest.TempPathFactory) -> Live:
    """The live image, built unless it is cached, and the rack's inventory with how to boot it."""
    live = Live(rack, tmp_path_factory.mktemp("live"))
    live.prepare()
    return live


@pytest.fixture(scope="module")
def repaired(rack: lab.Rack) -> Iterator[None]:
    """For a scenario that breaks something of the rack: a second rack-up mends it, as it would for anybody."""
    yield
    variables = {
        "rack_name": rack.name,
        "rack_machines": len(rack.machines),
        "rack_management_network": rack.management.network,
        "rack_management_bridge": rack.management.bridge,
        "rack_data_network": rack.data.network,
        "rack_data_bridge": rack.data.bridge,
    }
    assert rack_up([word for name, value in variables.items() for word in ("-e", f"{name}={value}")]) == 0
