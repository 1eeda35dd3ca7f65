# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Playbooks on hosts that the inventory plugin discovered, and to which nobody can connect: their machines are off."""

from __future__ import annotations

import json
import pathlib
import typing as t

import yaml

from tests.emulators.redfish.fleet import Fleet
from tests.integration.inventory_run import InventoryFolder
from tests.integration.playbook_run import PlaybookFolder, Ran

# Nobody listens there, and no interpreter is there: a task that asks the host anything fails.
UNREACHABLE = {
    "ansible_connection": "ansible.builtin.ssh",
    "ansible_host": "127.65.255.254",
    "ansible_port": 9,
    "ansible_become": True,
    "ansible_python_interpreter": "/nonexistent/python",
}
JUMP = {"ansible_connection": "ansible.builtin.local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}


class DiscoveredHosts(PlaybookFolder):
    """A folder whose inventory is what discovery found, with the fleet's credential among the hosts' variables."""

    def __init__(self, folder: pathlib.Path, fleet: Fleet, **group_variables: t.Any) -> None:
        super().__init__(folder)
        self.fleet = fleet
        discovery = InventoryFolder(folder, fleet)
        discovery.write(hearth_state=None)
        self.hosts = discovery.list().hosts
        credential = {"hearth_bmc_username": fleet.username, "hearth_bmc_password": fleet.password}
        self.write_inventory({**UNREACHABLE, **credential, **group_variables})
        fleet.reset_statistics()

    def write_inventory(self, shared: t.Mapping[str, t.Any]) -> None:
        servers = {"hosts": self.hosts, "vars": dict(shared)}
        everything = {"all": {"hosts": {"jump": JUMP}, "children": {"servers": servers}}}
        # JSON is YAML, and many times faster to write and to read.
        (self.folder / "inventory.yml").write_text(json.dumps(everything))

    def name_of(self, address: str) -> str:
        """The host behind a BMC; the first where there are several."""
        return next(name for name, host in self.hosts.items() if host["hearth_bmc"]["address"] == address)

    def play(
        self,
        tasks: list[dict[str, t.Any]],
        *words: str,
        environment: t.Mapping[str, str] | None = None,
        variables: t.Mapping[str, t.Any] | None = None,
        **keywords: t.Any,
    ) -> Ran:
        """Run tasks for the discovered hosts, or for those that ``hosts`` names. ``keywords`` are the play's own."""
        play = {"hosts": "servers", "gather_facts": False, "vars_files": ["variables.yml"], **keywords, "tasks": tasks}
        (self.folder / "variables.yml").write_text(yaml.safe_dump(dict(variables or {})))
        (self.folder / "play.yml").write_text(yaml.safe_dump([play], sort_keys=False))
        return self.playbook(str(self.folder / "play.yml"), *words, **(environment or {}))

    def power(self, address: str) -> str:
        """What the emulated machine itself says."""
        machines = self.fleet.admin("GET", f"/bmcs/{address}")
        return json.dumps(machines.get("power", machines))
