# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a TPM says of itself, from real ones in software: passwords, lockout, PCR banks."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core.errors import ProtocolViolation
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.capabilities import (
    Lockout,
    Ownership,
    Properties,
    lockout,
    ownership,
    read_maker,
    read_pcrs,
    read_variable,
)
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.tpm2_tools import Tpm2Tools
from tests.servers.swtpm import SoftwareTpm, software_tpm
from tests.unit.plugins.module_utils._tpm.machines import Factory, Machines


@pytest.fixture
def tpm(machines: Machines) -> SoftwareTpm:
    return machines.new("uncertified").tpm


def tools(tpm: SoftwareTpm) -> Tpm2Tools:
    return Tpm2Tools("/", tpm.environment)


def owned(tpm: SoftwareTpm) -> Ownership:
    return ownership(read_variable(tools(tpm)))


def locked(tpm: SoftwareTpm) -> Lockout:
    return lockout(read_variable(tools(tpm)))


def test_the_maker(tpm: SoftwareTpm) -> None:
    maker = read_maker(tools(tpm))
    assert (maker.family, maker.manufacturer, maker.vendor) == ("2.0", "IBM", "SW   TPM")
    assert [len(part) > 0 for part in maker.firmware_version.split(".")] == [True] * 4
    assert maker.specification_revision in tpm.run("tpm2_getcap", "properties-fixed").decode()


@pytest.mark.parametrize("hierarchy", ["owner", "endorsement", "lockout"])
def test_a_password_is_told_by_its_hierarchy(tpm: SoftwareTpm, hierarchy: str) -> None:
    nobody = dict.fromkeys(("owner", "endorsement", "lockout"), False)
    assert owned(tpm).passwords == nobody
    tpm.run("tpm2_changeauth", "-c", hierarchy, "taken")
    assert owned(tpm).passwords == {**nobody, hierarchy: True}


def test_a_hierarchy_that_is_off_and_a_clear_that_is_disabled(tpm: SoftwareTpm) -> None:
    every = dict.fromkeys(("platform", "owner", "endorsement"), True)
    assert (owned(tpm).hierarchies, owned(tpm).clear_disabled) == (every, False)
    tpm.run("tpm2_hierarchycontrol", "-C", "p", "ehEnable", "clear")
    tpm.run("tpm2_clearcontrol", "-C", "l", "s")
    assert (owned(tpm).hierarchies, owned(tpm).clear_disabled) == ({**every, "endorsement": False}, True)


def test_wrong_tries_are_counted_until_it_is_locked(tpm: SoftwareTpm) -> None:
    tpm.run("tpm2_dictionarylockout", "-s", "-n", "2", "-t", "7200", "-l", "86400")
    settled = Lockout(False, 0, 2, 7200, 86400)
    assert locked(tpm) == settled
    tpm.guess()
    assert (locked(tpm).locked, locked(tpm).failed_tries) == (False, 1)
    tpm.lock_out()
    # It answers in lockout, and to ask has cost nothing.
    assert (locked(tpm).locked, locked(tpm).failed_tries) == (True, 2)
    tpm.run("tpm2_dictionarylockout", "--clear-lockout")
    assert locked(tpm) == settled


def test_the_pcrs_of_each_bank_that_is_on(factory: Factory, tpm: SoftwareTpm, tmp_path: Path) -> None:
    measured = hashlib.sha256(b"measured").digest()
    tpm.extend([(7, measured)])
    banks = read_pcrs(tools(tpm))
    assert {bank: sorted(values) for bank, values in banks.items()} == {"sha256": list(range(24))}
    assert banks["sha256"][7] == hashlib.sha256(bytes(32) + measured).digest()
    assert banks["sha256"][0] == bytes(32)
    # What is allocated counts from the next reset on.
    tpm.run("tpm2_pcrallocate", "sha1:all+sha256:all+sha384:all+sha512:none")
    tpm.run("tpm2_shutdown", "-c")
    second = tpm.directory / "reset"
    second.mkdir()
    with software_tpm(second, tpm.directory / "state") as again:
        banks = read_pcrs(tools(again))
        assert {bank: len(values[23]) for bank, values in banks.items()} == {"sha1": 20, "sha256": 32, "sha384": 48}


def test_what_is_listed_in_two_ways() -> None:
    listed = Properties('A:\n  raw: 0x322E3000\n  value: "2.0"\nB: 0x3E8\nC:\n  inLockout:   1\n  other: 0\n')
    assert (listed.text("A"), listed.number("B"), listed.flag("C", "inLockout")) == ("2.0", 1000, True)
    assert not listed.flag("C", "other")


@pytest.mark.parametrize("listing", ["", "B:\n", "B: \n  raw: none\n", "\x1b[2J", "  raw: 1\n", "B:\n  value: 1\n"])
def test_a_listing_that_says_something_else_is_refused(listing: str) -> None:
    with pytest.raises(ProtocolViolation, match="cannot be read"):
        Properties(listing).number("B")


def test_a_makers_name_may_say_anything() -> None:
    assert Properties("A: 0x1B7B7B31\nB: 0x00FF0A20\n").text("A", "B").isprintable()
