# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What cannot be read, and what a machine says wrongly, is refused and never raised."""

from __future__ import annotations

import shutil
import struct
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from ansible_collections.hearth.datacenter.plugins.module_utils._core.errors import BadInput, ProtocolViolation
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm import algorithm, public_area
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.attestation import (
    PcrSelection,
    parse_attestation,
    parse_signature,
)
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.case import Case
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.ek_certificate import (
    parse_ek_certificate,
    read_authorities,
)
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.evidence import (
    QUOTED_PCRS,
    Answer,
    Identity,
    answer_of,
    encoded,
    identity_of,
)
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.keys import public_key
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.manifest import expected_boots
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.public_area import parse_public
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.verdict import judge
from tests.unit.plugins.module_utils._tpm.machines import Factory, Machines, with_answer, with_identity
from tests.unit.plugins.module_utils._tpm.raw_keys import GOOD_ATTRIBUTES, software_key_public
from tests.unit.plugins.module_utils._tpm.recorded_boots import HEARTH


@pytest.fixture(scope="module")
def honest(factory: Factory) -> Iterator[Case]:
    directory = Path(tempfile.mkdtemp(prefix="hearth-tpm-"))
    try:
        with Machines(factory, directory) as machines:
            yield machines.case(machines.booted())
    finally:
        shutil.rmtree(directory)


def objected(case: Case) -> set[str]:
    return {reason.clause for reason in judge(case).reasons}


def test_the_honest_case_is_ok(honest: Case) -> None:
    assert judge(honest).ok


@pytest.mark.parametrize("name", [field.name for field in fields(Answer)])
@pytest.mark.parametrize("spoilt", [lambda data: b"", lambda data: data[:-1], lambda data: data + b"\0"])
def test_an_answer_that_is_empty_cut_or_longer_is_refused(
    name: str, spoilt: Callable[[bytes], bytes], honest: Case
) -> None:
    assert objected(with_answer(honest, **{name: spoilt(getattr(honest.answer, name))}))


def test_a_log_of_sha_1_only_is_refused(honest: Case) -> None:
    header = b"Spec ID Event03\0" + struct.pack("<IBBBBIHHB", 0, 0, 2, 0, 2, 1, 0x0004, 20, 0)
    event = struct.pack("<IIIH", 4, 4, 1, 0x0004) + bytes(20) + struct.pack("<I", 4) + bytes(4)
    log = struct.pack("<II20sI", 0, 3, bytes(20), len(header)) + header + event
    assert "event_log_explains_the_pcrs" in objected(with_answer(honest, event_log=log))


@pytest.mark.parametrize("name", ["endorsement_key", "attestation_key"])
@pytest.mark.parametrize("spoilt", [lambda data: b"", lambda data: data[:-1], lambda data: data + b"\0"])
def test_a_key_that_is_empty_cut_or_longer_is_refused(
    name: str, spoilt: Callable[[bytes], bytes], honest: Case
) -> None:
    assert objected(with_identity(honest, **{name: spoilt(getattr(honest.identity, name))}))


def test_a_certificate_that_is_none_is_refused(honest: Case) -> None:
    for certificate in (b"", b"\x30\x82", honest.identity.endorsement_certificate[:-1], b"no certificate"):
        assert "certificate_has_a_known_issuer" in objected(with_identity(honest, endorsement_certificate=certificate))


def test_what_pads_a_certificate_in_the_tpm_does_not_count(honest: Case) -> None:
    padded = honest.identity.endorsement_certificate + b"\xff" * 100
    assert judge(with_identity(honest, endorsement_certificate=padded)).ok
    assert parse_ek_certificate(padded).der == honest.identity.endorsement_certificate


def test_a_changed_byte_of_a_certificate_is_seen(honest: Case) -> None:
    der = bytearray(honest.identity.endorsement_certificate)
    der[-1] ^= 1
    assert objected(with_identity(honest, endorsement_certificate=bytes(der))) == {"certificate_has_a_known_issuer"}


def test_a_machine_nobody_vouches_for_is_refused(honest: Case) -> None:
    nobody = replace(honest.expectation, authorities=())
    assert objected(replace(honest, expectation=nobody)) == {"certificate_has_a_known_issuer"}


def test_an_authority_that_may_not_issue_vouches_for_nothing(honest: Case) -> None:
    """An endorsement certificate is no authority, even its own issuer's key would not help it."""
    leaf = x509.load_der_x509_certificate(honest.identity.endorsement_certificate)
    refused = replace(honest, expectation=replace(honest.expectation, authorities=(leaf,)))
    assert objected(refused) == {"certificate_has_a_known_issuer"}


def test_an_authority_that_has_expired_vouches_for_nothing(honest: Case) -> None:
    # swtpm's own authorities never expire: they are judged before they began.
    early = min(one.not_valid_before_utc for one in honest.expectation.authorities)
    then = replace(honest.expectation, now=early.replace(year=early.year - 1))
    assert {"certificate_has_a_known_issuer", "certificate_is_valid"} == objected(replace(honest, expectation=then))


