# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What live_image_verdict's options expect of a machine. PRIVATE to the collection."""

from __future__ import annotations

import json
import re
import typing as t
from datetime import datetime, timezone
from pathlib import Path

from ..module_utils._core.cryptography_library import require_cryptography
from ..module_utils._core.errors import BadInput
from ..module_utils._tpm.case import Expectation
from ..module_utils._tpm.ek_certificate import read_authorities
from ..module_utils._tpm.evidence import QUOTED_PCRS
from ..module_utils._tpm.manifest import expected_boots

_SHA256 = re.compile("[0-9a-f]{64}")


def expectation_of(params: t.Mapping[str, t.Any]) -> Expectation:
    """BadInput before the machine was asked anything."""
    require_cryptography("judging what a TPM says")
    document = params["node_document_sha256"]
    expectation = Expectation(
        boots=expected_boots(_manifest(params["manifest"])),
        now=datetime.now(timezone.utc),
        authorities=read_authorities([(path, _read(path, "ek_roots")) for path in params["ek_roots"]]),
        ek_certificates=frozenset(
            _sha256(one, "ek_certificate_sha256") for one in params["ek_certificate_sha256"] or ()
        ),
        ek_keys=frozenset(_sha256(one, "ek_key_sha256") for one in params["ek_key_sha256"] or ()),
        node_document=_sha256(document, "node_document_sha256") if document else "",
        allowed_programs=frozenset(
            _sha256(one, "allowed_firmware_programs") for one in params["allowed_firmware_programs"] or ()
        ),
        pcrs=_pcrs(params["expected_pcrs"] or {}),
    )
    if not expectation.authorities and not expectation.pins_a_key:
        raise BadInput(
            "nothing says which TPM is to be trusted",
            expected="ek_roots, ek_certificate_sha256 or ek_key_sha256",
            found="none of them",
            next="Give the roots of the TPM's maker, or the hash that was recorded of this machine's TPM.",
        )
    return expectation


def _manifest(given: t.Any) -> t.Mapping[str, object]:
    if isinstance(given, t.Mapping):
        return given
    try:
        manifest = json.loads(_read(str(given), "manifest"))
    except ValueError as error:
        raise BadInput(
            "the manifest is no JSON", expected="JSON", found=str(error), where=f"manifest: {given}"
        ) from error
    if not isinstance(manifest, dict):
        raise BadInput("the manifest is no JSON object", found=type(manifest).__name__, where=f"manifest: {given}")
    return manifest


def _pcrs(given: t.Mapping[str, t.Any]) -> dict[int, str]:
    found = {}
    for pcr, value in given.items():
        if not str(pcr).isdecimal() or int(pcr) not in QUOTED_PCRS:
            raise BadInput(
                "this PCR is not part of the quote",
                expected=", ".join(map(str, QUOTED_PCRS)),
                found=str(pcr),
                where="expected_pcrs",
            )
        found[int(pcr)] = _sha256(value, f"expected_pcrs: {pcr}")
    return found


def _sha256(given: t.Any, where: str) -> str:
    digest = str(given).lower().replace(":", "")
    if not _SHA256.fullmatch(digest):
        raise BadInput("this is no SHA-256", expected="64 hexadecimal digits", found=str(given), where=where)
    return digest


def _read(path: str, where: str) -> bytes:
    try:
        return Path(path).expanduser().read_bytes()
    except OSError as error:
        raise BadInput(
            "the file cannot be read on the controller",
            expected=path,
            found=error.strerror or str(error),
            where=where,
        ) from error
