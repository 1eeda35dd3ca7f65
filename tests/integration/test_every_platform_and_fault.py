# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each Redfish module on every platform under every fault of the fleet: what it says is true, or a typed error.

The engines run in this process, on hundreds of BMCs at once. The judge (every_cell.py) asks the fleet itself.
"""

from __future__ import annotations

import pathlib
import tempfile
import typing as t

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._glue.contract import Contract
from ansible_collections.hearth.datacenter.plugins.module_utils._glue.redfish_boot import REDFISH_BOOT
from ansible_collections.hearth.datacenter.plugins.module_utils._glue.redfish_indicator import REDFISH_INDICATOR
from ansible_collections.hearth.datacenter.plugins.module_utils._glue.redfish_info import REDFISH_INFO
from ansible_collections.hearth.datacenter.plugins.module_utils._glue.redfish_power import REDFISH_POWER
from ansible_collections.hearth.datacenter.plugins.module_utils._glue.redfish_virtual_media import REDFISH_VIRTUAL_MEDIA
from tests.emulators.redfish.faults import faults_by_name
from tests.integration.every_cell import (
    FAULTS,
    HARMLESS,
    IMAGE,
    WITHOUT_SYSTEM,
    Cell,
    Cells,
    Result,
    complaints,
    fleet_of_cells,
)

pytest.importorskip("sushy", reason="sushy is not installed: redfish_power and redfish_virtual_media act through it")

# Module → its contract and what it is asked for. The machine's power comes last: what is off has less to say.
ASKED: dict[str, tuple[Contract, Result]] = {
    "boot": (REDFISH_BOOT, {"state": "once", "target": "pxe"}),
    "virtual_media": (REDFISH_VIRTUAL_MEDIA, {"image": IMAGE}),
    "indicator": (REDFISH_INDICATOR, {"state": "lit"}),
    "info": (REDFISH_INFO, {"subset": ["system", "power", "health", "boot", "virtual_media"]}),
    "power": (REDFISH_POWER, {"state": "off", "method": "force", "force_timeout": 6}),
}
WITHOUT_MEDIA = ("dgx_h100",)


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Cells]:
    before, tempfile.tempdir = tempfile.tempdir, str(tmp_path_factory.mktemp("locks"))
    try:
        with fleet_of_cells("127.41.8.0/22") as fleet:
            yield Cells(fleet)
    finally:
        tempfile.tempdir = before


def test_there_is_no_fault_that_is_left_out() -> None:
    assert set(FAULTS) == set(faults_by_name())


@pytest.mark.parametrize("module", ASKED)
def test_under_every_fault_on_every_platform(cells: Cells, module: str) -> None:
    contract, asked = ASKED[module]
    faulty = cells.of(*FAULTS)
    cells.arm(faulty)
    before = cells.state()
    results = cells.run(contract, faulty, asked)
    after = cells.state()
    wrong = [
        said for cell in faulty for said in complaints(cell, results[cell], before[cell.address], after[cell.address])
    ]
    for cell in faulty:
        if cell.fault in HARMLESS and results[cell].get("failed") and can(cell, module):
            wrong.append(f"{cell}: {results[cell]}")
        cells.fleet.faults(cell.address)
    kinds: dict[str, int] = {}
    for cell in faulty:
        kind = results[cell].get("error", {}).get("type", "ok")
        kinds[kind] = kinds.get(kind, 0) + 1
    print(module, dict(sorted(kinds.items())))
    if wrong:
        pytest.fail(f"{len(wrong)} of {len(faulty)}:\n" + "\n".join(wrong), pytrace=False)


def can(cell: Cell, module: str) -> bool:
    return cell.platform not in WITHOUT_SYSTEM and (module != "virtual_media" or cell.platform not in WITHOUT_MEDIA)
