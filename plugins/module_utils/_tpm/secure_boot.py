# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether Secure Boot was on, from what firmware and shim measured into PCR 7.

PC Client Platform Firmware Profile 1.05, 3.3.4.8: before the separator the variables SecureBoot, PK, KEK, db, dbx, each
by the digest of its whole structure; behind it the authority of each program that was started. Before anything but
firmware runs, the separator is there: what stands in front of it is firmware's own word.
"""

from __future__ import annotations

from typing import List, Optional, Tuple

from . import algorithm
from .efi_variable import GLOBAL, EfiVariable, parse_efi_variable
from .event_log import Event, EventLog

_SEPARATOR = bytes(4)
#: Harmless: says that DMA protection of the IOMMU was off while firmware ran.
_ALLOWED_ACTIONS = ("DMA Protection Disabled",)


def secure_boot_state(log: EventLog) -> Optional[bool]:
    """What the log says, believed or not; None where it says nothing."""
    values = [variable.value for _event, variable in _variables(log) if _is_secure_boot(variable)]
    return values == [b"\x01"] if values else None


def objections_to_secure_boot(log: EventLog, bank: int = algorithm.SHA256) -> List[str]:
    """Why PCR 7 does not prove that Secure Boot was on; empty where it does. ``bank``: the one that is vouched for."""
    events = log.of_pcr(7)
    separators = [event.number for event in events if _is_separator(event, bank)]
    if len(separators) != 1:
        return [f"PCR 7 has {len(separators)} separators instead of one"]
    objections = []
    for event in events:
        # A digest of other data could be anything's: that of SecureBoot with the value 0 as well.
        if not event.covers_its_data(bank):
            objections.append(f"event {event.number} of PCR 7 has a digest that is not of its data")
        elif not _is_separator(event, bank) and parse_efi_variable(event.data) is None:
            if event.text not in _ALLOWED_ACTIONS or event.data != event.text.encode("ascii"):
                objections.append(f"event {event.number} of PCR 7 is no UEFI variable")
    switches = [(event, variable) for event, variable in _variables(log) if _is_secure_boot(variable)]
    if len(switches) != 1 or switches[0][0].number > separators[0]:
        objections.append("PCR 7 does not have the variable SecureBoot exactly once, in front of the separator")
    elif switches[0][1].value != b"\x01":
        objections.append("Secure Boot is off")
    for event, variable in _variables(log):
        # Set by mokutil --disable-validation: shim then starts what it does not trust.
        if variable.name in ("MokSBState", "MokSBStateRT") and variable.value.strip(b"\0"):
            objections.append(f"shim's validation is switched off (event {event.number})")
    return objections


def _variables(log: EventLog) -> List[Tuple[Event, EfiVariable]]:
    found = []
    for event in log.of_pcr(7):
        variable = parse_efi_variable(event.data)
        if variable is not None:
            found.append((event, variable))
    return found


def _is_secure_boot(variable: EfiVariable) -> bool:
    return variable.guid == GLOBAL and variable.name == "SecureBoot"


def _is_separator(event: Event, bank: int) -> bool:
    return event.data == _SEPARATOR and event.covers_its_data(bank)
