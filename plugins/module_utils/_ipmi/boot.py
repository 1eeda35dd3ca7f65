# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a machine boots from next, over IPMI: the boot flags (IPMI 2.0, 28.12 to 28.14, parameters 0, 3 and 5).

A BMC takes boot flags back 60 seconds after they were set when no chassis control follows; parameter 3 keeps it from
that, so that an override stays until the machine boots, as it does over Redfish. Names of states, targets and modes are
Redfish's (../_redfish/boot.py), so that a role may change its protocol.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Dict, List, Optional

from .._core.errors import AccessDenied, BadInput, Busy, HearthError, Refused, Unsupported, VerificationFailed
from .access import Connection

STATES = ("once", "continuous", "disabled")
MODES = ("uefi", "legacy")

# Boot device selectors (28.13, parameter 5, byte 2)
SELECTORS = {
    "none": 0,
    "pxe": 1,
    "hdd": 2,
    "hdd_safe_mode": 3,
    "diags": 4,
    "cd": 5,
    "bios_setup": 6,
    "remote_floppy": 7,
    "remote_cd": 8,
    "remote_media": 9,
    "remote_drive": 11,
    "usb": 15,
    "floppy": 15,
}
TARGETS = tuple(name for name in SELECTORS if name != "none")
_NAMES = {number: name for name, number in reversed(SELECTORS.items())}

_VALID, _PERSISTENT, _EFI = 0x80, 0x40, 0x20
_IN_PROGRESS, _KEEPING, _FLAGS = 0, 3, 5
_NO_60_SECONDS = 0x08
_SET, _GET = 0x08, 0x09

LAPSES = (
    "the BMC takes a boot override back 60 seconds after it was set, and does not let that be switched off: restart the"
    " machine within them"
)
# What of Redfish's boot settings has no place in IPMI
REDFISH_ONLY = ("http_boot_uri", "uefi_target", "boot_next", "order")


@dataclass(frozen=True)
class BootWanted:
    """None: whatever it is. ``target`` one of TARGETS; hyphens, spaces and capitals are the writer's."""

    state: Optional[str] = None
    target: Optional[str] = None
    mode: Optional[str] = None

    def selector(self) -> int:
        """Unsupported where a target is missing or unknown: it lists those that there are."""
        folded = {name.replace("_", ""): number for name, number in SELECTORS.items()}
        written = self.target or ""
        number = folded.get(written.replace("_", "").replace("-", "").replace(" ", "").lower(), 0)
        if not number:
            raise Unsupported(
                f"IPMI offers no boot target {ascii(written[:64])}." if written else "A boot override needs a target.",
                expected=ascii(written[:64]) if written else "a target",
                found=", ".join(TARGETS),
                where="target",
                next="Choose one of those that are offered.",
            )
        return number


@dataclass(frozen=True)
class BootFlags:
    """Parameter 5, as far as it is about the device."""

    valid: bool
    persistent: bool
    uefi: bool
    selector: int

    @classmethod
    def parsed(cls, data: bytes) -> BootFlags:
        return cls(bool(data[0] & _VALID), bool(data[0] & _PERSISTENT), bool(data[0] & _EFI), data[1] >> 2 & 0x0F)

    @property
    def parameter(self) -> List[int]:
        first = self.valid * _VALID | self.persistent * _PERSISTENT | self.uefi * _EFI
        return [first, self.selector << 2, 0, 0, 0]

    @property
    def active(self) -> bool:
        """Whether the machine boots by it. Flags without the valid bit count for nothing: used up, or taken back."""
        return self.valid and self.selector != 0

    def shown(self) -> Dict[str, Any]:
        """In the shape of Redfish's."""
        state = "disabled" if not self.active else "continuous" if self.persistent else "once"
        return {
            "state": state,
            "target": _NAMES.get(self.selector, f"selector_{self.selector}") if self.active else None,
            "mode": ("uefi" if self.uefi else "legacy") if self.active else None,
            "http_boot_uri": None,
            "uefi_target": None,
            "boot_next": None,
            "order": [],
            "pending": False,
        }


