# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What GRUB does with its scripts, step by step, as far as it measures it.

Each command that GRUB executes goes into PCR 8 by its text, the kernel's command line too, and each file that it reads
into PCR 9 by its contents. Seen with Debian 12's GRUB 2.06-13+deb12u2 on OVMF.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Dict, List, Optional, Sequence, Tuple

from .._core.errors import Unsupported
from .grub_script import Command, If, Statement, parse

GRUB_COMMAND = "grub_cmd: "
KERNEL_COMMAND_LINE = "kernel_cmdline: "

#: Kinds of steps.
COMMAND = "command"
COMMAND_LINE = "command line"
FILE = "file"
KERNEL = "kernel"

#: What ``search`` looks for.
BY_FILE = "file"
BY_LABEL = "label"
BY_UUID = "fs-uuid"

#: Commands that read no file, run nothing and set no variable that later commands of a static configuration use.
_INERT = frozenset({"echo", "serial", "terminal", "terminal_input", "terminal_output", "background_color", "clear"})
#: A script of its own (``configfile``) begins with these and no others.
_EXPORTED = ("prefix", "root")
_DEEPEST = 8
_MOST_STEPS = 5000


@dataclass(frozen=True)
class Step:
    """Something that GRUB measures."""

    kind: str
    what: str
    """As the event log shows it, without the trailing NUL: with its prefix a command, else the path that GRUB used."""
    device: str = ""
    """Where a file or kernel lies, by GRUB's name."""
    path: str = ""
    """Absolute, in that file system."""


class FileSystem(ABC):
    """A file system as GRUB finds it."""

    def __init__(self, device: str) -> None:
        self.device = device
        """GRUB's name of it, without parentheses."""

    @abstractmethod
    def exists(self, path: str) -> bool:
        """Whether a file or directory is there; ``path`` is absolute."""

    @abstractmethod
    def is_file(self, path: str) -> bool:
        """Whether a file is there, which GRUB can open."""

    @abstractmethod
    def script(self, path: str) -> str:
        """The text of a script; Unsupported where it cannot be read."""

    @abstractmethod
    def answers_to(self, by: str, wanted: str) -> bool:
        """Whether ``search`` finds it by this label or UUID."""


def measured_text(what: str) -> bytes:
    """What GRUB measures of a text that the log shows: not its prefix, and no NUL."""
    for prefix in (GRUB_COMMAND, KERNEL_COMMAND_LINE):
        if what.startswith(prefix):
            return what[len(prefix) :].encode("utf-8")
    return what.encode("utf-8")


def trace(embedded_config: str, file_systems: Sequence[FileSystem], prefix: str) -> Tuple[Step, ...]:
    """The steps up to the start of a kernel.

    ``embedded_config``: the script inside the signed GRUB (:func:`.grub_image.embedded_config`). ``prefix``: the
    directory that GRUB was built with, on the first of the file systems, which is the one that it was started from.

    Raises Unsupported for a configuration that cannot be predicted.
    """
    return _Grub(file_systems, prefix).steps(embedded_config)


@dataclass(frozen=True)
class _Entry:
    title: str
    body: str


