# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What PCRs hold by the event log of this boot, and what they will hold by the files of the next. Runs on the node.

The log is believed as far as it leads to what the TPM holds. What is predicted is proved only by a boot: the positive
control predicts from the files that booted and compares with the log.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from dataclasses import dataclass, field
from typing import Dict, List, Mapping, Optional, Sequence, Tuple

from .._core.errors import AttestationRefused, BadInput, Unsupported, VerificationFailed
from .._core.hostile import clean
from .algorithm import BANK_NAME
from .boot_comparison import said_of, unequal
from .boot_log import read_boot_log
from .capabilities import read_pcrs
from .event_log import Event, EventLog, parse_event_log
from .installed_boot import Files, InstalledBoot
from .measurement import Measurement, value_of
from .replay import Replay, replay, untrue
from .secure_boot import secure_boot_state
from .secure_boot_forecast import require_same_pcr_7, require_told_pcr_7
from .tpm2_tools import Tpm2Tools

_PROGRAMS_PCR = 4
_SECURE_BOOT_PCR = 7
#: What the firmware's log tells of; IMA's own PCR and those that programs use freely are not among them.
PCRS = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14)
#: Which a prediction takes from the log of this boot: nothing that boots from the disk changes them.
_OF_FIRMWARE = frozenset({0, 1, 2, 3, 5, 6, 7, 14})
_MOST_SAID = 5
_MOST_DIFFERENCES = 50
_MOST_COMPARED = 2000


@dataclass(frozen=True)
class Question:
    bank: int
    pcrs: Tuple[int, ...]
    """Ascending: those that must be explained by the log, and those that are predicted."""
    event_log: str
    efi_variables: str
    files: Optional[Files] = None
    """What boots; None: there is nothing to predict."""
    have_booted: bool = False
    """Whether they are what this boot came from, so that they have to agree with the log."""
    extended_since: Mapping[int, Sequence[bytes]] = field(default_factory=dict)
    pcr_values: Mapping[int, bytes] = field(default_factory=dict)
    """What the PCRs held when the log was taken; empty: the TPM is asked."""


@dataclass(frozen=True)
class Difference:
    """A measurement that was predicted, one that was made, or one in the place of the other."""

    pcr: int
    expected: Optional[Measurement]
    found: Optional[Event]
    bank: int

    def as_dict(self) -> Dict[str, object]:
        return {
            "pcr": self.pcr,
            "expected": clean(self.expected.what) if self.expected else None,
            "expected_digest": self.expected.digest.hex() if self.expected else None,
            "number": self.found.number if self.found else None,
            "event_type": self.found.event_type if self.found else None,
            "found": clean(said_of(self.found)) if self.found else None,
            "found_digest": self.found.digest(self.bank).hex() if self.found else None,
        }

    def __str__(self) -> str:
        said = self.as_dict()
        number = f"event {said['number']} " if self.found else ""
        return f"PCR {self.pcr}: {number}{said['found'] or 'nothing'!s} instead of {said['expected'] or 'nothing'!s}"


@dataclass(frozen=True)
class Measured:
    """The answer."""

    log: EventLog
    log_sha256: str
    replay: Replay
    """Of all of PCRS."""
    found: Mapping[int, bytes]
    """What the PCRs hold, as the TPM says or the question."""
    secure_boot: Optional[bool]
    predicted: Mapping[int, bytes]
    """Of the question's PCRs; empty where there is nothing to predict."""
    command_line: str
    """The kernel's, of what is predicted; "" where nothing is."""
    measurements: Tuple[Measurement, ...]
    """What the prediction of PCRs from files is made of."""
    differences: Tuple[Difference, ...]
    """Between these and the log."""

    def values(self, pcrs: Sequence[int]) -> bytes:
        """Raw values by ascending number: of the prediction, or else of this boot before anything extended them."""
        of = self.predicted or self.replay.values
        return b"".join(of[pcr] for pcr in pcrs)


def measured_boot(question: Question, environment: Mapping[str, str]) -> Measured:
    """Replay, compare with the PCRs, predict, compare with the log.

    Raises AttestationRefused where the log does not lead to what the PCRs of the question hold, and
    VerificationFailed where files that have booted do not give what the log has.
    """
    _require_possible(question)
    raw = read_boot_log(question.event_log)
    log = parse_event_log(raw)
    bank = question.bank
    log.replay(bank)
    found = question.pcr_values or _read_pcrs(bank, environment)
    replayed = replay(log, bank, found, question.extended_since)
    _require_explained(question.pcrs, question, log, replayed)
    measurements: List[Measurement] = []
    predicted: Dict[int, bytes] = {}
    differences: List[Difference] = []
    boot: Optional[InstalledBoot] = None
    if question.files is not None:
        boot = question.files.boot(log)
        for pcr in question.pcrs:
            if pcr in boot.predicted:
                made = boot.measurements(pcr, bank, log)
                measurements.extend(made)
                predicted[pcr] = value_of(pcr, made, bank)
                differences.extend(_differences(pcr, made, log, bank))
            else:
                predicted[pcr] = _of_firmware(question, boot, log, replayed, pcr)
        if question.have_booted:
            _require_booted(differences)
    return Measured(
        log=log,
        log_sha256=hashlib.sha256(raw).hexdigest(),
        replay=replayed,
        found=found,
        secure_boot=secure_boot_state(log),
        predicted=predicted,
        command_line=boot.command_line if boot else "",
        measurements=tuple(measurements),
        differences=tuple(differences[:_MOST_DIFFERENCES]),
    )


