# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files that hold a secret: PINs, private keys. Their owner reads them, and nobody else."""

from __future__ import annotations

import os
import stat

from .._core.errors import BadInput, UnsafeSecretFile

_LARGEST = 64 * 1024


def read_secret(path: str, what: str) -> bytes:
    """The content of such a file. BadInput where it can't be read, UnsafeSecretFile where others could.

    Looks at the file that it opened, so that nothing can be put in its place in between.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise BadInput(
            f"{what} can't be read: {error.strerror}.",
            expected="a file with mode 0600",
            where=path,
            next="Put it there, best on a tmpfs: install -m 600 /dev/stdin " + path,
        ) from error
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise UnsafeSecretFile(f"{what} is not in a regular file.", expected="a regular file", where=path)
        if stat.S_IMODE(found.st_mode) & 0o077 or found.st_uid not in (0, os.geteuid()):
            raise UnsafeSecretFile(
                f"{what} can be read by others.",
                expected="mode 0600 or 0400, owned by this user or root",
                found=f"mode {stat.S_IMODE(found.st_mode):04o}, owned by uid {found.st_uid}",
                where=path,
                next=f"chmod 600 {path}; whoever could read it until now may have it: change it where that matters.",
            )
        content = os.read(handle, _LARGEST + 1)
    finally:
        os.close(handle)
    if not content or len(content) > _LARGEST:
        raise BadInput(
            f"{what} is empty or too large.", expected=f"1 to {_LARGEST} bytes", found=f"{len(content)}", where=path
        )
    return content


def read_pin(path: str) -> str:
    """A PIN: the first and only line of its file."""
    try:
        pin = read_secret(path, "The PIN").decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        raise BadInput("The PIN is not text.", expected="UTF-8", where=path) from None
    if not pin or "\n" in pin or "\0" in pin:
        raise BadInput("The file does not hold one PIN.", expected="one line", where=path)
    return pin
