# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether an event log leads to what the PCRs hold, and if not, which of its events is to blame."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Dict, List, Mapping, Optional, Sequence, Tuple

from .._core.hostile import clean
from .algorithm import BANK_NAME, DIGEST_SIZE
from .boot_comparison import said_of
from .event_log import (
    EV_EFI_VARIABLE_AUTHORITY,
    EV_EFI_VARIABLE_DRIVER_CONFIG,
    EV_SEPARATOR,
    Event,
    EventLog,
)
from .grub_trace import GRUB_COMMAND, KERNEL_COMMAND_LINE
from .measurement import extended
from .unified_image import OF_INITRD, PHASES, phase_measurements

_PHASES_PCR = 11
#: Events of one PCR among which the one to blame is looked for: the search takes the square of it.
_MOST_SEARCHED = 400
_DATA_MEASURED = (EV_SEPARATOR, EV_EFI_VARIABLE_DRIVER_CONFIG, EV_EFI_VARIABLE_AUTHORITY)


@dataclass(frozen=True)
class Unexplained:
    """A PCR that holds something else than the log says."""

    pcr: int
    replayed: bytes
    found: bytes
    reason: str
    event: Optional[Event]
    """The one that is to blame, where it is known."""

    def as_dict(self) -> Dict[str, object]:
        event = self.event
        return {
            "pcr": self.pcr,
            "replayed": self.replayed.hex(),
            "found": self.found.hex(),
            "reason": self.reason,
            "number": event.number if event else None,
            "event_type": event.event_type if event else None,
            "event": clean(said_of(event)) if event else None,
        }


@dataclass(frozen=True)
class Replay:
    values: Dict[int, bytes]
    """What the log leads to, of each PCR that was asked for."""
    unexplained: Tuple[Unexplained, ...]
    phases: Tuple[str, ...]
    """How far systemd-pcrphase has extended PCR 11 since."""


def replay(
    log: EventLog,
    bank: int,
    found: Mapping[int, bytes],
    extended_since: Mapping[int, Sequence[bytes]],
) -> Replay:
    """``found``: what the PCRs hold. ``extended_since``: what the system itself has extended PCRs by, in order.

    Raises ProtocolViolation where the log has no digests of this bank.
    """
    replayed = log.replay(bank)
    size = DIGEST_SIZE[bank]
    values = {pcr: replayed.get(pcr, bytes(size)) for pcr in found}
    unexplained: List[Unexplained] = []
    phases: Tuple[str, ...] = ()
    for pcr, value in sorted(found.items()):
        since = extended_since.get(pcr, ())
        if extended(values[pcr], since, bank) == value:
            continue
        reached = _phases(values[pcr], value, bank) if pcr == _PHASES_PCR and not since else ()
        if reached:
            phases = reached
        else:
            unexplained.append(_blamed(log, bank, pcr, values[pcr], value, since))
    return Replay(values, tuple(unexplained), phases)


def untrue(log: EventLog, bank: int, pcr: int) -> Tuple[Event, ...]:
    """Events whose text is not what was measured: the PCR vouches for their digest, and for nothing that they say.

    Of the events whose digest is known to be of their text: GRUB's in PCR 8, separators and variables in PCR 7.
    """
    found = []
    for event in log.of_pcr(pcr):
        expected = _measured_data(event)
        if expected is not None and hashlib.new(BANK_NAME[bank], expected).digest() != event.digest(bank):
            found.append(event)
    return tuple(found)


def _phases(start: bytes, value: bytes, bank: int) -> Tuple[str, ...]:
    for first in (0, OF_INITRD):
        for end in range(first + 1, len(PHASES) + 1):
            reached = PHASES[first:end]
            if extended(start, (one.digest for one in phase_measurements(reached, bank)), bank) == value:
                return reached
    return ()


def _blamed(log: EventLog, bank: int, pcr: int, replayed: bytes, value: bytes, since: Sequence[bytes]) -> Unexplained:
    events = log.of_pcr(pcr)
    start = log.first_value(pcr, bank)

    def leads_there(digests: Sequence[bytes]) -> bool:
        return extended(start, (*digests, *since), bank) == value

    def because(reason: str, event: Optional[Event] = None) -> Unexplained:
        return Unexplained(pcr, replayed, value, reason, event)

    digests = [event.digest(bank) for event in events]
    if since and replayed == value:
        return because("it was not extended since, though it should have been")
    for index in range(len(events)) if len(events) <= _MOST_SEARCHED else ():
        before, after = digests[:index], digests[index + 1 :]
        told = _measured_data(events[index])
        if leads_there([*before, *after]):
            return because("this event is in the log and was not measured", events[index])
        if leads_there(before):
            return because("this event and all behind it are in the log and were not measured", events[index])
        if told is not None and leads_there([*before, hashlib.new(BANK_NAME[bank], told).digest(), *after]):
            return because("the digest of this event in the log is another than that of its text", events[index])
        if index and leads_there([*before[:-1], digests[index], before[-1], *after]):
            return because("this event was measured in front of the one before it", events[index])
    if not events:
        return because("something was measured, and the log has no event of this PCR")
    return because("more was measured than the log says, or something else")


def _measured_data(event: Event) -> Optional[bytes]:
    """What the digest is of, by what the event says; None where its data does not say so."""
    for prefix in (GRUB_COMMAND.encode("ascii"), KERNEL_COMMAND_LINE.encode("ascii")):
        if event.pcr == 8 and event.data.startswith(prefix):
            return event.data[len(prefix) :].rstrip(b"\0")
    if event.pcr == 7 and event.kind in _DATA_MEASURED:
        return event.data
    return None
