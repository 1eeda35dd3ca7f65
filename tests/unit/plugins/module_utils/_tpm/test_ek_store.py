# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates of endorsement keys in a TPM: found, cut to what they are, and those that cannot be read."""

from __future__ import annotations

import hashlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.ek_store import (
    RSA_2048,
    StoredCertificate,
    stored_certificates,
)
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.tpm2_tools import Tpm2Tools
from tests.servers.swtpm import SoftwareTpm
from tests.unit.plugins.module_utils._tpm.machines import Machines


def stored(tpm: SoftwareTpm) -> list[StoredCertificate]:
    return stored_certificates(Tpm2Tools("/", tpm.environment))


def put(tpm: SoftwareTpm, content: bytes, attributes: str = "|no_da", *words: str) -> None:
    """Define the index of the RSA key's certificate, as a TPM's maker does, and write it."""
    (tpm.directory / "content").write_bytes(content)
    index = f"{RSA_2048:#010x}"
    attributes = f"authread|ownerwrite|ownerread{attributes}"
    tpm.run("tpm2_nvdefine", "-C", "o", "-s", str(len(content)), "-a", attributes, *words, index)
    tpm.run("tpm2_nvwrite", "-C", "o", "-i", "content", index)


def key_sha256(certificate: x509.Certificate) -> str:
    public = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(public).hexdigest()


def test_every_certificate_of_its_maker_is_found(machines: Machines) -> None:
    found = stored(machines.new("ours").tpm)
    assert [one.key for one in found] == ["rsa2048", "ecc_p384"]
    for one in found:
        certificate = x509.load_der_x509_certificate(one.der)
        assert one.sha256 == hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest()
        assert (one.key_sha256, one.problem) == (key_sha256(certificate), "")


def test_a_tpm_without_any_says_so(machines: Machines) -> None:
    assert stored(machines.new("uncertified").tpm) == []


def test_what_pads_the_index_does_not_count(machines: Machines) -> None:
    der = stored(machines.new("ours").tpm)[0].der
    tpm = machines.new("uncertified").tpm
    put(tpm, der + b"\xff" * 100)
    (found,) = stored(tpm)
    assert found.der == der


@pytest.mark.parametrize("content", [b"\xff" * 64, b"\x30\x03\x02\x01\x01", b"\x30\x82\xff\xff\x00"])
def test_what_is_no_certificate_is_told_as_that(machines: Machines, content: bytes) -> None:
    tpm = machines.new("uncertified").tpm
    put(tpm, content)
    (found,) = stored(tpm)
    assert "cannot be read" in found.problem and found.der == b""


def test_one_behind_a_password_is_told_and_so_is_one_behind_a_lockout(machines: Machines) -> None:
    tpm = machines.new("uncertified").tpm
    put(tpm, b"anything", "|no_da", "-p", "secret")
    (found,) = stored(tpm)
    assert "is not authorized" in found.problem
    tpm.run("tpm2_nvundefine", "-C", "o", f"{RSA_2048:#010x}")
    put(tpm, b"anything", "")
    tpm.lock_out()
    (found,) = stored(tpm)
    assert "locked out" in found.problem
