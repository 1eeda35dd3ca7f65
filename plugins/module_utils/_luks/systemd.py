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

from .._core.errors import BadInput, NotFound, Refused, Unsupported
from .._core.programs import in_memory
from .cryptsetup import Luks
from .header import Token
from .tpm import flush_tpm

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
    blob: bytes
    bank: str
    primary: str

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
        blob = base64.b64decode(raw["tpm2-blob"], validate=True)
        if not blob:
            raise ValueError("no sealed object")
        return SystemdTpm2(
            pcrs=frozenset(int(pcr) for pcr in raw["tpm2-pcrs"]),
            pin=bool(raw.get("tpm2-pin", False)),
            public_key_pcrs=frozenset(int(pcr) for pcr in raw.get("tpm2_pubkey_pcrs", ())),
            public_key=base64.b64decode(raw.get("tpm2_pubkey", ""), validate=True),
            policy=str(raw["tpm2-policy-hash"]),
            blob=blob,
            bank=str(raw.get("tpm2-pcr-bank", "sha256")),
            primary=str(raw.get("tpm2-primary-alg", "ecc")),
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
    flush_tpm(luks.programs)
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


def refuse_unprovable(luks: Luks, wanted: WantSystemdTpm2) -> None:
    """Unsupported where a PIN's binding could not be tried: cryptsetup's plugin for systemd's tokens knows the
    machine's own TPM only, and tpm2-tools would take the PIN as an argument, which every user of the node can read."""
    if wanted.pin and tpm_device(luks.programs.environment) != "auto":
        raise Unsupported(
            "a binding with a PIN cannot be proved with this TPM",
            expected="the machine's own TPM, without TPM2TOOLS_TCTI",
            found="TPM2TOOLS_TCTI",
            where="the node",
            next="Nothing was changed. Take TPM2TOOLS_TCTI out of the task's environment.",
        )


def opens(luks: Luks, number: int, keyslot: int, content: SystemdTpm2, pin: str) -> bool:
    """Whether this token opens its keyslot now."""
    flush_tpm(luks.programs)
    if tpm_device(luks.programs.environment) == "auto":
        argv = ("open", "--test-passphrase", "--token-only", "--token-id", str(number), luks.device)
        return luks.programs.attempt("cryptsetup", *argv, stdin=pin.encode()).code == 0
    if content.pin or content.public_key:
        return False
    try:
        secret = _unseal(luks, content)
    except Refused:
        return False
    finally:
        flush_tpm(luks.programs)
    return luks.opens(base64.b64encode(secret), keyslot)


def _unseal(luks: Luks, content: SystemdTpm2) -> bytes:
    """What systemd sealed to PCRs; the keyslot's passphrase is its base64 form."""
    folder = tempfile.mkdtemp(prefix="hearth-")
    public, private, primary, sealed, session = (os.path.join(folder, name) for name in "upcos")
    try:
        # TPM2B_PRIVATE, TPM2B_PUBLIC.
        length = 2 + int.from_bytes(content.blob[:2], "big")
        for path, part in ((private, content.blob[:length]), (public, content.blob[length:])):
            with open(path, "wb") as file:
                file.write(part)
        steps = [
            ("tpm2_createprimary", "-Q", "-C", "o", "-g", "sha256", "-G", content.primary, "-c", primary),
            ("tpm2_flushcontext", "-t"),
            ("tpm2_load", "-Q", "-C", primary, "-u", public, "-r", private, "-c", sealed),
            ("tpm2_flushcontext", "-t"),
            ("tpm2_startauthsession", "--policy-session", "-S", session),
        ]
        if content.pcrs:
            pcrs = ",".join(str(pcr) for pcr in sorted(content.pcrs))
            steps.append(("tpm2_policypcr", "-Q", "-S", session, "-l", f"{content.bank}:{pcrs}"))
        for step in steps:
            luks.programs.run(*step, where="the node's TPM")
        return luks.programs.run("tpm2_unseal", "-c", sealed, "-p", f"session:{session}", where="the node's TPM")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
