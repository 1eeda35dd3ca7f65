# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The gate: every condition under which a machine's word counts, each by itself.

A clause gives its objections; none means that it holds. The order is that of the argument: the endorsement key is a
TPM's, the attestation key is in that TPM, the quote is by that key and fresh, the log is what the quote is of, and the
log is of the image that was built. For each clause there is a test in which, without it, an attack gets through.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import Callable, List, Tuple

from . import algorithm
from .attestation import GENERATED_VALUE, QUOTE, PcrSelection
from .boot_comparison import Difference, differences, firmware_programs
from .case import Case
from .evidence import QUOTED_PCRS
from .keys import is_signed_by, public_key
from .load_event import loaded_from
from .manifest import PREDICTED_PCRS
from .public_area import DECRYPT, FIXED_PARENT, FIXED_TPM, RESTRICTED, SENSITIVE_DATA_ORIGIN, SIGN
from .secure_boot import objections_to_secure_boot

_SECURE_BOOT_PCR = 7
_NODE_DOCUMENT_PCR = 12
#: What the event log must explain; PCR 12 has no events, and the others are not judged.
_JUDGED_PCRS = tuple(sorted((*PREDICTED_PCRS, _SECURE_BOOT_PCR)))


@dataclass(frozen=True)
class Clause:
    name: str
    objections: Callable[[Case], List[str]]


def _certificate_is_of_the_endorsement_key(case: Case) -> List[str]:
    if case.certificate is None or case.certificate.is_for(public_key(case.endorsement_key)):
        return []
    return ["the endorsement certificate is for another key than the one that the TPM has"]


def _certificate_is_of_a_tpm(case: Case) -> List[str]:
    if case.certificate is None or case.certificate.is_for_an_endorsement_key:
        return []
    return ["the certificate is not one of an endorsement key"]


def _certificate_is_valid(case: Case) -> List[str]:
    certificate = case.certificate
    if certificate is None or certificate.is_valid_at(case.expectation.now):
        return []
    validity = certificate.certificate
    return [
        f"the endorsement certificate is valid from {validity.not_valid_before_utc.isoformat()} "
        f"to {validity.not_valid_after_utc.isoformat()}"
    ]


def _certificate_has_a_known_issuer(case: Case) -> List[str]:
    expectation = case.expectation
    if not expectation.authorities:
        return [] if expectation.pins_a_key else ["neither authorities nor an endorsement key are expected"]
    if case.certificate is None:
        return ["the TPM has no endorsement certificate, and authorities are given that should have issued it"]
    if case.certificate.issuer_among(expectation.authorities, expectation.now) is None:
        return ["the endorsement certificate is not issued by any of the authorities that are given"]
    return []


def _endorsement_key_is_expected(case: Case) -> List[str]:
    expectation = case.expectation
    if not expectation.pins_a_key or case.endorsement_key_sha256 in expectation.ek_keys:
        return []
    if case.certificate is not None and case.certificate.sha256 in expectation.ek_certificates:
        return []
    return ["the endorsement key is another one than is expected of this machine"]


def _attestation_key_is_restricted(case: Case) -> List[str]:
    attributes = case.attestation_key.attributes
    missing = [
        name
        for name, bit in (
            ("restricted", RESTRICTED),
            ("sign", SIGN),
            ("fixedTPM", FIXED_TPM),
            ("fixedParent", FIXED_PARENT),
            ("sensitiveDataOrigin", SENSITIVE_DATA_ORIGIN),
        )
        if not attributes & bit
    ]
    objections = [f"the attestation key lacks {', '.join(missing)}"] if missing else []
    if attributes & DECRYPT:
        objections.append("the attestation key may decrypt")
    return objections


def _attestation_key_is_in_this_tpm(case: Case) -> List[str]:
    expected = hmac.new(case.challenge.secret, case.challenge.nonce, hashlib.sha256).digest()
    if hmac.compare_digest(expected, case.answer.activation):
        return []
    return ["the attestation key was not shown to be in the same TPM as the endorsement key"]


