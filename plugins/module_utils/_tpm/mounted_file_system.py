# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A file system of this machine, as GRUB will find it: the same files under other names."""

from __future__ import annotations

import hashlib
import os
import stat
from typing import Mapping

from .._core.errors import BadInput, NotFound, Unsupported
from .grub_trace import BY_UUID, FileSystem

_BY_UUID = "/dev/disk/by-uuid"
#: Bytes; a static configuration has hundreds.
_LARGEST_SCRIPT = 1024 * 1024
#: Bytes; a program is read whole.
_LARGEST_PROGRAM = 1024 * 1024 * 1024
_BLOCK = 1024 * 1024


class MountedFileSystem(FileSystem):
    """``directory`` is where it is mounted. ``replacements``: a path on this machine → the file that will be there."""

    def __init__(
        self, device: str, directory: str, uuid: str, replacements: Mapping[str, str], by_uuid: str = _BY_UUID
    ) -> None:
        """``uuid``: "" to look it up in the directory ``by_uuid``."""
        super().__init__(device)
        self._directory = os.path.realpath(directory)
        if not os.path.isdir(self._directory):
            raise NotFound("this is no directory", expected="where the file system is mounted", found=directory)
        self._device_number = os.stat(self._directory).st_dev
        self._uuid = uuid or _uuid_of(self._device_number, by_uuid)
        self._replacements = {os.path.normpath(path): source for path, source in replacements.items()}

    def exists(self, path: str) -> bool:
        return self._here(path) in self._replacements or os.path.exists(self._real(path))

    def is_file(self, path: str) -> bool:
        return os.path.isfile(self.source_of(path))

    def script(self, path: str) -> str:
        source = self.source_of(path)
        try:
            with open(source, "rb") as file:
                text = file.read(_LARGEST_SCRIPT + 1)
        except OSError as error:
            raise _unreadable(source, error) from error
        if len(text) > _LARGEST_SCRIPT:
            raise Unsupported("this script is too long", expected=f"at most {_LARGEST_SCRIPT} bytes", where=path)
        try:
            return text.decode("utf-8")
        except UnicodeDecodeError as error:
            raise Unsupported("this script is no text", expected="UTF-8", found=str(error), where=path) from error

    def answers_to(self, by: str, wanted: str) -> bool:
        if by != BY_UUID:
            raise Unsupported(
                "a search by label cannot be predicted",
                expected="search.fs_uuid or search --fs-uuid",
                found=f"search for the label {wanted}",
                where="grub.cfg",
            )
        if not self._uuid:
            raise NotFound(
                "the UUID of this file system is not known",
                expected=f"a link in {_BY_UUID}, or the option uuid",
                found="none",
                where=self._directory,
            )
        return wanted.lower() == self._uuid.lower()

    def source_of(self, path: str) -> str:
        """The file on this machine that GRUB will read under this path."""
        here = self._here(path)
        if here in self._replacements:
            return self._replacements[here]
        real = self._real(path)
        return self._replacements.get(real, real)

    def _here(self, path: str) -> str:
        return os.path.normpath(os.path.join(self._directory, path.lstrip("/")))

    def _real(self, path: str) -> str:
        """Links followed as GRUB does, which knows this file system only."""
        real = os.path.realpath(self._here(path))
        within = os.path.commonpath([real, self._directory]) == self._directory
        if not within or (os.path.exists(real) and os.stat(real).st_dev != self._device_number):
            raise Unsupported(
                "this file lies on another file system, where GRUB would not find it",
                expected=f"a file on the file system of {self._directory}",
                found=real,
                where=path,
            )
        return real


def digest_of_file(path: str, hash_name: str) -> bytes:
    """Of the whole file, however large."""
    digest = hashlib.new(hash_name)
    try:
        with open(path, "rb") as file:
            for block in iter(lambda: file.read(_BLOCK), b""):
                digest.update(block)
    except OSError as error:
        raise _unreadable(path, error) from error
    return digest.digest()


def read_program(path: str) -> bytes:
    """A UEFI program."""
    try:
        with open(path, "rb") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode) or found.st_size > _LARGEST_PROGRAM:
                raise BadInput("this is no UEFI program", expected="a file of at most 1 GiB", found=path)
            return file.read()
    except OSError as error:
        raise _unreadable(path, error) from error


def _uuid_of(device_number: int, by_uuid: str) -> str:
    """By udev's links; "" where there is none."""
    if not os.path.isdir(by_uuid):
        return ""
    for name in os.listdir(by_uuid):
        link = os.path.join(by_uuid, name)
        if os.path.exists(link) and os.stat(link).st_rdev == device_number:
            return name
    return ""


def _unreadable(path: str, error: OSError) -> NotFound:
    return NotFound(
        "a file that boots cannot be read",
        expected="a file on the node",
        found=error.strerror or str(error),
        where=path,
    )
