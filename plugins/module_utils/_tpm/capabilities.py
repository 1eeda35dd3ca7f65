# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a TPM says of itself: its maker, who has set passwords, its lockout, its PCRs. Standard library only.

TPM 2.0 Library, Part 2, 6.13 (TPM_PT) and 8.6 (TPMA_PERMANENT, TPMA_STARTUP_CLEAR). No authorization is used for any
of it, so that a TPM in lockout answers as well, and no try is lost.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Dict, Mapping

from .._core.errors import ProtocolViolation
from .._core.hostile import clean
from .tpm2_tools import Tpm2Tools

_BANK = re.compile(r"\s*(sha1|sha256|sha384|sha512|sm3_256|sha3_\d+)\s*:\s*")
_VALUE = re.compile(r"\s*(\d+)\s*:\s*0x([0-9A-Fa-f]+)\s*")
_PROPERTY = re.compile(r"(\w+):\s*(.*)")
_FIELD = re.compile(r"\s+(\w+):\s*(.*)")

#: What a property has that stands on one line.
_RAW = "raw"


@dataclass(frozen=True)
class Maker:
    """Who made the TPM, and by which specification."""

    family: str
    specification_revision: str
    manufacturer: str
    vendor: str
    firmware_version: str


@dataclass(frozen=True)
class Lockout:
    """Protection against guessing: wrong authorizations are counted, and with too many of them all are refused."""

    locked: bool
    failed_tries: int
    max_tries: int
    recovery_seconds: int
    """In which one failed try is forgotten; 0: nothing is counted at all."""
    lockout_recovery_seconds: int
    """In which the lockout password may be tried again after a wrong one; 0: at the next reset."""


@dataclass(frozen=True)
class Ownership:
    """Which hierarchies have a password, which ones work, and whether the TPM may be cleared with the password."""

    passwords: Mapping[str, bool]
    hierarchies: Mapping[str, bool]
    clear_disabled: bool


class Properties:
    """What tpm2_getcap lists: names, each with a value or with fields below it."""

    def __init__(self, listed: str) -> None:
        self._fields: Dict[str, Dict[str, str]] = {}
        name = ""
        for line in listed.splitlines():
            below, top = _FIELD.fullmatch(line), _PROPERTY.fullmatch(line)
            if below and name:
                self._fields[name][below.group(1)] = below.group(2)
            elif top:
                name = top.group(1)
                self._fields[name] = {_RAW: top.group(2)} if top.group(2) else {}

    def number(self, name: str, field: str = _RAW) -> int:
        """ProtocolViolation where it is not listed, or is no number."""
        said = self._fields.get(name, {}).get(field, "")
        try:
            return int(said, 0)
        except ValueError:
            raise ProtocolViolation(
                "tpm2_getcap's listing cannot be read",
                expected=f"a number for {name}" + ("" if field == _RAW else f", {field}"),
                found=clean(said) or "nothing",
                where="the node's TPM",
                next="Install tpm2-tools 5 or newer.",
            ) from None

    def flag(self, name: str, field: str) -> bool:
        return self.number(name, field) == 1

    def text(self, *names: str) -> str:
        """Four characters of each property, without what fills them up."""
        packed = b"".join((self.number(name) & 0xFFFFFFFF).to_bytes(4, "big") for name in names)
        return clean(packed.replace(b"\0", b"").decode("ascii", "replace")).strip()


def read_maker(tools: Tpm2Tools) -> Maker:
    fixed = Properties(_listed(tools, "properties-fixed"))
    firmware = [fixed.number(f"TPM2_PT_FIRMWARE_VERSION_{number}") for number in (1, 2)]
    revision = fixed.number("TPM2_PT_REVISION")
    return Maker(
        family=fixed.text("TPM2_PT_FAMILY_INDICATOR"),
        specification_revision=f"{revision // 100}.{revision % 100:02d}",
        manufacturer=fixed.text("TPM2_PT_MANUFACTURER"),
        vendor=fixed.text(*(f"TPM2_PT_VENDOR_STRING_{number}" for number in range(1, 5))),
        firmware_version=".".join(str(part) for word in firmware for part in (word >> 16, word & 0xFFFF)),
    )


def read_variable(tools: Tpm2Tools) -> Properties:
    """What may change: for ownership and lockout."""
    return Properties(_listed(tools, "properties-variable"))


def ownership(variable: Properties) -> Ownership:
    return Ownership(
        passwords={
            name: variable.flag("TPM2_PT_PERMANENT", f"{name}AuthSet") for name in ("owner", "endorsement", "lockout")
        },
        hierarchies={
            name: variable.flag("TPM2_PT_STARTUP_CLEAR", field)
            for name, field in (("platform", "phEnable"), ("owner", "shEnable"), ("endorsement", "ehEnable"))
        },
        clear_disabled=variable.flag("TPM2_PT_PERMANENT", "disableClear"),
    )


def lockout(variable: Properties) -> Lockout:
    return Lockout(
        locked=variable.flag("TPM2_PT_PERMANENT", "inLockout"),
        failed_tries=variable.number("TPM2_PT_LOCKOUT_COUNTER"),
        max_tries=variable.number("TPM2_PT_MAX_AUTH_FAIL"),
        recovery_seconds=variable.number("TPM2_PT_LOCKOUT_INTERVAL"),
        lockout_recovery_seconds=variable.number("TPM2_PT_LOCKOUT_RECOVERY"),
    )


def read_pcrs(tools: Tpm2Tools) -> Dict[str, Dict[int, bytes]]:
    """The values of each bank that is switched on, by the bank's name and the PCR's number."""
    banks: Dict[str, Dict[int, bytes]] = {}
    bank = ""
    for line in tools.run("tpm2_pcrread").decode("utf-8", "replace").splitlines():
        header, value = _BANK.fullmatch(line), _VALUE.fullmatch(line)
        if header:
            bank = header.group(1)
        elif value and bank:
            banks.setdefault(bank, {})[int(value.group(1))] = bytes.fromhex(value.group(2))
    if not banks:
        raise ProtocolViolation(
            "the TPM shows no PCR",
            expected="a bank that is switched on",
            found="none",
            where="the node's TPM",
            next="Switch the SHA-256 bank on in the firmware's setup, or with tpm2_pcrallocate, and reset the machine.",
        )
    return banks


def _listed(tools: Tpm2Tools, capability: str) -> str:
    return tools.run("tpm2_getcap", capability).decode("utf-8", "replace")
