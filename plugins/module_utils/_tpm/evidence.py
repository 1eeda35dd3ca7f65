# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What passes between the controller and a machine that is to prove what it runs."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from typing import Mapping, Tuple

from .._core.errors import ProtocolViolation

#: The PCRs of a quote: firmware, boot chain, Secure Boot, GRUB, the node document, shim's keys. All in one bank.
QUOTED_PCRS = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 14)
SECRET_SIZE = 32
NONCE_SIZE = 32


@dataclass(frozen=True)
class Challenge:
    """Made by the controller for one verdict."""

    secret: bytes = field(repr=False)
    """Goes to the machine inside a credential, and comes back only as a key to an HMAC over the nonce."""
    nonce: bytes


@dataclass(frozen=True)
class Identity:
    """The machine's first answer: which TPM it has, and a key that this TPM made."""

    endorsement_key: bytes
    """TPM2B_PUBLIC"""
    endorsement_certificate: bytes
    """DER as it lies in the TPM; empty where there is none."""
    attestation_key: bytes
    """TPM2B_PUBLIC"""


@dataclass(frozen=True)
class Answer:
    """The machine's second answer."""

    activation: bytes
    """HMAC-SHA256 over the nonce by the secret that TPM2_ActivateCredential gave."""
    attestation: bytes
    """TPMS_ATTEST"""
    signature: bytes
    """TPMT_SIGNATURE"""
    pcr_values: bytes
    """SHA-256 bank, the values of QUOTED_PCRS one behind the other."""
    event_log: bytes


def identity_of(said: object) -> Identity:
    """From the node's result; ProtocolViolation for what is none."""
    fields = _mapping(said)
    return Identity(
        _bytes(fields, "endorsement_key"), _bytes(fields, "endorsement_certificate"), _bytes(fields, "attestation_key")
    )


def answer_of(said: object) -> Answer:
    """From the node's result; ProtocolViolation for what is none."""
    fields = _mapping(said)
    names: Tuple[str, ...] = ("activation", "attestation", "signature", "pcr_values", "event_log")
    return Answer(*(_bytes(fields, name) for name in names))


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def decoded(text: object, name: str) -> bytes:
    if not isinstance(text, str):
        raise _no_answer(name, type(text).__name__)
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _no_answer(name, str(error)) from error


def _mapping(said: object) -> Mapping[str, object]:
    if not isinstance(said, Mapping):
        raise _no_answer("evidence", type(said).__name__)
    return said


def _bytes(fields: Mapping[str, object], name: str) -> bytes:
    return decoded(fields.get(name), name)


def _no_answer(name: str, found: str) -> ProtocolViolation:
    return ProtocolViolation("the machine's answer cannot be read", expected=f"{name} in base64", found=found)
