# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The second half of ``make demo``: the machines of the virtual rack, discovered, booted into the live image by their
BMCs and proved by their TPMs.

The rack stays up to be tried; run again, the demo finds its machines in the live image and leaves them running.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence

from tests.lab import live
from tests.lab.rack import Rack, read


def show(rack: Rack, words: Sequence[str], command: Sequence[str]) -> None:
    """Run a command of Ansible's in front of whoever watches. ``words`` is what it is called."""
    print(f"\n$ {' '.join(words)}", flush=True)
    # What is skipped tells nobody anything.
    environment = live.environment(rack) | {"ANSIBLE_DISPLAY_SKIPPED_HOSTS": "false"}
    subprocess.run(command, cwd=rack.inventory, env=environment, check=True)


def main() -> int:
    rack = read()
    began = time.monotonic()
    print("The live image is built from Debian packages; that takes minutes, once.", flush=True)
    command = live.preparation()
    show(rack, ["ansible-playbook", command[-1]], command)
    built = time.monotonic()
    for command in (
        ["ansible-inventory", "-i", "hearth.bmc.yml", "--graph"],
        ["ansible-playbook", "-i", "hearth.bmc.yml", "hearth.datacenter.discover"],
        ["ansible-playbook", "-i", "hearth.bmc.yml", live.BOOT_LIVE],
    ):
        show(rack, command, command)
    operator, first = rack.directory / "operator", rack.machines[0]
    print(
        f"\nThe image took {built - began:.0f} s, discovery and boot of {len(rack.machines)} machines "
        f"{time.monotonic() - built:.0f} s ({rack.accelerator}). The rack stays up:\n"
        f"  its inventory   cd {rack.inventory} && ansible-inventory -i hearth.bmc.yml --graph\n"
        f"  a machine       ssh -i {operator}/id_ed25519 -o UserKnownHostsFile={operator}/known_hosts "
        f"root@{first.node_address}\n"
        f"  its console     {first.console}\n"
        "  away with it    make rack-down"
    )
    return 0
