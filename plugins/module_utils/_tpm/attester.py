# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The node's side of a verdict: show the TPM's identity, then answer a challenge. Standard library only.

What is kept between the two steps lies in a directory of its own on a tmpfs: contexts of two keys, which only this TPM
can load, and only until it is reset. Nothing is made persistent in the TPM.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import shutil
import stat
import tempfile
from dataclasses import dataclass
from typing import Dict, Mapping

from .._core.errors import AttestationRefused, BadInput, HearthError, NotFound
from .boot_log import read_boot_log
from .efi_variable import GLOBAL
from .ek_store import ECC_P256, RSA_2048, nv_read
from .evidence import QUOTED_PCRS, Answer, Identity
from .tpm2_tools import Tpm2Tools, require_tpm

#: As Linux shows a UEFI variable: four bytes of attributes, then its value.
SECURE_BOOT = f"/sys/firmware/efi/efivars/SecureBoot-{GLOBAL}"

_RUN = "/run"
_PREFIX = "hearth-verdict-"
_PLACE = re.compile(rf"/(?:[^/\0]+/)*{_PREFIX}[A-Za-z0-9_]+")

_CERTIFICATES: Dict[str, int] = {"rsa": RSA_2048, "ecc": ECC_P256}
_SCHEMES: Dict[str, str] = {"rsa": "rsassa", "ecc": "ecdsa"}


@dataclass(frozen=True)
class Introduction:
    place: str
    """The directory to name in the second step."""
    identity: Identity


def introduce(
    ek_algorithm: str,
    ak_algorithm: str,
    event_log: str,
    environment: Mapping[str, str],
    secure_boot: str = SECURE_BOOT,
) -> Introduction:
    """Make an attestation key below the endorsement key. ``auto`` takes the kind of key that has a certificate.

    The event log is looked at already, so that a machine without one is told before the TPM has worked. A machine
    without a TPM has none either, and is told by the TPM that it lacks. AttestationRefused where the log is missing
    and the UEFI variable ``secure_boot`` says why.
    """
    require_tpm(environment)
    try:
        read_boot_log(event_log)
    except NotFound as error:
        raise _without_log(error, secure_boot) from error
    place = tempfile.mkdtemp(prefix=_PREFIX, dir=_RUN if os.access(_RUN, os.W_OK) else None)
    introduced = False
    try:
        tools = Tpm2Tools(place, environment)
        tools.refuse_lockout()
        certified = [kind for kind, index in _CERTIFICATES.items() if index in tools.nv_indices()]
        kind = ek_algorithm if ek_algorithm != "auto" else [*certified, "rsa"][0]
        certificate = b""
        if kind in certified:
            certificate = nv_read(tools, _CERTIFICATES[kind])
        tools.run("tpm2_createek", "-G", kind, "-c", "ek.ctx", "-u", "ek.pub")
        tools.flush()
        tools.run(
            *("tpm2_createak", "-C", "ek.ctx", "-c", "ak.ctx", "-u", "ak.pub"),
            *("-G", ak_algorithm, "-g", "sha256", "-s", _SCHEMES[ak_algorithm]),
        )
        tools.flush()
        identity = Identity(_read(place, "ek.pub"), certificate, _read(place, "ak.pub"))
        introduced = True
        return Introduction(place, identity)
    finally:
        if not introduced:
            forget(place)


def answer(place: str, credential: bytes, nonce: bytes, event_log: str, environment: Mapping[str, str]) -> Answer:
    """Open the credential, quote the PCRs over the nonce, and read the log. Nothing is left of the first step."""
    _require_place(place)
    try:
        tools = Tpm2Tools(place, environment)
        secret = _activate(tools, place, credential)
        tools.run(
            *("tpm2_quote", "-c", "ak.ctx", "-g", "sha256", "-q", nonce.hex()),
            *("-l", "sha256:" + ",".join(str(pcr) for pcr in QUOTED_PCRS)),
            *("-m", "attestation", "-s", "signature", "-o", "pcr_values", "-F", "values"),
        )
        tools.flush()
        return Answer(
            activation=hmac.new(secret, nonce, hashlib.sha256).digest(),
            attestation=_read(place, "attestation"),
            signature=_read(place, "signature"),
            pcr_values=_read(place, "pcr_values"),
            event_log=read_boot_log(event_log),
        )
    finally:
        forget(place)


def forget(place: str) -> None:
    """Remove what the first step left, where the second one will not come."""
    _require_place(place)
    shutil.rmtree(place, ignore_errors=True)


def _activate(tools: Tpm2Tools, place: str, credential: bytes) -> bytes:
    _write(place, "credential", credential)
    # The endorsement key's policy: whoever may use the endorsement hierarchy may use the key.
    tools.run("tpm2_startauthsession", "--policy-session", "-S", "session.ctx")
    tools.run("tpm2_policysecret", "-S", "session.ctx", "-c", "e")
    tools.run(
        *("tpm2_activatecredential", "-c", "ak.ctx", "-C", "ek.ctx", "-i", "credential", "-o", "secret"),
        *("-P", "session:session.ctx"),
    )
    tools.flush()
    return _read(place, "secret")


def _require_place(place: str) -> None:
    """Only a directory that the first step made is read, and removed."""
    try:
        found = os.lstat(place)
    except OSError:
        found = None
    if (
        found is None
        or not _PLACE.fullmatch(place)
        or not stat.S_ISDIR(found.st_mode)
        or found.st_uid != os.geteuid()
        or stat.S_IMODE(found.st_mode) != 0o700
    ):
        raise BadInput(
            "this is not where the first step left its keys", expected=f"a directory {_PREFIX}…", found=place
        )


def _without_log(error: NotFound, secure_boot: str) -> HearthError:
    """Why there is no log, as far as the machine knows. Its word counts, since it only speaks against itself."""
    try:
        with open(secure_boot, "rb") as file:
            value = file.read(8)[4:]
    except OSError:
        # No UEFI, or a kernel that does not show its variables.
        return error
    if value != b"\0":
        return error
    return AttestationRefused(
        "Secure Boot is off, and with it off GRUB 2.06 on amd64 starts Linux in a way that loses the event log",
        expected="Secure Boot, and an event log",
        found=f"Secure Boot off; {error.msg}: {error.found}",
        where="the node",
        next="Switch Secure Boot on in the firmware's setup, with Microsoft's UEFI CA among its keys, and boot anew.",
    )


def _read(place: str, name: str) -> bytes:
    with open(os.path.join(place, name), "rb") as file:
        return file.read()


def _write(place: str, name: str, data: bytes) -> None:
    with open(os.path.join(place, name), "wb") as file:
        file.write(data)
