# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module's own promises, without Ansible around it: documentation, size, ten thousand pins."""

from __future__ import annotations

import ast
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.hearth.datacenter.plugins.module_utils._core.state.opening import open_store
from ansible_collections.hearth.datacenter.plugins.module_utils._glue.bmc_pin import BMC_PIN
from ansible_collections.hearth.datacenter.plugins.module_utils._glue.contract import perform
from ansible_collections.hearth.datacenter.plugins.modules import bmc_pin
from tests.toolchain.places import ROOT

KEY = "spki-sha256:" + "ab" * 32


@pytest.fixture
def arguments(tmp_path: Path) -> dict[str, Any]:
    nothing = dict.fromkeys(BMC_PIN.argument_spec)
    store = f"sqlite://{tmp_path}/state.sqlite3?persistent=yes"
    return {**nothing, "state": "present", "replace": False, "port": 443, "hearth_state": store}


def entry(address: str, key: str | None = KEY) -> dict[str, Any]:
    return {"address": address, "port": 443, "key": key, "comment": None, "observed": None}


def run(arguments: dict[str, Any], check_mode: bool = False, **more: Any) -> dict[str, Any]:
    return perform(BMC_PIN, {**arguments, **more}, check_mode=check_mode, diff_mode=True)


def test_its_documentation_names_its_options() -> None:
    options = yaml.safe_load(bmc_pin.DOCUMENTATION)["options"]
    assert set(options) == set(BMC_PIN.argument_spec) - {"hearth_state", "hearth_state_password"}
    pins = BMC_PIN.argument_spec["pins"]["options"]
    assert set(options["pins"]["suboptions"]) == set(pins)


def test_its_results_are_documented(arguments: dict[str, Any]) -> None:
    documented = yaml.safe_load(bmc_pin.RETURN)
    result = run(arguments, address="10.0.0.7", key=KEY)
    failed = run(arguments, address="10.0.0.7")
    assert set(result) - {"changed", "diff"} <= set(documented)
    assert set(result["pins"][0]) == set(documented["pins"]["contains"])
    assert set(result["store"]) == set(documented["store"]["contains"])
    assert set(failed["error"]) == set(documented["error"]["contains"])


@pytest.mark.parametrize("name", ["modules/bmc_pin.py", "action/bmc_pin.py"])
def test_a_front_end_is_short(name: str) -> None:
    tree = ast.parse((ROOT / "plugins" / name).read_text())
    code = [node for node in tree.body if not (isinstance(node, ast.Assign) or isinstance(node, ast.Expr))]
    assert sum((node.end_lineno or 0) - node.lineno + 1 for node in code) < 60


def test_one_endpoint_spelled_in_two_ways_is_one_pin(arguments: dict[str, Any]) -> None:
    first = run(arguments, address="FD00:0::7", key=KEY)
    second = run(arguments, address="[fd00::7]", key=KEY.upper().replace("SPKI-SHA256", "spki-sha256"))
    assert (first["changed"], second["changed"]) == (True, False)
    assert [pin["address"] for pin in second["pins"]] == ["[fd00::7]:443"]


def test_a_comment_is_kept_unless_another_is_given(arguments: dict[str, Any]) -> None:
    run(arguments, address="10.0.0.7", key=KEY, comment="label")
    again = run(arguments, address="10.0.0.7", key=KEY)
    assert (again["changed"], again["pins"][0]["comment"]) == (False, "label")
    other = run(arguments, address="10.0.0.7", key=KEY, comment="console")
    assert (other["changed"], other["pins"][0]["comment"]) == (True, "console")


def test_two_keys_for_one_address_are_refused(arguments: dict[str, Any]) -> None:
    result = run(arguments, pins=[entry("10.0.0.7"), entry("10.0.0.7", "cert-sha256:" + "ab" * 32)])
    assert result["error"]["type"] == "BadInput" and "Two keys" in result["msg"]


def test_no_pin_is_lost_in_the_history(arguments: dict[str, Any]) -> None:
    run(arguments, address="10.0.0.7", key=KEY)
    run(arguments, address="10.0.0.7", state="absent", comment="given back")
    with open_store(arguments["hearth_state"]) as store:
        history = store.pin_history("10.0.0.7:443")
    assert [(pin.state, pin.comment) for pin in history] == [("pinned", ""), ("removed", "given back")]


def test_check_mode_leaves_an_existing_store_as_it_is(arguments: dict[str, Any], tmp_path: Path) -> None:
    run(arguments, address="10.0.0.7", key=KEY)
    before = (tmp_path / "state.sqlite3").read_bytes()
    result = run(arguments, check_mode=True, address="10.0.0.7", key="spki-sha256:" + "cd" * 32, replace=True)
    assert result["diff"]["after"] == {"pins": {"10.0.0.7:443": "spki-sha256:" + "cd" * 32}}
    assert (tmp_path / "state.sqlite3").read_bytes() == before


def test_ten_thousand_pins_are_one_step(arguments: dict[str, Any]) -> None:
    pins = [entry(f"10.{number // 65536}.{number // 256 % 256}.{number % 256}") for number in range(10_000)]
    begun = time.process_time()
    first, second = run(arguments, pins=pins), run(arguments, pins=pins)
    assert (first["changed"], len(first["pins"]), second["changed"]) == (True, 10_000, False)
    # Not a benchmark: what is quadratic here takes minutes.
    assert time.process_time() - begun < 30
