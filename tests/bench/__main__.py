# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``python -m tests.bench [GROUP …]``: measures on the emulated fleet and writes build/bench.json."""

from __future__ import annotations

import argparse
import os
import pathlib
import platform
import sys

import ansible.release

from .figures import merge, not_run, table
from .groups import GROUPS
from .processes import commit

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("groups", nargs="*", help=f"only these ({', '.join(GROUPS)}); the rows of others stay")
    parser.add_argument("--output", type=pathlib.Path, default=CHECKOUT / "build" / "bench.json")
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.groups) - set(GROUPS))
    if unknown:
        parser.error(f"no such group: {', '.join(unknown)}; there are {', '.join(GROUPS)}")
    context = {
        "commit": commit(CHECKOUT),
        "python": platform.python_version(),
        "ansible_core": ansible.release.__version__,
        "cpus": os.cpu_count(),
    }
    missed = 0
    for name, group in GROUPS.items():
        if arguments.groups and name not in arguments.groups:
            continue
        print(f"bench: {name} …", flush=True)
        try:
            figures = group(context)
        except (RuntimeError, OSError) as error:
            figures = [not_run(name, " ".join(str(error).split()), context)]
        merge(arguments.output, name, figures)
        print(table(figures), flush=True)
        missed += sum(figure.ok is False for figure in figures)
    print(f"{missed} missed; all figures: {arguments.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
