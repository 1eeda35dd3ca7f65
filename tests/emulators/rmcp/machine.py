# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The machine behind the peer: what IPMI commands read and change, without any network."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field

OK, BUSY, NO_COMMAND, NO_DATA, BAD_LENGTH, BAD_FIELD, DENIED, NOT_NOW = 0x00, 0xC0, 0xC1, 0xCB, 0xC7, 0xCC, 0xD4, 0xD5
NO_PARAMETER = 0x80
USER, OPERATOR = 2, 3

# Chassis Control (28.3)
DOWN, UP, CYCLE, RESET, DIAGNOSTIC, SOFT = range(6)

Reply = tuple[int, bytes]


@dataclass
class Machine:
    """Power, boot options, FRU data. Delays in seconds, by the clock that is given."""

    power: bool = False
    guid: bytes = bytes.fromhex("00112233445566778899aabbccddee0f")
    fru: bytes = b""
    off_after_soft: float | None = 0.3
    """How long the operating system takes to shut down; None: it does not listen."""
    power_delay: float = 0.0
    """How long after a command the power really changes."""
    stuck: bool = False
    """Takes every command and does nothing."""
    power_answers: dict[int, int] = field(default_factory=dict)
    """Completion codes instead of doing what Chassis Control says: {UP: 0xD5}"""
    busy: int = 0
    """So many commands are answered by C0h first."""
    boot_parameters: frozenset[int] = frozenset((0, 3, 4, 5))
    forgets: int = 0
    """Bits of byte 1 of the boot flags that are not kept (0x40: no persistent override, 0x20: no UEFI)."""
    flags_lapse: float = 60.0
    """A boot override is taken back so many seconds later unless parameter 3 says otherwise (28.13)"""
    controls: list[int] = field(default_factory=list)
    """Every Chassis Control that was carried out"""
    boots: list[int] = field(default_factory=list)
    """The boot device selectors with which the machine was started"""
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        self._boot: dict[int, bytes] = {0: b"\0", 3: b"\0", 4: b"\0\0", 5: bytes(5)}
        self._boot_set_at = 0.0
        self._due: tuple[float, bool] | None = None

    def do(self, netfn: int, command: int, data: bytes, privilege: int) -> Reply:
        """Completion code and data."""
        self._settle()
        if self.busy:
            self.busy -= 1
            return BUSY, b""
        known = {
            (0x06, 0x01): (USER, self._device_id),
            (0x06, 0x37): (USER, lambda _data: (OK, self.guid)),
            (0x00, 0x01): (USER, self._chassis_status),
            (0x00, 0x02): (OPERATOR, self._chassis_control),
            (0x00, 0x08): (OPERATOR, self._set_boot),
            (0x00, 0x09): (OPERATOR, self._get_boot),
            (0x0A, 0x10): (USER, self._fru_area),
            (0x0A, 0x11): (USER, self._fru_read),
        }.get((netfn, command))
        if known is None:
            return NO_COMMAND, b""
        needed, act = known
        return act(data) if privilege >= needed else (DENIED, b"")

    @property
    def boot_flags(self) -> bytes:
        """Parameter 5 as it is now."""
        self._lapse()
        return self._boot[5]

    def _device_id(self, _data: bytes) -> Reply:
        return OK, bytes.fromhex("200103 1102 9f 7c2a00 8109 00000000")

    def _chassis_status(self, _data: bytes) -> Reply:
        return OK, bytes([0x21 if self.power else 0x20, 0x10, 0x40, 0x00])

    def _chassis_control(self, data: bytes) -> Reply:
        if len(data) != 1:
            return BAD_LENGTH, b""
        control = data[0] & 0x0F
        if control in self.power_answers:
            return self.power_answers[control], b""
        if control not in (DOWN, UP, RESET, SOFT):
            return BAD_FIELD, b""
        if control in (RESET, SOFT) and not self.power:
            return NOT_NOW, b""
        self.controls.append(control)
        if self.stuck:
            return OK, b""
        if control == RESET:
            self._start()
        elif control == SOFT:
            if self.off_after_soft is not None:
                self._due = (self.clock() + self.off_after_soft, False)
        else:
            self._due = (self.clock() + self.power_delay, control == UP)
            self._settle()
        return OK, b""

    def _settle(self) -> None:
        if self._due is not None and self.clock() >= self._due[0]:
            on, self._due = self._due[1], None
            if on and not self.power:
                self._start()
            self.power = on

    def _start(self) -> None:
        """Boots: an override for once is used up."""
        flags = self.boot_flags
        self.boots.append(flags[1] >> 2 & 0x0F if flags[0] & 0x80 else 0)
        if not flags[0] & 0x40:
            self._boot[5] = bytes([flags[0] & 0x7F, *flags[1:]])

    def _lapse(self) -> None:
        if self._boot[3][0] & 0x08 or not self._boot[5][0] & 0x80:
            return
        if self.clock() - self._boot_set_at > self.flags_lapse:
            self._boot[5] = bytes([self._boot[5][0] & 0x7F, *self._boot[5][1:]])

    def _set_boot(self, data: bytes) -> Reply:
        if not data:
            return BAD_LENGTH, b""
        number, value = data[0] & 0x7F, data[1:]
        if number not in self.boot_parameters:
            return NO_PARAMETER, b""
        if len(value) != len(self._boot[number]):
            return BAD_LENGTH, b""
        if number == 0 and value[0] == 1 and self._boot[0] == b"\x01":
            return 0x81, b""  # somebody else is setting it
        if number == 5:
            value = bytes([value[0] & ~self.forgets & 0xFF]) + value[1:]
            self._boot_set_at = self.clock()
        self._boot[number] = value
        return OK, b""

    def _get_boot(self, data: bytes) -> Reply:
        if len(data) != 3:
            return BAD_LENGTH, b""
        number = data[0] & 0x7F
        if number not in self.boot_parameters:
            return NO_PARAMETER, b""
        self._lapse()
        return OK, bytes([0x01, number]) + self._boot[number]

    def _fru_area(self, data: bytes) -> Reply:
        if data != b"\0" or not self.fru:
            return NO_DATA, b""
        return OK, struct.pack("<HB", len(self.fru), 0)

    def _fru_read(self, data: bytes) -> Reply:
        if len(data) != 4:
            return BAD_LENGTH, b""
        _device, at, count = struct.unpack("<BHB", data)
        part = self.fru[at : at + min(count, 64)]
        return OK, bytes([len(part)]) + part
