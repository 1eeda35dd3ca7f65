# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a boot through shim and GRUB will measure, computed from the files that boot.

shim and GRUB go into PCR 4 by their Authenticode digests, each command that GRUB executes into PCR 8 by its text, each
file that it reads into PCR 9 by its contents. Seen with Debian 12's shim 15.8/16.1, GRUB 2.06-13+deb12u2 and kernel 6.1
on OVMF. Nothing here reads a file or a TPM.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Dict, List, Mapping, Optional, Sequence, Tuple, cast

from .._core.errors import Unsupported
from .grub_script import Command, If, Statement, parse

#: Stand where GRUB's strings name a device (``cd0``, ``hd1,gpt2``), which differs between machines.
DEVICE = "{device}"
#: The partition that GRUB was started from, where its files lie elsewhere.
BOOT_DEVICE = "{boot_device}"

GRUB_COMMAND = "grub_cmd: "
KERNEL_COMMAND_LINE = "kernel_cmdline: "

EV_SEPARATOR = "EV_SEPARATOR"
EV_EFI_ACTION = "EV_EFI_ACTION"
EV_EFI_BOOT_SERVICES_APPLICATION = "EV_EFI_BOOT_SERVICES_APPLICATION"
EV_IPL = "EV_IPL"

CALLING_APPLICATION = "Calling EFI Application from Boot Option"

#: Commands that read no file, run nothing and set no variable that later commands of a static configuration use.
_INERT = frozenset(
    {"echo", "insmod", "serial", "terminal", "terminal_input", "terminal_output", "background_color", "clear"}
)


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
    """The digest of a GRUB event of PCR 8, whose prefix the log shows and GRUB does not measure."""
    for prefix in (GRUB_COMMAND, KERNEL_COMMAND_LINE):
        if what.startswith(prefix):
            return hashlib.sha256(what[len(prefix) :].encode("utf-8")).hexdigest()
    return hashlib.sha256(what.encode("utf-8")).hexdigest()


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
    return _Boot(images, files, configs, prefix, loaded_from, kernel_measured).events(embedded_config)


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


@dataclass(frozen=True)
class _Entry:
    title: str
    body: str


