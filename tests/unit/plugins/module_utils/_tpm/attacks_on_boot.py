# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Machines that say truly what they booted, and it is not the image; and one that lies about it.

Each attack breaks one clause and no other. Logs named in recorded_boots.py are of real boots; the others are written
here and measured into a real TPM, as the firmware or GRUB would.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace

from ansible_collections.hearth.datacenter.plugins.module_utils._tpm import clauses
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.case import Case
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.clauses import Clause
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.event_log import Event
from tests.unit.plugins.module_utils._tpm.machines import (
    OTHER_DOCUMENT,
    Machines,
    changed_log,
)
from tests.unit.plugins.module_utils._tpm.recorded_boots import (
    GRUB,
    HEARTH,
    MENUENTRY,
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


ATTACKS: dict[Clause, Callable[[Machines], Case]] = {
    clauses.EVENT_LOG_EXPLAINS_THE_PCRS: log_of_the_right_boot,
    clauses.PROGRAMS_ARE_OF_THE_IMAGE: older_grub,
    clauses.COMMANDS_ARE_OF_THE_IMAGE: command_line_typed_by_hand,
    clauses.FILES_ARE_OF_THE_IMAGE: swapped_initrd,
    clauses.SECURE_BOOT_IS_ON: secure_boot_off,
    clauses.NODE_DOCUMENT_IS_OURS: document_of_somebody_else,
    clauses.PCRS_ARE_EXPECTED: changed_firmware,
}
