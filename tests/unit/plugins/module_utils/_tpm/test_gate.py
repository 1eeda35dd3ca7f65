# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The gate lets an honest machine pass, and each of its clauses keeps an attack out that all others let through."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.case import Case
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.clauses import (
    ATTESTATION_KEY_IS_IN_THIS_TPM,
    GATE,
    PROGRAMS_ARE_OF_THE_IMAGE,
    QUOTE_NAMES_ITS_SIGNER,
    Clause,
)
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.ek_certificate import parse_ek_certificate
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.verdict import judge
from tests.unit.plugins.module_utils._tpm import attacks_on_boot, attacks_on_identity, attacks_on_quote
from tests.unit.plugins.module_utils._tpm.attacks_on_boot import MAKERS_PROGRAM
from tests.unit.plugins.module_utils._tpm.machines import Machines, new_challenge, with_answer, with_identity
from tests.unit.plugins.module_utils._tpm.recorded_boots import RECORDED, SHIM, RecordedBoot

ATTACKS = {**attacks_on_identity.ATTACKS, **attacks_on_quote.ATTACKS, **attacks_on_boot.ATTACKS}


def without(*clauses: Clause) -> list[Clause]:
    return [clause for clause in GATE if clause not in clauses]


def objected(case: Case) -> set[str]:
    return {reason.clause for reason in judge(case).reasons}


@pytest.mark.parametrize("clause", GATE, ids=lambda clause: clause.name)
def test_a_clause_keeps_out_what_all_others_let_through(clause: Clause, machines: Machines) -> None:
    case = ATTACKS[clause](machines)
    assert objected(case) == {clause.name}
    assert judge(case, without(clause)).ok


@pytest.mark.parametrize("attack", attacks_on_boot.ATTACKS_BY_PROGRAMS, ids=lambda attack: attack.__name__)
def test_no_other_program_passes(attack: Callable[[Machines], Case], machines: Machines) -> None:
    case = attack(machines)
    assert objected(case) == {PROGRAMS_ARE_OF_THE_IMAGE.name}
    assert judge(case, without(PROGRAMS_ARE_OF_THE_IMAGE)).ok


def test_a_program_of_the_firmware_is_named_so_that_it_can_be_allowed(machines: Machines) -> None:
    case = attacks_on_boot.program_before(SHIM.authenticode_sha256, machines, times=2)
    refused = judge(case)
    where = "Fv(7cb8bdc9-f8eb-4f34-aaea-3ee4af6516a1)/FvFile(462caa21-7614-4503-836e-8ab6f4662331)"
    assert [MAKERS_PROGRAM in reason.msg and where in reason.msg for reason in refused.reasons] == [True, True]
    assert [(one.authenticode_sha256, one.path, one.allowed) for one in refused.firmware_programs] == [
        (MAKERS_PROGRAM, where, False)
    ] * 2
    assert [one.expected for one in refused.differences] == [None, None]

    verdict = judge(attacks_on_boot.with_allowed(case, MAKERS_PROGRAM))
    assert (verdict.reasons, verdict.differences) == ((), ())
    assert [one.allowed for one in verdict.firmware_programs] == [True, True]


def test_what_was_started_instead_of_the_image_is_not_offered(machines: Machines) -> None:
    case = attacks_on_boot.allowed_program_without_the_image(machines)
    assert judge(attacks_on_boot.with_allowed(case)).firmware_programs == ()


@pytest.mark.parametrize("ak_algorithm", ["rsa", "ecc"])
@pytest.mark.parametrize("boot", RECORDED, ids=lambda boot: boot.log_name)
def test_an_honest_machine_passes(boot: RecordedBoot, ak_algorithm: str, machines: Machines) -> None:
    verdict = judge(machines.case(machines.booted(boot), boot, ak_algorithm=ak_algorithm))
    assert verdict.reasons == ()
    assert (verdict.secure_boot, verdict.ek_trusted_by, verdict.differences) == (True, "authority", ())


@pytest.mark.parametrize("ak_algorithm", ["rsa", "ecc"])
def test_an_endorsement_key_on_p256_will_do(ak_algorithm: str, machines: Machines) -> None:
    machine = machines.booted(kind="uncertified")
    first = machine.introduce_and_forget("ecc")
    certificate = machines.certificate(first)
    path = machine.tpm.directory / "ecc.der"
    path.write_bytes(certificate)
    machine.tpm.run(
        "tpm2_nvdefine", "0x01c0000a", "-C", "o", "-s", str(len(certificate)), "-a", "ownerread|authread|ownerwrite"
    )
    machine.tpm.run("tpm2_nvwrite", "0x01c0000a", "-C", "o", "-i", str(path))
    # auto finds the only key that has a certificate
    case = machines.case(machine, ek_algorithm="auto", ak_algorithm=ak_algorithm)
    assert case.endorsement_key.curve and case.identity.endorsement_certificate == certificate
    assert judge(case).reasons == ()


def test_a_tpm_without_certificate_passes_by_its_key(machines: Machines) -> None:
    case = machines.case(machines.booted(kind="uncertified"))
    assert objected(replace(case, expectation=replace(case.expectation, authorities=()))) != set()
    expected = replace(case.expectation, authorities=(), ek_keys=frozenset({case.endorsement_key_sha256}))
    verdict = judge(replace(case, expectation=expected))
    assert (verdict.reasons, verdict.ek_trusted_by) == ((), "expected")


def test_authority_and_hash_must_both_hold(machines: Machines) -> None:
    case = machines.case(machines.booted())
    mine = parse_ek_certificate(case.identity.endorsement_certificate).sha256
    both = replace(case.expectation, ek_certificates=frozenset({mine}))
    assert judge(replace(case, expectation=both)).ek_trusted_by == "authority and expected"
    for_the_other = replace(both, authorities=both.authorities[:0])
    assert judge(replace(case, expectation=for_the_other)).ok


def test_a_quote_of_a_second_tpm_is_refused(machines: Machines) -> None:
    """The asked machine introduces itself; a second TPM, into which the right boot was measured, quotes."""
    asked, second = machines.new(), machines.booted()
    asked.log = second.log
    challenge = new_challenge()
    identity, own = asked.attest(challenge)
    other_identity, other = second.attest(challenge)
    case = Case(machines.expectation(), challenge, identity, other)
    mixed = with_identity(case, attestation_key=other_identity.attestation_key)
    keys_of_the_second = {ATTESTATION_KEY_IS_IN_THIS_TPM, QUOTE_NAMES_ITS_SIGNER}
    # The first TPM's activation is for its own key, so that it is worth nothing beside the second one's quote.
    unactivated = with_answer(mixed, activation=bytes(32))
    assert objected(unactivated) == {clause.name for clause in keys_of_the_second}
    assert judge(unactivated, without(*keys_of_the_second)).ok
    assert "quote_is_signed" in objected(with_answer(case, activation=own.activation))


def test_no_tpm_opens_a_credential_for_a_key_that_it_does_not_hold(machines: Machines) -> None:
    """What credential activation stands on: the real TPM of the asked machine refuses."""
    asked, second = machines.new(), machines.booted()
    asked.log = second.log
    challenge = new_challenge()
    introduction = asked.introduce()
    other = second.introduce_and_forget()
    mixed = replace(introduction, identity=replace(introduction.identity, attestation_key=other.attestation_key))
    with pytest.raises(Exception, match="tpm2_activatecredential failed"):
        asked.answer(mixed, challenge)
