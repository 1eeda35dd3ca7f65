# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates of endorsement keys: whose key it is, and who says so.

TCG EK Credential Profile 2.5. The certificate comes from the machine, so nothing in it counts before it is known to be
issued by an authority that the user named, or to be the one that is expected.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import List, Optional, Sequence, Tuple

from .._core.der import first_element
from .._core.errors import BadInput, ProtocolViolation
from .keys import PublicKey, subject_public_key_info

try:
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
    from cryptography.hazmat.primitives.serialization import Encoding
except ImportError:
    pass

_EK_CERTIFICATE = "2.23.133.8.1"


@dataclass(frozen=True)
class EkCertificate:
    der: bytes
    certificate: x509.Certificate

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.der).hexdigest()

    @property
    def subject(self) -> str:
        """The subject, or where it is empty what the TPM's maker says of it."""
        text = self.certificate.subject.rfc4514_string()
        try:
            names = self.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except (x509.ExtensionNotFound, ValueError):
            return text
        makers = [name.value.rfc4514_string() for name in names if isinstance(name, x509.DirectoryName)]
        return "; ".join(part for part in (text, *makers) if part)

    @property
    def public_key(self) -> Optional[PublicKey]:
        try:
            key = self.certificate.public_key()
        except (ValueError, UnsupportedAlgorithm):
            return None
        return key if isinstance(key, (rsa.RSAPublicKey, ec.EllipticCurvePublicKey)) else None

    def is_for(self, key: PublicKey) -> bool:
        mine = self.public_key
        return mine is not None and subject_public_key_info(mine) == subject_public_key_info(key)

    def is_valid_at(self, now: datetime) -> bool:
        return self.certificate.not_valid_before_utc <= now <= self.certificate.not_valid_after_utc

    @property
    def is_for_an_endorsement_key(self) -> bool:
        """An authority may issue other certificates too, of BMCs for example: their keys are not in a TPM."""
        try:
            extensions = self.certificate.extensions
            usages = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        except (x509.ExtensionNotFound, ValueError):
            return False
        return any(usage.dotted_string == _EK_CERTIFICATE for usage in usages)

    def issuer_among(self, authorities: Sequence[x509.Certificate], now: datetime) -> Optional[x509.Certificate]:
        """The authority that issued it and may do so now."""
        for authority in authorities:
            if not authority.not_valid_before_utc <= now <= authority.not_valid_after_utc or not _may_issue(authority):
                continue
            try:
                self.certificate.verify_directly_issued_by(authority)
            except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
                continue
            return authority
        return None


def _may_issue(authority: x509.Certificate) -> bool:
    try:
        constraints = authority.extensions.get_extension_for_class(x509.BasicConstraints).value
    except (x509.ExtensionNotFound, ValueError):
        return False
    try:
        usage = authority.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return constraints.ca
    return constraints.ca and usage.key_cert_sign


def parse_ek_certificate(der: bytes) -> EkCertificate:
    """A certificate as it lies in a TPM, which may be followed by padding; ProtocolViolation for what is none."""
    try:
        certificate = x509.load_der_x509_certificate(first_element(der))
        # Parsed only when asked for: here, where a broken one is still an error with a name.
        _dummy = (certificate.extensions, certificate.subject, certificate.not_valid_after_utc)
    except (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension) as error:
        raise ProtocolViolation(
            "the TPM's endorsement certificate cannot be read", expected="an X.509 certificate", found=str(error)
        ) from error
    return EkCertificate(certificate.public_bytes(Encoding.DER), certificate)


def read_authorities(bundles: Sequence[Tuple[str, bytes]]) -> Tuple[x509.Certificate, ...]:
    """The certificates of all PEM bundles, each a name and its contents; BadInput for one without any."""
    found: List[x509.Certificate] = []
    for name, pem in bundles:
        try:
            found.extend(x509.load_pem_x509_certificates(pem))
        except ValueError as error:
            raise BadInput(
                "no certificates can be read from this file",
                expected="certificates in PEM",
                found=str(error),
                where=name,
            ) from error
    return tuple(found)
