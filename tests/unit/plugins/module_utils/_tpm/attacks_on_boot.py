# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Machines that say truly what they booted, and it is not the image; and one that lies about it.

Each attack breaks one clause and no other. Logs named in recorded_boots.py are of real boots; the others are written
here and measured into a real TPM, as the firmware or GRUB would.
"""

from __future__ import annotations

import hashlib
import struct
import uuid
from collections.abc import Callable
from dataclasses import replace

from ansible_collections.hearth.datacenter.plugins.module_utils._tpm import clauses
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.case import Case
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.clauses import Clause
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.event_log import (
    EV_EFI_ACTION,
    EV_EFI_BOOT_SERVICES_APPLICATION,
    Event,
)
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.prediction import CALLING_APPLICATION
from tests.unit.plugins.module_utils._tpm.machines import (
    OTHER_DOCUMENT,
    Machines,
    changed_log,
    event,
)
from tests.unit.plugins.module_utils._tpm.recorded_boots import (
    GRUB,
    HEARTH,
    MENUENTRY,
    SHIM,
    SWAPPED_INITRD,
)


def log_of_the_right_boot(machines: Machines) -> Case:
    """Something else was booted and truly quoted; the log is the image's."""
    dirty = machines.booted(SWAPPED_INITRD)
    dirty.log = HEARTH.log
    return machines.case(dirty)


def older_grub(machines: Machines) -> Case:
    """Another signed GRUB, one with a known hole for example, executes the same commands and reads the same files."""

    def exchanged(events: list[Event]) -> list[Event]:
        older = hashlib.sha256(b"an older GRUB").digest()
        return [
            replace(one, digests={0x0B: older}) if one.digests[0x0B].hex() == GRUB.authenticode_sha256 else one
            for one in events
        ]

    machine = machines.new()
    machine.boot(changed_log(HEARTH.log, exchanged))
    return machines.case(machine)


def command_line_typed_by_hand(machines: Machines) -> Case:
    """Somebody at the console edits the kernel's command line: no file is another than before."""

    def edited(events: list[Event]) -> list[Event]:
        changed = []
        for one in events:
            if one.pcr == 8 and b"linux /hearth" in one.data or one.data.startswith(b"kernel_cmdline: "):
                data = one.data.rstrip(b"\0") + b" init=/bin/sh\0"
                text = data.rstrip(b"\0").split(b": ", 1)[1]
                one = replace(one, data=data, digests={0x0B: hashlib.sha256(text).digest()})
            changed.append(one)
        return changed

    machine = machines.new()
    machine.boot(changed_log(HEARTH.log, edited))
    return machines.case(machine)


def swapped_initrd(machines: Machines) -> Case:
    return machines.case(machines.booted(SWAPPED_INITRD), MENUENTRY)


def secure_boot_off(machines: Machines) -> Case:
    """The first variable of PCR 7 is 0. (Debian's GRUB 2.06 on amd64 then hands no log on at all: refused earlier.)"""

    def off(events: list[Event]) -> list[Event]:
        first = next(index for index, one in enumerate(events) if one.pcr == 7)
        data = events[first].data[:-1] + b"\0"
        events[first] = replace(events[first], data=data, digests={0x0B: hashlib.sha256(data).digest()})
        return events

    machine = machines.new()
    machine.boot(changed_log(HEARTH.log, off))
    return machines.case(machine)


def document_of_somebody_else(machines: Machines) -> Case:
    """The genuine image, which lets somebody else in."""
    machine = machines.new()
    machine.boot(HEARTH.log, OTHER_DOCUMENT)
    return machines.case(machine)


def changed_firmware(machines: Machines) -> Case:
    """Firmware is measured into PCR 0; what it was last time is expected again."""
    case = machines.case(machines.booted())
    last_time = hashlib.sha256(b"what PCR 0 was").hexdigest()
    return replace(case, expectation=replace(case.expectation, pcrs={0: last_time}))


