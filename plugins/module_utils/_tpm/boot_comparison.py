# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was measured beside what was expected, one PCR at a time."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import AbstractSet, Dict, Iterator, List, Optional, Sequence, Tuple

from . import algorithm
from .event_log import Event, EventLog
from .prediction import (
    BOOT_DEVICE,
    CALLING_APPLICATION,
    DEVICE,
    EV_EFI_BOOT_SERVICES_APPLICATION,
    ExpectedEvent,
)

_BANK = algorithm.SHA256

#: What firmware measures about its own boot manager, as often as it comes and goes: they start nothing.
_ACTIONS = frozenset(
    hashlib.sha256(text.encode("ascii")).digest()
    for text in (CALLING_APPLICATION, "Returning from EFI Application from Boot Option")
)
#: GRUB's names of disks, with a partition or without.
_DEVICE_NAME = re.compile(r"\(((?:hd|cd)[0-9]{1,3}(?:,(?:gpt|msdos|apple)?[0-9]{1,3})?)\)/")
_PROGRAMS_PCR = 4
_MOST_DEVICES = 4
_MOST_DIFFERENCES = 50


@dataclass(frozen=True)
class Difference:
    """An event that was expected, one that was measured, or one in the place of the other."""

    pcr: int
    expected: Optional[ExpectedEvent]
    found: Optional[Event]

    def as_dict(self) -> Dict[str, object]:
        """What the log says of the event stands here as it is there: hostile."""
        return {
            "pcr": self.pcr,
            "expected": self.expected.what if self.expected else None,
            "expected_sha256": self.expected.digest_sha256 if self.expected else None,
            "number": self.found.number if self.found else None,
            "event_type": self.found.event_type if self.found else None,
            "found": said_of(self.found) if self.found else None,
            "found_sha256": self.found.digest(_BANK).hex() if self.found else None,
        }


def said_of(event: Event) -> str:
    """The event's own words where it is one of text; of programs the log shows a path inside binary data."""
    if event.pcr in (8, 9, 14) or event.event_type == "EV_EFI_ACTION":
        return event.text
    return "".join(chr(byte) for byte in event.data if 32 <= byte < 127)


def firmware_programs(log: EventLog, alternatives: Sequence[Sequence[ExpectedEvent]]) -> Tuple[Event, ...]:
    """What firmware started in front of the image's first program, and the image does not have.

    Empty where that one was not started at all: then nothing in the log is in front of it.
    """
    known = {event.digest_sha256 for alternative in alternatives for event in alternative}
    first = {
        next((event.digest_sha256 for event in alternative if event.event_type == EV_EFI_BOOT_SERVICES_APPLICATION), "")
        for alternative in alternatives
    }
    in_front: List[Event] = []
    for event in log.of_pcr(_PROGRAMS_PCR):
        if event.digest(_BANK).hex() in first:
            return tuple(in_front)
        if event.digest(_BANK) not in _ACTIONS and event.digest(_BANK).hex() not in known:
            in_front.append(event)
    return ()


def differences(
    log: EventLog,
    alternatives: Sequence[Sequence[ExpectedEvent]],
    pcr: int,
    allowed_programs: AbstractSet[str] = frozenset(),
) -> Tuple[Difference, ...]:
    """How a PCR differs from the alternative that it is nearest to; empty where it is one of them.

    Only digests are compared: what the log says of a device's name, and of everything, counts only as far as it gives
    the digest that was measured. ``allowed_programs`` (lower-case hex) may have been started by firmware, as often as
    it likes, in front of the image's first program, and nowhere else.
    """
    passed = set(_ACTIONS) if pcr == _PROGRAMS_PCR else set()
    measured = [event for event in log.of_pcr(pcr) if event.digest(_BANK) not in passed]
    if pcr == _PROGRAMS_PCR:
        programs = firmware_programs(log, alternatives)
        allowed = {event.number for event in programs if event.digest(_BANK).hex() in allowed_programs}
        measured = [event for event in measured if event.number not in allowed]
    nearest: Optional[Tuple[Difference, ...]] = None
    for expected in _on_devices(log, alternatives, pcr):
        found = tuple(_compared(pcr, expected, measured))
        if nearest is None or len(found) < len(nearest):
            nearest = found
    if nearest is None:
        return tuple(Difference(pcr, None, event) for event in measured[:_MOST_DIFFERENCES])
    return nearest[:_MOST_DIFFERENCES]


def _on_devices(
    log: EventLog, alternatives: Sequence[Sequence[ExpectedEvent]], pcr: int
) -> Iterator[List[ExpectedEvent]]:
    """Each alternative with each pair of devices that GRUB's commands name."""
    names = device_names(log) or ["cd0"]
    for alternative in alternatives:
        chosen = [event for event in alternative if event.pcr == pcr]
        if pcr == _PROGRAMS_PCR:
            chosen = [event for event in chosen if bytes.fromhex(event.digest_sha256) not in _ACTIONS]
        two = any(BOOT_DEVICE in event.what for event in chosen)
        one = two or any(DEVICE in event.what for event in chosen)
        for device in names if one else names[:1]:
            for boot_device in names if two else names[:1]:
                yield [event.on(device, boot_device) for event in chosen]


def device_names(log: EventLog) -> List[str]:
    """GRUB's names of the disks and partitions in its commands, in the order in which they first stand there.

    The log may say what it likes: a few, and only what looks like one.
    """
    names: List[str] = []
    for event in log.of_pcr(8):
        for name in _DEVICE_NAME.findall(event.text):
            if name not in names and len(names) < _MOST_DEVICES:
                names.append(name)
    return names


def _compared(pcr: int, expected: Sequence[ExpectedEvent], measured: Sequence[Event]) -> Iterator[Difference]:
    wanted = [event.digest_sha256 for event in expected]
    found = [event.digest(_BANK).hex() for event in measured]
    for one, other in unequal(wanted, found):
        yield Difference(pcr, None if one is None else expected[one], None if other is None else measured[other])


def unequal(wanted: Sequence[str], found: Sequence[str]) -> Iterator[Tuple[Optional[int], Optional[int]]]:
    """Where two lists of digests differ: indices into both, side by side, None where one has nothing there."""
    for tag, a, b, c, d in SequenceMatcher(None, wanted, found, autojunk=False).get_opcodes():
        if tag != "equal":
            yield from zip_longest(range(a, b), range(c, d))
