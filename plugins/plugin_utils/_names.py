# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a discovered machine is called: slot, else remembered name, else serial, else address. No two share a name.

PRIVATE to the collection.
"""

from __future__ import annotations

import collections
import dataclasses
import typing as t

from ..module_utils._core.hostile import host_name

# Names that mean something else to Ansible. A BMC that calls its serial "localhost" must not become the controller.
RESERVED = frozenset(
    (
        "all",
        "ungrouped",
        "localhost",
        "localhost.localdomain",
        "ip6-localhost",
        "127.0.0.1",
        "::1",
        "omit",
        "groups",
        "hostvars",
    )
)


@dataclasses.dataclass(frozen=True)
class Nameable:
    """What a name is made of.

    ``slot`` is the operator's word and wins; everything else is the machine's claim. ``fru`` is the key under which the
    store remembers the name, "" for a machine that says nothing distinctive. ``system_id`` is "" where the BMC has one
    system.
    """

    slot: str
    fru: str
    serial: str
    address: str
    port: int
    system_id: str


def fru_key(hearth_bmc: t.Mapping[str, t.Any], hearth_server: t.Mapping[str, t.Any] | None, shared: bool) -> str:
    """The key of a field-replaceable unit: what stays with the machine when it moves to another slot or address.

    Manufacturer, serial and UUID of the system together, since serials alone repeat inside multi-node chassis and UUIDs
    are equal on some boards. ``shared`` says that a BMC has several systems: then the system id is part of the
    identity.
    """
    server = hearth_server or {}
    serial, uuid = server.get("serial") or "", server.get("uuid") or ""
    if not serial and not uuid:
        return ""
    parts = [server.get("manufacturer") or "", serial, uuid]
    if shared:
        parts.append(str(hearth_bmc.get("system_id") or ""))
    return "|".join(str(part).strip().lower() for part in parts)


def assign_names(
    machines: t.Sequence[Nameable],
    remembered: t.Mapping[str, str],
    slots: t.Collection[str] = (),
    groups: t.Collection[str] = (),
) -> list[str]:
    """One name for each of ``machines``, in their order; the same machines always get the same names.

    ``slots`` are all slots of the operator's map: a machine that is not in one cannot take its name, whatever it
    claims.
    """
    taken: set[str] = set()
    names: list[str | None] = [None] * len(machines)
    reserved = {name.lower() for name in (*RESERVED, *slots, *groups)}

    def take(number: int, name: str) -> None:
        names[number] = name
        taken.add(name.lower())

    for number, machine in enumerate(machines):
        if machine.slot and machine.slot.lower() not in taken:
            take(number, machine.slot)
    frus = collections.Counter(machine.fru for machine in machines)
    for number, machine in enumerate(machines):
        name = remembered.get(machine.fru, "") if machine.fru and frus[machine.fru] == 1 else ""
        if names[number] is None and name and name.lower() not in taken and name.lower() not in reserved:
            take(number, name)
    # Claims come last. Those who claim the same name all get their address behind it, so that the order does not
    # matter.
    claims = {number: _claim(machine) for number, machine in enumerate(machines) if names[number] is None}
    wanted = collections.Counter(claim.lower() for claim in claims.values())
    for number, claim in claims.items():
        name = claim
        if wanted[claim.lower()] > 1 or claim.lower() in taken or claim.lower() in reserved:
            name = _suffixed(claim, host_name(machines[number].address))
        if name.lower() in taken or name.lower() in reserved:
            name = _suffixed(name, str(machines[number].port))
        counter = 2
        unique = name
        while unique.lower() in taken or unique.lower() in reserved:
            unique = f"{name}-{counter}"
            counter += 1
        take(number, unique)
    return [str(name) for name in names]


def _claim(machine: Nameable) -> str:
    base = host_name(machine.serial) or host_name(machine.address) or "bmc"
    suffix = host_name(machine.system_id)
    return _suffixed(base, suffix) if suffix else base


def _suffixed(base: str, suffix: str) -> str:
    return base if not suffix or base == suffix or base.endswith("-" + suffix) else f"{base}-{suffix}"
