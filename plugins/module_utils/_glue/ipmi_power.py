# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Arguments and result of the module ipmi_power, around the engine in :mod:`.._ipmi.power`."""

from __future__ import annotations

from .._core.errors import Unsupported
from .._ipmi.access import opened
from .._ipmi.power import CONTROLS, WantedPower, power, power_now
from .contract import Contract, Outcome, Request
from .ipmi_options import CHANGE, IPMI_ARGUMENTS, IPMI_RULES, access_of, confirm, identity_of
from .redfish_power import POWER_ARGUMENTS, wanted_of


def run(request: Request) -> Outcome:
    """Read, plan, and unless in check mode: switch and wait."""
    said = wanted_of(request.params)
    if said.unless_booted_since is not None:
        raise Unsupported(
            "IPMI does not tell when a machine booted; nothing was changed.",
            expected="Redfish",
            found="unless_booted_since",
            where="unless_booted_since",
            next="Leave it out to restart in any case.",
        )
    wanted = WantedPower(said.state, said.method, said.graceful_timeout, said.force_timeout)
    expected = identity_of(request.params)
    with opened(
        access_of(request.params, request.run_directory), privilege=CHANGE, longest=wanted.longest
    ) as connection:
        confirm(connection, expected)
        outcome = power(connection, wanted, power_now(connection), check_mode=request.check_mode)
    resets = {"resets": outcome.resets} if outcome.resets else {}
    return Outcome(
        changed=outcome.changed,
        nouns={
            "power": {
                "system": "",
                "state": outcome.after,
                "previous_state": outcome.before,
                "resets": outcome.resets,
                "offered": sorted(CONTROLS),
            }
        },
        before={"power_state": outcome.before},
        after={"power_state": outcome.after, **resets},
        warnings=connection.warnings,
    )


IPMI_POWER = Contract("ipmi_power", run, argument_spec={**POWER_ARGUMENTS, **IPMI_ARGUMENTS}, **IPMI_RULES)
