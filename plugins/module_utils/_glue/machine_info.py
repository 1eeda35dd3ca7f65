# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Arguments and result of the module machine_info, around the reader in :mod:`.._machine.sight`."""

from __future__ import annotations

from .._machine.sight import read_machine
from .contract import Contract, Outcome, Request


def run(request: Request) -> Outcome:
    """Read; there is nothing to choose."""
    return Outcome(changed=False, nouns={"machine": read_machine()})


MACHINE_INFO = Contract("machine_info", run, argument_spec={})
