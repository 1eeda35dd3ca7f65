# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From sightings to hosts: which slot a machine is in, whether it is the expected one, what it is called, which are
shown.

PRIVATE to the collection.
"""

from __future__ import annotations

import copy
import dataclasses
import typing as t

from ..module_utils._core.errors import BadInput, MissingLibrary
from ._map import SlotEntry
from ._names import Nameable, assign_names, fru_key
from ._populate import STATE_GROUPS, HostEntry
from ._settings import Settings
from ._sighting import Sighting, nobody
from ._state_memory import StateMemory
from ._targets import normalised

try:
    import jmespath
except ImportError:
    jmespath = None


@dataclasses.dataclass
class Machine:
    """One system of one sighting, on its way to a host."""

    sighting: Sighting
    bmc: dict[str, t.Any]
    server: dict[str, t.Any] | None
    slot: SlotEntry | None = None
    shared: bool = False

    def nameable(self) -> Nameable:
        return Nameable(
            slot=self.slot.slot if self.slot is not None else "",
            fru=fru_key(self.bmc, self.server, self.shared),
            serial=str((self.server or {}).get("serial") or ""),
            address=self.sighting.address,
            port=self.sighting.port,
            system_id=str(self.bmc.get("system_id") or "") if self.shared else "",
        )


def host_entries(
    sightings: t.Sequence[Sighting],
    settings: Settings,
    memory: StateMemory,
    foreign: t.Collection[str] = (),
) -> list[HostEntry]:
    """The hosts of an inventory, in the order of ``sightings``.

    ``foreign`` are names of hosts and groups that other inventory sources made: a machine that is not in a slot of that
    name cannot become one of them by what it claims.
    """
    machines = [machine for sighting in sightings for machine in _machines(sighting)]
    missing = _place(machines, settings.slots.entries)
    machines.extend(_stand_in(*one) for one in missing if _must_be_here(one[0], settings))
    nameables = [machine.nameable() for machine in machines]
    frus = {nameable.fru for nameable in nameables if nameable.fru}
    remembered = memory.names(frus)
    slots = [slot.slot for slot in settings.slots.entries]
    names = assign_names(nameables, remembered, slots, {*foreign, *STATE_GROUPS})
    memory.remember_names(
        {
            nameable.fru: name
            for nameable, name in zip(nameables, names)
            if nameable.fru and not nameable.slot and nameable.fru not in remembered
        }
    )
    entries = [_entry(name, machine) for name, machine in zip(names, machines)]
    return _filtered(entries, settings.filter)


def _machines(sighting: Sighting) -> list[Machine]:
    shared = len(sighting.hosts) > 1
    return [
        Machine(sighting, dict(host["hearth_bmc"]), host.get("hearth_server"), shared=shared) for host in sighting.hosts
    ]


def _must_be_here(slot: SlotEntry, settings: Settings) -> bool:
    """Whether this run can say that a slot's machine is missing: another shard may have found it."""
    if settings.shard is None:
        return True
    return bool(slot.bmc) and settings.shard.holds(str(slot.bmc))


def _place(machines: t.Sequence[Machine], slots: t.Sequence[SlotEntry]) -> list[tuple[SlotEntry, list[Machine], str]]:
    """Gives each slot its machine; returns the slots for which there is not exactly one, with who fits and by what."""
    by_address: dict[str, list[Machine]] = {}
    by_lease: dict[str, list[Machine]] = {}
    by_mac: dict[str, list[Machine]] = {}
    by_serial: dict[str, list[Machine]] = {}
    for machine in machines:
        by_address.setdefault(machine.sighting.address.lower(), []).append(machine)
        by_lease.setdefault(machine.sighting.slot.lower(), []).append(machine)
        if machine.sighting.group:
            continue  # what an unverified peer claims places nobody
        for mac in machine.bmc.get("mac") or ():
            by_mac.setdefault(str(mac).lower(), []).append(machine)
        for serial in _serials(machine):
            by_serial.setdefault(serial, []).append(machine)
    missing: list[tuple[SlotEntry, list[Machine], str]] = []
    for slot in slots:
        address = normalised(slot.bmc) if slot.bmc else None
        locators = (
            ("address", by_address, address),
            ("lease", by_lease, slot.slot),
            ("MAC", by_mac, slot.mac),
            ("serial", by_serial, slot.serial),
        )
        found, how = _find(slot, locators[:1] if slot.bmc else locators[1:])
        if len(found) == 1:
            _occupy(found[0], slot)
        else:
            missing.append((slot, found, how))
    return missing


