# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the boot of an installed system will measure, computed from its files: shim, GRUB with a static configuration
and a kernel, or a unified kernel image.

Seen on OVMF with Debian 12's shim 16.1, GRUB 2.06-13+deb12u2 and kernel 6.1, and with systemd-stub 252.39.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import FrozenSet, List, Mapping, Optional, Sequence, Tuple, Union

from .._core.errors import BadInput, Unsupported
from .algorithm import BANK_NAME
from .authenticode import authenticode_digest
from .boot_comparison import device_names
from .event_log import EV_EFI_BOOT_SERVICES_APPLICATION, EV_IPL, EVENT_NAMES, EventLog
from .grub_image import embedded_config, embedded_prefix
from .grub_trace import COMMAND_LINE, FILE, KERNEL, Step, measured_text, trace
from .measurement import Measurement, measured
from .mounted_file_system import MountedFileSystem, digest_of_file, read_program
from .pe_image import AMD64, parse_pe, signature_of
from .unified_image import UnifiedImage, phase_measurements, read_unified_image

_APPLICATION = EVENT_NAMES[EV_EFI_BOOT_SERVICES_APPLICATION]
_IPL = EVENT_NAMES[EV_IPL]
_PROGRAMS_PCR = 4
#: Through shim, on amd64: by shim, which GRUB asks to verify it, and by the protocol that GRUB starts it with.
_KERNEL_MEASURED = 2
#: The stub that was seen to start its kernel without a measurement of its own.
_QUIET_STUB = 252


@dataclass(frozen=True)
class Program:
    """What firmware or shim verifies and measures."""

    role: str
    """shim, grub, kernel or unified kernel image"""
    path: str
    """On this machine."""
    image: bytes

    @property
    def signature(self) -> bytes:
        """Empty where it is not signed."""
        return signature_of(self.image)

    def measurement(self, bank: int) -> Measurement:
        digest = authenticode_digest(self.image, BANK_NAME[bank])
        return Measurement(_PROGRAMS_PCR, _APPLICATION, f"{self.role} {self.path}", digest)


def read_shim(path: str) -> Program:
    return Program("shim", path, read_program(path))


class InstalledBoot(ABC):
    """A way in which a machine boots from its disk."""

    #: The PCRs that follow from the files.
    predicted: FrozenSet[int]
    command_line: str

    @property
    @abstractmethod
    def programs(self) -> Tuple[Program, ...]:
        """Each once, in the order in which they start; shim first, where there is one."""

    @abstractmethod
    def measurements(self, pcr: int, bank: int, log: EventLog) -> Tuple[Measurement, ...]:
        """All that goes into one of the ``predicted`` PCRs, in order.

        Of the log of an earlier boot of this machine, what firmware measured into PCR 4 in front of shim is taken.
        """

    def _after_firmware(self, started: Sequence[Measurement], bank: int, log: EventLog) -> Tuple[Measurement, ...]:
        """PCR 4: what firmware did in that boot before it started the first of as many programs, then these."""
        events = log.of_pcr(_PROGRAMS_PCR)
        last = events[-len(started) :]
        if len(last) < len(started) or any(event.event_type != _APPLICATION for event in last):
            raise Unsupported(
                "PCR 4 cannot be predicted from this event log",
                expected=f"{len(started)} programs at its end",
                found=", ".join(event.event_type for event in last) or "nothing",
                where="event log",
            )
        return (*(measured(event, bank) for event in events[: -len(started)]), *started)


class GrubBoot(InstalledBoot):
    predicted = frozenset({4, 8, 9})

    def __init__(
        self, shim: Optional[Program], grub: str, file_systems: Sequence[MountedFileSystem], prefix: str = ""
    ) -> None:
        """``grub``: the signed GRUB. It is started from the first of the file systems. ``prefix``: the directory
        that it was built with, where it does not say so itself.

        Raises Unsupported for a configuration that cannot be predicted.
        """
        self._file_systems = {one.device: one for one in file_systems}
        image = read_program(grub)
        self._steps = trace(embedded_config(image), file_systems, prefix or embedded_prefix(image))
        (kernel,) = [step for step in self._steps if step.kind == KERNEL][-1:]
        path = self._source(kernel)
        self._kernel = Program("kernel", path, read_program(path))
        self._programs = (*((shim,) if shim else ()), Program("grub", grub, image), self._kernel)
        (line,) = [step.what for step in self._steps if step.kind == COMMAND_LINE][-1:]
        self.command_line = measured_text(line).decode("utf-8")

    @property
    def programs(self) -> Tuple[Program, ...]:
        return self._programs

    def measurements(self, pcr: int, bank: int, log: EventLog) -> Tuple[Measurement, ...]:
        if pcr == _PROGRAMS_PCR:
            return self._after_firmware(self._started(bank), bank, log)
        hash_name = BANK_NAME[bank]
        if pcr == 9:
            files = [step for step in self._steps if step.kind == FILE]
            return tuple(Measurement(9, _IPL, one.what, digest_of_file(self._source(one), hash_name)) for one in files)
        texts = [step.what for step in self._steps if step.kind not in (FILE, KERNEL)]
        return tuple(Measurement(8, _IPL, text, hashlib.new(hash_name, measured_text(text)).digest()) for text in texts)

    def _started(self, bank: int) -> List[Measurement]:
        kernels = [step for step in self._steps if step.kind == KERNEL]
        machine = parse_pe(self._kernel.image).machine
        if machine != AMD64 or len(kernels) != 1 or self._programs[0].role != "shim":
            raise Unsupported(
                "PCR 4 can be predicted only for one kernel for amd64, started by way of shim",
                expected="shim, GRUB and one kernel for amd64",
                found=f"{len(kernels)} kernels, machine {machine:#06x}, {self._programs[0].role} first",
                where=self._kernel.path,
            )
        kernel = self._kernel.measurement(bank)
        return [*(one.measurement(bank) for one in self._programs[:-1]), *[kernel] * _KERNEL_MEASURED]

    def _source(self, step: Step) -> str:
        return self._file_systems[step.device].source_of(step.path)


