# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A small rack of a scenario's own, beside any other: made, made again, killed in the making, and taken away."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.lab.engine import leftovers
from tests.toolchain.collection_tree import link_development_tree
from tests.toolchain.places import ROOT

_BESIDE = ROOT / ".venv-rack" / "bin"


@dataclass(frozen=True)
class Ran:
    """A playbook that ended: its exit code, what it said, and how many tasks changed something."""

    code: int
    said: str

    @property
    def changed(self) -> int:
        [changed] = re.findall(r"\bchanged=(\d+)", self.said)
        return int(changed)


class OwnRack:
    """One machine, on networks of its own."""

    name = "hearth-lab-own"

    def __init__(self, lab: Path, variables: Mapping[str, object] | None = None) -> None:
        self.lab = lab
        self.variables: dict[str, object] = {
            "rack_name": self.name,
            "rack_machines": 1,
            "rack_management_bridge": "hlabo-mgmt",
            "rack_data_bridge": "hlabo-data",
            "rack_management_network": "172.31.217.0/24",
            "rack_data_network": "172.31.218.0/24",
            "rack_virtualbmc_control_port": "50894",
            "rack_programs": str(_BESIDE) if _BESIDE.is_dir() else "",
            **(variables or {}),
        }

    def up(self, **variables: object) -> Ran:
        return self._ended(self._start("rack_up.yml", variables))

    def down(self) -> Ran:
        return self._ended(self._start("rack_down.yml", {}))

    def killed(self, playbook: str, when_there: str = "", when_gone: str = "", within: float = 300.0) -> bool:
        """Start a playbook and kill it with all that it started once a file of the lab is there, or is gone.

        False where it ended before.
        """
        run = self._start(playbook, {})
        deadline = time.monotonic() + within
        while run.poll() is None:
            if (when_there and (self.lab / when_there).exists()) or (
                when_gone and not os.path.lexists(self.lab / when_gone)
            ):
                os.killpg(run.pid, signal.SIGKILL)
                run.communicate()
                return True
            if time.monotonic() > deadline:
                os.killpg(run.pid, signal.SIGKILL)
                raise TimeoutError(f"{playbook}: {when_there or when_gone} did not come: {run.communicate()[0]}")
            time.sleep(0.02)
        run.communicate()
        return False

    def left(self) -> dict[str, list[str]]:
        """What there is of it, by kind, looked for without its own records."""
        return leftovers.of_rack(self.lab, self.name)

    def _start(self, playbook: str, variables: Mapping[str, object]) -> subprocess.Popen[str]:
        program = str(Path(sys.executable).with_name("ansible-playbook"))
        command = [program, "-i", "localhost,", f"tests/lab/{playbook}"]
        command += ["-e", json.dumps({**self.variables, **variables})]
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")},
            "ANSIBLE_COLLECTIONS_PATH": str(link_development_tree()),
            "ANSIBLE_NOCOLOR": "1",
            "PYTHONPATH": str(ROOT),
            "HEARTH_LAB": str(self.lab),
        }
        return subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def _ended(self, run: subprocess.Popen[str], within: float = 600.0) -> Ran:
        said, _nothing = run.communicate(timeout=within)
        return Ran(run.returncode, said)
