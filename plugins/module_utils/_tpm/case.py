# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One verdict's material: what was expected, what the controller asked, what the machine answered."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Dict, FrozenSet, Mapping, Optional, Tuple

from . import algorithm
from .attestation import Attestation, Signature, parse_attestation, parse_signature
from .ek_certificate import EkCertificate, parse_ek_certificate
from .event_log import EventLog, parse_event_log
from .evidence import QUOTED_PCRS, Answer, Challenge, Identity
from .keys import public_key, subject_public_key_info
from .manifest import ExpectedBoots
from .marshalling import malformed
from .public_area import PublicArea, parse_public

try:
    from cryptography import x509
except ImportError:
    pass


@dataclass(frozen=True)
class Expectation:
    """What the operator and the image say. Digests are lower-case hex."""

    boots: ExpectedBoots
    now: datetime
    authorities: Tuple[x509.Certificate, ...] = ()
    ek_certificates: FrozenSet[str] = frozenset()
    """SHA-256 of the certificates, DER, that this machine may have."""
    ek_keys: FrozenSet[str] = frozenset()
    """SHA-256 of the endorsement keys, SubjectPublicKeyInfo, that this machine may have."""
    node_document: str = ""
    """SHA-256 of the node document that was given to the machine; "" for none."""
    allowed_programs: FrozenSet[str] = frozenset()
    """Authenticode SHA-256 of what the machine's own firmware may start in front of the image."""
    pcrs: Mapping[int, str] = field(default_factory=dict)
    """Values that PCRs must have, beside what follows from the image."""

    @property
    def pins_a_key(self) -> bool:
        return bool(self.ek_certificates or self.ek_keys)


@dataclass(frozen=True)
class Case:
    """Whoever reads a part that cannot be read gets a ProtocolViolation, each time."""

    expectation: Expectation
    challenge: Challenge
    identity: Identity
    answer: Answer

    @cached_property
    def endorsement_key(self) -> PublicArea:
        return parse_public(self.identity.endorsement_key, "endorsement key")

    @cached_property
    def endorsement_key_sha256(self) -> str:
        return hashlib.sha256(subject_public_key_info(public_key(self.endorsement_key))).hexdigest()

    @cached_property
    def certificate(self) -> Optional[EkCertificate]:
        der = self.identity.endorsement_certificate
        return parse_ek_certificate(der) if der else None

    @cached_property
    def attestation_key(self) -> PublicArea:
        return parse_public(self.identity.attestation_key, "attestation key")

    @cached_property
    def attestation(self) -> Attestation:
        return parse_attestation(self.answer.attestation)

    @cached_property
    def signature(self) -> Signature:
        return parse_signature(self.answer.signature)

    @cached_property
    def event_log(self) -> EventLog:
        return parse_event_log(self.answer.event_log)

    @cached_property
    def replayed(self) -> Dict[int, bytes]:
        return self.event_log.replay(algorithm.SHA256)

    @cached_property
    def pcr_values(self) -> Dict[int, bytes]:
        size = algorithm.DIGEST_SIZE[algorithm.SHA256]
        values = self.answer.pcr_values
        if len(values) != size * len(QUOTED_PCRS):
            raise malformed("PCR values", f"{size * len(QUOTED_PCRS)} bytes", f"{len(values)} bytes")
        return {pcr: values[size * index : size * (index + 1)] for index, pcr in enumerate(QUOTED_PCRS)}
