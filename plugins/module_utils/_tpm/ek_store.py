# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a TPM keeps the certificates of its endorsement keys, and what is there. Standard library only: this runs on
nodes. What a certificate is worth is judged on the controller (``ek_certificate.py``)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Dict, List

from .._core.der import first_element, subject_public_key_info
from .._core.errors import ProtocolViolation, Refused
from .tpm2_tools import Tpm2Tools

#: TCG EK Credential Profile 2.5, 2.2.1.4 and 2.2.1.5: the key of the default template, and those of the later ones.
RSA_2048 = 0x01C00002
ECC_P256 = 0x01C0000A
CERTIFICATES: Dict[int, str] = {
    RSA_2048: "rsa2048",
    ECC_P256: "ecc_p256",
    0x01C00012: "rsa2048",
    0x01C00014: "ecc_p256",
    0x01C00016: "ecc_p384",
    0x01C00018: "ecc_p521",
    0x01C0001A: "sm2_p256",
    0x01C0001C: "rsa3072",
    0x01C0001E: "rsa4096",
}


@dataclass(frozen=True)
class StoredCertificate:
    """One NV index for a certificate, and what was found there."""

    index: int
    key: str
    der: bytes = b""
    key_sha256: str = ""
    """Of the SubjectPublicKeyInfo."""
    problem: str = ""
    """Why it cannot be read."""

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.der).hexdigest()


def nv_read(tools: Tpm2Tools, index: int) -> bytes:
    """By the index' own empty password: the owner's need not be empty."""
    return tools.run("tpm2_nvread", "-C", f"{index:#010x}", f"{index:#010x}")


def stored_certificates(tools: Tpm2Tools) -> List[StoredCertificate]:
    """In the order of their indices. One that cannot be read says why, and does not hide the others."""
    there = tools.nv_indices()
    return [_stored(tools, index, key) for index, key in CERTIFICATES.items() if index in there]


def _stored(tools: Tpm2Tools, index: int, key: str) -> StoredCertificate:
    try:
        der = first_element(nv_read(tools, index))
        digest = hashlib.sha256(subject_public_key_info(der)).hexdigest()
    except (Refused, ProtocolViolation) as error:
        return StoredCertificate(index, key, problem=f"{error.msg}: {error.found}")
    return StoredCertificate(index, key, der, digest)
