# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tokens of systemd-cryptenroll: a TPM 2.0, with a PIN or a signed policy where wanted."""

from __future__ import annotations

import base64
import os
import shutil
import tempfile
from dataclasses import dataclass
from typing import Any, Dict, FrozenSet, Mapping, Tuple

from .._core.errors import BadInput, NotFound, Refused
from .cryptsetup import Luks
from .header import Token
from .programs import in_memory

TOKEN = "systemd-tpm2"
#: What systemd-cryptenroll derives its keyslots with: by this a keyslot is known whose token never came.
KDF = ("pbkdf2", 1000, "sha512")


@dataclass(frozen=True)
class SystemdTpm2:
    """What a token asks for."""

    pcrs: FrozenSet[int]
    pin: bool
    public_key_pcrs: FrozenSet[int]
    public_key: bytes
    """PEM; empty without a signed policy."""
    policy: str

    def as_dict(self) -> Dict[str, Any]:
        return {
            "pin": TOKEN,
            "pcr_ids": sorted(self.pcrs),
            "with_pin": self.pin,
            "public_key_pcr_ids": sorted(self.public_key_pcrs),
            "policy_digest": self.policy,
        }


def read_token(token: Token) -> SystemdTpm2:
    """ValueError where the token is damaged."""
    raw = token.raw
    try:
        if not base64.b64decode(raw["tpm2-blob"], validate=True):
            raise ValueError("no sealed object")
        return SystemdTpm2(
            pcrs=frozenset(int(pcr) for pcr in raw["tpm2-pcrs"]),
            pin=bool(raw.get("tpm2-pin", False)),
            public_key_pcrs=frozenset(int(pcr) for pcr in raw.get("tpm2_pubkey_pcrs", ())),
            public_key=base64.b64decode(raw.get("tpm2_pubkey", ""), validate=True),
            policy=str(raw["tpm2-policy-hash"]),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"the token lacks {error}") from error


@dataclass(frozen=True)
class WantSystemdTpm2:
    """``pcrs`` is always given to systemd, which would add PCR 7 of itself otherwise."""

    pcrs: Tuple[int, ...]
    pin: str = ""
    public_key: str = ""
    public_key_pcrs: Tuple[int, ...] = ()
    signature: str = ""

    def check(self, trust_needed: bool) -> None:
        if not all(0 <= pcr < 24 for pcr in (*self.pcrs, *self.public_key_pcrs)):
            raise BadInput("no such PCR", expected="0 to 23", found=str([*self.pcrs, *self.public_key_pcrs]))
        if not self.public_key:
            if self.public_key_pcrs or self.signature:
                raise BadInput("a signed policy needs its key", expected="public_key", found="none")
            return
        if not self.public_key_pcrs or (trust_needed and not self.signature):
            raise BadInput(
                "a signed policy needs its PCRs and a signature",
                expected="public_key_pcr_ids and signature: without one systemd tries nothing",
                found=f"{list(self.public_key_pcrs)} and {self.signature or 'no signature'}",
            )
        for path in (self.public_key, self.signature):
            if path and not os.path.isfile(path):
                raise NotFound("no such file", expected="a file on the node", found=path, where="the node")

    def matches(self, found: SystemdTpm2, with_pin: bool) -> bool:
        same = (found.pcrs, found.public_key_pcrs) == (frozenset(self.pcrs), frozenset(self.public_key_pcrs))
        if not same or found.pin != with_pin:
            return False
        if not self.public_key:
            return not found.public_key
        with open(self.public_key, "rb") as file:
            return file.read().strip() == found.public_key.strip()

    def as_dict(self) -> Dict[str, Any]:
        return {
            "pin": TOKEN,
            "pcr_ids": list(self.pcrs),
            "with_pin": bool(self.pin),
            "public_key_pcr_ids": list(self.public_key_pcrs),
        }


def tpm_device(environment: Mapping[str, str]) -> str:
    """systemd takes the same words as tpm2-tools (TPM2TOOLS_TCTI), and ``auto``."""
    return environment.get("TPM2TOOLS_TCTI") or "auto"


def enroll(luks: Luks, wanted: WantSystemdTpm2, existing: bytes) -> str:
    """Let systemd add a keyslot and its token; what it said. It tries to unseal at once, except with a PIN.

    The PIN goes by a credential, whose file is a link to anonymous memory."""
    programs = luks.programs
    device = tpm_device(programs.environment)
    argv = [f"--tpm2-device={device}", f"--tpm2-pcrs={'+'.join(str(pcr) for pcr in wanted.pcrs)}"]
    if wanted.public_key:
        argv += [f"--tpm2-public-key={wanted.public_key}", f"--tpm2-signature={wanted.signature}"]
        argv += [f"--tpm2-public-key-pcrs={'+'.join(str(pcr) for pcr in wanted.public_key_pcrs)}"]
    else:
        # Else systemd looks for a key in its own directories.
        argv += ["--tpm2-public-key-pcrs="]
    _flush(luks)
    credentials = tempfile.mkdtemp(prefix="hearth-")
    try:
        with in_memory(existing) as key, in_memory(wanted.pin.encode()) as pin:
            more = {}
            if wanted.pin:
                argv.append("--tpm2-with-pin=yes")
                os.symlink(f"/proc/self/fd/{pin}", os.path.join(credentials, "cryptenroll.tpm2-pin"))
                more["CREDENTIALS_DIRECTORY"] = credentials
            argv += [f"--unlock-key-file=/proc/self/fd/{key}", luks.device]
            ended = programs.attempt("systemd-cryptenroll", *argv, handles=(key, pin), more=more)
    finally:
        shutil.rmtree(credentials, ignore_errors=True)
    if ended.code:
        raise Refused(
            "systemd-cryptenroll failed",
            expected="exit status 0",
            found=ended.said or f"exit status {ended.code}",
            where=luks.device,
            next="The old bindings are as they were. Correct what it complains about and run the task again.",
        )
    return ended.said


def opens(luks: Luks, number: int, pin: str) -> bool:
    """Whether this token opens its keyslot now."""
    _flush(luks)
    device = tpm_device(luks.programs.environment)
    more = {} if device == "auto" else {"SYSTEMD_TPM2_DEVICE": device}
    argv = ("open", "--test-passphrase", "--token-only", "--token-id", str(number), luks.device)
    return luks.programs.attempt("cryptsetup", *argv, stdin=pin.encode(), more=more).code == 0


def _flush(luks: Luks) -> None:
    """A TPM without the kernel's resource manager keeps each session that a program leaves: soon it has no room."""
    if luks.programs.environment.get("TPM2TOOLS_TCTI"):
        for kind in ("-s", "-t", "-l"):
            luks.programs.attempt("tpm2_flushcontext", kind)