@pytest.mark.parametrize(
    "attribute",
    [
        public_area.RESTRICTED,
        public_area.SIGN,
        public_area.FIXED_TPM,
        public_area.FIXED_PARENT,
        public_area.SENSITIVE_DATA_ORIGIN,
        public_area.DECRYPT,
    ],
)
def test_each_attribute_of_the_attestation_key_counts(attribute: int, honest: Case) -> None:
    key = software_key_public(ec.generate_private_key(ec.SECP256R1()), GOOD_ATTRIBUTES ^ attribute)
    assert "attestation_key_is_restricted" in objected(with_identity(honest, attestation_key=key))
    as_it_should_be = software_key_public(ec.generate_private_key(ec.SECP256R1()))
    assert "attestation_key_is_restricted" not in objected(with_identity(honest, attestation_key=as_it_should_be))


def test_a_signature_with_sha_1_is_refused(honest: Case) -> None:
    raw = honest.answer.signature
    weak = raw[:2] + struct.pack(">H", algorithm.SHA1) + raw[4:]
    assert {"quote_is_signed", "pcr_values_are_quoted"} <= objected(with_answer(honest, signature=weak))


def test_a_quote_of_another_bank_or_of_no_pcr_is_refused(honest: Case) -> None:
    attestation = honest.attestation.raw
    bank_at = attestation.index(struct.pack(">IHB", 1, algorithm.SHA256, 3)) + 4
    other = attestation[:bank_at] + struct.pack(">H", algorithm.SHA1) + attestation[bank_at + 2 :]
    none = attestation[: bank_at + 3] + bytes(3) + attestation[bank_at + 6 :]
    for forged in (other, none):
        assert "quote_is_of_the_pcrs" in objected(with_answer(honest, attestation=forged))


def test_clock_and_firmware_version_of_the_quote_do_not_matter(honest: Case) -> None:
    """Only its signature does: whatever they say, they lead to no other verdict than a changed byte anywhere."""
    attestation = honest.attestation.raw
    clock_at = attestation.index(honest.challenge.nonce) + 32
    changed = attestation[:clock_at] + b"\x55" * 25 + attestation[clock_at + 25 :]
    assert objected(with_answer(honest, attestation=changed)) == {"quote_is_signed"}


def test_what_was_quoted_is_read_as_the_tpm_wrote_it(honest: Case) -> None:
    assert parse_attestation(honest.answer.attestation).selections == (PcrSelection(algorithm.SHA256, QUOTED_PCRS),)
    assert parse_signature(honest.answer.signature).scheme == algorithm.ECDSA


def test_a_point_that_is_on_no_curve_is_no_key(honest: Case) -> None:
    raw = software_key_public(ec.generate_private_key(ec.SECP256R1()))
    with pytest.raises(ProtocolViolation, match="is no key"):
        public_key(parse_public(raw[:-1] + bytes([raw[-1] ^ 1]), "key"))


@pytest.mark.parametrize("said", [None, [], {}, {"endorsement_key": 1}, {"endorsement_key": "*"}])
def test_a_node_that_answers_something_else_is_refused(said: object) -> None:
    for read in (identity_of, answer_of):
        with pytest.raises(ProtocolViolation):
            read(said)


def test_evidence_survives_the_way(honest: Case) -> None:
    identity = {field.name: encoded(getattr(honest.identity, field.name)) for field in fields(Identity)}
    answer = {field.name: encoded(getattr(honest.answer, field.name)) for field in fields(Answer)}
    assert (identity_of(identity), answer_of(answer)) == (honest.identity, honest.answer)


def test_a_bundle_without_certificates_is_bad_input() -> None:
    with pytest.raises(BadInput):
        read_authorities([("empty.pem", b"")])


GOOD_MANIFEST: dict[str, Any] = {
    "schema": 1,
    "name": "image",
    "expected_events": [event.as_dict() for event in HEARTH.predicted()[0]],
}


@pytest.mark.parametrize(
    "changed",
    [
        {"schema": 2},
        {"expected_events": None},
        {"expected_events": []},
        {"expected_events": ["text"]},
        {"expected_events": [one for one in GOOD_MANIFEST["expected_events"] if one["pcr"] != 9]},
        {"expected_events": [{**one, "pcr": 7} for one in GOOD_MANIFEST["expected_events"]]},
        {"expected_events": [{**one, "digest_sha256": "12"} for one in GOOD_MANIFEST["expected_events"]]},
        {"expected_events": [{**one, "digest_sha256": ""} for one in GOOD_MANIFEST["expected_events"]]},
        {"expected_events": [{**one, "what": None} for one in GOOD_MANIFEST["expected_events"]]},
        {"expected_events_alternatives": {}},
        {"expected_events_alternatives": [[]]},
    ],
)
def test_a_manifest_that_leaves_something_open_is_bad_input(changed: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        expected_boots({**GOOD_MANIFEST, **changed})


def test_a_manifest_is_read_as_it_was_predicted() -> None:
    assert expected_boots(GOOD_MANIFEST).alternatives == HEARTH.predicted()[:1]