def _quote_is_signed(case: Case) -> List[str]:
    if is_signed_by(case.attestation_key, case.signature, case.attestation.raw):
        return []
    return ["the quote is not signed by the attestation key"]


def _quote_is_a_quote(case: Case) -> List[str]:
    attestation = case.attestation
    if (attestation.magic, attestation.kind) == (GENERATED_VALUE, QUOTE):
        return []
    return [f"what is signed is no quote of a TPM (magic {attestation.magic:#010x}, type {attestation.kind:#06x})"]


def _quote_is_fresh(case: Case) -> List[str]:
    if hmac.compare_digest(case.attestation.extra_data, case.challenge.nonce):
        return []
    return ["the quote does not carry the nonce of this verdict"]


def _quote_names_its_signer(case: Case) -> List[str]:
    expected = case.attestation_key.qualified_name_below(case.endorsement_key)
    if case.attestation.qualified_signer == expected:
        return []
    return ["the quote's signer is no child of the endorsement key"]


def _quote_is_of_the_pcrs(case: Case) -> List[str]:
    if case.attestation.selections == (PcrSelection(algorithm.SHA256, QUOTED_PCRS),):
        return []
    said = "; ".join(
        f"{algorithm.BANK_NAME.get(one.bank, hex(one.bank))}:{','.join(map(str, one.pcrs))}"
        for one in case.attestation.selections
    )
    return [f"the quote is of {said or 'nothing'} instead of sha256:{','.join(map(str, QUOTED_PCRS))}"]


def _pcr_values_are_quoted(case: Case) -> List[str]:
    values = b"".join(case.pcr_values[pcr] for pcr in QUOTED_PCRS)
    if algorithm.digest(case.signature.hash_algorithm, values) == case.attestation.pcr_digest:
        return []
    return ["the PCR values are not those of the quote"]


def _event_log_explains_the_pcrs(case: Case) -> List[str]:
    empty = bytes(algorithm.DIGEST_SIZE[algorithm.SHA256])
    return [
        f"the event log does not lead to the value of PCR {pcr}"
        for pcr in _JUDGED_PCRS
        if case.replayed.get(pcr, empty) != case.pcr_values[pcr]
    ]


def _objection(difference: Difference) -> str:
    return (
        f"PCR {difference.pcr}: "
        + (f"expected {difference.expected.what!r}" if difference.expected else "nothing more is expected")
        + (f", found event {difference.found.number}" if difference.found else ", which is missing")
    )


def _objections_to_pcr(case: Case, pcr: int) -> List[str]:
    return [_objection(one) for one in differences(case.event_log, case.expectation.boots.alternatives, pcr)]


def _programs_are_of_the_image(case: Case) -> List[str]:
    expectation = case.expectation
    alternatives = expectation.boots.alternatives
    in_front = {event.number for event in firmware_programs(case.event_log, alternatives)}
    objections = []
    for one in differences(case.event_log, alternatives, 4, expectation.allowed_programs):
        if one.expected is None and one.found is not None and one.found.number in in_front:
            objections.append(
                f"PCR 4: in front of the image the firmware started a program that nobody allowed, with the "
                f"Authenticode SHA-256 {one.found.digest(algorithm.SHA256).hex()} (event {one.found.number}, "
                f"{loaded_from(one.found.data) or 'nameless'} as the log says)"
            )
        else:
            objections.append(_objection(one))
    return objections


def _commands_are_of_the_image(case: Case) -> List[str]:
    return _objections_to_pcr(case, 8)


def _files_are_of_the_image(case: Case) -> List[str]:
    return _objections_to_pcr(case, 9)


def _secure_boot_is_on(case: Case) -> List[str]:
    return objections_to_secure_boot(case.event_log)


def _node_document_is_ours(case: Case) -> List[str]:
    document = case.expectation.node_document
    empty = bytes(algorithm.DIGEST_SIZE[algorithm.SHA256])
    expected = hashlib.sha256(empty + bytes.fromhex(document)).digest() if document else empty
    if case.pcr_values[_NODE_DOCUMENT_PCR] == expected:
        return []
    what = (
        "another node document than the one that was given to it"
        if document
        else "a node document, and none is expected"
    )
    return [f"the image was configured by {what} (PCR 12)"]


