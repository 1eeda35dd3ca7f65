# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a boot of a live medium through shim and GRUB will measure, computed from the files that boot.

shim and GRUB go into PCR 4 by their Authenticode digests, each command that GRUB executes into PCR 8 by its text, each
file that it reads into PCR 9 by its contents. Seen with Debian 12's shim 15.8/16.1, GRUB 2.06-13+deb12u2 and kernel 6.1
on OVMF. Nothing here reads a file or a TPM.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Dict, List, Mapping, Sequence, Tuple, cast

from .._core.errors import Unsupported
from .grub_trace import FILE, KERNEL, FileSystem, measured_text, trace

#: Stand where GRUB's strings name a device (``cd0``, ``hd1,gpt2``), which differs between machines.
DEVICE = "{device}"
#: The partition that GRUB was started from, where its files lie elsewhere.
BOOT_DEVICE = "{boot_device}"

EV_SEPARATOR = "EV_SEPARATOR"
EV_EFI_ACTION = "EV_EFI_ACTION"
EV_EFI_BOOT_SERVICES_APPLICATION = "EV_EFI_BOOT_SERVICES_APPLICATION"
EV_IPL = "EV_IPL"

CALLING_APPLICATION = "Calling EFI Application from Boot Option"


@dataclass(frozen=True)
class BootImage:
    """A program of the chain that firmware or shim verifies."""

    role: str
    """shim, grub or kernel"""
    path: str
    """Absolute, on the medium."""
    authenticode_sha256: str
    """Lower-case hex; :func:`.authenticode.authenticode_sha256` computes it."""


@dataclass(frozen=True)
class ExpectedEvent:
    """One measurement that the boot makes."""

    pcr: int
    event_type: str
    """By the name that the TCG gives it."""
    what: str
    """As the event log shows it where it shows text, without the trailing NUL; may carry ``{device}``."""
    digest_sha256: str
    """Lower-case hex; "" where it depends on the device."""

    def as_dict(self) -> Dict[str, object]:
        """As it stands in a manifest."""
        event: Dict[str, object] = {"pcr": self.pcr, "event_type": self.event_type, "what": self.what}
        if self.digest_sha256:
            event["digest_sha256"] = self.digest_sha256
        return event

    def on(self, device: str, boot_device: str) -> ExpectedEvent:
        """The same event on a machine whose GRUB names the devices so."""
        what = self.what.replace(DEVICE, device).replace(BOOT_DEVICE, boot_device)
        digest = self.digest_sha256 or measured_text_sha256(what)
        return ExpectedEvent(self.pcr, self.event_type, what, digest)


def measured_text_sha256(what: str) -> str:
    """The digest of a GRUB event of PCR 8."""
    return hashlib.sha256(measured_text(what)).hexdigest()


def predict_grub_boot(
    *,
    images: Sequence[BootImage],
    embedded_config: str,
    files: Mapping[str, str],
    configs: Mapping[str, str],
    prefix: str = "/boot/grub",
    loaded_from: str = "medium",
    kernel_measured: int = 2,
) -> Tuple[ExpectedEvent, ...]:
    """The events of PCR 4, 8 and 9, in order.

    ``images``: shim, grub, kernel, as they are loaded. ``embedded_config``: the script inside the signed GRUB
    (:func:`.grub_image.embedded_config`). ``files``: absolute path on the medium → SHA-256 (lower-case hex), at least
    of every file that GRUB reads or asks for. ``configs``: the text of those that are scripts. ``prefix``: the
    directory that GRUB was built with. ``loaded_from``: ``medium`` where firmware boots the medium as a CD,
    ``partition`` where it boots the EFI partition of it as a disk, so that GRUB has to search for its files.
    ``kernel_measured``: how often the kernel goes into PCR 4 (twice on amd64).

    Raises Unsupported for a configuration that cannot be predicted.
    """
    if loaded_from not in ("medium", "partition"):
        raise Unsupported("unknown place to boot from", expected="medium or partition", found=loaded_from)
    for text in (embedded_config, *configs.values()):
        if DEVICE in text or BOOT_DEVICE in text:
            raise Unsupported("a configuration that contains a placeholder's text", found=f"{DEVICE} or {BOOT_DEVICE}")
    medium = _Medium(DEVICE, files, configs)
    places = (medium,) if loaded_from == "medium" else (_Elsewhere(BOOT_DEVICE), medium)
    kernels = [image for image in images if image.role == "kernel"]
    events = _firmware(images)
    for step in trace(embedded_config, places, prefix):
        if step.kind == KERNEL:
            if [image.path for image in kernels] != [step.path]:
                raise _unpredictable(
                    f"linux {step.what}", f"the kernel of the chain: {[image.path for image in kernels]}"
                )
            events.extend([_started(kernels[0])] * kernel_measured)
        elif step.kind == FILE:
            events.append(ExpectedEvent(9, EV_IPL, step.what, files[step.path]))
        else:
            events.append(_text_event(step.what))
    return tuple(events)


