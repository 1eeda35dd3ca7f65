# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An event log beside the PCRs that a TPM shows."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping

from ansible_collections.hearth.datacenter.plugins.module_utils._tpm import algorithm
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.event_log import EV_NO_ACTION, parse_event_log
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.log_summary import LoggedPcr, LogSummary, summary
from tests.unit.plugins.module_utils._tpm.machines import changed_log, event
from tests.unit.plugins.module_utils._tpm.recorded_boots import MENUENTRY

LOG = parse_event_log(MENUENTRY.log)
SHOWN = {"sha256": LOG.replay(algorithm.SHA256)}


def summed(raw: bytes, shown: Mapping[str, Mapping[int, bytes]]) -> LogSummary:
    return summary(parse_event_log(raw), shown)


def test_a_true_log_agrees_in_every_pcr() -> None:
    said = summed(MENUENTRY.log, SHOWN)
    assert said.pcrs and {pcr.agrees for pcr in said.pcrs.values()} == {True}
    assert sum(pcr.events for pcr in said.pcrs.values()) == said.events
    assert said.events == len([one for one in LOG.events if one.is_measured])
    assert (said.secure_boot, "sha256" in said.banks) == (True, True)


def test_an_event_more_and_a_pcr_that_somebody_extended_are_told() -> None:
    more = event(8, 0x0D, b"grub_cmd: more\0")
    said = summed(changed_log(MENUENTRY.log, lambda events: [*events, more]), SHOWN)
    assert [pcr for pcr, one in said.pcrs.items() if not one.agrees] == [8]
    said = summed(MENUENTRY.log, {"sha256": {**SHOWN["sha256"], 4: bytes(32)}})
    assert [pcr for pcr, one in said.pcrs.items() if not one.agrees] == [4]


def test_a_pcr_agrees_only_if_it_does_in_each_bank() -> None:
    banks = {"sha1": algorithm.SHA1, "sha256": algorithm.SHA256}
    sizes = struct.pack("<HHHH", algorithm.SHA1, 20, algorithm.SHA256, 32)
    header = b"Spec ID Event03\0" + struct.pack("<QI", 0, 2) + sizes + b"\0"
    digests = {name: hashlib.new(name, b"measured").digest() for name in banks}
    listed = b"".join(struct.pack("<H", bank) + digests[name] for name, bank in banks.items())
    raw = struct.pack("<II20xI", 0, EV_NO_ACTION, len(header)) + header
    raw += struct.pack("<III", 7, 0x0D, 2) + listed + struct.pack("<I", 8) + b"measured"
    right = {name: {7: hashlib.new(name, bytes(len(one)) + one).digest()} for name, one in digests.items()}
    assert summed(raw, right).pcrs == {7: LoggedPcr(1, True)}
    for bank in banks:
        wrong = {**right, bank: {7: bytes(len(digests[bank]))}}
        assert summed(raw, wrong).pcrs == {7: LoggedPcr(1, False)}
        assert summed(raw, {bank: right[bank]}).pcrs == {7: LoggedPcr(1, True)}


def test_notes_are_not_counted() -> None:
    note = event(8, EV_NO_ACTION, b"a note")
    assert summed(changed_log(MENUENTRY.log, lambda events: [*events, note]), SHOWN) == summed(MENUENTRY.log, SHOWN)


def test_without_a_bank_in_common_nothing_is_said_of_a_pcr() -> None:
    said = summed(MENUENTRY.log, {"sha384": {7: bytes(48)}})
    assert {pcr.agrees for pcr in said.pcrs.values()} == {None}


def test_an_empty_log_says_nothing() -> None:
    said = summed(changed_log(MENUENTRY.log, lambda _events: []), SHOWN)
    assert (said.events, said.pcrs, said.secure_boot) == (0, {}, None)