def _pcrs_are_expected(case: Case) -> List[str]:
    return [
        f"PCR {pcr} is {case.pcr_values[pcr].hex()}, expected is {value}"
        for pcr, value in sorted(case.expectation.pcrs.items())
        if case.pcr_values[pcr].hex() != value
    ]


CERTIFICATE_IS_OF_THE_ENDORSEMENT_KEY = Clause(
    "certificate_is_of_the_endorsement_key", _certificate_is_of_the_endorsement_key
)
CERTIFICATE_IS_OF_A_TPM = Clause("certificate_is_of_a_tpm", _certificate_is_of_a_tpm)
CERTIFICATE_IS_VALID = Clause("certificate_is_valid", _certificate_is_valid)
CERTIFICATE_HAS_A_KNOWN_ISSUER = Clause("certificate_has_a_known_issuer", _certificate_has_a_known_issuer)
ENDORSEMENT_KEY_IS_EXPECTED = Clause("endorsement_key_is_expected", _endorsement_key_is_expected)
ATTESTATION_KEY_IS_RESTRICTED = Clause("attestation_key_is_restricted", _attestation_key_is_restricted)
ATTESTATION_KEY_IS_IN_THIS_TPM = Clause("attestation_key_is_in_this_tpm", _attestation_key_is_in_this_tpm)
QUOTE_IS_SIGNED = Clause("quote_is_signed", _quote_is_signed)
QUOTE_IS_A_QUOTE = Clause("quote_is_a_quote", _quote_is_a_quote)
QUOTE_IS_FRESH = Clause("quote_is_fresh", _quote_is_fresh)
QUOTE_NAMES_ITS_SIGNER = Clause("quote_names_its_signer", _quote_names_its_signer)
QUOTE_IS_OF_THE_PCRS = Clause("quote_is_of_the_pcrs", _quote_is_of_the_pcrs)
PCR_VALUES_ARE_QUOTED = Clause("pcr_values_are_quoted", _pcr_values_are_quoted)
EVENT_LOG_EXPLAINS_THE_PCRS = Clause("event_log_explains_the_pcrs", _event_log_explains_the_pcrs)
PROGRAMS_ARE_OF_THE_IMAGE = Clause("programs_are_of_the_image", _programs_are_of_the_image)
COMMANDS_ARE_OF_THE_IMAGE = Clause("commands_are_of_the_image", _commands_are_of_the_image)
FILES_ARE_OF_THE_IMAGE = Clause("files_are_of_the_image", _files_are_of_the_image)
SECURE_BOOT_IS_ON = Clause("secure_boot_is_on", _secure_boot_is_on)
NODE_DOCUMENT_IS_OURS = Clause("node_document_is_ours", _node_document_is_ours)
PCRS_ARE_EXPECTED = Clause("pcrs_are_expected", _pcrs_are_expected)

GATE: Tuple[Clause, ...] = (
    CERTIFICATE_IS_OF_THE_ENDORSEMENT_KEY,
    CERTIFICATE_IS_OF_A_TPM,
    CERTIFICATE_IS_VALID,
    CERTIFICATE_HAS_A_KNOWN_ISSUER,
    ENDORSEMENT_KEY_IS_EXPECTED,
    ATTESTATION_KEY_IS_RESTRICTED,
    ATTESTATION_KEY_IS_IN_THIS_TPM,
    QUOTE_IS_SIGNED,
    QUOTE_IS_A_QUOTE,
    QUOTE_IS_FRESH,
    QUOTE_NAMES_ITS_SIGNER,
    QUOTE_IS_OF_THE_PCRS,
    PCR_VALUES_ARE_QUOTED,
    EVENT_LOG_EXPLAINS_THE_PCRS,
    PROGRAMS_ARE_OF_THE_IMAGE,
    COMMANDS_ARE_OF_THE_IMAGE,
    FILES_ARE_OF_THE_IMAGE,
    SECURE_BOOT_IS_ON,
    NODE_DOCUMENT_IS_OURS,
    PCRS_ARE_EXPECTED,
)
