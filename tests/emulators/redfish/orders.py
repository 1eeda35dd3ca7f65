# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the admin endpoint can ask of one BMC, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.emulators.redfish.actions.boot import settings_of
from tests.emulators.redfish.bmc import Bmc
from tests.emulators.redfish.body import CompiledTree, merged
from tests.emulators.redfish.personalities.index import PERSONALITIES
from tests.emulators.redfish.surroundings import Platform

Order = Callable[[Bmc, dict[str, Any]], Any]


def describe(bmc: Bmc, arguments: dict[str, Any]) -> Any:
    """Identity, state and counters."""
    unit = bmc.unit
    return {
        "address": unit.address,
        "platform": bmc.platform.name,
        "serial": unit.serial,
        "uuid": unit.uuid,
        "rack": unit.rack,
        "slot": unit.slot,
        "asset_tag": unit.asset_tag,
        "generation": bmc.generation,
        "faults": {fault.name: fault.options for fault in bmc.faults},
        "sessions_open": bmc.open_sessions,
        "power": {path: bmc.machine(path).power_state for path in bmc.platform.tree.by_kind.get("ComputerSystem", ())},
        "statistics": bmc.counters.as_dict(),
    }


def state(bmc: Bmc, arguments: dict[str, Any]) -> Any:
    """What is so, whatever the BMC's faults have it say: power, boot settings (those that wait for the next boot
    first), media, lights, and who is logged in."""
    kinds = bmc.platform.tree.by_kind
    systems = kinds.get("ComputerSystem", ())
    lit = [path for kind in ("ComputerSystem", "Chassis", "Drive") for path in kinds.get(kind, ())]
    return {
        "power": {path: bmc.machine(path).power_state for path in systems},
        "boot": {path: {**_boot(bmc, path), **_boot(bmc, settings_of(bmc, path))} for path in systems},
        "media": {path: _only(bmc, path, "Inserted", "Image") for path in kinds.get("VirtualMedia", ())},
        "lights": {path: _only(bmc, path, "LocationIndicatorActive", "IndicatorLED") for path in lit},
        "sessions": [session.account.username for session in bmc.sessions.all()],
    }


def _boot(bmc: Bmc, path: str) -> dict[str, Any]:
    shown: dict[str, Any] = _only(bmc, path, "Boot").get("Boot") or {}
    return shown


def _only(bmc: Bmc, path: str, *names: str) -> dict[str, Any]:
    body = bmc.body(path, faulty=False) or {}
    return {name: body[name] for name in names if name in body}


def faults(bmc: Bmc, arguments: dict[str, Any]) -> Any:
    """``faults``: name → options; these and no others from now on."""
    bmc.set_faults(arguments["faults"])
    return {fault.name: fault.options for fault in bmc.faults}


def restart(bmc: Bmc, arguments: dict[str, Any]) -> Any:
    """The BMC restarts; ``seconds`` says how long it is away."""
    seconds = arguments.get("seconds")
    bmc.restart(None if seconds is None else float(seconds))
    return {}


def certificate(bmc: Bmc, arguments: dict[str, Any]) -> Any:
    """Another key and certificate for connections from now on."""
    bmc.renew_certificate()
    return {"generation": bmc.generation}


def credentials(bmc: Bmc, arguments: dict[str, Any]) -> Any:
    """``username`` gets ``password`` (and ``role``, ``enabled``, ``change_required``); made where it is not there."""
    account = bmc.accounts.named(arguments["username"])
    if account is None:
        free = bmc.accounts.free_slot() if bmc.manners.account_slots else None
        account = free or bmc.accounts.add(arguments["username"], "", bmc.manners.role_ids[0])
        account.username = arguments["username"]
        account.enabled = True
    account.password = arguments.get("password", account.password)
    account.role = arguments.get("role", account.role)
    account.enabled = bool(arguments.get("enabled", account.enabled))
    account.change_required = bool(arguments.get("change_required", account.change_required))
    account.locked_until = 0.0
    return {"id": account.id}


def power(bmc: Bmc, arguments: dict[str, Any]) -> Any:
    """``reset_type`` for the machine of ``system`` (default: the first), as its power button would."""
    system = arguments.get("system", "")
    bmc.machine(system).reset(arguments["reset_type"])
    return {"power_state": bmc.machine(system).power_state}


def overlay(bmc: Bmc, arguments: dict[str, Any]) -> Any:
    """``resources``: path → properties laid over what the platform shows (a serial that two machines share, …)."""
    for path, change in arguments["resources"].items():
        if bmc.body(path) is None:
            raise KeyError(f"{bmc.unit.address} has no {path}")
        bmc.overlay[path] = merged(bmc.overlay.get(path, {}), change)
    return {}


def manners(bmc: Bmc, arguments: dict[str, Any]) -> Any:
    """This BMC alone behaves so from now on (``Manners`` by name); none: as its platform does. No tree is shared then,
    since what a platform knows of itself (the Allow headers) follows from its manners."""
    usual: Platform = bmc.kept.setdefault("usual platform", bmc.platform)
    before = usual.manners
    own: dict[str, Any] = {}
    for name, value in arguments.items():
        if not hasattr(before, name):
            raise ValueError(f"there is no manner {name}")
        own[name] = type(getattr(before, name))(value)
    if own:
        tree = CompiledTree((usual.grow or PERSONALITIES[usual.name].tree)())
        bmc.adopt(Platform(usual.name, replace(before, **own), tree, usual.grow))
    else:
        bmc.adopt(usual)
    return sorted(own)


def log(bmc: Bmc, arguments: dict[str, Any]) -> Any:
    """Writes ``message`` with ``severity`` to the platform's log."""
    bmc.log(arguments["message"], arguments.get("severity", "OK"))
    return {}


def end_sessions(bmc: Bmc, arguments: dict[str, Any]) -> Any:
    """All sessions are gone, as after a timeout."""
    bmc.sessions.end_all()
    return {}


ORDERS: dict[str, Order] = {
    "describe": describe,
    "state": state,
    "faults": faults,
    "restart": restart,
    "certificate": certificate,
    "credentials": credentials,
    "power": power,
    "overlay": overlay,
    "manners": manners,
    "log": log,
    "end_sessions": end_sessions,
}