def predict_live_image_boots(
    *,
    images: Sequence[BootImage],
    embedded_config: str,
    files: Mapping[str, str],
    configs: Mapping[str, str],
    prefix: str = "/boot/grub",
    kernel_measured: int = 2,
) -> Tuple[Tuple[ExpectedEvent, ...], ...]:
    """The ways in which one medium can boot: as a CD, and as a disk with an EFI partition.

    The second is left out where GRUB, started from the partition, would not find its files on this medium.
    """

    def boot(loaded_from: str) -> Tuple[ExpectedEvent, ...]:
        return predict_grub_boot(
            images=images,
            embedded_config=embedded_config,
            files=files,
            configs=configs,
            prefix=prefix,
            loaded_from=loaded_from,
            kernel_measured=kernel_measured,
        )

    as_medium = boot("medium")
    try:
        return (as_medium, boot("partition"))
    except Unsupported:
        return (as_medium,)


class _Medium(FileSystem):
    """The medium, of which all is known."""

    def __init__(self, device: str, files: Mapping[str, str], configs: Mapping[str, str]) -> None:
        super().__init__(device)
        self._files = files
        self._configs = configs

    def exists(self, path: str) -> bool:
        return bool(path) and (
            path in self._files or any(file.startswith(path.rstrip("/") + "/") for file in self._files)
        )

    def is_file(self, path: str) -> bool:
        return path in self._files

    def script(self, path: str) -> str:
        if path not in self._configs:
            raise _unpredictable(path, "configs with the text of every script that is sourced")
        return self._configs[path]

    def answers_to(self, by: str, wanted: str) -> bool:
        """By its label and UUID, which are not looked at: it is what is booted."""
        return True


class _Elsewhere(FileSystem):
    """The EFI partition, where the medium's files do not lie."""

    def exists(self, path: str) -> bool:
        return False

    def is_file(self, path: str) -> bool:
        return False

    def script(self, path: str) -> str:
        raise _unpredictable(path, "configs with the text of every script that is sourced")

    def answers_to(self, by: str, wanted: str) -> bool:
        return False


def _firmware(images: Sequence[BootImage]) -> List[ExpectedEvent]:
    calling = hashlib.sha256(CALLING_APPLICATION.encode("ascii")).hexdigest()
    return [
        ExpectedEvent(4, EV_EFI_ACTION, CALLING_APPLICATION, calling),
        ExpectedEvent(4, EV_SEPARATOR, "00000000", hashlib.sha256(bytes(4)).hexdigest()),
        *(_started(image) for image in images if image.role != "kernel"),
    ]


def _started(image: BootImage) -> ExpectedEvent:
    return ExpectedEvent(4, EV_EFI_BOOT_SERVICES_APPLICATION, f"{image.role} {image.path}", image.authenticode_sha256)


def _text_event(what: str) -> ExpectedEvent:
    depends = DEVICE in what or BOOT_DEVICE in what
    return ExpectedEvent(8, EV_IPL, what, "" if depends else measured_text_sha256(what))


def _unpredictable(found: str, expected: str) -> Unsupported:
    return Unsupported(
        "what GRUB would measure cannot be predicted",
        expected=expected,
        found=found,
        where="grub.cfg",
        next="Write the configuration without it.",
    )


def event_from_dict(event: Mapping[str, object]) -> ExpectedEvent:
    """The reverse of :meth:`ExpectedEvent.as_dict`; the manifest's reader has checked the types."""
    return ExpectedEvent(
        pcr=cast(int, event["pcr"]),
        event_type=str(event["event_type"]),
        what=str(event["what"]),
        digest_sha256=str(event.get("digest_sha256") or ""),
    )
