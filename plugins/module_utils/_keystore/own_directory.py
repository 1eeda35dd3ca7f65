# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Directories that this user and nobody else can write: who else may, could put a key of his own there."""

from __future__ import annotations

import os
import stat

from .._core.errors import BadInput


def require_own(path: str, what: str, *, writing: bool) -> None:
    """BadInput where it is not there, others may write, or with ``writing`` this user may not.

    :param what: begins the message, for example ``The key directory``
    """
    try:
        found = os.stat(path)
    except OSError as error:
        raise BadInput(
            f"{what} can't be used: {error.strerror}.",
            expected="a directory",
            where=path,
            next=f"install -d -m 700 {path}",
        ) from error
    usable = stat.S_ISDIR(found.st_mode) and (not writing or os.access(path, os.W_OK | os.X_OK))
    if not usable or found.st_mode & 0o022 or found.st_uid not in (0, os.geteuid()):
        raise BadInput(
            f"{what} must be one that this user and nobody else can write.",
            expected="a directory with mode 0700 or 0755, owned by this user or root",
            found=f"mode {stat.S_IMODE(found.st_mode):04o}, owned by uid {found.st_uid}",
            where=path,
            next=f"chmod go-w {path}",
        )
