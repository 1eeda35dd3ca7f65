# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plays on the machine with the device, and the secret that opens it in a file for as long as they run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tests.integration.playbook_run import PlaybookFolder, Ran
from tests.servers.luks_image import PASSPHRASE


class DevicePlays:
    """Plays in one folder. ``environment``: what Ansible gets besides."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = PlaybookFolder(folder)
        self.environment = environment

    def run(self, *tasks: dict[str, Any], secret: bytes = PASSPHRASE, **variables: Any) -> Ran:
        """Tasks for the host ``jump``, in which the variable ``secret`` opens the device and no message shows it."""
        folder = self.folder.folder
        known = {"secret": secret.decode(), "ansible_pipelining": True, "hearth_state": self.folder.store}
        (folder / "secrets.yml").write_text(yaml.safe_dump({**known, **variables}), encoding="utf-8")
        play = {"hosts": "jump", "gather_facts": False, "vars_files": ["secrets.yml"], "tasks": list(tasks)}
        (folder / "play.yml").write_text(yaml.safe_dump([play], sort_keys=False), encoding="utf-8")
        ran = self.folder.playbook(str(folder / "play.yml"), "-vvvv", "--diff", **self.environment)
        (folder / "secrets.yml").unlink()
        assert secret.decode() not in ran.said
        return ran