class _Boot:
    """Executes GRUB's scripts as far as measurements go."""

    def __init__(
        self,
        images: Sequence[BootImage],
        files: Mapping[str, str],
        configs: Mapping[str, str],
        prefix: str,
        loaded_from: str,
        kernel_measured: int,
    ) -> None:
        self._images = images
        self._files = files
        self._configs = configs
        self._kernel_measured = kernel_measured
        start = DEVICE if loaded_from == "medium" else BOOT_DEVICE
        self._variables: Dict[str, str] = {"prefix": f"({start}){prefix}", "root": start, "default": "0"}
        self._entries: List[_Entry] = []
        self._events: List[ExpectedEvent] = []
        self._depth = 0
        self._kernel_loaded = False
        self._booted = False

    def events(self, embedded_config: str) -> Tuple[ExpectedEvent, ...]:
        self._firmware()
        self._execute(parse(embedded_config))
        if not self._booted:
            self._chosen_entry()
        return tuple(self._events)

    def _firmware(self) -> None:
        calling = hashlib.sha256(CALLING_APPLICATION.encode("ascii")).hexdigest()
        self._add(4, EV_EFI_ACTION, CALLING_APPLICATION, calling)
        self._add(4, EV_SEPARATOR, "00000000", hashlib.sha256(bytes(4)).hexdigest())
        for image in self._images:
            if image.role != "kernel":
                self._image(image)

    def _image(self, image: BootImage) -> None:
        what = f"{image.role} {image.path}"
        self._add(4, EV_EFI_BOOT_SERVICES_APPLICATION, what, image.authenticode_sha256)

    def _chosen_entry(self) -> None:
        if self._variables["default"] != "0" or not self._entries:
            raise _unpredictable(
                f"default {self._variables['default']} of {len(self._entries)} entries", "entry 0 as default"
            )
        entry = self._entries[0]
        self._command_event(["setparams", entry.title])
        self._execute(parse(entry.body))

    def _execute(self, statements: Sequence[Statement]) -> bool:
        """Whether the last command succeeded."""
        succeeded = True
        for statement in statements:
            if self._booted:
                break
            succeeded = self._if(statement) if isinstance(statement, If) else self._command(statement)
        return succeeded

    def _if(self, statement: If) -> bool:
        for branch in statement.branches:
            if self._execute(branch.condition):
                return self._execute(branch.body)
        return self._execute(statement.otherwise)

    def _command(self, command: Command) -> bool:
        arguments = [word.expanded(self._variables) for word in command.words]
        self._command_event(["!", *arguments] if command.negated else arguments)
        return self._run(arguments) is not command.negated

    def _command_event(self, arguments: Sequence[str]) -> None:
        self._text_event(GRUB_COMMAND + " ".join(arguments))

    def _text_event(self, what: str) -> None:
        depends = DEVICE in what or BOOT_DEVICE in what
        self._add(8, EV_IPL, what, "" if depends else measured_text_sha256(what))

    def _run(self, arguments: Sequence[str]) -> bool:
        name, *rest = arguments
        if name == "[":
            return self._test(rest)
        if name == "set" and len(rest) == 1:
            return self._set(rest[0])
        if "=" in name and not rest:
            return self._set(name)
        if name == "search":
            return self._search(rest)
        if name in ("source", "configfile") and len(rest) == 1:
            return self._source(rest[0])
        if name == "menuentry":
            return self._menuentry(rest)
        if name == "linux" and rest:
            return self._linux(rest)
        if name == "initrd" and rest:
            for path in rest:
                self._read(path)
            return True
        if name == "boot" and not rest and self._kernel_loaded:
            self._booted = True
            return True
        if name in _INERT:
            return True
        raise _unpredictable(" ".join(arguments)[:80], "commands whose measurements are known")

    def _set(self, assignment: str) -> bool:
        name, equals, value = assignment.partition("=")
        if not equals or name in ("cmdpath", "pager", "check_signatures"):
            raise _unpredictable(f"set {assignment}", "set name=value")
        self._variables[name] = value
        return True

    def _search(self, rest: Sequence[str]) -> bool:
        """The medium itself is what is found: by a file that it has, or by its label or UUID."""
        variable = "root"
        wanted = ""
        by_file = False
        for argument in rest:
            if argument.startswith("--set"):
                variable = argument.partition("=")[2] or "root"
            elif argument in ("--file", "-f"):
                by_file = True
            elif not argument.startswith("-"):
                wanted = argument
        if not wanted:
            raise _unpredictable("search without a name", "search --file, --label or --fs-uuid")
        if by_file and wanted not in self._files:
            return False
        if by_file:
            # It is found by being opened, and what is opened is measured.
            self._add(9, EV_IPL, f"({DEVICE}){wanted}", self._files[wanted])
        self._variables[variable] = DEVICE
        return True

    def _source(self, path: str) -> bool:
        on_medium = self._on_medium(path)
        if on_medium not in self._configs:
            raise _unpredictable(path, "configs with the text of every script that is sourced")
        if self._depth >= 8:
            raise _unpredictable(f"{path} that sources itself", "scripts without a circle")
        self._read(path)
        self._depth += 1
        succeeded = self._execute(parse(self._configs[on_medium]))
        self._depth -= 1
        return succeeded

    def _menuentry(self, rest: Sequence[str]) -> bool:
        if len(rest) < 2 or not rest[-1].startswith("{"):
            raise _unpredictable("menuentry without title or body", "menuentry TITLE [OPTIONS] { … }")
        self._entries.append(_Entry(title=rest[0], body=rest[-1][1:-1]))
        return True

    def _linux(self, rest: Sequence[str]) -> bool:
        # GRUB quotes and escapes such arguments anew; how, is not predicted here.
        odd = [argument for argument in rest if not argument or set(argument) & set(" \t\n'\"\\")]
        if odd:
            raise _unpredictable(odd[0], "kernel arguments without white space, quotes and backslashes")
        kernels = [image for image in self._images if image.role == "kernel"]
        if [image.path for image in kernels] != [self._on_medium(rest[0])]:
            raise _unpredictable(f"linux {rest[0]}", f"the kernel of the chain: {[image.path for image in kernels]}")
        self._read(rest[0])
        for _time in range(self._kernel_measured):
            self._image(kernels[0])
        self._text_event(KERNEL_COMMAND_LINE + " ".join(rest))
        self._kernel_loaded = True
        return True

    def _read(self, path: str) -> None:
        digest = self._files.get(self._on_medium(path))
        if digest is None:
            raise _unpredictable(path, "files with the SHA-256 of every file that GRUB reads")
        self._add(9, EV_IPL, path, digest)

    def _test(self, words: Sequence[str]) -> bool:
        if not words or words[-1] != "]":
            raise _unpredictable("[ " + " ".join(words), "[ … ]")
        # -o binds weaker than everything else that is understood here.
        alternatives: List[List[str]] = [[]]
        for word in words[:-1]:
            if word == "-o":
                alternatives.append([])
            else:
                alternatives[-1].append(word)
        return any(self._primary(alternative) for alternative in alternatives)

    def _primary(self, words: Sequence[str]) -> bool:
        if words and words[0] == "!":
            return not self._primary(words[1:])
        if len(words) == 2 and words[0] in ("-z", "-n"):
            return (words[1] == "") is (words[0] == "-z")
        if len(words) == 2 and words[0] == "-e":
            return self._exists(words[1])
        raise _unpredictable(" ".join(words), "-z, -n, -e, ! and -o")

    def _exists(self, path: str) -> bool:
        on_medium = self._on_medium(path)
        return bool(on_medium) and (
            on_medium in self._files or any(file.startswith(on_medium.rstrip("/") + "/") for file in self._files)
        )

    def _on_medium(self, path: str) -> str:
        """The path without its device; "" where it lies on another one."""
        device: Optional[str] = None
        if path.startswith("("):
            device, _close, path = path[1:].partition(")")
        return path if (device or self._variables["root"]) == DEVICE else ""

    def _add(self, pcr: int, event_type: str, what: str, digest: str) -> None:
        self._events.append(ExpectedEvent(pcr, event_type, what, digest))


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
