# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each Redfish module on every platform under every fault of the fleet: what it says is true, or a typed error.

The engines run in this process, on hundreds of BMCs at once. The judge (every_cell.py) asks the fleet itself.
"""

from __future__ import annotations

import collections
import json
import pathlib
import tempfile
import typing as t

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core.errors import HearthError
from ansible_collections.hearth.datacenter.plugins.module_utils._glue.contract import Contract, Outcome, Request
from ansible_collections.hearth.datacenter.plugins.module_utils._glue.redfish_boot import REDFISH_BOOT
from ansible_collections.hearth.datacenter.plugins.module_utils._glue.redfish_indicator import REDFISH_INDICATOR
from ansible_collections.hearth.datacenter.plugins.module_utils._glue.redfish_info import REDFISH_INFO
from ansible_collections.hearth.datacenter.plugins.module_utils._glue.redfish_options import access_of
from ansible_collections.hearth.datacenter.plugins.module_utils._glue.redfish_power import REDFISH_POWER
from ansible_collections.hearth.datacenter.plugins.module_utils._glue.redfish_virtual_media import REDFISH_VIRTUAL_MEDIA
from ansible_collections.hearth.datacenter.plugins.module_utils._redfish.access import opened
from ansible_collections.hearth.datacenter.plugins.module_utils._redfish.client import RedfishClient
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
from tests.integration.playbook_run import PlaybookFolder

pytest.importorskip("sushy", reason="sushy is not installed: redfish_power and redfish_virtual_media act through it")

# Module → its contract and what it is asked for. The machine's power comes last: what is off has less to say.
ASKED: dict[str, tuple[Contract, Result]] = {
    "boot": (REDFISH_BOOT, {"state": "once", "target": "pxe"}),
    "virtual_media": (REDFISH_VIRTUAL_MEDIA, {"image": IMAGE}),
    "indicator": (REDFISH_INDICATOR, {"state": "lit"}),
    "info": (REDFISH_INFO, {"subset": ["system", "power", "health", "boot", "media"]}),
    "power": (REDFISH_POWER, {"state": "off", "method": "force", "force_timeout": 15}),
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


def can(cell: Cell, module: str) -> bool:
    return cell.platform not in WITHOUT_SYSTEM and (module != "virtual_media" or cell.platform not in WITHOUT_MEDIA)


def ended(wrong: list[str], results: t.Mapping[Cell, Result]) -> None:
    """Prints what the runs came to, and fails with what is wrong."""
    kinds = collections.Counter(result.get("error", {}).get("type", "ok") for result in results.values())
    print(dict(sorted(kinds.items())))
    if wrong:
        pytest.fail(f"{len(wrong)} of {len(results)}:\n" + "\n".join(wrong), pytrace=False)


@pytest.mark.parametrize("module", ASKED)
def test_check_then_run_then_run_again_on_every_platform(cells: Cells, module: str) -> None:
    contract, asked = ASKED[module]
    clean = cells.of("")
    states = [cells.state()]
    runs: list[dict[Cell, Result]] = []
    for check in (True, False, False):
        runs.append(cells.run(contract, clean, asked, check=check))
        states.append(cells.state())
    wrong = []
    for cell in clean:
        was, checked, ran, again = (state[cell.address] for state in states)
        check, first, second = (run[cell] for run in runs)
        if checked != was:
            wrong.append(f"{cell}: check mode changed it from {was} to {checked}")
        if not can(cell, module):
            kinds = [one.get("error", {}).get("type") for one in (check, first, second)]
            if set(kinds) - {"BadInput", "Unsupported"} or ran != was:
                wrong.append(f"{cell}: {kinds}, from {was} to {ran}")
            continue
        wrong += complaints(cell, first, checked, ran) + complaints(cell, second, ran, again)
        said = [one.get("changed") for one in (check, first, second)]
        if said != ([False] * 3 if module == "info" else [True, True, False]):
            wrong.append(f"{cell}: changed {said}: {first}")
        if module != "info" and not alike(check["diff"], first["diff"]):
            wrong.append(f"{cell}: check says {check['diff']}, the run {first['diff']}")
        if module != "info" and second["diff"]["before"] != second["diff"]["after"]:
            wrong.append(f"{cell}: no change, and a diff {second['diff']}")
    ended(wrong, runs[1])


def alike(one: Result, other: Result) -> bool:
    """Which lights blink while they are lit is the platform's business, and not known before."""
    return json.dumps(one).replace("blinking", "lit") == json.dumps(other).replace("blinking", "lit")


@pytest.mark.parametrize("module", ASKED)
def test_under_every_fault_on_every_platform(cells: Cells, module: str) -> None:
    contract, asked = ASKED[module]
    faulty = cells.of(*FAULTS)
    cells.arm(faulty)
    before = cells.state()
    results = cells.run(contract, faulty, asked)
    ended(judged(cells, module, results, before), results)


