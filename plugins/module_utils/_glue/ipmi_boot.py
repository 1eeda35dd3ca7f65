# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Arguments and result of the module ipmi_boot, around the engine in :mod:`.._ipmi.boot`."""

from __future__ import annotations

from typing import Any, Dict

from .._core.errors import Unsupported
from .._ipmi.access import opened
from .._ipmi.boot import (
    REDFISH_ONLY,
    BootFlags,
    BootWanted,
    after,
    apply_boot,
    offers,
    plan_boot,
    read_boot,
    verify_boot,
)
from .contract import Contract, Outcome, Request
from .ipmi_options import CHANGE, IPMI_ARGUMENTS, IPMI_RULES, access_of, confirm, identity_of
from .redfish_boot import BOOT_ARGUMENTS, REDFISH_BOOT, wanted_of


def run(request: Request) -> Outcome:
    """Read, plan, and unless in check mode: write and read back."""
    said = wanted_of(request.params)
    for option in REDFISH_ONLY:
        if request.params[option]:
            raise Unsupported(
                f"IPMI has no {option}; nothing was changed.",
                expected="Redfish",
                found=option,
                where=option,
                next="Leave it out, or use redfish_boot.",
            )
    wanted = BootWanted(said.state, said.target, said.mode)
    if wanted.state in ("once", "continuous"):
        wanted.selector()  # a target that IPMI does not have is found before anything is contacted
    expected = identity_of(request.params)
    with opened(access_of(request.params, request.run_directory), privilege=CHANGE) as connection:
        confirm(connection, expected)
        before = read_boot(connection)
        planned = plan_boot(before, wanted)
        flags = after(before, planned)
        if planned is not None and not request.check_mode:
            apply_boot(connection, planned)
            flags = verify_boot(connection, planned)
    return Outcome(
        changed=planned is not None,
        nouns={"boot": {"system": "", **flags.shown(), "offered": offers()}},
        before=_settings(before),
        after=_settings(flags),
        warnings=connection.warnings,
    )


def _settings(flags: BootFlags) -> Dict[str, Any]:
    return {name: value for name, value in flags.shown().items() if name != "pending"}


IPMI_BOOT = Contract(
    "ipmi_boot",
    run,
    argument_spec={
        **BOOT_ARGUMENTS,
        # Taken so that a task may change its protocol, and refused by name.
        **{option: REDFISH_BOOT.argument_spec[option] for option in REDFISH_ONLY},
        **IPMI_ARGUMENTS,
    },
    required_one_of=REDFISH_BOOT.required_one_of,
    required_if=REDFISH_BOOT.required_if,
    **IPMI_RULES,
)
