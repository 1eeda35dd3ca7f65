# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Machines that are not the one whose word is asked for. Each attack breaks one clause and no other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from ansible_collections.hearth.datacenter.plugins.module_utils._tpm import clauses
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.case import Case
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.clauses import Clause
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.ek_certificate import parse_ek_certificate
from tests.unit.plugins.module_utils._tpm.machines import (
    Machine,
    Machines,
    forged_attestation,
    new_challenge,
    replayed_values,
    with_answer,
    with_identity,
)
from tests.unit.plugins.module_utils._tpm.raw_keys import (
    software_key_public,
    software_signature,
    unrestricted_key_below_ek,
)
from tests.unit.plugins.module_utils._tpm.recorded_boots import HEARTH


def certificate_of_another_tpm(machines: Machines) -> Case:
    """Certificates are public: a software TPM shows the one of a real machine."""
    genuine = machines.new()
    impostor = machines.booted(kind="uncertified")
    return with_identity(machines.case(impostor), endorsement_certificate=genuine.tpm.certificate())


def certificate_of_a_bmc(machines: Machines) -> Case:
    """The same authority issued a TLS certificate, for a key that the attacker has in a software TPM."""
    case = machines.case(machines.booted(kind="uncertified"))
    return with_identity(case, endorsement_certificate=machines.certificate(case.identity, usage="1.3.6.1.5.5.7.3.1"))


def expired_certificate(machines: Machines) -> Case:
    case = machines.case(machines.booted(kind="uncertified"))
    return with_identity(case, endorsement_certificate=machines.certificate(case.identity, days=-1))


def certificate_of_a_stranger(machines: Machines) -> Case:
    """A second swtpm with an authority of its own, which calls itself the same."""
    impostor = machines.new("stranger")
    impostor.boot(HEARTH.log)
    return machines.case(impostor)


def relay_from_another_machine(machines: Machines) -> Case:
    """A machine of the same rack, with a certificate of the same authority, answers for the one that is asked."""
    asked = machines.new()
    answering = machines.booted()
    case = machines.case(answering)
    recorded = parse_ek_certificate(asked.tpm.certificate()).sha256
    expectation = replace(case.expectation, ek_certificates=frozenset({recorded}))
    return Case(expectation, case.challenge, case.identity, case.answer)


def unrestricted_key_signs_anything(machines: Machines) -> Case:
    """A machine that booted something else has its own TPM sign a quote that it wrote itself."""
    machine = machines.new()
    machine.log = HEARTH.log
    challenge = new_challenge()
    genuine = machine.attest(challenge)[1]
    key = unrestricted_key_below_ek(machine)
    good = replayed_values(HEARTH.log)
    identity = replace(machine.introduce_and_forget(), attestation_key=key.public)
    case = Case(machines.expectation(), challenge, identity, genuine)
    written = forged_attestation(key.attestation_for(case), good)
    return with_answer(
        case,
        activation=key.activate(case),
        attestation=written,
        signature=key.sign(written),
        pcr_values=good,
    )


def key_outside_of_any_tpm(machines: Machines) -> Case:
    """Software signs with a key of its own, and shows the public keys and certificate of a real TPM beside it."""
    real: Machine = machines.new()
    real.log = HEARTH.log
    challenge = new_challenge()
    identity, genuine = real.attest(challenge)
    private = ec.generate_private_key(ec.SECP256R1())
    identity = replace(identity, attestation_key=software_key_public(private))
    case = Case(machines.expectation(), challenge, identity, genuine)
    signer = case.attestation_key.qualified_name_below(case.endorsement_key)
    good = replayed_values(HEARTH.log)
    genuine_signer = case.attestation.qualified_signer
    written = forged_attestation(genuine.attestation.replace(genuine_signer, signer), good)
    signature = software_signature(*decode_dss_signature(private.sign(written, ec.ECDSA(hashes.SHA256()))))
    return with_answer(case, activation=bytes(32), attestation=written, signature=signature, pcr_values=good)


ATTACKS: dict[Clause, Callable[[Machines], Case]] = {
    clauses.CERTIFICATE_IS_OF_THE_ENDORSEMENT_KEY: certificate_of_another_tpm,
    clauses.CERTIFICATE_IS_OF_A_TPM: certificate_of_a_bmc,
    clauses.CERTIFICATE_IS_VALID: expired_certificate,
    clauses.CERTIFICATE_HAS_A_KNOWN_ISSUER: certificate_of_a_stranger,
    clauses.ENDORSEMENT_KEY_IS_EXPECTED: relay_from_another_machine,
    clauses.ATTESTATION_KEY_IS_RESTRICTED: unrestricted_key_signs_anything,
    clauses.ATTESTATION_KEY_IS_IN_THIS_TPM: key_outside_of_any_tpm,
}
