# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What redfish_boot, redfish_virtual_media and redfish_indicator promise in their documentation, and their examples."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from ansible_collections.hearth.datacenter.plugins.module_utils._glue.contract import Contract, perform
from ansible_collections.hearth.datacenter.plugins.module_utils._glue.redfish_boot import REDFISH_BOOT
from ansible_collections.hearth.datacenter.plugins.module_utils._glue.redfish_indicator import REDFISH_INDICATOR
from ansible_collections.hearth.datacenter.plugins.module_utils._glue.redfish_options import REDFISH_ARGUMENTS
from ansible_collections.hearth.datacenter.plugins.module_utils._glue.redfish_virtual_media import (
    REDFISH_VIRTUAL_MEDIA,
)
from ansible_collections.hearth.datacenter.plugins.modules import redfish_boot, redfish_indicator, redfish_virtual_media
from tests.emulators.redfish.fleet import Fleet
from tests.unit.plugins.module_utils._redfish.emulated import EmulatedBmc, bmc_of

pytest.importorskip("sushy", reason="the Python library sushy is not installed")

SYSTEM = "/redfish/v1/Systems/1"
DRIVE = f"{SYSTEM}/Storage/1/Drives/3"
MODULES = [
    pytest.param(REDFISH_BOOT, redfish_boot, "generic", id="redfish_boot"),
    pytest.param(REDFISH_VIRTUAL_MEDIA, redfish_virtual_media, "idrac9", id="redfish_virtual_media"),
    pytest.param(REDFISH_INDICATOR, redfish_indicator, "generic", id="redfish_indicator"),
]


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    with Fleet(2, "127.62.13.0/24", platforms={"generic": 1, "idrac9": 1}) as started:
        bmc = bmc_of(started, "generic")
        bmc.overlay(DRIVE, SerialNumber="S6CKNE0T123456")
        bmc.overlay(SYSTEM, Boot={"BootOrder": ["Boot0001", "Boot0000", "Boot0002", "Boot0003"]})
        yield started


def run(contract: Contract, bmc: EmulatedBmc, check_mode: bool = False, **arguments: Any) -> dict[str, Any]:
    defaults = {option: spec.get("default") for option, spec in contract.argument_spec.items()}
    access = {
        "address": bmc.address,
        "port": bmc.fleet.https_port,
        "ca_path": bmc.fleet.ca,
        "username": bmc.fleet.username,
        "password": bmc.fleet.password,
    }
    return perform(contract, {**defaults, **access, **arguments}, check_mode=check_mode, diff_mode=True)


def examples(module: Any) -> list[dict[str, Any]]:
    """The arguments of each example."""
    return [next(value for key, value in task.items() if "." in key) for task in yaml.safe_load(module.EXAMPLES)]


@pytest.mark.parametrize(("contract", "module", "platform"), MODULES)
def test_the_documentation_names_the_options(contract: Contract, module: Any, platform: str) -> None:
    options = yaml.safe_load(module.DOCUMENTATION)["options"]
    assert set(options) == set(contract.argument_spec) - set(REDFISH_ARGUMENTS)
    for name, documented in options.items():
        spec = contract.argument_spec[name]
        assert documented.get("choices") == spec.get("choices") and documented.get("default") == spec.get("default")


@pytest.mark.parametrize(("contract", "module", "platform"), MODULES)
def test_every_example_runs_and_every_result_is_documented(
    fleet: Fleet, contract: Contract, module: Any, platform: str
) -> None:
    returned = yaml.safe_load(module.RETURN)
    for arguments in examples(module):
        result = run(contract, bmc_of(fleet, platform), **arguments)
        assert result["changed"], (arguments, result)
        assert_documented(returned, {key: value for key, value in result.items() if key in returned})
        assert set(result) - set(returned) <= {"changed", "diff", "warnings"}
        again = run(contract, bmc_of(fleet, platform), **arguments)
        assert again["changed"] is False
        checked = run(contract, bmc_of(fleet, platform), check_mode=True, **arguments)
        assert checked["changed"] is False and checked["diff"] == again["diff"]
    failed = run(contract, bmc_of(fleet, platform), address="127.62.13.200", **examples(module)[0])
    assert set(failed["error"]) == set(returned["error"]["contains"])
    assert fleet.statistics()["sessions_open"] == 0


def assert_documented(documented: dict[str, Any], shown: dict[str, Any]) -> None:
    """Every key of a result, and none that there is not."""
    for key, value in shown.items():
        contains = documented[key].get("contains")
        entries = value if isinstance(value, list) else [value]
        for entry in entries if contains else ():
            assert set(entry) == set(contains), key
            assert_documented(contains, entry)
