# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Captures of real BMCs, replayed: each discovers without error, and its host record is sensible.

The captures are not part of the project. They are looked for in HEARTH_CAPTURES and in ../shared/captures.
"""

from __future__ import annotations

import os
import pathlib
import tarfile

import pytest

from tests.emulators.redfish.fleet import Fleet
from tests.integration.inventory_run import InventoryFolder

CAPTURES = pathlib.Path(
    os.environ.get("HEARTH_CAPTURES", pathlib.Path(__file__).resolve().parents[3] / "shared" / "captures")
)
ARCHIVES = sorted(CAPTURES.glob("*.tar.xz")) if CAPTURES.is_dir() else []

pytestmark = pytest.mark.skipif(not ARCHIVES, reason=f"no captures of real BMCs in {CAPTURES} (HEARTH_CAPTURES)")


@pytest.mark.parametrize("archive", ARCHIVES, ids=lambda path: path.name.partition(".")[0])
@pytest.mark.parametrize("details", ["standard", "full"])
def test_a_capture_discovers_without_error(archive: pathlib.Path, details: str, tmp_path: pathlib.Path):
    tree = tmp_path / "tree"
    with tarfile.open(archive) as packed:
        # Debian 12's own Python has no extraction filters; the archives are the project's own material.
        packed.extractall(tree, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
    with Fleet(1, "127.50.0.0/28", options=["--replay", str(tree)]) as fleet:
        inventory = InventoryFolder(tmp_path, fleet)
        inventory.write(details=details, deadline=60)
        listed = inventory.list()
        assert fleet.statistics()["sessions_open"] == 0
    assert listed.hosts
    for host in listed.hosts.values():
        record, server = host["hearth_bmc"], host["hearth_server"]
        assert record["state"] == "ok" and record["error"] is None, record
        assert server["kind"] != "unknown"
        assert server["manufacturer"] or server["model"] or record["firmware"], (record, server)
        if server["kind"] == "server":
            assert server["power_state"] in ("on", "off"), server
            assert server["memory_gib"] is None or 0 < server["memory_gib"] < 100_000
