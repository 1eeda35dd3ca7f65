# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The public key is found in every certificate, and nothing worse than a typed error in what is none."""

from __future__ import annotations

import datetime
import random

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from ansible_collections.hearth.datacenter.plugins.module_utils._core.der import subject, subject_public_key_info
from ansible_collections.hearth.datacenter.plugins.module_utils._core.errors import ProtocolViolation
from tests.servers.certificates import Authority

KEYS = {
    "ecdsa": lambda: ec.generate_private_key(ec.SECP384R1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "rsa": lambda: rsa.generate_private_key(65537, 2048),
}


@pytest.mark.parametrize("kind", sorted(KEYS))
def test_the_key_is_the_one_that_cryptography_finds(kind: str) -> None:
    key = KEYS[kind]()
    # A long subject makes lengths of two octets, as a chain of SAN entries does.
    name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "rack " * 12)] * 6)
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(x509.Name([]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, None if kind == "ed25519" else hashes.SHA256())
    )
    expected = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert subject_public_key_info(certificate.public_bytes(Encoding.DER)) == expected
    assert subject(certificate.public_bytes(Encoding.DER)) == name.public_bytes()


def test_a_version_1_certificate_has_no_version_field() -> None:
    fields = b"\x02\x01\x07" + b"\x30\x00" * 4 + b"\x30\x03key"
    inner = b"\x30" + bytes([len(fields)]) + fields
    assert subject_public_key_info(b"\x30" + bytes([len(inner)]) + inner) == b"\x30\x03key"


@pytest.mark.parametrize(
    "der",
    [
        b"",
        b"\x30",
        b"\x30\x80" + b"\x30\x80" * 20,  # indefinite lengths
        b"\x30\x84\xff\xff\xff\xff" + b"\x00" * 40,  # longer than itself
        b"\x30\x89" + b"\xff" * 20,  # a length of nine octets
        b"\x30\x03\x30\x7f\x02",  # inner longer than outer
        b"\x04\x02ab",
        b"-----BEGIN CERTIFICATE-----",
    ],
)
def test_what_is_no_certificate_is_a_protocol_violation(der: bytes) -> None:
    for read in (subject_public_key_info, subject):
        with pytest.raises(ProtocolViolation):
            read(der)


def test_damage_anywhere_never_raises_anything_else(authority: Authority) -> None:
    whole = authority.issue("127.41.0.1").der
    chance = random.Random(4)
    for _round in range(3000):
        damaged = bytearray(whole)
        for _flip in range(chance.randint(1, 4)):
            damaged[chance.randrange(min(120, len(damaged)))] = chance.randrange(256)
        cut = bytes(damaged[: chance.randint(0, len(damaged))])
        for read in (subject_public_key_info, subject):
            try:
                found = read(cut)
            except ProtocolViolation:
                continue
            assert found in cut
