# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The log that firmware, shim and GRUB keep of what they measured, and what the PCRs must hold if it is true.

TCG PC Client Platform Firmware Profile 1.05, section 10: a first event in the old format says which digests each
following one carries. Linux shows it as binary_bios_measurements. Whoever controls the machine can write what they like
into it: only digests that lead to a quoted PCR are true, and of an event's data only what its digest covers.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from typing import Dict, List, Mapping, Sequence, Tuple

from .._core.errors import ProtocolViolation
from . import algorithm

EV_NO_ACTION = 0x00000003
EV_SEPARATOR = 0x00000004
EV_IPL = 0x0000000D
EV_EFI_VARIABLE_DRIVER_CONFIG = 0x80000001
EV_EFI_BOOT_SERVICES_APPLICATION = 0x80000003
EV_EFI_ACTION = 0x80000007
EV_EFI_VARIABLE_AUTHORITY = 0x800000E0

EVENT_NAMES: Dict[int, str] = {
    0x00000000: "EV_PREBOOT_CERT",
    0x00000001: "EV_POST_CODE",
    EV_NO_ACTION: "EV_NO_ACTION",
    EV_SEPARATOR: "EV_SEPARATOR",
    0x00000005: "EV_ACTION",
    0x00000006: "EV_EVENT_TAG",
    0x00000007: "EV_S_CRTM_CONTENTS",
    0x00000008: "EV_S_CRTM_VERSION",
    0x00000009: "EV_CPU_MICROCODE",
    0x0000000A: "EV_PLATFORM_CONFIG_FLAGS",
    0x0000000B: "EV_TABLE_OF_DEVICES",
    0x0000000C: "EV_COMPACT_HASH",
    EV_IPL: "EV_IPL",
    0x0000000E: "EV_IPL_PARTITION_DATA",
    0x0000000F: "EV_NONHOST_CODE",
    0x00000010: "EV_NONHOST_CONFIG",
    0x00000011: "EV_NONHOST_INFO",
    0x00000012: "EV_OMIT_BOOT_DEVICE_EVENTS",
    EV_EFI_VARIABLE_DRIVER_CONFIG: "EV_EFI_VARIABLE_DRIVER_CONFIG",
    0x80000002: "EV_EFI_VARIABLE_BOOT",
    EV_EFI_BOOT_SERVICES_APPLICATION: "EV_EFI_BOOT_SERVICES_APPLICATION",
    0x80000004: "EV_EFI_BOOT_SERVICES_DRIVER",
    0x80000005: "EV_EFI_RUNTIME_SERVICES_DRIVER",
    0x80000006: "EV_EFI_GPT_EVENT",
    EV_EFI_ACTION: "EV_EFI_ACTION",
    0x80000008: "EV_EFI_PLATFORM_FIRMWARE_BLOB",
    0x80000009: "EV_EFI_HANDOFF_TABLES",
    0x8000000A: "EV_EFI_PLATFORM_FIRMWARE_BLOB2",
    0x8000000B: "EV_EFI_HANDOFF_TABLES2",
    0x8000000C: "EV_EFI_VARIABLE_BOOT2",
    0x80000010: "EV_EFI_HCRTM_EVENT",
    EV_EFI_VARIABLE_AUTHORITY: "EV_EFI_VARIABLE_AUTHORITY",
    0x800000E1: "EV_EFI_SPDM_FIRMWARE_BLOB",
    0x800000E2: "EV_EFI_SPDM_FIRMWARE_CONFIG",
}

#: Bytes; logs of real servers stay below a tenth of it.
LARGEST_LOG = 4 * 1024 * 1024
_MOST_EVENTS = 20000
_PCRS = 24
_SPEC_ID = b"Spec ID Event03\0"
_STARTUP_LOCALITY = b"StartupLocality\0"


@dataclass(frozen=True)
class Event:
    number: int
    """From 1, as tpm2_eventlog counts from 0 with the header."""
    pcr: int
    kind: int
    digests: Mapping[int, bytes]
    data: bytes

    @property
    def event_type(self) -> str:
        return EVENT_NAMES.get(self.kind, f"{self.kind:#010x}")

    @property
    def is_measured(self) -> bool:
        """EV_NO_ACTION events are notes: no PCR vouches for them."""
        return self.kind != EV_NO_ACTION

    def digest(self, bank: int) -> bytes:
        """ProtocolViolation where the log has none of this bank."""
        if bank not in self.digests:
            raise _broken(f"digests of the bank {algorithm.BANK_NAME.get(bank, f'{bank:#06x}')}", "none")
        return self.digests[bank]

    def covers_its_data(self, bank: int) -> bool:
        """Whether the digest is of the data itself, so that the data is as true as the digest."""
        digest = self.digests.get(bank)
        name = algorithm.BANK_NAME.get(bank, "")
        return digest is not None and hashlib.new(name, self.data).digest() == digest

    @property
    def text(self) -> str:
        """The data as text, where it is: what shim, GRUB and actions say."""
        return self.data.rstrip(b"\0").decode("utf-8", "replace")