def judged(cells: Cells, module: str, results: t.Mapping[Cell, Result], before: Result) -> list[str]:
    """What is wrong; the faults are off afterwards."""
    after = cells.state()
    wrong = []
    for cell, result in results.items():
        wrong += complaints(cell, result, before[cell.address], after[cell.address])
        if cell.fault in HARMLESS and result.get("failed") and can(cell, module):
            wrong.append(f"{cell}: {result}")
        cells.fleet.faults(cell.address)
    return wrong


# Through Ansible: the fleet modules, one task for all of them


def played(cells: Cells, folder: pathlib.Path, among: list[Cell], task: Result) -> dict[Cell, Result]:
    """One task of a fleet module; each host's result."""
    run = PlaybookFolder(folder)
    names = {cell: f"{cell.platform}-{cell.fault or 'none'}" for cell in among}
    reached = ("address", "port", "ca_path", "system")
    hosts = {names[cell]: {"hearth_bmc": {name: cells.arguments(cell)[name] for name in reached}} for cell in among}
    login = {"hearth_bmc_username": cells.fleet.username, "hearth_bmc_password": cells.fleet.password}
    (folder / "inventory.yml").write_text(json.dumps({"all": {"hosts": hosts, "vars": login}}))
    (folder / "play.yml").write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": [task]}]))
    ran = run.playbook(str(folder / "play.yml"), "--diff", TMPDIR=tempfile.gettempdir())
    assert ran.results, ran.said[-3000:]
    return {cell: ran.results[0]["hosts"][names[cell]] for cell in among}


LIMITS = {"max_fail": "100%", "deadline": 60, "connect_timeout": 2, "concurrency": 32}
FLEET_ASKED: dict[str, tuple[str, Result]] = {
    "info": ("hearth.datacenter.redfish_fleet_info", {"subset": ["power", "boot", "media"]}),
    "power": ("hearth.datacenter.redfish_fleet_power", {"state": "on", "force_timeout": 15}),
}


@pytest.mark.parametrize("module", FLEET_ASKED)
def test_a_fleet_module_under_every_fault_on_every_platform(cells: Cells, tmp_path: pathlib.Path, module: str) -> None:
    name, asked = FLEET_ASKED[module]
    cells.arm(cells.all)
    before = cells.state()
    results = played(cells, tmp_path, cells.all, {name: {**asked, **LIMITS}})
    ended(judged(cells, module, results, before), results)


# The judge itself: what careless engines do


def without_reading_back(request: Request) -> Outcome:
    """What many tools do: the BMC said yes, so it is done."""
    with opened(access_of(request.params, None)) as session:
        target = session.system().document["Actions"]["#ComputerSystem.Reset"]["target"]
        session.client.transport.request("POST", target, body={"ResetType": "ForceOff"}).raise_for_status()
    return Outcome(True, {"power": {"state": "off"}})


def without_a_type(request: Request) -> Outcome:
    raise HearthError("something went wrong")


def test_the_judge_sees_an_engine_that_does_not_read_back(cells: Cells) -> None:
    forgetful = [cell for cell in cells.of("forgets") if can(cell, "power")]
    for cell in forgetful:
        cells.fleet.admin("POST", f"/bmcs/{cell.address}/power", {"system": "", "reset_type": "ForceOn"})
    naive = Contract("redfish_info", without_reading_back, REDFISH_INFO.argument_spec)
    cells.arm(forgetful)
    before = cells.state()
    wrong = judged(cells, "power", cells.run(naive, forgetful, {}), before)
    assert {one.partition(":")[0] for one in wrong} == {str(cell) for cell in forgetful}
    assert all("said 'off', and it is 'on'" in one or "said changed=True" in one for one in wrong)


def test_the_judge_sees_sessions_that_are_left(cells: Cells, monkeypatch: pytest.MonkeyPatch) -> None:
    clean = [cell for cell in cells.of("") if can(cell, "info")]
    cells.arm(clean)
    before = cells.state()
    monkeypatch.setattr(RedfishClient, "close", lambda client: client.transport.close())
    wrong = judged(cells, "info", cells.run(REDFISH_INFO, clean, {"subset": ["power", "boot", "media"]}), before)
    assert len(wrong) == len(clean) and all("1 sessions left" in one for one in wrong)
    cells.arm(clean)


def test_the_judge_sees_errors_that_say_nothing(cells: Cells) -> None:
    contract = Contract("redfish_info", without_a_type, REDFISH_INFO.argument_spec)
    clean = cells.of("")
    wrong = judged(cells, "info", cells.run(contract, clean, {}), cells.state())
    assert len(wrong) == 2 * len(clean)
