# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates of the fleet: one CA, one EC P-256 key and certificate a BMC.

Keys follow from the seed, as a real BMC's key outlives its restarts: a pin taken in one run holds in the next. They
are as secret as this file, which is what test keys are.
"""

from __future__ import annotations

import datetime
import hashlib
import ipaddress
import os
import ssl
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from tests.emulators.redfish.plan import Plan

_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256 (SEC 2)
_FROM = datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc)
_UNTIL = datetime.datetime(2049, 12, 31, tzinfo=datetime.timezone.utc)


def _key(text: str) -> ec.EllipticCurvePrivateKey:
    number = int.from_bytes(hashlib.sha512(text.encode()).digest(), "big")
    return ec.derive_private_key(number % (_ORDER - 1) + 1, ec.SECP256R1())


def _serial_number(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big") | 1


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


class Authority:
    """The fleet's CA. The same seed gives the same bytes."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._label = str(seed)  # keys follow from it
        self._subject = _name(f"hearth emulated fleet CA, seed {seed}")
        self._from, self._until = _FROM, _UNTIL

    @cached_property
    def _signing_key(self) -> ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey:
        return _key(f"{self._label}/ca")

    @property
    def _deterministic(self) -> bool | None:
        return True if isinstance(self._signing_key, ec.EllipticCurvePrivateKey) else None

    @cached_property
    def _key_identifier(self) -> x509.AuthorityKeyIdentifier:
        return x509.AuthorityKeyIdentifier.from_issuer_public_key(self._signing_key.public_key())

    @cached_property
    def pem(self) -> bytes:
        public = self._signing_key.public_key()
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(self._subject)
            .issuer_name(self._subject)
            .public_key(public)
            .serial_number(_serial_number(f"{self.seed}/ca"))
            .not_valid_before(_FROM)
            .not_valid_after(_UNTIL)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .sign(self._signing_key, hashes.SHA256(), ecdsa_deterministic=self._deterministic)
        )
        return certificate.public_bytes(serialization.Encoding.PEM)

    def issue(self, addresses: Sequence[str], generation: int = 0, *, name: str = "") -> bytes:
        """PEM of key and certificate for these addresses; another generation is another key."""
        name = name or addresses[0]
        label = f"{self._label}/{name}/{generation}"
        key = _key(label)
        alternatives = [x509.IPAddress(ipaddress.ip_address(address)) for address in addresses]
        certificate = (
            x509.CertificateBuilder()
            .subject_name(_name(name))
            .issuer_name(self._subject)
            .public_key(key.public_key())
            .serial_number(_serial_number(label))
            .not_valid_before(self._from)
            .not_valid_after(self._until)
            .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(self._key_identifier, critical=False)
            .sign(self._signing_key, hashes.SHA256(), ecdsa_deterministic=self._deterministic)
        )
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        )
        return pem + certificate.public_bytes(serialization.Encoding.PEM)


class GivenAuthority(Authority):
    """Somebody's own CA. The BMCs' keys follow from the CA's: who has not got that cannot make them."""

    def __init__(self, certificate_pem: bytes, key_pem: bytes) -> None:
        """Raises ValueError for what is no pair of certificate and unencrypted EC or RSA key."""
        certificate = x509.load_pem_x509_certificate(certificate_pem)
        try:
            key = serialization.load_pem_private_key(key_pem, password=None)
        except TypeError as error:
            raise ValueError("the key is encrypted") from error
        if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
            raise ValueError("the key is neither EC nor RSA")
        if key.public_key() != certificate.public_key():
            raise ValueError("the key is not that of the certificate")
        super().__init__(0)
        raw = key.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        self._label = hashlib.sha256(raw).hexdigest()
        self._subject = certificate.subject
        self._from = max(_FROM, certificate.not_valid_before_utc)
        self._until = min(_UNTIL, certificate.not_valid_after_utc)
        self.__dict__["pem"] = certificate.public_bytes(serialization.Encoding.PEM)
        self.__dict__["_signing_key"] = key


def authority(plan: Plan) -> Authority:
    return Authority(plan.seed) if plan.authority_pem is None else GivenAuthority(*plan.authority_pem)


def server_context(pem: bytes) -> ssl.SSLContext:
    """A server context for that key and certificate; the key never touches a disk."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # No client here resumes, and two tickets are a sixth of a handshake's CPU (measured).
    context.num_tickets = 0
    context.options |= ssl.OP_NO_TICKET
    descriptor = os.memfd_create("bmc-key", os.MFD_CLOEXEC)
    try:
        os.write(descriptor, pem)
        context.load_cert_chain(f"/proc/self/fd/{descriptor}")
    finally:
        os.close(descriptor)
    return context
