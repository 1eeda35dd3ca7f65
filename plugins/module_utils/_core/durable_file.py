# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files whose change is on the disk itself when the call returns, and that a kill leaves whole or not there at all.

Errors are the operating system's: what they mean, and what to do about them, the caller knows.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import BinaryIO, Callable, ContextManager, Iterator


def new(path: str, mode: int = 0o600) -> ContextManager[BinaryIO]:
    """A new file, on the disk when its ``with`` block has ended; FileExistsError where the name is taken."""
    return _on_disk(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode))


def write(
    path: str, content: bytes, *, unfinished: str, mode: int = 0o600, for_owner_of_directory: bool = False
) -> None:
    """Put a file with this content in place, in one step.

    :param unfinished: its name until then, in the same directory. One name for one file: what a killed run left there
        is replaced by the next, not left lying.
    :param for_owner_of_directory: the file belongs to who owns the directory, whoever writes it
    """
    directory = os.path.dirname(path) or "."
    try:
        os.unlink(unfinished)
    except FileNotFoundError:
        pass
    with new(unfinished, mode) as file:
        if for_owner_of_directory:
            owner = os.stat(directory)
            os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
        file.write(content)
    os.rename(unfinished, path)
    sync_directory(directory)


def overwrite_and_remove(path: str, random: Callable[[int], bytes]) -> None:
    """Fill the blocks where the file lies now with what ``random`` gives, and remove it.

    That reaches no copy, no snapshot, no spare block of an SSD.
    """
    with _on_disk(os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)) as file:
        file.write(random(os.fstat(file.fileno()).st_size))
    os.unlink(path)
    sync_directory(os.path.dirname(path) or ".")


def sync_directory(path: str) -> None:
    """Names that were given or taken away in this directory are on the disk."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _on_disk(handle: int) -> Iterator[BinaryIO]:
    with os.fdopen(handle, "wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