class _Grub:
    """Executes scripts."""

    def __init__(self, file_systems: Sequence[FileSystem], prefix: str) -> None:
        self._file_systems = {one.device: one for one in file_systems}
        start = file_systems[0].device
        self._variables: Dict[str, str] = {"prefix": f"({start}){prefix}", "root": start, "default": "0"}
        self._entries: List[_Entry] = []
        self._steps: List[Step] = []
        self._depth = 0
        self._kernel_loaded = False
        self._booted = False

    def steps(self, embedded_config: str) -> Tuple[Step, ...]:
        self._execute(parse(embedded_config))
        if not self._booted:
            self._chosen_entry()
        if not self._kernel_loaded:
            raise _unpredictable("no kernel", "an entry that loads one")
        return tuple(self._steps)

    def _chosen_entry(self) -> None:
        if self._variables["default"] != "0" or not self._entries:
            raise _unpredictable(
                f"default {self._variables['default']} of {len(self._entries)} entries", "entry 0 as default"
            )
        entry = self._entries[0]
        self._executed(["setparams", entry.title])
        self._execute(parse(entry.body))
        # An entry that has loaded a kernel starts it when it ends.
        self._booted = True

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
        self._executed(["!", *arguments] if command.negated else arguments)
        return self._run(arguments) is not command.negated

    def _executed(self, arguments: Sequence[str]) -> None:
        self._add(Step(COMMAND, GRUB_COMMAND + " ".join(arguments)))

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
        if name.startswith("search."):
            return self._search_by_name(name, rest)
        if name == "source" and len(rest) == 1:
            return self._source(rest[0])
        if name == "configfile" and len(rest) == 1:
            return self._configfile(rest[0])
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
        if name == "insmod" and len(rest) == 1:
            return self._insmod(rest[0])
        if name in _INERT:
            return True
        raise _unpredictable(" ".join(arguments)[:80], "commands whose measurements are known")

    def _insmod(self, module: str) -> bool:
        """Nothing is read where the module is part of the image, or not there at all."""
        path = f"{self._variables.get('prefix', '')}/x86_64-efi/{module}.mod"
        device, in_it = self._place(path)
        file_system = self._file_systems.get(device)
        if file_system is not None and file_system.is_file(in_it):
            raise _unpredictable(
                f"insmod {module}, which may read {path}", "no insmod: Debian's signed GRUB needs none"
            )
        return True

    def _set(self, assignment: str) -> bool:
        name, equals, value = assignment.partition("=")
        if not equals or name in ("cmdpath", "pager", "check_signatures"):
            raise _unpredictable(f"set {assignment}", "set name=value")
        self._variables[name] = value
        return True

    def _search(self, rest: Sequence[str]) -> bool:
        variable = "root"
        wanted = ""
        by = BY_UUID
        for argument in rest:
            if argument.startswith("--set"):
                variable = argument.partition("=")[2] or "root"
            elif argument in ("--file", "-f"):
                by = BY_FILE
            elif argument in ("--label", "-l"):
                by = BY_LABEL
            elif argument == "--hint":
                raise _unpredictable("search --hint DEVICE", "search --hint=DEVICE")
            elif not argument.startswith("-"):
                wanted = argument
        return self._search_for(by, wanted, variable)

    def _search_by_name(self, name: str, rest: Sequence[str]) -> bool:
        """``search.fs_uuid UUID [VARIABLE [HINT…]]`` and its like, as grub-install writes them."""
        kinds = {"search.fs_uuid": BY_UUID, "search.fs_label": BY_LABEL, "search.file": BY_FILE}
        if name not in kinds or not rest:
            raise _unpredictable(" ".join((name, *rest))[:80], "search.fs_uuid, search.fs_label or search.file")
        return self._search_for(kinds[name], rest[0], rest[1] if len(rest) > 1 else "root")

    def _search_for(self, by: str, wanted: str, variable: str) -> bool:
        if not wanted:
            raise _unpredictable("search without a name", "search --file, --label or --fs-uuid")
        if by == BY_FILE:
            found = [one for one in self._file_systems.values() if one.is_file(wanted)]
        else:
            found = [one for one in self._file_systems.values() if one.answers_to(by, wanted)]
        if len(found) > 1:
            raise _unpredictable(f"search for {wanted}, which {len(found)} file systems have", "one that has it")
        if not found:
            return False
        if by == BY_FILE:
            # It is found by being opened, and what is opened is measured.
            self._add(Step(FILE, f"({found[0].device}){wanted}", found[0].device, wanted))
        self._variables[variable] = found[0].device
        return True

    def _source(self, path: str) -> bool:
        device, in_it = self._place(path)
        if self._depth >= _DEEPEST:
            raise _unpredictable(f"{path} that sources itself", "scripts without a circle")
        script = self._file_system(device, path).script(in_it)
        self._read(path)
        self._depth += 1
        succeeded = self._execute(parse(script))
        self._depth -= 1
        return succeeded

    def _configfile(self, path: str) -> bool:
        """A script with variables and a menu of its own, which is shown before anything behind it is executed."""
        outer, menu = self._variables, self._entries
        self._variables = {"default": "0", **{name: outer[name] for name in _EXPORTED if name in outer}}
        self._entries = []
        succeeded = self._source(path)
        if self._entries and not self._booted:
            self._chosen_entry()
        inner = self._variables
        self._variables, self._entries = outer, menu
        outer.update({name: inner[name] for name in _EXPORTED if name in inner})
        return succeeded

    def _menuentry(self, rest: Sequence[str]) -> bool:
        if len(rest) < 2 or rest[0].startswith("-") or not rest[-1].startswith("{"):
            raise _unpredictable("menuentry without title or body", "menuentry TITLE [OPTIONS] { … }")
        self._entries.append(_Entry(title=rest[0], body=rest[-1][1:-1]))
        return True

    def _linux(self, rest: Sequence[str]) -> bool:
        # GRUB quotes and escapes such arguments anew; how, is not predicted here.
        odd = [argument for argument in rest if not argument or set(argument) & set(" \t\n'\"\\")]
        if odd:
            raise _unpredictable(odd[0], "kernel arguments without white space, quotes and backslashes")
        self._read(rest[0])
        device, path = self._place(rest[0])
        self._add(Step(KERNEL, rest[0], device, path))
        self._add(Step(COMMAND_LINE, KERNEL_COMMAND_LINE + " ".join(rest)))
        self._kernel_loaded = True
        return True

    def _read(self, path: str) -> None:
        device, in_it = self._place(path)
        if not self._file_system(device, path).is_file(in_it):
            raise _unpredictable(path, "every file that GRUB reads")
        self._add(Step(FILE, path, device, in_it))

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
            device, path = self._place(words[1])
            file_system = self._file_systems.get(device)
            return file_system is not None and file_system.exists(path)
        raise _unpredictable(" ".join(words), "-z, -n, -e, ! and -o")

    def _place(self, path: str) -> Tuple[str, str]:
        """The device, and the path on it."""
        device: Optional[str] = None
        if path.startswith("("):
            device, _close, path = path[1:].partition(")")
        return device or self._variables["root"], path

    def _file_system(self, device: str, path: str) -> FileSystem:
        file_system = self._file_systems.get(device)
        if file_system is None:
            raise _unpredictable(path, f"a path on {' or '.join(self._file_systems)}")
        return file_system

    def _add(self, step: Step) -> None:
        if len(self._steps) >= _MOST_STEPS:
            raise _unpredictable(f"more than {_MOST_STEPS} commands", "fewer")
        self._steps.append(step)


def _unpredictable(found: str, expected: str) -> Unsupported:
    return Unsupported(
        "what GRUB would measure cannot be predicted",
        expected=expected,
        found=found,
        where="grub.cfg",
        next="Write the configuration without it.",
    )
