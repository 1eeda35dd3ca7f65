# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``python -m tests.lab.snapshot save|restore|delete NAME MACHINE`` and ``… list``."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

from tests.lab import rack, snapshot
from tests.lab.engine.errors import LabError


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.lab.snapshot", description=snapshot.__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="what there is")
    for command, says in (("save", "a machine as it is"), ("restore", "a machine to it"), ("delete", "it")):
        each = commands.add_parser(command, help=f"{command} {says}")
        each.add_argument("name")
        each.add_argument("machine", nargs="+", help="name, slot or number")
    chosen = parser.parse_args(arguments)
    try:
        there = rack.read()
        if chosen.command == "list":
            for found in snapshot.listing(there):
                print(f"{found.name}  {found.machine}  {'running' if found.running else 'off'}")
            return 0
        for machine in [there.machine(name) for name in chosen.machine]:
            began = time.monotonic()
            {"save": snapshot.save, "restore": snapshot.restore, "delete": snapshot.delete}[chosen.command](
                there, chosen.name, machine
            )
            print(f"{chosen.command} {chosen.name} {machine.name}: {time.monotonic() - began:.1f} s", flush=True)
    except (LabError, rack.NoRack, snapshot.SnapshotError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
