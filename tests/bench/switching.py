# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What redfish_power sends when it switches a machine on, by platform."""

from __future__ import annotations

import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.hearth.datacenter.plugins.module_utils._glue.redfish_power import REDFISH_POWER

from .clients.bare import Step
from .power_hosts import PowerHosts
from .recording import one_of_each, steps_of


def switching_on(hosts: PowerHosts) -> dict[str, list[Step]]:
    """The steps for one machine of each platform; all of them are off before."""
    params = {platform: params_of(hosts, bmc) for platform, bmc in one_of_each(hosts.bmcs).items()}
    return steps_of(REDFISH_POWER, params)


def params_of(hosts: PowerHosts, bmc: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """What the action would give the engine for that host."""
    known = hosts.hearth_bmc(bmc)
    given = {option: known[option] for option in ("address", "port", "scheme", "system", "platform")}
    given["discovered"] = {"sessions": known["sessions"], "spki_sha256": known["fingerprint"]["spki_sha256"]}
    given |= {"trust": "verify", "ca_path": hosts.fleet.ca, "identity": known["expected"], "state": "on"}
    given |= {"username": hosts.fleet.username, "password": hosts.fleet.password}
    validation = ArgumentSpecValidator(**REDFISH_POWER.rules).validate(given)
    if validation.error_messages:
        raise RuntimeError(f"redfish_power takes other options now: {validation.error_messages}")
    return dict(validation.validated_parameters)
