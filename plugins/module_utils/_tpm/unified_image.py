# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A unified kernel image: what systemd-stub measures of it into PCR 11.

systemd-stub(7) and its list of sections: for each that is there, its name with a NUL, then its contents as they lie in
memory. Seen with 252.39 of Debian 12; what 254 and 256 measure beside it is read in their source.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Dict, List, Sequence, Tuple

from .._core.errors import Unsupported
from .algorithm import BANK_NAME
from .event_log import EV_IPL, EVENT_NAMES
from .measurement import Measurement
from .pe_image import PeImage, Section, parse_pe

#: What is measured, in this order, and the version of systemd-stub that began with it.
_MEASURED = (
    (".linux", 252),
    (".osrel", 252),
    (".cmdline", 252),
    (".initrd", 252),
    (".ucode", 256),
    (".splash", 252),
    (".dtb", 252),
    (".uname", 254),
    (".sbat", 254),
    (".pcrpkey", 252),
)
#: Profiles and device trees to choose from: which of them counts is seen at boot.
_CHOSEN_AT_BOOT = (".profile", ".hwids", ".dtbauto", ".efifw")
_PCR = 11
_FIRST = 252
_VERSION = re.compile(rb"#### LoaderInfo: systemd-stub ([0-9]{1,4})")
#: Bytes of zeros that a loader may have to add to a section.
_MOST_FILLING = 1024 * 1024

#: What systemd-pcrphase extends PCR 11 by while the system comes up, in this order; the first two in an initrd with
#: systemd only.
PHASES = ("enter-initrd", "leave-initrd", "sysinit", "ready")
OF_INITRD = 2


@dataclass(frozen=True)
class UnifiedImage:
    stub_version: int
    sections: Tuple[Tuple[str, bytes], ...]
    """Those that are measured, by name, in the order in which they are."""

    @property
    def command_line(self) -> str:
        return dict(self.sections).get(".cmdline", b"").rstrip(b"\0\n").decode("utf-8", "replace")

    def measurements(self, bank: int) -> Tuple[Measurement, ...]:
        hash_name = BANK_NAME[bank]
        made: List[Measurement] = []
        for name, contents in self.sections:
            of_name = hashlib.new(hash_name, name.encode("ascii") + b"\0").digest()
            made.append(Measurement(_PCR, EVENT_NAMES[EV_IPL], name, of_name))
            of_contents = hashlib.new(hash_name, contents).digest()
            made.append(Measurement(_PCR, EVENT_NAMES[EV_IPL], f"contents of {name}", of_contents))
        return tuple(made)


def phase_measurements(phases: Sequence[str], bank: int) -> Tuple[Measurement, ...]:
    """Of systemd-pcrphase, each word without a NUL."""
    hash_name = BANK_NAME[bank]
    return tuple(Measurement(_PCR, "", word, hashlib.new(hash_name, word.encode("utf-8")).digest()) for word in phases)


def read_unified_image(image: bytes) -> UnifiedImage:
    """BadInput for what is no UEFI program; Unsupported for one whose measurements are not known."""
    pe = parse_pe(image)
    sections = _by_name(pe)
    version = _stub_version(image, sections)
    chosen = [name for name in _CHOSEN_AT_BOOT if name in sections]
    if chosen:
        raise _unpredictable("an image without sections to choose from at boot", ", ".join(chosen))
    for name in (".linux", ".cmdline"):
        if name not in sections:
            raise _unpredictable("a kernel and a command line in the image", f"no section {name}")
    return UnifiedImage(
        version,
        tuple(
            (name, _in_memory(image, sections[name]))
            for name, since in _MEASURED
            if since <= version and name in sections
        ),
    )


def _by_name(pe: PeImage) -> Dict[str, Section]:
    sections: Dict[str, Section] = {}
    for section in pe.sections:
        if section.name in sections and section.name in [name for name, _since in _MEASURED]:
            raise _unpredictable("each section once", f"{section.name} twice")
        sections[section.name] = section
    return sections


def _stub_version(image: bytes, sections: Dict[str, Section]) -> int:
    magic = sections.get(".sdmagic")
    found = _VERSION.search(image[magic.raw_at : magic.raw_at + magic.raw_size]) if magic else None
    version = int(found.group(1)) if found else 0
    if version < _FIRST:
        raise _unpredictable(
            f"systemd-stub {_FIRST} or newer", f"systemd-stub {version}" if version else "no systemd-stub"
        )
    return version


def _in_memory(image: bytes, section: Section) -> bytes:
    if section.virtual_size > section.raw_size + _MOST_FILLING:
        raise _unpredictable("sections with contents", f"{section.virtual_size} bytes of {section.name}")
    contents = image[section.raw_at : section.raw_at + min(section.raw_size, section.virtual_size)]
    return contents + bytes(section.virtual_size - len(contents))


def _unpredictable(expected: str, found: str) -> Unsupported:
    return Unsupported(
        "what this image would measure into PCR 11 cannot be predicted",
        expected=expected,
        found=found,
        where="unified kernel image",
    )
