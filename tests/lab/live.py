# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Machines of the virtual rack in the live image: what scenarios, demo and bench run, as a user runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.integration.playbook_run import PlaybookFolder, Ran
from tests.lab.rack import Machine, Rack
from tests.toolchain.collection_tree import link_development_tree
from tests.toolchain.places import CACHE, ROOT

BOOT_LIVE = "hearth.datacenter.boot_live"
IMAGES = CACHE / "live-image"


class NotPrepared(Exception):
    """The live image was not built; the text ends with what the playbook wrote."""


def environment(rack: Rack) -> dict[str, str]:
    """Of Ansible on this rack: nothing of the developer's own steers it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "HEARTH_"))}
    return kept | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}:/usr/sbin:/sbin",
        "LC_ALL": "C.UTF-8",
        "HEARTH_LAB": str(rack.directory),
        "ANSIBLE_COLLECTIONS_PATH": str(link_development_tree()),
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_INVENTORY_UNPARSED_FAILED": "true",
        "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml",
        "ANSIBLE_HOST_KEY_CHECKING": "true",
    }


def preparation(images: Path = IMAGES) -> list[str]:
    """The command that builds the image where it must, and writes how to boot it into the rack's inventory."""
    playbook = ROOT / "tests" / "lab" / "live.yml"
    places = ["-e", f"live_cache={images}", "-e", f"live_packages={IMAGES / 'packages'}"]
    return ["ansible-playbook", "-i", "localhost,", *places, str(playbook)]


class Live:
    """The rack's own inventory, with a recorder beside it: each run gives its results as callbacks see them."""

    def __init__(self, rack: Rack, folder: Path) -> None:
        self.rack = rack
        self._recorder = PlaybookFolder(folder)

    def prepare(self, images: Path = IMAGES) -> float:
        """Returns the seconds that it took."""
        began = time.monotonic()
        done = self._run(preparation(images))
        if done.returncode != 0:
            raise NotPrepared(f"the live image is not there:\n{(done.stdout + done.stderr)[-6000:]}")
        return time.monotonic() - began

    def boot(self, *machines: Machine, words: Sequence[str] = (), **variables: Any) -> Ran:
        """Run the shipped playbook for these machines, or for all."""
        return self.playbook(BOOT_LIVE, *machines, words=words, **variables)

    def tasks(self, tasks: list[dict[str, Any]], *machines: Machine, **variables: Any) -> Ran:
        """Run tasks for these machines, or for all."""
        play = {"hosts": "all:!bmc_unreachable", "gather_facts": False, "tasks": tasks}
        path = self._recorder.folder / "play.yml"
        path.write_text(json.dumps([play]))
        return self.playbook(str(path), *machines, **variables)

    def playbook(
        self,
        playbook: str,
        *machines: Machine,
        words: Sequence[str] = (),
        inventory: Path | str = "hearth.bmc.yml",
        **variables: Any,
    ) -> Ran:
        (self._recorder.folder / "results.jsonl").unlink(missing_ok=True)
        command = ["ansible-playbook", "-i", str(inventory), playbook, *words]
        command += ["--limit", ",".join(machine.slot for machine in machines)] if machines else []
        command += ["-e", json.dumps(variables)] if variables else []
        done = self._run(command)
        return self._recorder.ran(done.returncode, done.stdout + done.stderr)

    def ssh(self, machine: Machine, command: str) -> str:
        """What a command writes on the node, reached as a person reaches it: by the key that is left in known_hosts."""
        operator = self.rack.directory / "operator"
        options = ["-o", f"UserKnownHostsFile={operator / 'known_hosts'}", "-o", "StrictHostKeyChecking=yes"]
        options += ["-o", "GlobalKnownHostsFile=/dev/null", "-o", "BatchMode=yes", "-o", "ConnectTimeout=20"]
        done = self._run(["ssh", "-i", str(operator / "id_ed25519"), *options, f"root@{machine.node_address}", command])
        if done.returncode != 0:
            raise OSError(f"ssh {machine.node_address}: {done.stderr}")
        return done.stdout

    def published(self) -> list[Path]:
        """What the media server has that anybody could still read."""
        return list(Path(self.rack.servers["media"]["root"]).iterdir())

    def _run(self, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
        recorder = self._recorder.environment()
        callbacks = {name: recorder[name] for name in recorder if "CALLBACK" in name or "HEARTH_TEST" in name}
        return subprocess.run(
            command,
            cwd=self.rack.inventory,
            env=environment(self.rack) | callbacks,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=3600,
            check=False,
        )
