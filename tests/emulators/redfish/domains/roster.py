# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which machines a fleet of domains has: a file names each and its BMC's address, libvirt knows the rest."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.emulators.redfish.domains.description import Domain, examine
from tests.emulators.redfish.domains.personality import PLATFORMS, personality_of
from tests.emulators.redfish.domains.virsh import checked_name
from tests.emulators.redfish.machine import MachineFailed
from tests.emulators.redfish.personality import Unit
from tests.emulators.redfish.plan import FleetMember, Plan, PlanError, fault_map, platform_names, unit

_SLOT = re.compile(r"(?P<rack>.+?)-?u(?P<unit>[0-9]{1,2})")


def domain_members(plan: Plan, machines: Path) -> list[FleetMember]:
    """Raises PlanError for anything that is not as it has to be; nothing has happened then."""
    entries = _entries(machines)
    plan = replace(plan, bmcs=len(entries))
    unknown = sorted(set(plan.platforms) - set(PLATFORMS))
    if unknown:
        raise PlanError(f"--platforms: no {', '.join(unknown)} with --machines; there are {', '.join(PLATFORMS)}")
    platforms, faults = platform_names(plan), fault_map(plan)
    found: list[FleetMember] = []
    for index, entry in enumerate(entries):
        try:
            domain = examine(plan.libvirt_uri, checked_name(entry.get("name")))
        except (MachineFailed, ValueError) as error:
            raise PlanError(f"{machines}: machine {index + 1}: {error}") from error
        platform = entry.get("platform", platforms[index])
        if platform not in PLATFORMS:
            raise PlanError(f"{machines}: {domain.name}: there is no platform {platform!r} for a domain")
        personality = personality_of(domain, platform, plan.media_slots)
        made = unit(plan, index, _address(machines, domain, entry), personality)
        found.append(FleetMember(_unit(made, domain, entry), personality, faults.get(index, {}), domain))
    _refuse_twice(machines, found)
    return found


def _entries(machines: Path) -> list[Mapping[str, Any]]:
    try:
        read = json.loads(machines.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise PlanError(f"--machines {machines}: {error}") from error
    entries = read.get("machines") if isinstance(read, dict) else None
    if not isinstance(entries, list) or not entries or not all(isinstance(entry, dict) for entry in entries):
        raise PlanError(f'--machines {machines}: it has to hold {{"machines": [{{"name": …, "bmc": {{…}}}}, …]}}')
    return entries


def _address(machines: Path, domain: Domain, entry: Mapping[str, Any]) -> str:
    bmc = entry.get("bmc")
    address = bmc.get("address") if isinstance(bmc, dict) else None
    try:
        return str(ipaddress.IPv4Address(address if isinstance(address, str) else ""))
    except ValueError as error:
        raise PlanError(f"{machines}: {domain.name}: bmc.address {address!r} is no IPv4 address") from error


def _unit(made: Unit, domain: Domain, entry: Mapping[str, Any]) -> Unit:
    """The domain's identity instead of an invented one."""
    match = _SLOT.fullmatch(str(entry.get("slot", "")))
    return replace(
        made,
        serial=domain.serial or domain.name,
        uuid=domain.uuid,
        asset_tag=domain.asset_tag or made.asset_tag,
        rack=match["rack"] if match is not None else made.rack,
        slot=int(match["unit"]) if match is not None else made.slot,
    )


def _refuse_twice(machines: Path, members: list[FleetMember]) -> None:
    for what, values in (
        ("name", [member.domain.name for member in members if member.domain is not None]),
        ("BMC address", [member.unit.address for member in members]),
    ):
        twice = sorted({value for value in values if values.count(value) > 1})
        if twice:
            raise PlanError(f"{machines}: two machines have the {what} {', '.join(twice)}")
