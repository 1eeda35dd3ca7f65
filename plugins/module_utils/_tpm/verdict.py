# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The judge: a case and a gate make a verdict. Nothing here asks a machine anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import AbstractSet, Callable, Dict, List, Optional, Sequence, Tuple

from .._core.errors import ProtocolViolation
from . import algorithm
from .boot_comparison import Difference, differences, firmware_programs
from .case import Case
from .clauses import GATE, Clause
from .ek_certificate import EkCertificate
from .evidence import QUOTED_PCRS
from .load_event import loaded_from
from .manifest import PREDICTED_PCRS
from .secure_boot import secure_boot_state

_MOST_PROGRAMS = 50


@dataclass(frozen=True)
class Reason:
    """A clause that does not hold, and why."""

    clause: str
    msg: str


@dataclass(frozen=True)
class FirmwareProgram:
    """What the machine's firmware started in front of the image."""

    number: int
    """Of its event."""
    authenticode_sha256: str
    path: str
    """As the log says, which nothing vouches for: hostile."""
    allowed: bool

    def as_dict(self) -> Dict[str, object]:
        return {
            "number": self.number,
            "authenticode_sha256": self.authenticode_sha256,
            "path": self.path,
            "allowed": self.allowed,
        }


@dataclass(frozen=True)
class Verdict:
    reasons: Tuple[Reason, ...]
    differences: Tuple[Difference, ...]
    firmware_programs: Tuple[FirmwareProgram, ...]
    pcrs: Dict[int, str]
    """As the machine says; true where the verdict is ok."""
    secure_boot: Optional[bool]
    ek_certificate_sha256: str
    ek_key_sha256: str
    ek_subject: str
    ek_trusted_by: str
    """``authority``, ``expected``, ``authority and expected``; "" where nothing vouches for it."""

    @property
    def ok(self) -> bool:
        return not self.reasons


def judge(case: Case, clauses: Sequence[Clause] = GATE) -> Verdict:
    """Ok where every clause holds. What cannot be read is an objection of each clause that needs it."""
    reasons: List[Reason] = []
    for clause in clauses:
        try:
            objections = clause.objections(case)
        except ProtocolViolation as error:
            objections = [f"{error.msg}: expected {error.expected or 'something else'}, found {error.found}"]
        reasons.extend(Reason(clause.name, objection) for objection in objections)
    return Verdict(
        reasons=tuple(reasons),
        differences=_differences(case),
        firmware_programs=_firmware_programs(case),
        pcrs=_pcrs(case),
        secure_boot=_secure_boot(case),
        ek_certificate_sha256=_of_certificate(case, lambda certificate: certificate.sha256),
        ek_key_sha256=_endorsement_key_sha256(case),
        ek_subject=_of_certificate(case, lambda certificate: certificate.subject),
        ek_trusted_by=_trusted_by(case, {reason.clause for reason in reasons}),
    )


def _differences(case: Case) -> Tuple[Difference, ...]:
    try:
        log = case.event_log
        alternatives = case.expectation.boots.alternatives
        allowed = case.expectation.allowed_programs
        return tuple(one for pcr in PREDICTED_PCRS for one in differences(log, alternatives, pcr, allowed))
    except ProtocolViolation:
        return ()


def _firmware_programs(case: Case) -> Tuple[FirmwareProgram, ...]:
    try:
        events = firmware_programs(case.event_log, case.expectation.boots.alternatives)
    except ProtocolViolation:
        return ()
    digests = [event.digest(algorithm.SHA256).hex() for event in events]
    return tuple(
        FirmwareProgram(event.number, digest, loaded_from(event.data), digest in case.expectation.allowed_programs)
        for event, digest in zip(events[:_MOST_PROGRAMS], digests)
    )


def _pcrs(case: Case) -> Dict[int, str]:
    try:
        return {pcr: case.pcr_values[pcr].hex() for pcr in QUOTED_PCRS}
    except ProtocolViolation:
        return {}


def _secure_boot(case: Case) -> Optional[bool]:
    try:
        return secure_boot_state(case.event_log)
    except ProtocolViolation:
        return None


def _of_certificate(case: Case, field: Callable[[EkCertificate], str]) -> str:
    try:
        return field(case.certificate) if case.certificate else ""
    except ProtocolViolation:
        return ""


def _endorsement_key_sha256(case: Case) -> str:
    try:
        return case.endorsement_key_sha256
    except ProtocolViolation:
        return ""


def _trusted_by(case: Case, objected: AbstractSet[str]) -> str:
    if any(name.startswith(("certificate_", "endorsement_key_")) for name in objected):
        return ""
    by = ["authority"] if case.expectation.authorities else []
    by += ["expected"] if case.expectation.pins_a_key else []
    return " and ".join(by)
