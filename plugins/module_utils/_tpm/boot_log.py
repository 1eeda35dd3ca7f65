# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The event log of the running boot, as Linux shows it. Standard library only: this runs on nodes."""

from __future__ import annotations

from .._core.errors import NotFound
from .event_log import LARGEST_LOG

EVENT_LOG = "/sys/kernel/security/tpm0/binary_bios_measurements"


def read_boot_log(path: str) -> bytes:
    """Its bytes, at most one more than any log may have; NotFound where there is none."""
    try:
        with open(path, "rb") as file:
            log = file.read(LARGEST_LOG + 1)
    except OSError as error:
        raise NotFound(
            "the event log of this boot cannot be read",
            expected=path,
            found=error.strerror or str(error),
            where="the node",
            next="Become root and mount securityfs.",
        ) from error
    if not log:
        raise NotFound("the event log of this boot is empty", expected="measurements", found="nothing", where=path)
    return log
