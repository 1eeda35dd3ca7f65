# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Event logs: what is read, what the PCRs must be by it, and what is refused."""

from __future__ import annotations

import re
import struct
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core.errors import ProtocolViolation
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm import algorithm
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.boot_comparison import differences
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.event_log import (
    EV_NO_ACTION,
    LARGEST_LOG,
    Event,
    parse_event_log,
)
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.secure_boot import (
    objections_to_secure_boot,
    secure_boot_state,
)
from tests.servers.swtpm import require_swtpm
from tests.unit.plugins.module_utils._tpm.machines import changed_log, event
from tests.unit.plugins.module_utils._tpm.recorded_boots import HEARTH, MENUENTRY, RECORDED, RecordedBoot

# What /sys/class/tpm/tpm0/pcr-sha256 said in the machine that the log was recorded on.
PCRS_OF_MENUENTRY = {
    0: "e520f4961f67bfe7c5164719bb15d7a4dbe7c1969ae5421455f597c4916969cd",
    4: "76b991d6ab3c58644e5a1627c1c5ec6870bc3881299192f44d91fadfe786ac23",
    7: "75677db6f14082d3bfec4d14bdd75c8d72612ef6914ca99cd5a5997b7a21309d",
    8: "cd54064032d4311d63d4fe6f5f47f1a65254d70586558d29beaea3d2bb1400e1",
    9: "96405862414e100a8f706a2790fc84c1271797ac7750a24681f1dccc55623525",
    14: "b9c97933fe323334271a718fdf2966e0609afcb793f3b68aaf18fc31ea39dc0a",
}
SEPARATOR = bytes(4)


def test_a_log_leads_to_what_the_pcrs_were() -> None:
    replayed = parse_event_log(MENUENTRY.log).replay(algorithm.SHA256)
    assert {pcr: replayed[pcr].hex() for pcr in PCRS_OF_MENUENTRY} == PCRS_OF_MENUENTRY


@pytest.mark.parametrize("boot", RECORDED, ids=lambda boot: boot.log_name)
def test_tpm2_eventlog_reads_the_same(boot: RecordedBoot, tmp_path: Path) -> None:
    require_swtpm()
    path = tmp_path / "log"
    path.write_bytes(boot.log)
    said = subprocess.run(["tpm2_eventlog", path], check=True, capture_output=True, text=True).stdout
    theirs = {int(pcr): value for pcr, value in re.findall(r"^\s+(\d+)\s*: 0x([0-9a-f]{64})$", said, re.M)}
    log = parse_event_log(boot.log)
    assert {pcr: value.hex() for pcr, value in log.replay(algorithm.SHA256).items()} == theirs
    # Theirs counts the header, too.
    assert len(log.events) + 1 == said.count("EventNum:")


def test_a_log_that_is_cut_is_refused_or_shorter() -> None:
    whole = parse_event_log(HEARTH.log)
    for end in range(0, len(HEARTH.log), 7):
        try:
            cut = parse_event_log(HEARTH.log[:end])
        except ProtocolViolation:
            continue
        # Only between two events: then the PCRs do not come out.
        assert len(cut.events) < len(whole.events)
        assert cut.replay(algorithm.SHA256) != whole.replay(algorithm.SHA256)


def with_banks(*banks: tuple[int, int]) -> bytes:
    """A log without events, whose header names these digests and sizes."""
    listed = b"".join(struct.pack("<HH", *bank) for bank in banks)
    header = b"Spec ID Event03\0" + bytes(8) + struct.pack("<I", len(banks)) + listed + b"\0"
    return struct.pack("<II", 0, EV_NO_ACTION) + bytes(20) + struct.pack("<I", len(header)) + header


@pytest.mark.parametrize(
    "log",
    [
        b"",
        bytes(64),
        b"\xff" * 64,
        with_banks(),
        with_banks((algorithm.SHA256, 20)),
        with_banks((0x7777, 32)),
        with_banks((algorithm.SHA256, 32), (algorithm.SHA256, 32)),
        with_banks((algorithm.SHA256, 32)) + bytes(12),
        with_banks((algorithm.SHA256, 32)) + struct.pack("<IIIH", 4, 13, 1, algorithm.SHA1) + bytes(64),
        with_banks((algorithm.SHA256, 32)) + struct.pack("<IIIH", 24, 13, 1, algorithm.SHA256) + bytes(36),
        with_banks((algorithm.SHA256, 32)) + struct.pack("<IIIH", 4, 13, 2, algorithm.SHA256) + bytes(80),
        with_banks((algorithm.SHA256, 32)) + struct.pack("<IIIH", 4, 13, 1, algorithm.SHA256) + b"\xff" * 36,
        HEARTH.log + b"\0",
        HEARTH.log + bytes(LARGEST_LOG),
    ],
)
def test_what_is_no_log_is_refused(log: bytes) -> None:
    with pytest.raises(ProtocolViolation):
        parse_event_log(log)


def test_a_log_without_the_bank_leads_nowhere() -> None:
    with pytest.raises(ProtocolViolation, match="cannot be read"):
        parse_event_log(with_banks((algorithm.SHA1, 20))).replay(algorithm.SHA256)


def test_a_note_is_not_measured_whatever_it_says() -> None:
    lie = event(8, EV_NO_ACTION, b"grub_cmd: linux /hearth/vmlinuz init=/bin/sh\0")
    told = parse_event_log(changed_log(HEARTH.log, lambda events: [*events, lie]))
    assert told.replay(algorithm.SHA256) == parse_event_log(HEARTH.log).replay(algorithm.SHA256)
    assert [differences(told, HEARTH.predicted(), pcr) for pcr in (4, 8, 9)] == [(), (), ()]