@dataclass(frozen=True)
class EventLog:
    banks: Tuple[int, ...]
    events: Tuple[Event, ...]

    def of_pcr(self, pcr: int) -> Tuple[Event, ...]:
        """What was measured into one PCR, in order."""
        return tuple(event for event in self.events if event.pcr == pcr and event.is_measured)

    def replay(self, bank: int) -> Dict[int, bytes]:
        """The value of each PCR that the log mentions; ProtocolViolation where it has no digests of this bank."""
        if bank not in self.banks:
            name = algorithm.BANK_NAME.get(bank, f"{bank:#06x}")
            have = ", ".join(algorithm.BANK_NAME.get(one, f"{one:#06x}") for one in self.banks)
            raise _broken(f"digests of the bank {name}", have or "none")
        values: Dict[int, bytes] = {0: self.first_value(0, bank)}
        for event in self.events:
            if event.is_measured:
                value = values.get(event.pcr) or self.first_value(event.pcr, bank)
                extended = hashlib.new(algorithm.BANK_NAME[bank], value + event.digests[bank])
                values[event.pcr] = extended.digest()
        return values

    def first_value(self, pcr: int, bank: int) -> bytes:
        """What the PCR held in front of its first event."""
        size = algorithm.DIGEST_SIZE[bank]
        return bytes(size - 1) + bytes([self._startup_locality()]) if pcr == 0 else bytes(size)

    def _startup_locality(self) -> int:
        """PCR 0 begins with the locality of TPM2_Startup; a lie here can only break the replay of PCR 0."""
        for event in self.events:
            if not event.is_measured and event.data[:16] == _STARTUP_LOCALITY and len(event.data) == 17:
                return event.data[16]
        return 0


def parse_event_log(raw: bytes) -> EventLog:
    """ProtocolViolation for what is no crypto-agile log, is cut short, or is larger than any."""
    if len(raw) > LARGEST_LOG:
        raise _broken(f"at most {LARGEST_LOG} bytes", f"{len(raw)} bytes")
    try:
        return _parse(raw)
    except struct.error:
        raise _broken("whole events", "one that is cut short") from None


def _parse(raw: bytes) -> EventLog:
    pcr, kind = struct.unpack_from("<II", raw, 0)
    (size,) = struct.unpack_from("<I", raw, 28)
    at = 32
    banks = _banks(_slice(raw, at, size)) if (pcr, kind) == (0, EV_NO_ACTION) else ()
    if not banks:
        raise _broken("a crypto-agile log (TPM 2.0)", "another first event")
    at += size
    events: List[Event] = []
    while at < len(raw):
        if len(events) >= _MOST_EVENTS:
            raise _broken(f"at most {_MOST_EVENTS} events", "more")
        event, at = _event(raw, at, len(events) + 1, banks)
        events.append(event)
    return EventLog(tuple(banks), tuple(events))


def _banks(header: bytes) -> Tuple[int, ...]:
    """From TCG_EfiSpecIdEvent: the algorithms of the digests, whose sizes must be what everybody knows them to be."""
    if header[:16] != _SPEC_ID:
        return ()
    (count,) = struct.unpack_from("<I", header, 24)
    banks = []
    for index in range(min(count, 16)):
        bank, size = struct.unpack_from("<HH", header, 28 + 4 * index)
        if algorithm.DIGEST_SIZE.get(bank) != size:
            raise _broken("known digests of their own size", f"algorithm {bank:#06x} with {size} bytes")
        banks.append(bank)
    if count != len(set(banks)):
        raise _broken("each digest once", f"{count} digests")
    return tuple(banks)


def _event(raw: bytes, at: int, number: int, banks: Sequence[int]) -> Tuple[Event, int]:
    pcr, kind, count = struct.unpack_from("<III", raw, at)
    at += 12
    if count != len(banks):
        raise _broken(f"{len(banks)} digests", f"event {number} with {count}")
    digests: Dict[int, bytes] = {}
    for _index in range(count):
        (bank,) = struct.unpack_from("<H", raw, at)
        if bank not in banks or bank in digests:
            raise _broken("each digest that the header names", f"event {number} with algorithm {bank:#06x}")
        digests[bank] = _slice(raw, at + 2, algorithm.DIGEST_SIZE[bank])
        at += 2 + algorithm.DIGEST_SIZE[bank]
    (size,) = struct.unpack_from("<I", raw, at)
    data = _slice(raw, at + 4, size)
    if pcr >= _PCRS and kind != EV_NO_ACTION:
        raise _broken(f"PCR 0 to {_PCRS - 1}", f"event {number} of PCR {pcr}")
    return Event(number, pcr, kind, digests, data), at + 4 + size


def _slice(raw: bytes, at: int, size: int) -> bytes:
    if at + size > len(raw):
        raise _broken("whole events", "one that is cut short")
    return raw[at : at + size]


def _broken(expected: str, found: str) -> ProtocolViolation:
    return ProtocolViolation("the event log cannot be read", expected=expected, found=found, where="event log")
