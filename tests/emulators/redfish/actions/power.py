# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ComputerSystem.Reset and Chassis.Reset: the machine's power, and the boot override that a boot uses up."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tests.emulators.redfish import changing
from tests.emulators.redfish.actions.boot import use_boot_override
from tests.emulators.redfish.http1 import Reply
from tests.emulators.redfish.machine import MachineFailed, RealMachine
from tests.emulators.redfish.messages import Refusal
from tests.emulators.redfish.personality import Json
from tests.emulators.redfish.registry import action

if TYPE_CHECKING:
    from tests.emulators.redfish.bmc import Bmc

_BOOTS = ("On", "ForceOn", "ForceRestart", "GracefulRestart", "PowerCycle", "FullPowerCycle")


@action("ComputerSystem.Reset")
def reset_system(bmc: Bmc, system: str, parameters: dict[str, Json]) -> Reply:
    reset_type = parameters.get("ResetType")
    if reset_type is None:
        raise Refusal(400, "ActionParameterMissing", "ComputerSystem.Reset", "ResetType")
    if not isinstance(reset_type, str):
        raise Refusal(400, "ActionParameterValueTypeError", reset_type, "ResetType", "ComputerSystem.Reset")
    machine = bmc.machine(system)
    if not machine.reset(reset_type):
        manner = bmc.manners.reached_state
        if manner != "accepted":
            raise Refusal(int(manner.rpartition("_")[2]), "ResourceInUse")
    else:
        bmc.log(f"Reset of {system.rpartition('/')[2]}: {reset_type}.")
        if reset_type in _BOOTS and machine is not bmc.real:  # a real one says itself when it boots
            use_boot_override(bmc, system)
    reply = changing.done(bmc)
    if machine is bmc.real:
        reply.until = partial(_settled, bmc.real)
    return reply


async def _settled(machine: RealMachine) -> None:
    try:
        await machine.settled()
    except MachineFailed as error:
        raise Refusal(500, "HearthLab.1.0.MachineFailed", str(error)) from error


@action("Chassis.Reset")
def reset_chassis(bmc: Bmc, chassis: str, parameters: dict[str, Json]) -> Reply:
    """Acts on every system that the chassis holds."""
    body = bmc.body(chassis) or {}
    reply = changing.done(bmc)
    for system in body.get("Links", {}).get("ComputerSystems", ()):
        reply = reset_system(bmc, system["@odata.id"], parameters)
    return reply
