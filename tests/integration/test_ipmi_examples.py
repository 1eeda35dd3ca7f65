# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every example of the IPMI modules is a real task, and every key of their results is documented."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.emulators.rmcp.machine import Machine
from tests.emulators.rmcp.peer import Account, RmcpPeer
from tests.integration.ipmi_run import hostvars
from tests.integration.ipmi_sim import PASSWORD, fru
from tests.integration.playbook_run import PlaybookFolder

pytest.importorskip("pyghmi", reason="pyghmi is not installed")
pytest.importorskip("jmespath", reason="jmespath is not installed")

# The serial number, user and password that the examples name
FRU = fru(["", ""], ["", "", "", "", ""], ["Acme", "Rocket 9", "R9-1", "v2", "HRT0000017", "", ""])
ACCOUNTS = {"hearth": Account(PASSWORD), "ops": Account("of-the-vault")}
MODULES = ["ipmi_info", "ipmi_power", "ipmi_boot"]


def documentation(module: str) -> Any:
    return importlib.import_module(f"ansible_collections.hearth.datacenter.plugins.modules.{module}")


@pytest.mark.parametrize("module", MODULES)
def test_every_example_runs_and_every_key_is_documented(module: str, tmp_path: Path) -> None:
    tasks = yaml.safe_load(documentation(module).EXAMPLES)
    documented = yaml.safe_load(documentation(module).RETURN)
    with RmcpPeer("127.63.9.1", accounts=ACCOUNTS, machine=Machine(power=True, fru=FRU)) as peer:
        for task in tasks:
            arguments = task[f"hearth.datacenter.{module}"]
            if arguments and "address" in arguments:
                arguments.update(address=peer.address, port=peer.port)
        variables = {**hostvars(peer, expected={"serial": "HRT0000017"}), "vault_bmc_password": "of-the-vault"}
        ran = PlaybookFolder(tmp_path).run(tasks, **variables)
        assert ran.outcomes == ["ok"] * len(tasks), ran.said
    for result in ran.results:
        for key in set(result) - {"changed", "warnings", "invocation"}:
            if key.startswith(("_", "ansible_")):
                continue
            assert key in documented
            inside = documented[key].get("contains")
            if inside:
                assert set(result[key]) <= set(inside), key