def test_a_measurement_cannot_be_called_a_note() -> None:
    def called_a_note(events: list[Event]) -> list[Event]:
        return [*events[:-4], replace(events[-4], kind=EV_NO_ACTION), *events[-3:]]

    hidden = parse_event_log(changed_log(HEARTH.log, called_a_note))
    pcr = hidden.events[-4].pcr
    assert hidden.replay(algorithm.SHA256)[pcr] != parse_event_log(HEARTH.log).replay(algorithm.SHA256)[pcr]


def test_pcr_0_begins_with_the_locality_that_the_log_names() -> None:
    note = event(0, EV_NO_ACTION, b"StartupLocality\0\x03")
    told = parse_event_log(changed_log(HEARTH.log, lambda events: [note, *events])).replay(algorithm.SHA256)
    plain = parse_event_log(HEARTH.log).replay(algorithm.SHA256)
    assert {pcr for pcr in plain if plain[pcr] != told[pcr]} == {0}


@pytest.mark.parametrize("pcr", [4, 8, 9])
def test_one_event_too_many_and_one_too_few_are_told(pcr: int) -> None:
    more = event(pcr, 0x0D, b"grub_cmd: more\0")
    longer = parse_event_log(changed_log(HEARTH.log, lambda events: [*events, more]))
    (difference,) = differences(longer, HEARTH.predicted(), pcr)
    assert difference.expected is None and difference.as_dict()["found_sha256"] == more.digests[0x0B].hex()

    last = parse_event_log(HEARTH.log).of_pcr(pcr)[-1]
    shorter = changed_log(HEARTH.log, lambda events: [one for one in events if one.number != last.number])
    (difference,) = differences(parse_event_log(shorter), HEARTH.predicted(), pcr)
    assert difference.found is None and difference.expected is not None


@pytest.mark.parametrize("device", ["(memdisk)", "(tftp,10.0.0.1)", "(cd0,evil)", "(hd0"])
def test_only_names_of_disks_are_taken_from_the_log(device: str) -> None:
    """GRUB with its files somewhere else executes commands that name another place, and is another boot."""

    def elsewhere(events: list[Event]) -> list[Event]:
        moved = []
        for one in events:
            if one.pcr == 8:
                data = one.data.replace(b"(cd0)", device.encode())
                moved.append(event(8, one.kind, data, event(8, 13, data.rstrip(b"\0")[10:]).digests[0x0B]))
            else:
                moved.append(one)
        return moved

    assert differences(parse_event_log(changed_log(HEARTH.log, elsewhere)), HEARTH.predicted(), 8)


def variable(name: str, value: bytes, guid: bytes | None = None) -> bytes:
    of_firmware = bytes.fromhex("61dfe48bca93d211aa0d00e098032b8c")
    return (guid or of_firmware) + struct.pack("<QQ", len(name), len(value)) + name.encode("utf-16-le") + value


SECURE_BOOT_0 = variable("SecureBoot", b"\0")
SECURE_BOOT_1 = variable("SecureBoot", b"\1")


def pcr_7(change: Callable[[list[Event]], list[Event]]) -> bytes:
    """The recorded log with other events in PCR 7."""

    def changed(events: list[Event]) -> list[Event]:
        rest = [one for one in events if one.pcr != 7]
        return [*rest, *change([one for one in events if one.pcr == 7])]

    return changed_log(HEARTH.log, changed)


def test_secure_boot_was_on() -> None:
    log = parse_event_log(HEARTH.log)
    assert (secure_boot_state(log), objections_to_secure_boot(log)) == (True, [])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda events: [event(7, 0x80000001, SECURE_BOOT_0), *events[1:]], "Secure Boot is off"),
        (lambda events: [event(7, 0x80000001, SECURE_BOOT_0), *events[1:], events[0]], "exactly once"),
        (lambda events: [event(7, 0x80000001, SECURE_BOOT_0), *events], "exactly once"),
        (lambda events: [*events[1:], events[0]], "exactly once"),
        (lambda events: events[1:], "exactly once"),
        (lambda events: [event(7, 0x80000007, SECURE_BOOT_0), *events], "exactly once"),
        (
            lambda events: [event(7, 0x80000001, b"hidden", event(7, 0, SECURE_BOOT_0).digests[0x0B]), *events],
            "not of its data",
        ),
        (lambda events: [event(7, 0x80000007, b"UEFI Debug Mode"), *events], "no UEFI variable"),
        (lambda events: [one for one in events if one.data != SEPARATOR], "0 separators"),
        (lambda events: [*events, event(7, 4, SEPARATOR)], "2 separators"),
        (lambda events: [*events, event(7, 0x0D, b"an event that nobody knows")], "no UEFI variable"),
        (lambda events: [*events, event(7, 0x800000E0, variable("MokSBState", b"\1"))], "validation is switched off"),
        (lambda events: [], "0 separators"),
        (lambda events: [event(7, 0x80000001, SECURE_BOOT_1 + b"\0"), *events[1:]], "no UEFI variable"),
        (lambda events: [event(7, 0x80000001, variable("SecureBoot", b"\1", bytes(16))), *events[1:]], "exactly once"),
    ],
)
def test_pcr_7_that_proves_nothing(change: Callable[[list[Event]], list[Event]], said: str) -> None:
    objections = objections_to_secure_boot(parse_event_log(pcr_7(change)))
    assert any(said in objection for objection in objections), objections


def test_a_note_of_firmware_about_dma_is_no_objection() -> None:
    log = pcr_7(lambda events: [events[0], event(7, 0x80000007, b"DMA Protection Disabled"), *events[1:]])
    assert objections_to_secure_boot(parse_event_log(log)) == []
