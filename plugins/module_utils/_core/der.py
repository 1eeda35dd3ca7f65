# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An X.509 certificate's public key, its subject, and where it ends, with the standard library alone.

ssl hands out a peer's certificate as DER and nothing that parses it when the chain was not verified. All that a pin
needs is the SubjectPublicKeyInfo, which stands at a fixed place (RFC 5280, section 4.1): six fields to walk over.
"""

from __future__ import annotations

from typing import Tuple

from .errors import ProtocolViolation

_SEQUENCE = 0x30
_INTEGER = 0x02
_VERSION = 0xA0  # [0] EXPLICIT


def subject_public_key_info(certificate: bytes) -> bytes:
    """The DER bytes of the SubjectPublicKeyInfo, tag and length included.

    Raises ProtocolViolation for anything that is not shaped like a certificate.
    """
    at, end = _field(certificate, 4)
    return certificate[at : _after(certificate, at, end, _SEQUENCE)]


def subject(certificate: bytes) -> bytes:
    """The DER bytes of the subject's name, tag and length included: the issuer's name in what it has signed.

    Raises ProtocolViolation for anything that is not shaped like a certificate.
    """
    at, end = _field(certificate, 3)
    return certificate[at : _after(certificate, at, end, _SEQUENCE)]


def _field(certificate: bytes, number: int) -> Tuple[int, int]:
    """Where this one of the fields signature, issuer, validity, subject, subjectPublicKeyInfo stands, and their end."""
    outer, _end = _inside(certificate, 0, len(certificate), _SEQUENCE)
    at, end = _inside(certificate, outer, len(certificate), _SEQUENCE)
    if at < end and certificate[at] == _VERSION:
        at = _after(certificate, at, end, _VERSION)
    at = _after(certificate, at, end, _INTEGER)  # serialNumber
    for _number in range(number):
        at = _after(certificate, at, end, _SEQUENCE)
    return at, end


def first_element(der: bytes) -> bytes:
    """Without what stands behind it, as in a place that is larger: the element says its own length."""
    if len(der) < 4 or der[0] != _SEQUENCE:
        return der
    if der[1] < 0x80:
        return der[: 2 + der[1]]
    octets = der[1] & 0x7F
    return der[: 2 + octets + int.from_bytes(der[2 : 2 + octets], "big")]


def _after(der: bytes, at: int, end: int, tag: int) -> int:
    return _inside(der, at, end, tag)[1]


def _inside(der: bytes, at: int, end: int, tag: int) -> Tuple[int, int]:
    """Start and end of the contents of the element at ``at``, which must carry ``tag`` and end by ``end``."""
    if at + 2 > end:
        raise _not_a_certificate("truncated")
    if der[at] != tag:
        raise _not_a_certificate(f"tag {der[at]:#04x} where {tag:#04x} belongs")
    first = der[at + 1]
    start = at + 2
    if first < 0x80:
        length = first
    else:
        octets = first & 0x7F
        # 0 is BER's indefinite form, which DER forbids; no certificate needs more than four octets.
        if not 1 <= octets <= 4 or start + octets > end:
            raise _not_a_certificate("a length that DER does not allow")
        length = int.from_bytes(der[start : start + octets], "big")
        start += octets
    if start + length > end:
        raise _not_a_certificate("a field longer than the certificate")
    return start, start + length


def _not_a_certificate(found: str) -> ProtocolViolation:
    return ProtocolViolation(
        "the peer's certificate cannot be read", expected="an X.509 certificate in DER", found=found
    )
