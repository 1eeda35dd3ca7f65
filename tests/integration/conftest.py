# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fixtures of the integration tests: one mixed fleet for all of them, and a fresh inventory folder for each."""

from __future__ import annotations

import os
import pathlib
import typing as t

import pytest

from tests.emulators.redfish.fleet import Fleet
from tests.emulators.redfish.personalities.index import PERSONALITIES
from tests.integration.inventory_run import InventoryFolder


@pytest.fixture(scope="session")
def mixed_fleet() -> t.Iterator[Fleet]:
    """One BMC of every platform that the emulator knows."""
    # A network of this process's own: two checkouts may be tested on one machine at the same time.
    network = f"127.48.{os.getpid() % 250}.0/24"
    with Fleet(len(PERSONALITIES), network, platforms=dict.fromkeys(PERSONALITIES, 1)) as fleet:
        yield fleet


@pytest.fixture
def fleet(mixed_fleet: Fleet) -> t.Iterator[Fleet]:
    """The mixed fleet without faults and with its counters at zero; whatever a test does to it is undone."""
    mixed_fleet.reset_statistics()
    try:
        yield mixed_fleet
    finally:
        for address in mixed_fleet.addresses:
            mixed_fleet.faults(address)


@pytest.fixture
def inventory(tmp_path: pathlib.Path, fleet: Fleet) -> InventoryFolder:
    return InventoryFolder(tmp_path, fleet)
