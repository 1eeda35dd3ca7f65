# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whom a discovery asks: those who are expected, and those in the networks who listen.

PRIVATE to the collection.
"""

from __future__ import annotations

import dataclasses
import threading
import typing as t

from ..module_utils._core.deadline import Deadline
from ._map import SlotEntry
from ._progress import ProgressLine
from ._scan import scan
from ._settings import Settings
from ._targets import normalised


@dataclasses.dataclass(frozen=True)
class Candidate:
    """An address to ask, and on which (scheme, port) in which order.

    ``why`` says why it is expected to answer, and is "" for one that merely lies in a scanned network.
    """

    address: str
    ports: tuple[tuple[str, int], ...]
    why: str = ""
    slot: SlotEntry | None = None

    @property
    def slot_name(self) -> str:
        """The slot that led here; "" without one."""
        return self.slot.slot if self.slot is not None else ""


@dataclasses.dataclass(frozen=True)
class Silent:
    """Somebody in whom no Redfish was found; ``error`` is empty where nothing but a scan looked."""

    candidate: Candidate
    error: t.Mapping[str, t.Any]


def expected(settings: Settings, remembered: t.Iterable[str]) -> t.Iterator[Candidate]:
    """Who must answer, each address once: the map's slots, single targets, leases, and those of ``remembered`` in a
    network."""
    seen: set[str] = set()

    def first(address: str) -> str:
        """The address in its one spelling; "" when it was there before, or is not to be asked here."""
        spelled = normalised(address)
        if not spelled or spelled in seen or settings.blocks.excludes(spelled):
            return ""
        if settings.shard is not None and not settings.shard.holds(spelled):
            return ""
        seen.add(spelled)
        return spelled

    by_mac = {lease.mac: lease.address for lease in settings.leases if lease.mac}
    for slot in settings.slots.entries:
        address = first(slot.bmc or by_mac.get(slot.mac or "") or "")
        if address:
            ports = ((slot.scheme or "https", slot.port),) if slot.port else settings.ports
            yield Candidate(address, ports, f"slot {slot.slot}", slot)
    for target in settings.blocks.singles:
        if first(target):
            yield Candidate(target, settings.ports, "written in targets")
    for lease in settings.leases:
        address = first(lease.address)
        if address:
            yield Candidate(address, settings.ports, "leased")
    for address in remembered:
        if address in settings.blocks and first(address):
            yield Candidate(address, settings.ports, "remembered")


def candidates(
    settings: Settings,
    remembered: t.Iterable[str],
    silent: list[Silent],
    progress: ProgressLine,
    deadline: Deadline | None,
    cancelled: threading.Event,
) -> t.Iterator[Candidate]:
    """Whom to ask, lazily: the expected first, then those of the networks who listen. The others go to ``silent``."""
    first = list(expected(settings, remembered))
    yield from first
    known = {candidate.address for candidate in first}
    addresses = (address for address in settings.blocks.scanned(settings.shard) if address not in known)
    ports = tuple(port for _scheme, port in settings.ports)
    results = scan(addresses, ports, settings.connect_timeout, deadline=deadline, cancelled=cancelled)
    for address, listening in _complete(results, len(ports)):
        progress.scanned()
        open_ports = tuple((scheme, port) for scheme, port in settings.ports if port in listening)
        if open_ports:
            yield Candidate(address, open_ports)
        else:
            silent.append(Silent(Candidate(address, settings.ports), {}))


def _complete(results: t.Iterable[tuple[str, int, str]], ports: int) -> t.Iterator[tuple[str, set[int]]]:
    """An address and its open ports, once the result for each of its ``ports`` is there."""
    partial: dict[str, tuple[int, set[int]]] = {}
    for address, port, state in results:
        count, listening = partial.pop(address, (0, set()))
        if state == "open":
            listening.add(port)
        if count + 1 < ports:
            partial[address] = (count + 1, listening)
        else:
            yield address, listening