DISABLED = BootFlags(False, False, False, 0)


def offers() -> Dict[str, Any]:
    """What may be asked for: what IPMI has. Which of it a machine has, its BMC does not say."""
    return {
        "states": list(STATES),
        "targets": list(TARGETS),
        "modes": list(MODES),
        "http_boot_uri": False,
        "order": False,
    }


def read_boot(connection: Connection) -> BootFlags:
    data = connection.command(0x00, _GET, (_FLAGS, 0, 0), what="reading the boot flags")
    if len(data) < 7 or data[1] & 0x7F != _FLAGS:
        raise VerificationFailed(
            "the BMC's answer holds no boot flags",
            expected="parameter 5 and five bytes",
            found=data.hex() or "nothing",
            where=connection.access.where,
        )
    return BootFlags.parsed(data[2:])


def plan_boot(now: BootFlags, wanted: BootWanted) -> Optional[BootFlags]:
    """The flags to write; None: nothing. BadInput or Unsupported before anything is written.

    Without a mode the machine keeps the one that its flags say.
    """
    if wanted.state is None:
        return None
    if wanted.state == "disabled":
        return DISABLED if now.active else None
    if wanted.state not in STATES or wanted.mode not in (None, *MODES):
        raise BadInput("no such boot override", expected=", ".join(STATES), found=str(wanted.state), where="state")
    uefi = now.uefi if wanted.mode is None else wanted.mode == "uefi"
    desired = BootFlags(True, wanted.state == "continuous", uefi, wanted.selector())
    return None if desired == now else desired


def apply_boot(connection: Connection, flags: BootFlags) -> None:
    """Write the flags. Busy where somebody else is setting boot options."""
    began = _begin(connection)
    try:
        if flags.active and not flags.persistent:
            _keep(connection)
        _set(connection, _FLAGS, flags.parameter, "this boot override")
    finally:
        if began:
            _end(connection)


def verify_boot(connection: Connection, flags: BootFlags) -> BootFlags:
    """The flags as they are read back. VerificationFailed where what was accepted does not show."""
    found = read_boot(connection)
    if found == flags or (not flags.active and not found.active):
        return found
    raise VerificationFailed(
        "The BMC accepted the boot settings, and they do not show.",
        expected=_told(flags),
        found=_told(found),
        where=connection.access.where,
        next="This BMC may know fewer targets, or no lasting override; set them in the machine's own setup.",
    )


def after(now: BootFlags, planned: Optional[BootFlags]) -> BootFlags:
    """As it would be read when the plan has been carried out."""
    return now if planned is None else replace(planned)


def _begin(connection: Connection) -> bool:
    """Say that boot options are being set (parameter 0); False where the BMC has no such thing."""
    try:
        _set(connection, _IN_PROGRESS, [1], "setting boot options")
    except Unsupported:
        return False
    except Refused as error:
        if "81h" not in error.found:
            raise
        raise Busy(
            "somebody else is setting the boot options of this machine",
            expected="parameter 0 to be free",
            found="81h",
            where=connection.access.where,
            next="try again later; what was left behind by a tool that crashed ends with: ipmitool raw 0 8 0 0",
        ) from error
    return True


def _end(connection: Connection) -> None:
    try:
        _set(connection, _IN_PROGRESS, [0], "setting boot options")
    except HearthError as error:
        connection.warn(f"the BMC still says that its boot options are being set: {error.msg}")


def _keep(connection: Connection) -> None:
    try:
        _set(connection, _KEEPING, [_NO_60_SECONDS], "keeping boot flags")
    except (Unsupported, Refused, AccessDenied):
        connection.warn(LAPSES)


def _set(connection: Connection, parameter: int, data: List[int], what: str) -> None:
    connection.command(0x00, _SET, (parameter, *data), what=what)


def _told(flags: BootFlags) -> str:
    if not flags.valid and flags.selector:
        return f"{_NAMES.get(flags.selector, flags.selector)}, not marked as valid"
    shown = flags.shown()
    if shown["state"] == "disabled":
        return "disabled"
    return f"{shown['state']}, {shown['target']}, {shown['mode']}"