def _require_possible(question: Question) -> None:
    """BadInput and Unsupported, before anything is read."""
    foreign = [pcr for pcr in question.pcrs if pcr not in PCRS]
    if foreign:
        raise BadInput("no event log tells of this PCR", expected=f"some of {list(PCRS)}", found=str(foreign[0]))
    missing = [pcr for pcr in question.pcrs if question.pcr_values and pcr not in question.pcr_values]
    if missing:
        raise BadInput("the value of a PCR is missing", expected=f"a value of PCR {missing[0]}", found="none")
    if question.files is None:
        if question.have_booted:
            raise BadInput("there are no files to compare with the log", expected="files that boot", found="none")
        return
    known = question.files.kind.predicted | _OF_FIRMWARE
    unknown = [pcr for pcr in question.pcrs if pcr not in known]
    if unknown:
        raise Unsupported(
            f"PCR {unknown[0]} cannot be predicted for this way of booting",
            expected=f"some of {sorted(known)}",
            found=str(unknown[0]),
        )


def _require_explained(pcrs: Sequence[int], question: Question, log: EventLog, replayed: Replay) -> None:
    wrong = [one for one in replayed.unexplained if one.pcr in pcrs]
    if wrong:
        said = []
        for one in wrong[:_MOST_SAID]:
            event = f" (event {one.event.number}: {clean(said_of(one.event), 120)})" if one.event else ""
            said.append(f"PCR {one.pcr}: {one.reason}{event}")
        raise AttestationRefused(
            "the event log does not lead to what the PCRs hold",
            expected="; ".join(f"PCR {one.pcr} {one.found.hex()}" for one in wrong[:_MOST_SAID]),
            found="; ".join(said),
            where="event log",
            next="Nothing follows from this log. Where the system extends a PCR itself, say so with extended_since.",
        )
    for pcr in pcrs:
        lying = untrue(log, question.bank, pcr)
        if lying:
            raise AttestationRefused(
                "an event of the log says something else than was measured",
                expected="digests of what the events say",
                found=f"event {lying[0].number} of PCR {pcr}: {clean(said_of(lying[0]), 120)}",
                where="event log",
                next="Nothing follows from this log.",
            )


def _of_firmware(question: Question, boot: InstalledBoot, log: EventLog, replayed: Replay, pcr: int) -> bytes:
    if pcr == _SECURE_BOOT_PCR:
        if question.have_booted:
            require_told_pcr_7(log, question.bank)
        else:
            # What has booted, shim above all, is taken from the log's PCR 4.
            _require_explained((_PROGRAMS_PCR,), question, log, replayed)
            require_same_pcr_7(log, boot.programs, question.bank, question.efi_variables)
    return replayed.values[pcr]


def _differences(pcr: int, made: Sequence[Measurement], log: EventLog, bank: int) -> List[Difference]:
    events = log.of_pcr(pcr)[:_MOST_COMPARED]
    wanted = [one.digest.hex() for one in made]
    found = [event.digest(bank).hex() for event in events]
    return [
        Difference(pcr, None if one is None else made[one], None if other is None else events[other], bank)
        for one, other in unequal(wanted, found)
    ]


def _require_booted(differences: Sequence[Difference]) -> None:
    if differences:
        raise VerificationFailed(
            "what was predicted from the files is not what this boot measured",
            expected="the same measurements",
            found="; ".join(str(one) for one in differences[:_MOST_SAID]),
            where="event log",
            next="These are other files than those that booted, or a prediction from them cannot be relied on: bind "
            "nothing to it.",
        )


def _read_pcrs(bank: int, environment: Mapping[str, str]) -> Dict[int, bytes]:
    place = tempfile.mkdtemp(prefix="hearth-")
    try:
        shown = read_pcrs(Tpm2Tools(place, environment)).get(BANK_NAME[bank], {})
    finally:
        shutil.rmtree(place, ignore_errors=True)
    if any(pcr not in shown for pcr in PCRS):
        raise Unsupported(
            "the TPM does not measure into this bank",
            expected=f"an active bank {BANK_NAME[bank]}",
            found=f"the values of {len(shown)} PCRs",
            where="the node's TPM",
        )
    return {pcr: shown[pcr] for pcr in PCRS}
