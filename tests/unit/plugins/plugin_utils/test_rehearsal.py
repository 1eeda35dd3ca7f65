# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is done before the fork: in memory only, and so that a worker finds nothing left to find out."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import textwrap
import time
from typing import Any, NoReturn

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._redfish.sushy_connector import SUSHY_MISSING
from ansible_collections.hearth.datacenter.plugins.plugin_utils import _rehearsal
from tests.emulators.redfish.fleet import CHECKOUT, Fleet

pytestmark = pytest.mark.skipif(SUSHY_MISSING is not None, reason="sushy is not installed")

WORKER = """
    import json, os, re, sys

    from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
    from ansible_collections.hearth.datacenter.plugins.action.redfish_power import ActionModule
    from ansible_collections.hearth.datacenter.plugins.module_utils._glue.contract import perform

    contract, given = ActionModule.contract, json.load(sys.stdin)
    known = set(sys.modules)
    compiled = []
    compile_for_real = re._compiler.compile
    re._compiler.compile = lambda pattern, flags=0: compiled.append(pattern) or compile_for_real(pattern, flags)
    params = ArgumentSpecValidator(**contract.rules).validate(given).validated_parameters
    params = {option: params.get(option) for option in contract.argument_spec}
    result = perform(contract, params, check_mode=False, diff_mode=True)
    json.dump([result, sorted(set(sys.modules) - known), compiled], sys.stdout)
"""


def forbidden(*_given: object, **_named: object) -> NoReturn:
    raise AssertionError("a rehearsal does nothing outside of its process")


def test_a_rehearsal_sends_nothing_touches_no_file_and_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "socket", forbidden)
    monkeypatch.setattr(socket, "getaddrinfo", forbidden)
    monkeypatch.setattr(os, "open", forbidden)
    monkeypatch.setattr(os, "mkdir", forbidden)
    monkeypatch.setattr(time, "sleep", forbidden)
    _rehearsal.rehearse()


def test_the_whole_of_a_task_is_rehearsed(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    send = _rehearsal._Machine.send

    def noted(self: Any, data: memoryview) -> int:
        seen.append(" ".join(bytes(data).split(b"\r\n", 1)[0].decode().split()[:2]))
        return send(self, data)

    monkeypatch.setattr(_rehearsal._Machine, "send", noted)
    _rehearsal.rehearse()
    assert seen == [
        "GET /redfish/v1/",
        "POST /redfish/v1/SessionService/Sessions",
        "GET /redfish/v1/Systems",
        "GET /redfish/v1/Systems/1",
        "GET /redfish/v1/Systems/1/ResetActionInfo",
        "POST /redfish/v1/Systems/1/Actions/ComputerSystem.Reset",
        "GET /redfish/v1/Systems/1",
        "DELETE /redfish/v1/SessionService/Sessions/1",
    ]


def test_a_task_after_it_imports_nothing_and_compiles_no_regular_expression() -> None:
    with Fleet(1, "127.40.250.0/24", platforms="openbmc=1") as fleet:
        given = {
            "state": "on",
            "address": fleet.addresses[0],
            "port": fleet.https_port,
            "ca_path": fleet.ca,
            "username": fleet.username,
            "password": fleet.password,
            "identity": {"serial": fleet.bmcs[0]["serial"]},
        }
        fleet.admin("POST", "/power", {"reset_type": "ForceOff"})
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(WORKER)],
            input=json.dumps(given),
            env={**os.environ, "PYTHONPATH": f"{CHECKOUT / 'build' / 'dev'}:{CHECKOUT}"},
            capture_output=True,
            text=True,
            check=True,
        )
    result, imported, compiled = json.loads(done.stdout)
    assert result["changed"] and result["power"]["state"] == "on"
    assert imported == []
    assert compiled == []
