# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the Makefile calls: ``python3 -m tests.toolchain test``, or another target of it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from tests.toolchain import debian, integration, lab, lint, matrix, sanity, scenarios, unit, work
from tests.toolchain.collection_tree import remove_products
from tests.toolchain.environments import SetUpFailed
from tests.toolchain.interpreters import present
from tests.toolchain.saying import say
from tests.toolchain.stages import Stage, report, run_stage

STAGES = {
    "lint": Stage("lint", lint.checks),
    "sanity": Stage("sanity", sanity.checks),
    "unit": Stage("unit", unit.checks),
    "integration": Stage("integration", integration.checks),
    "rack": Stage("rack", scenarios.stage([scenarios.ONE_PASS], scenarios.PASS_RACK)),
}

RACK = {"rack-up": lab.rack_up, "rack-down": lab.rack_down}


def run_stages(names: Sequence[str]) -> int:
    debian.ensure("test")
    for sentence in matrix.not_here(present()):
        say(sentence)
    return report([run_stage(STAGES[name]) for name in names])


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python3 -m tests.toolchain", description=__doc__)
    parser.add_argument("command", choices=["test", *STAGES, "test-lab", "demo", "bench", *RACK, "clean"])
    parser.add_argument("names", nargs="*", help="for bench: groups; for test-lab: scenarios; for rack-*: name=value")
    chosen = parser.parse_args(arguments)
    try:
        if chosen.command == "test":
            return run_stages(list(STAGES))
        if chosen.command in STAGES:
            return run_stages([chosen.command])
        if chosen.command == "test-lab":
            return scenarios.run(chosen.names)
        if chosen.command == "demo":
            return work.demo()
        if chosen.command == "bench":
            return work.bench(chosen.names)
        if chosen.command in RACK:
            return RACK[chosen.command]([word for name in chosen.names for word in ("-e", name)])
        remove_products()
        return 0
    except SetUpFailed as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        say("interrupted")
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
