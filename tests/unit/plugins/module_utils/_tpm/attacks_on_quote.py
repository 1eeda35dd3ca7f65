# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Quotes that are none, are old, or are of something else. Each attack breaks one clause and no other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ansible_collections.hearth.datacenter.plugins.module_utils._tpm import clauses
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.case import Case
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.clauses import Clause
from tests.unit.plugins.module_utils._tpm.machines import (
    Machines,
    event,
    forged_attestation,
    new_challenge,
    replayed_values,
    with_answer,
)
from tests.unit.plugins.module_utils._tpm.raw_keys import (
    KeyInTpm,
    identity_with,
    restricted_key_below_ek,
    restricted_key_below_owner,
)
from tests.unit.plugins.module_utils._tpm.recorded_boots import HEARTH

NOBODY_KNOWS = b"a key that the attacker enrolled"


def _case_with_key(machines: Machines, key: KeyInTpm) -> Case:
    """The honest answer of a machine, by a key that the attacker keeps a hand on."""
    challenge = new_challenge()
    # The rest of the answer is filled in below.
    blank = machines.case(key.machine)
    case = replace(blank, challenge=challenge, identity=identity_with(key.machine, key))
    attestation, signature = key.quote(challenge.nonce)
    return with_answer(case, activation=key.activate(case), attestation=attestation, signature=signature)


def quote_changed_after_it_was_signed(machines: Machines) -> Case:
    """A machine that booted something else writes the right PCR values into its genuine quote."""
    dirty = machines.new()
    dirty.log = HEARTH.log
    good = replayed_values(HEARTH.log)
    case = machines.case(dirty)
    written = forged_attestation(case.attestation.raw, good)
    return with_answer(case, attestation=written, pcr_values=good)


def restricted_key_signs_what_is_no_quote(machines: Machines) -> Case:
    """A restricted key signs any data that does not begin with the magic number of a TPM's own structures."""
    dirty = machines.new()
    dirty.log = HEARTH.log
    case = _case_with_key(machines, key := restricted_key_below_ek(dirty))
    good = replayed_values(HEARTH.log)
    written = forged_attestation(case.attestation.raw, good, magic=b"\0TCG")
    return with_answer(case, attestation=written, signature=key.sign(written), pcr_values=good)


def quote_of_yesterday(machines: Machines) -> Case:
    """The machine ran the image once, kept that quote, and booted something else: now it opens a new credential."""
    machine = machines.booted()
    case = _case_with_key(machines, key := restricted_key_below_ek(machine))
    later = replace(case, challenge=new_challenge())
    machine.tpm.extend([(4, bytes(32))])
    return with_answer(later, activation=key.activate(later))


def key_that_is_no_child_of_the_endorsement_key(machines: Machines) -> Case:
    return _case_with_key(machines, restricted_key_below_owner(machines.booted()))


def quote_of_another_pcr(machines: Machines) -> Case:
    """PCR 14 shows a foreign key of shim; its usual value is made again in PCR 15, and that one is quoted."""
    machine = machines.new()
    machine.boot(HEARTH.log)
    usual = [one.digests[0x0B] for one in machines.case(machine).event_log.of_pcr(14)]
    good = replayed_values(HEARTH.log)
    machine.tpm.extend([(14, event(14, 0x0D, NOBODY_KNOWS).digests[0x0B]), *((15, digest) for digest in usual)])
    key = restricted_key_below_ek(machine)
    case = _case_with_key(machines, key)
    attestation, signature = key.quote(case.challenge.nonce, "0,1,2,3,4,5,6,7,8,9,12,15")
    expectation = replace(case.expectation, pcrs={14: good[-32:].hex()})
    return with_answer(
        replace(case, expectation=expectation), attestation=attestation, signature=signature, pcr_values=good
    )


def values_beside_the_quote(machines: Machines) -> Case:
    """A genuine quote of another boot, and beside it the values and the log of the right one."""
    dirty = machines.new()
    dirty.log = HEARTH.log
    return with_answer(machines.case(dirty), pcr_values=replayed_values(HEARTH.log))


ATTACKS: dict[Clause, Callable[[Machines], Case]] = {
    clauses.QUOTE_IS_SIGNED: quote_changed_after_it_was_signed,
    clauses.QUOTE_IS_A_QUOTE: restricted_key_signs_what_is_no_quote,
    clauses.QUOTE_IS_FRESH: quote_of_yesterday,
    clauses.QUOTE_NAMES_ITS_SIGNER: key_that_is_no_child_of_the_endorsement_key,
    clauses.QUOTE_IS_OF_THE_PCRS: quote_of_another_pcr,
    clauses.PCR_VALUES_ARE_QUOTED: values_beside_the_quote,
}
