# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Playbooks on hosts that were discovered by IPMI, and to which nobody can connect: their machines are off."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.integration.discovered_hosts import JUMP, UNREACHABLE
from tests.integration.ipmi_run import Bmc, hostvars
from tests.integration.playbook_run import PlaybookFolder, Ran


class IpmiHosts(PlaybookFolder):
    """A folder whose inventory has a host for each name, in the group ``servers``, and the host ``jump``."""

    def __init__(self, folder: Path, bmcs: Mapping[str, Bmc], **shared: Any) -> None:
        super().__init__(folder)
        servers = {"hosts": {name: hostvars(bmc) for name, bmc in bmcs.items()}, "vars": UNREACHABLE}
        self.inventory: dict[str, Any] = {"all": {"hosts": {"jump": dict(JUMP)}, "children": {"servers": servers}}}
        for variables in servers["hosts"].values():
            variables.update(shared)
        self.write()

    def write(self) -> None:
        (self.folder / "inventory.yml").write_text(yaml.safe_dump(self.inventory))

    def play(self, tasks: list[dict[str, Any]], *words: str, forks: int = 5, **keywords: Any) -> Ran:
        """Run tasks for the servers. ``keywords`` are the play's own."""
        play = {"hosts": "servers", "gather_facts": False, **keywords, "tasks": tasks}
        (self.folder / "play.yml").write_text(yaml.safe_dump([play], sort_keys=False))
        return self.playbook(str(self.folder / "play.yml"), *words, ANSIBLE_FORKS=str(forks))
