# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs a task of an IPMI module against one BMC: by its contract, which is quick, or through Ansible."""

from __future__ import annotations

from typing import Any, Protocol

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.hearth.datacenter.plugins.module_utils._glue.contract import Contract, perform
from tests.integration.ipmi_sim import PASSWORD, USERNAME, fru

SERIAL = "SN-0042"
FRU = fru(
    ["CH-PN-1", "CH-SN-1"],
    ["Board Works", "Board One", "BRD-SN-1", "BRD-PN-1", ""],
    ["Acme", "Rocket 9", "R9-1", "v2", SERIAL, "shelf 4", ""],
)
IDENTITY = {"serial": SERIAL}


class Bmc(Protocol):
    """IpmiSim, RmcpPeer and Relay alike."""

    address: str
    port: int


def performed(contract: Contract, bmc: Bmc, *, check: bool = False, **arguments: Any) -> dict[str, Any]:
    """The result of one task, in diff mode, with the identity of the machine that all tests use."""
    given = {
        "address": bmc.address,
        "port": bmc.port,
        "username": USERNAME,
        "password": PASSWORD,
        "identity": IDENTITY,
        "deadline": 20,
        **arguments,
    }
    validation = ArgumentSpecValidator(**contract.rules).validate(
        {option: value for option, value in given.items() if value is not None}
    )
    assert not validation.error_messages, validation.error_messages
    return perform(contract, validation.validated_parameters, check_mode=check, diff_mode=True)


def hostvars(bmc: Bmc, **more: Any) -> dict[str, Any]:
    """What a host that was discovered by IPMI has among its variables."""
    found = {"address": bmc.address, "port": bmc.port, "protocol": "ipmi", "expected": IDENTITY, "system": ""}
    return {"hearth_bmc": {**found, **more}, "hearth_bmc_username": USERNAME, "hearth_bmc_password": PASSWORD}
