# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keys of a TPM as keys of the library cryptography, and signatures by them."""

from __future__ import annotations

from typing import Union

from .._core.errors import ProtocolViolation
from . import algorithm
from .attestation import Signature
from .public_area import PublicArea

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
except ImportError:
    HAS_CRYPTOGRAPHY = False
else:
    HAS_CRYPTOGRAPHY = True

PublicKey = Union["rsa.RSAPublicKey", "ec.EllipticCurvePublicKey"]


def public_key(area: PublicArea) -> PublicKey:
    """ProtocolViolation for numbers that make no key."""
    try:
        if area.key_type == algorithm.RSA:
            return rsa.RSAPublicNumbers(area.exponent, area.modulus).public_key()
        return ec.EllipticCurvePublicNumbers(*area.point, curve(area)).public_key()
    except ValueError as error:
        raise ProtocolViolation("the TPM's key is no key", expected="an RSA or ECC key", found=str(error)) from error


def curve(area: PublicArea) -> ec.EllipticCurve:
    if area.curve == algorithm.NIST_P256:
        return ec.SECP256R1()
    if area.curve == algorithm.NIST_P384:
        return ec.SECP384R1()
    raise ProtocolViolation("the TPM's key is on a curve that is not used here", found=f"{area.curve:#06x}")


def hash_of(identifier: int) -> Union[hashes.SHA256, hashes.SHA384, hashes.SHA512]:
    if identifier == algorithm.SHA256:
        return hashes.SHA256()
    if identifier == algorithm.SHA384:
        return hashes.SHA384()
    if identifier == algorithm.SHA512:
        return hashes.SHA512()
    raise ProtocolViolation(
        "the TPM uses a digest that is not relied on",
        expected="sha256, sha384 or sha512",
        found=algorithm.BANK_NAME.get(identifier, f"{identifier:#06x}"),
    )


def subject_public_key_info(key: PublicKey) -> bytes:
    """DER, whatever the key came out of: two keys are the same where these bytes are."""
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def is_signed_by(area: PublicArea, signature: Signature, data: bytes) -> bool:
    """Whether the key made this signature of the data."""
    key = public_key(area)
    chosen = hash_of(signature.hash_algorithm)
    try:
        if isinstance(key, rsa.RSAPublicKey):
            if signature.scheme == algorithm.RSASSA:
                key.verify(signature.rsa, data, padding.PKCS1v15(), chosen)
            elif signature.scheme == algorithm.RSAPSS:
                pss = padding.PSS(padding.MGF1(chosen), padding.PSS.AUTO)
                key.verify(signature.rsa, data, pss, chosen)
            else:
                return False
        elif signature.scheme == algorithm.ECDSA:
            key.verify(encode_dss_signature(*signature.ecdsa), data, ec.ECDSA(chosen))
        else:
            return False
    except InvalidSignature:
        return False
    return True
