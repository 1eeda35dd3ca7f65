# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether PCR 7 of the next boot will be that of the boot which an event log is of.

Firmware measures its Secure Boot variables, and then, once each, the authorities that vouch for what is started; shim
does the latter for what it starts, and measures what it revokes (SbatLevel). So PCR 7 stays as long as the variables
do, shim is the same, nothing waits for it to be done, and the programs are signed by the same authorities.
"""

from __future__ import annotations

import os
from typing import List, Optional, Sequence, Tuple

from .._core.der import subject
from .._core.errors import AttestationRefused, NotFound, ProtocolViolation, Unsupported
from .._core.hostile import clean
from .algorithm import BANK_NAME
from .authenticode import authenticode_digest
from .efi_variable import EfiVariable, parse_efi_variable
from .event_log import EV_EFI_VARIABLE_AUTHORITY, EV_EFI_VARIABLE_DRIVER_CONFIG, Event, EventLog
from .installed_boot import Program
from .secure_boot import objections_to_secure_boot

#: As Linux shows UEFI's variables: four bytes of attributes, then the value.
EFI_VARIABLES = "/sys/firmware/efi/efivars"

_PCR = 7
_ATTRIBUTES = 4
_LARGEST_VARIABLE = 1024 * 1024
#: Shim's own variables.
_SHIM_LOCK = "605dab50-e046-4300-abb6-3dd810dd8b23"
#: What mokutil leaves there for shim or MokManager to do at the next boot.
_PENDING = ("MokNew", "MokDel", "MokXNew", "MokXDel", "MokSB", "MokDB", "MokPW", "MokListTrustedNew", "SbatPolicy")
#: Measured by shim as an authority, and none: what it revokes, and how it was told to behave.
_NO_AUTHORITY = ("SbatLevel", "MokSBState", "MokSBStateRT", "MokDBState", "MokListTrusted", "MokListTrustedRT")
#: An EFI_SIGNATURE_DATA begins with who put it there.
_OWNER = 16
_SHA256_SIZE = 32


def require_same_pcr_7(log: EventLog, programs: Sequence[Program], bank: int, efi_variables: str) -> None:
    """AttestationRefused or Unsupported, with the reason, where PCR 7 of the log is not that of the next boot.

    ``programs``: what will boot, shim first where there is one. ``efi_variables``: a directory as EFI_VARIABLES.
    """
    require_told_pcr_7(log, bank)
    _require_same_shim(log, programs, bank)
    _require_same_authorities(log, programs)
    _require_same_variables(log, efi_variables)


def require_told_pcr_7(log: EventLog, bank: int) -> None:
    """AttestationRefused where the log's PCR 7 does not show that Secure Boot was on."""
    objections = objections_to_secure_boot(log, bank)
    if objections:
        raise AttestationRefused(
            "PCR 7 does not show that Secure Boot was on",
            expected="Secure Boot, and events that say what was measured",
            found="; ".join(clean(one) for one in objections[:5]),
            where="event log",
            next="Switch Secure Boot on and boot anew. Without it PCR 7 says nothing of what may boot.",
        )


def _require_same_shim(log: EventLog, programs: Sequence[Program], bank: int) -> None:
    if programs[0].role != "shim":
        return
    digest = authenticode_digest(programs[0].image, BANK_NAME[bank])
    if all(event.digest(bank) != digest for event in log.of_pcr(4)):
        raise _changing("the shim that booted", f"another one in {programs[0].path}")


def _require_same_authorities(log: EventLog, programs: Sequence[Program]) -> None:
    """The names of signers are compared: a prediction that is wrong opens nothing."""
    authorities = _authorities(log)
    for program in programs:
        signed = any(_vouches_for(authority, program) for _name, authority in authorities)
        if not signed:
            names = ", ".join(clean(name) for name, _authority in authorities) or "none"
            raise _changing(f"a program of the authorities that were measured ({names})", f"{program.path} is not")
    for name, authority in authorities:
        if not any(_vouches_for(authority, program) for program in programs):
            raise _changing("programs that need each authority that was measured", f"none needs {clean(name)}")


def _authorities(log: EventLog) -> List[Tuple[str, bytes]]:
    found = []
    for event, variable in _variables(log):
        if event.kind == EV_EFI_VARIABLE_AUTHORITY and variable.name not in _NO_AUTHORITY:
            found.append((variable.name, variable.value))
    return found


def _vouches_for(authority: bytes, program: Program) -> bool:
    """Whether the certificate is that of an issuer in the program's signature, or the hash is the program's."""
    if len(authority) == _OWNER + _SHA256_SIZE:
        return authority[_OWNER:] == authenticode_digest(program.image, "sha256")
    # In shim's own variables the certificate stands alone.
    for certificate in (authority[_OWNER:], authority):
        try:
            return subject(certificate) in program.signature
        except ProtocolViolation:
            continue
    raise Unsupported("an authority in PCR 7 cannot be read", expected="a certificate or a SHA-256", where="event log")


def _require_same_variables(log: EventLog, directory: str) -> None:
    if not os.path.isdir(directory):
        raise NotFound(
            "the UEFI variables cannot be read",
            expected=directory,
            found="no such directory",
            where="the node",
            next="Mount efivarfs there. Without it nothing shows whether db or dbx will be others at the next boot.",
        )
    for event, variable in _variables(log):
        if event.kind == EV_EFI_VARIABLE_DRIVER_CONFIG:
            now = _read(directory, variable.name, variable.guid)
            if (now or b"") != variable.value:
                raise _changing(f"the variable {clean(variable.name)} as it was measured", "another value by now")
    for name in _PENDING:
        if _read(directory, name, _SHIM_LOCK) is not None:
            raise _changing("nothing for shim to do at the next boot", f"the variable {name} (see mokutil)")


def _variables(log: EventLog) -> List[Tuple[Event, EfiVariable]]:
    found = []
    for event in log.of_pcr(_PCR):
        variable = parse_efi_variable(event.data)
        if variable is not None:
            found.append((event, variable))
    return found


def _read(directory: str, name: str, guid: str) -> Optional[bytes]:
    """None where there is no such variable. The name may come from the log: it must not lead anywhere else."""
    if not name.isalnum():
        raise Unsupported("a variable in PCR 7 has a name that none has", found=clean(name), where="event log")
    try:
        with open(os.path.join(directory, f"{name}-{guid}"), "rb") as file:
            return file.read(_LARGEST_VARIABLE)[_ATTRIBUTES:]
    except FileNotFoundError:
        return None
    except OSError as error:
        raise NotFound(
            "a UEFI variable cannot be read", expected=name, found=error.strerror or str(error), where=directory
        ) from error


def _changing(expected: str, found: str) -> AttestationRefused:
    return AttestationRefused(
        "PCR 7 of the next boot will not be that of this one",
        expected=expected,
        found=found,
        where="the node",
        next="Boot once with the change and a recovery key at hand, then predict from that boot's log.",
    )
