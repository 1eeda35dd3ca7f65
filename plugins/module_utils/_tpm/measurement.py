# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measurements that a boot will make, in one bank of PCRs, and the values that they lead to."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Dict, Iterable, Sequence

from .algorithm import BANK_NAME, DIGEST_SIZE, SHA256, SHA384, SHA512
from .event_log import Event

#: The banks that are relied on, by the names of tpm2-tools and hashlib.
BANKS: Dict[str, int] = {BANK_NAME[bank]: bank for bank in (SHA256, SHA384, SHA512)}


@dataclass(frozen=True)
class Measurement:
    pcr: int
    event_type: str
    """By the name that the TCG gives it."""
    what: str
    """As the event log shows it where it shows text, without the trailing NUL; else what it is."""
    digest: bytes

    def as_dict(self) -> Dict[str, object]:
        return {"pcr": self.pcr, "event_type": self.event_type, "what": self.what, "digest": self.digest.hex()}


def measured(event: Event, bank: int) -> Measurement:
    """One that was made already."""
    return Measurement(event.pcr, event.event_type, event.text, event.digest(bank))


def extended(value: bytes, digests: Iterable[bytes], bank: int) -> bytes:
    """What a PCR of this value holds after these measurements."""
    for digest in digests:
        value = hashlib.new(BANK_NAME[bank], value + digest).digest()
    return value


def value_of(pcr: int, measurements: Sequence[Measurement], bank: int) -> bytes:
    """What the PCR holds after those of the measurements that go into it. For PCR 1 to 15, which begin with zeros."""
    return extended(bytes(DIGEST_SIZE[bank]), (one.digest for one in measurements if one.pcr == pcr), bank)