def firmware_file(name: str) -> bytes:
    """What the log says of a program inside the firmware: in a volume, by GUIDs; the first bytes are addresses."""
    volume = struct.pack("<BBH", 4, 7, 20) + uuid.UUID("7cb8bdc9-f8eb-4f34-aaea-3ee4af6516a1").bytes_le
    file = struct.pack("<BBH", 4, 6, 20) + uuid.UUID(name).bytes_le
    path = volume + file + struct.pack("<BBH", 0x7F, 0xFF, 4)
    return struct.pack("<QQQQ", 0x7E000000, 0x20000, 0, len(path)) + path


MAKERS_SETUP = "462caa21-7614-4503-836e-8ab6f4662331"
MAKERS_PROGRAM = hashlib.sha256(b"the maker's setup").hexdigest()


def log_with_program_before(digest: str, log: bytes, times: int = 1) -> bytes:
    """The maker's program runs in front of the program of that digest, each time called anew."""
    calling = event(4, EV_EFI_ACTION, CALLING_APPLICATION.encode())
    started = event(
        4, EV_EFI_BOOT_SERVICES_APPLICATION, firmware_file(MAKERS_SETUP), digest=bytes.fromhex(MAKERS_PROGRAM)
    )
    back = event(4, EV_EFI_ACTION, b"Returning from EFI Application from Boot Option")

    def inserted(events: list[Event]) -> list[Event]:
        at = next(index for index, one in enumerate(events) if one.pcr == 4 and one.digests[0x0B].hex() == digest)
        return [*events[:at], *[calling, started, back] * times, *events[at:]]

    return changed_log(log, inserted)


def program_before(digest: str, machines: Machines, times: int = 1) -> Case:
    machine = machines.new()
    machine.boot(log_with_program_before(digest, HEARTH.log, times))
    return machines.case(machine)


def with_allowed(case: Case, *digests: str) -> Case:
    return replace(case, expectation=replace(case.expectation, allowed_programs=frozenset(digests)))


def program_of_the_firmware(machines: Machines) -> Case:
    """Perhaps the maker's, perhaps a loader that changes what comes behind it."""
    return program_before(SHIM.authenticode_sha256, machines)


def other_program_than_the_allowed_one(machines: Machines) -> Case:
    return with_allowed(program_of_the_firmware(machines), hashlib.sha256(b"another").hexdigest())


def allowed_program_inside_the_chain(machines: Machines) -> Case:
    """Started by shim, it stands where GRUB's place is, and firmware has nothing to do with it."""
    return with_allowed(program_before(GRUB.authenticode_sha256, machines), MAKERS_PROGRAM)


def allowed_program_without_the_image(machines: Machines) -> Case:
    """Only the program was started: the rest of the log is the image's, but for shim."""

    def exchanged(events: list[Event]) -> list[Event]:
        allowed = bytes.fromhex(MAKERS_PROGRAM)
        return [
            replace(one, digests={0x0B: allowed}) if one.digests[0x0B].hex() == SHIM.authenticode_sha256 else one
            for one in events
        ]

    machine = machines.new()
    machine.boot(changed_log(HEARTH.log, exchanged))
    return with_allowed(machines.case(machine), MAKERS_PROGRAM)


def separator_that_is_allowed(machines: Machines) -> Case:
    """Somebody allows a digest that is no program's: it does not lose its place."""
    case = program_of_the_firmware(machines)
    return with_allowed(case, hashlib.sha256(bytes(4)).hexdigest())


#: More than one way to the same clause.
ATTACKS_BY_PROGRAMS: tuple[Callable[[Machines], Case], ...] = (
    program_of_the_firmware,
    other_program_than_the_allowed_one,
    allowed_program_inside_the_chain,
    allowed_program_without_the_image,
    separator_that_is_allowed,
)

ATTACKS: dict[Clause, Callable[[Machines], Case]] = {
    clauses.EVENT_LOG_EXPLAINS_THE_PCRS: log_of_the_right_boot,
    clauses.PROGRAMS_ARE_OF_THE_IMAGE: older_grub,
    clauses.COMMANDS_ARE_OF_THE_IMAGE: command_line_typed_by_hand,
    clauses.FILES_ARE_OF_THE_IMAGE: swapped_initrd,
    clauses.SECURE_BOOT_IS_ON: secure_boot_off,
    clauses.NODE_DOCUMENT_IS_OURS: document_of_somebody_else,
    clauses.PCRS_ARE_EXPECTED: changed_firmware,
}
