# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""BMCs that the controller cannot reach and a jump host can: the same tasks, delegated."""

from __future__ import annotations

import json
import pathlib
import subprocess
import typing as t

import pytest
import yaml

from tests.emulators.redfish.fleet import Fleet
from tests.integration.discovered_hosts import UNREACHABLE
from tests.integration.network_namespace import NoNamespaces, network_namespace
from tests.integration.playbook_run import PlaybookFolder, Ran

INFO = "hearth.datacenter.redfish_info"
POWER = "hearth.datacenter.redfish_power"


class JumpHost(PlaybookFolder):
    """``inside`` is a Python in the network of the BMCs, and the interpreter of the host ``jump``."""

    def __init__(self, folder: pathlib.Path, fleet: Fleet, inside: pathlib.Path) -> None:
        super().__init__(folder)
        self.fleet = fleet
        self.inside = inside
        bmc = {
            "address": fleet.addresses[0],
            "port": fleet.https_port,
            "scheme": "https",
            "protocol": "redfish",
            "trust": "verify",
            "ca_path": fleet.ca,
            "expected": {"serial": fleet.bmcs[0]["serial"]},
        }
        server = {
            **UNREACHABLE,
            "hearth_bmc": bmc,
            "hearth_bmc_username": fleet.username,
            "hearth_bmc_password": fleet.password,
        }
        jump = {"ansible_connection": "ansible.builtin.local", "ansible_python_interpreter": str(inside)}
        (folder / "inventory.yml").write_text(yaml.safe_dump({"all": {"hosts": {"server": server, "jump": jump}}}))

    def tasks(self, *tasks: dict[str, t.Any]) -> Ran:
        play = {"hosts": "server", "gather_facts": False, "tasks": list(tasks)}
        (self.folder / "play.yml").write_text(yaml.safe_dump([play], sort_keys=False))
        return self.playbook(str(self.folder / "play.yml"), "-vvvv")

    def statistics(self) -> dict[str, t.Any]:
        """As the fleet's admin endpoint tells it, which is inside, too."""
        url = f"{self.fleet.description['admin']}/statistics"
        ask = f"import urllib.request; print(urllib.request.urlopen('{url}').read().decode())"
        told = subprocess.run([str(self.inside), "-c", ask], check=True, capture_output=True, text=True)
        return t.cast("dict[str, t.Any]", json.loads(told.stdout))


@pytest.fixture
def jump(tmp_path: pathlib.Path) -> t.Iterator[JumpHost]:
    try:
        with network_namespace(tmp_path) as inside:
            with Fleet(1, "127.65.48.0/24", platforms={"openbmc": 1}, python=str(inside)) as fleet:
                yield JumpHost(tmp_path, fleet, inside)
    except NoNamespaces as missing:
        pytest.skip(f"no network namespace: {missing}")


def test_the_controller_cannot_and_the_jump_host_can(jump: JumpHost) -> None:
    off = {POWER: {"state": "off", "method": "force"}}
    ran = jump.tasks(
        {**off, "ignore_errors": True},
        {**off, "delegate_to": "jump"},
        {**off, "delegate_to": "jump"},
        {INFO: {"subset": ["power", "system"]}, "delegate_to": "jump"},
    )
    here, there, again, info = ran.results
    assert ran.outcomes == ["failed", "ok", "ok", "ok"]
    assert here["error"]["type"] == "ConnectionRefused" and not here.get("unreachable")
    assert (there["changed"], again["changed"]) == (True, False)
    assert (there["power"]["previous_state"], there["power"]["state"]) == ("on", "off")
    assert info["info"]["system"]["serial"] == jump.fleet.bmcs[0]["serial"]
    assert "warnings" not in there
    served = jump.statistics()
    assert (served["logins"], served["sessions_open"]) == (3, 0)
    assert jump.fleet.password not in ran.said


def test_what_the_module_lacks_there_is_named(jump: JumpHost) -> None:
    # A Python with nothing installed: isolated from the site-packages of the one that runs the tests.
    bare = jump.folder / "bare-python"
    bare.write_text(f'#!/bin/sh\nexec {jump.inside} -S "$@"\n')
    bare.chmod(0o755)
    inventory = yaml.safe_load((jump.folder / "inventory.yml").read_text())
    inventory["all"]["hosts"]["jump"]["ansible_python_interpreter"] = str(bare)
    (jump.folder / "inventory.yml").write_text(yaml.safe_dump(inventory))
    read, switched = jump.tasks(
        {INFO: {"subset": ["power"]}, "delegate_to": "jump"},
        {POWER: {"state": "off", "method": "force"}, "delegate_to": "jump", "ignore_errors": True},
    ).results
    # Reading needs the standard library only.
    assert read["info"]["power"]["state"] == "on"
    assert switched["error"]["type"] == "MissingLibrary" and "sushy" in switched["msg"]
    assert jump.statistics()["sessions_open"] == 0