class UnifiedBoot(InstalledBoot):
    predicted = frozenset({4, 11})

    def __init__(self, shim: Optional[Program], path: str, phases: Sequence[str] = ()) -> None:
        """``phases``: the words that systemd-pcrphase will have extended PCR 11 by when the policy is used."""
        image = read_program(path)
        self._unified: UnifiedImage = read_unified_image(image)
        self._phases = tuple(phases)
        self._programs = (*((shim,) if shim else ()), Program("unified kernel image", path, image))
        self.command_line = self._unified.command_line

    @property
    def programs(self) -> Tuple[Program, ...]:
        return self._programs

    def measurements(self, pcr: int, bank: int, log: EventLog) -> Tuple[Measurement, ...]:
        if pcr == 11:
            return (*self._unified.measurements(bank), *phase_measurements(self._phases, bank))
        if self._unified.stub_version != _QUIET_STUB:
            raise Unsupported(
                "PCR 4 can be predicted only with a stub that is known to measure nothing into it",
                expected=f"systemd-stub {_QUIET_STUB}",
                found=f"systemd-stub {self._unified.stub_version}",
                where=self._programs[-1].path,
                next="Take PCR 7 and 11.",
            )
        return self._after_firmware([one.measurement(bank) for one in self._programs], bank, log)


@dataclass(frozen=True)
class Mount:
    directory: str
    device: str = ""
    """GRUB's name; "" to take it from the log."""
    uuid: str = ""
    """"" to take it from udev's links."""


@dataclass(frozen=True)
class GrubFiles:
    """Where a boot through GRUB lies. ``file_systems``: the first is the one that GRUB is started from."""

    grub: str
    file_systems: Tuple[Mount, ...]
    shim: str = ""
    prefix: str = ""
    replacements: Mapping[str, str] = field(default_factory=dict)
    """A path on this machine → the file that will be there."""

    kind = GrubBoot

    def boot(self, log: EventLog) -> InstalledBoot:
        names = self._devices(log)
        places = [
            MountedFileSystem(name, mount.directory, mount.uuid, self.replacements)
            for name, mount in zip(names, self.file_systems)
        ]
        shim = read_shim(self.replacements.get(self.shim, self.shim)) if self.shim else None
        return GrubBoot(shim, self.replacements.get(self.grub, self.grub), places, self.prefix)

    def _devices(self, log: EventLog) -> List[str]:
        """GRUB's first command names what it was started from; of the others the name must leave no choice."""
        said = device_names(log)
        names = [mount.device for mount in self.file_systems]
        if not names[0] and said:
            names[0] = said[0]
        left = [name for name in said if name not in names]
        for index in range(1, len(names)):
            if not names[index] and names.count("") == 1 and len(left) == 1:
                names[index] = left[0]
        if not all(names) or len(set(names)) != len(names):
            raise BadInput(
                "GRUB's name of a file system is not known",
                expected="the option device of each, such as hd0,gpt2",
                found=f"in the event log: {', '.join(said) or 'none'}",
                where=self.file_systems[names.index("")].directory if "" in names else "file_systems",
            )
        return names


@dataclass(frozen=True)
class UnifiedFiles:
    """Where a unified kernel image lies."""

    image: str
    shim: str = ""
    phases: Tuple[str, ...] = ()

    kind = UnifiedBoot

    def boot(self, log: EventLog) -> InstalledBoot:
        return UnifiedBoot(read_shim(self.shim) if self.shim else None, self.image, self.phases)


Files = Union[GrubFiles, UnifiedFiles]
