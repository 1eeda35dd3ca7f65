# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the inventory plugin as a user does, with ansible-inventory on a file, against an emulated fleet."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import typing as t

import yaml

from tests.emulators.redfish.fleet import Fleet
from tests.toolchain.collection_tree import link_development_tree


@dataclasses.dataclass(frozen=True)
class Ended:
    """An Ansible command that has ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def said(self) -> str:
        """Everything that it wrote, with the line breaks of its messages folded."""
        return " ".join((self.stdout + " " + self.stderr).split())


@dataclasses.dataclass(frozen=True)
class Listed:
    """The parsed result of ``ansible-inventory --list``."""

    ended: Ended
    hosts: dict[str, dict[str, t.Any]]
    groups: dict[str, list[str]]


class InventoryFolder:
    """A folder with one inventory file; each test has its own, with its own state store."""

    def __init__(self, folder: pathlib.Path, fleet: Fleet | None = None) -> None:
        self.folder = folder
        self.fleet = fleet
        self.source = folder / "hearth.bmc.yml"
        # Said to persist, since these tests also run in containers, where pins in a store on the own disk do not count.
        self.state = f"sqlite://{folder}/state.sqlite3?persistent=yes"

    def write(self, **options: t.Any) -> pathlib.Path:
        """Writes the inventory file: a fleet's access data, and ``options`` over them; an option of None is left
        out."""
        content: dict[str, t.Any] = {
            "plugin": "hearth.datacenter.bmc",
            "state": self.state,
            "connect_timeout": 3,
            "deadline": 20,
            "ipmi": "never",
        }
        if self.fleet is not None:
            content |= {
                "targets": self.fleet.addresses,
                "ports": [str(self.fleet.https_port)],
                "trust": "verify",
                "ca_path": self.fleet.ca,
                "username": self.fleet.username,
                "password": self.fleet.password,
            }
        content |= options
        self.source.write_text(
            yaml.safe_dump({key: value for key, value in content.items() if value is not None}, sort_keys=False)
        )
        return self.source

    def environment(self, **more: str) -> dict[str, str]:
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "HEARTH_"))},
            "PATH": f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(self.folder),
            "LC_ALL": "C.UTF-8",
            "ANSIBLE_COLLECTIONS_PATH": str(link_development_tree()),
            "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true",
            "ANSIBLE_INVENTORY_ENABLED": "hearth.datacenter.bmc,yaml,script",
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_NOCOLOR": "true",
            **more,
        }

    def command(self, *words: str, timeout: float = 120, **environment: str) -> Ended:
        done = subprocess.run(
            words,
            cwd=self.folder,
            env=self.environment(**environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def list(self, *words: str, timeout: float = 120, **environment: str) -> Listed:
        """``ansible-inventory --list``; fails the test when it fails."""
        ended = self.command(
            "ansible-inventory", "-i", str(self.source), "--list", *words, timeout=timeout, **environment
        )
        if ended.code:
            raise AssertionError(f"ansible-inventory failed: {ended.said}")
        data = json.loads(ended.stdout)
        groups = {name: list(group.get("hosts", ())) for name, group in data.items() if name != "_meta"}
        return Listed(ended, data["_meta"]["hostvars"], groups)

    def refused(self, **options: t.Any) -> str:
        """What ansible-inventory says to a file that it must refuse; never a traceback."""
        self.write(**options)
        ended = self.command("ansible-inventory", "-i", str(self.source), "--list")
        assert ended.code != 0, ended.stdout[:500]
        assert "Traceback" not in ended.said
        return ended.said
