# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One discovery: who is expected, who listens, who speaks Redfish, who only answers IPMI.

PRIVATE to the collection.

The stages, in the order in which they run:

1. ``_candidates.py``: addresses that are expected (written singly, in the map, leased, remembered) are asked directly,
the rest of
   the networks is scanned for a listener first;
2. ``_redfish.discovery.discover`` for each, many at a time;
3. RMCP presence ping, and where it is allowed an IPMI login, for those where no Redfish was found;
4. expected and not found becomes a sighting with its reason.
"""

from __future__ import annotations

import dataclasses
import functools
import ipaddress
import threading
import typing as t

from ..module_utils._core.deadline import Deadline
from ..module_utils._core.endpoint import Endpoint
from ..module_utils._core.errors import HearthError, ProtocolViolation, TimedOut
from ..module_utils._core.fanout import Progress, fan_out
from ..module_utils._core.state.address import store_address
from ..module_utils._core.state.bmc_memory import BmcMemory
from ..module_utils._core.trust import Trust
from ..module_utils._redfish.discovery import DiscoveryOutcome, DiscoveryRequest, discover
from ._candidates import Candidate, Silent, candidates
from ._ipmi_run import ipmi_sightings
from ._progress import ProgressLine
from ._run_directory import run_directory
from ._settings import Settings
from ._sighting import Sighting, nobody
from ._state_memory import StateMemory


@dataclasses.dataclass
class Run:
    """What all stages share. ``silent`` collects the candidates that had no Redfish, for IPMI and for the reasons."""

    settings: Settings
    known: t.Mapping[str, Sighting]
    pins: t.Mapping[str, frozenset[str]]
    memories: t.Mapping[str, BmcMemory]
    deadline: Deadline | None
    cancelled: threading.Event
    silent: list[Silent] = dataclasses.field(default_factory=list)

    def remembered(self) -> t.Iterator[str]:
        return (key.rpartition(":")[0].strip("[]") for key in self.memories)


def discover_all(
    settings: Settings, known: t.Mapping[str, Sighting], memory: StateMemory, display: t.Any
) -> list[Sighting]:
    """Sightings of everything in the settings' targets, map and leases; ``known`` is what the cache holds (for
    ``changed``).

    Returns with one thread and no new file descriptor, since Ansible forks its workers from this process.
    """
    deadline = Deadline.after(settings.run_deadline) if settings.run_deadline else None
    run = Run(settings, known, memory.pins(), memory.bmcs(), deadline, threading.Event())
    with ProgressLine(display) as progress:
        found = list(_redfish_sightings(run, progress))
        found.extend(ipmi_sightings(settings, run.silent, run.memories, run.deadline, run.cancelled, progress))
    found.sort(key=_by_address)
    memory.remember_bmcs(found)
    return found


def _by_address(sighting: Sighting) -> tuple[t.Any, ...]:
    try:
        address = ipaddress.ip_address(sighting.address)
        return (address.version, int(address), "", sighting.port)
    except ValueError:
        return (0, 0, sighting.address, sighting.port)


def _redfish_sightings(run: Run, progress: ProgressLine) -> t.Iterator[Sighting]:
    results = fan_out(
        candidates(run.settings, run.remembered(), run.silent, progress, run.deadline, run.cancelled),
        functools.partial(_ask, run),
        concurrency=run.settings.concurrency,
        cancelled=run.cancelled,
    )
    for candidate, result in results:
        progress.asked()
        if isinstance(result, HearthError):
            yield _sighting_of_failure(candidate, result)
        elif isinstance(result, Sighting):
            yield result
        else:
            run.silent.append(Silent(candidate, result.error or {}))


def _ask(run: Run, candidate: Candidate, progress: Progress) -> Sighting | DiscoveryOutcome:
    """Asks the candidate's ports in their order; gives the sighting, or the last outcome where no BMC was found."""
    best: tuple[int, DiscoveryOutcome] | None = None
    for scheme, port in candidate.ports:
        if run.deadline is not None and run.deadline.expired:
            raise TimedOut(
                f"{candidate.address} was not asked before the run's deadline.",
                where=candidate.address,
                next="Raise run_deadline, or split the fleet with shard.",
            )
        outcome = discover(_request(run, candidate, scheme, port), progress=progress, cancelled=run.cancelled)
        if outcome.is_redfish:
            return _sighting(run, candidate, outcome)
        if best is None or _rank(outcome) > best[0]:
            best = (_rank(outcome), outcome)
    if best is None:
        raise TimedOut(f"{candidate.address} has no port to ask.", where=candidate.address)
    rank, outcome = best
    return _sighting(run, candidate, outcome) if rank > 1 or (rank and candidate.why) else outcome


def _rank(outcome: DiscoveryOutcome) -> int:
    """2: a BMC in trouble, as far as one can see; 1: something else than Redfish answers; 0: nobody is there."""
    if outcome.refused:
        return 0
    other = outcome.answered and outcome.error is not None and outcome.error["type"] == ProtocolViolation.__name__
    return 1 if other else 2


def _request(run: Run, candidate: Candidate, scheme: str, port: int) -> DiscoveryRequest:
    settings, slot = run.settings, candidate.slot
    key = store_address(candidate.address, port)
    mode = slot.trust if slot is not None and slot.trust else settings.trust
    pins = (slot.pins if slot is not None else frozenset()) or run.pins.get(key, frozenset())
    memory = run.memories.get(key)
    known = run.known.get(key)
    remaining = run.deadline.remaining() if run.deadline is not None else settings.deadline
    return DiscoveryRequest(
        endpoint=Endpoint(candidate.address, port, scheme),
        trust=Trust(mode=mode, ca_path=settings.ca_path, pins=pins),
        credentials=settings.credentials.serving(candidate.address, slot.credential if slot is not None else None),
        details=settings.details,
        connect_timeout=settings.connect_timeout,
        deadline=min(settings.deadline, remaining),
        previous_root=known.root_digest if known is not None and not known.group else "",
        read_bmc_macs=settings.slots.by_mac_needed,
        remembered=memory.credential if memory is not None else "",
        run_directory=run_directory(),
    )


def _sighting(run: Run, candidate: Candidate, outcome: DiscoveryOutcome) -> Sighting:
    port = outcome.endpoint.port
    if outcome.unchanged:
        return dataclasses.replace(run.known[store_address(candidate.address, port)], slot=candidate.slot_name)
    return Sighting(
        address=candidate.address,
        port=port,
        group=outcome.group,
        hosts=tuple(outcome.hosts),
        root_digest=outcome.root_digest,
        credential=outcome.credential,
        slot=candidate.slot_name,
        is_redfish=outcome.is_redfish,
    )


def _sighting_of_failure(candidate: Candidate, error: HearthError) -> Sighting:
    return nobody(candidate.address, candidate.ports[0][1], error.as_dict(), candidate.slot_name)
