# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs tasks as a user does, with ansible-playbook, and gives their results as callbacks see them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.toolchain.collection_tree import link_development_tree

CALLBACKS = Path(__file__).parent / "callbacks"

# A host that is off: nothing may be asked of it. And a machine that tasks are delegated to, with its own interpreter.
INVENTORY = {
    "all": {
        "hosts": {
            "off": {
                "ansible_connection": "ssh",
                "ansible_host": "127.44.255.254",
                "ansible_port": 9,
                "ansible_become": True,
                "ansible_python_interpreter": "/nonexistent/python",
            },
            "jump": {
                "ansible_connection": "local",
                "ansible_python_interpreter": "{{ ansible_playbook_python }}",
            },
        }
    }
}


@dataclass(frozen=True)
class Ran:
    """A playbook that has ended: each task's outcome (ok, failed, unreachable) and result, in order."""

    code: int
    said: str
    outcomes: list[str]
    results: list[dict[str, Any]]
    hosts: list[str] = field(default_factory=list)
    """Whose task each one was."""

    def of(self, host: str) -> list[dict[str, Any]]:
        """The results of one host's tasks, in order."""
        return [result for name, result in zip(self.hosts, self.results) if name == host]


class PlaybookFolder:
    """A folder with its own inventory and state store; each test has its own."""

    within = 120.0
    """Seconds that a run may take."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # The machine that runs the tests may itself be a container whose disk does not stay.
        self.store = f"sqlite://{folder}/state.sqlite3?persistent=yes"
        (folder / "inventory.yml").write_text(yaml.safe_dump(INVENTORY))

    def environment(self, **more: str) -> dict[str, str]:
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "HEARTH_"))},
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(self.folder),
            "LC_ALL": "C.UTF-8",
            "ANSIBLE_COLLECTIONS_PATH": str(link_development_tree()),
            "ANSIBLE_CALLBACK_PLUGINS": str(CALLBACKS),
            "ANSIBLE_CALLBACKS_ENABLED": "hearth_recorder",
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_NOCOLOR": "true",
            "ANSIBLE_LOCAL_TEMP": str(self.folder / "local-tmp"),
            "ANSIBLE_REMOTE_TEMP": str(self.folder / "remote-tmp"),
            "ANSIBLE_ASYNC_DIR": str(self.folder / "async"),
            "HEARTH_TEST_RESULTS": str(self.folder / "results.jsonl"),
            **more,
        }

    def run(self, tasks: list[dict[str, Any]], *words: str, **variables: Any) -> Ran:
        """Run tasks for the host that is off. ``variables`` stand in a file that no message of Ansible quotes."""
        play = {"hosts": "off", "gather_facts": False, "vars_files": ["variables.yml"], "tasks": tasks}
        (self.folder / "variables.yml").write_text(yaml.safe_dump(variables))
        (self.folder / "play.yml").write_text(yaml.safe_dump([play], sort_keys=False))
        return self.playbook(str(self.folder / "play.yml"), *words)

    def playbook(self, playbook: str, *words: str, **environment: str) -> Ran:
        """Run a playbook without a terminal."""
        (self.folder / "results.jsonl").unlink(missing_ok=True)
        done = subprocess.run(
            ["ansible-playbook", "-i", str(self.folder / "inventory.yml"), playbook, *words],
            cwd=self.folder,
            env=self.environment(**environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=self.within,
            check=False,
        )
        return self.ran(done.returncode, done.stdout + done.stderr)

    def ran(self, code: int, said: str) -> Ran:
        results = self.folder / "results.jsonl"
        lines = [json.loads(line) for line in results.read_text().splitlines()] if results.exists() else []
        return Ran(
            code,
            said,
            [line["outcome"] for line in lines],
            [line["result"] for line in lines],
            [line["host"] for line in lines],
        )