def _serials(machine: Machine) -> set[str]:
    """What may stand on the machine's sticker: its serial, or at Dell the service tag, which DMI calls the serial."""
    server = machine.server or {}
    return {str(server[key]).lower() for key in ("serial", "service_tag") if server.get(key)}


def _find(
    slot: SlotEntry, locators: t.Sequence[tuple[str, t.Mapping[str, list[Machine]], str | None]]
) -> tuple[list[Machine], str]:
    """The machines that the first fitting locator leads to, and which locator it was."""
    for how, index, key in locators:
        found = [machine for machine in index.get((key or "").lower(), ()) if machine.slot is None]
        if slot.system:
            found = [machine for machine in found if machine.bmc.get("system_id") in (slot.system, "", None)]
        if found:
            return found, how
    return [], ""


def _occupy(machine: Machine, slot: SlotEntry) -> None:
    """Puts the machine into the slot, and says whether it is the one that the map expects there."""
    machine.slot = slot
    says = {"serial": _serials(machine), "uuid": {str((machine.server or {}).get("uuid") or "").lower()}}
    expected = {what: wanted for what, wanted in (("serial", slot.serial), ("uuid", slot.uuid)) if wanted}
    if not expected or machine.server is None:
        machine.bmc["identity"] = "unchecked"
        return
    differing = [what for what, wanted in expected.items() if wanted.lower() not in says[what]]
    machine.bmc["identity"] = "mismatch" if differing else "expected"
    for what in differing:
        found = ", ".join(sorted(filter(None, says[what]))) or "nothing"
        warning = f"slot {slot.slot} expects {what} {expected[what]}, and the machine says {found}"
        machine.bmc["warnings"] = [*(machine.bmc.get("warnings") or ()), warning]


def _stand_in(slot: SlotEntry, candidates: t.Sequence[Machine], how: str) -> Machine:
    """An expected machine that was not seen: a host with the reason, so that it is not silently absent."""
    sought = slot.bmc or slot.mac or slot.serial or ""
    if len(candidates) > 1:
        systems = ", ".join(
            sorted(str(machine.bmc.get("system_id") or machine.sighting.address) for machine in candidates)
        )
        error = {
            "type": "BadInput",
            "msg": f"Slot {slot.slot} fits several machines by {how}: {systems}.",
            "expected": f"one machine with {how} {sought}",
            "found": systems,
            "where": f"map, slot {slot.slot}",
            "next": "Add system: to the slot, or name its BMC by address.",
        }
    else:
        error = {
            "type": "Unreachable",
            "msg": f"No machine was found for slot {slot.slot} ({sought}).",
            "expected": sought,
            "found": "",
            "where": f"map, slot {slot.slot}",
            "next": "Check the map's entry, and that the machine's BMC lies in targets.",
        }
    sighting = nobody(slot.bmc or "", slot.port or 443, error, slot.slot)
    return Machine(sighting, copy.deepcopy(sighting.hosts[0]["hearth_bmc"]), None, slot)


def _entry(name: str, machine: Machine) -> HostEntry:
    variables: dict[str, t.Any] = {"hearth_bmc": machine.bmc}
    if machine.server is not None:
        variables["hearth_server"] = machine.server
    slot = machine.slot
    if slot is not None:
        machine.bmc["slot"] = slot.slot
        if slot.serial or slot.uuid:
            machine.bmc["expected"] = {"serial": slot.serial, "uuid": slot.uuid}
        if slot.pinned:
            machine.bmc["pins"] = list(slot.pinned)
        if slot.ansible_host:
            variables["ansible_host"] = slot.ansible_host
    return HostEntry(name, machine.sighting.group, variables)


def _filtered(entries: list[HostEntry], expression: str | None) -> list[HostEntry]:
    if not expression:
        return entries
    if jmespath is None:
        raise MissingLibrary("filter needs the Python library jmespath.", where="filter", next="pip install jmespath")
    try:
        query = jmespath.compile(expression)
        return [entry for entry in entries if query.search({"name": entry.name, **entry.variables})]
    except jmespath.exceptions.JMESPathError as error:
        raise BadInput(
            f"filter {expression!r} is not usable: {' '.join(str(error).split())}",
            expected="a JMESPath expression over name, hearth_bmc and hearth_server",
            found=expression,
            where="filter",
            next="Try it with ansible-inventory --list and jp.",
        ) from error
