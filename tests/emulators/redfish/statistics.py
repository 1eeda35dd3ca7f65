# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the fleet counts. Each number is exact: counted where it happens, before the client can know of it."""

from __future__ import annotations

import os
import resource
from typing import Any


class Counters:
    """Of one BMC."""

    __slots__ = (
        "connections",
        "failed_handshakes",
        "failed_logins",
        "handshakes",
        "logins",
        "per_method",
        "requests",
        "sessions_created",
        "sessions_deleted",
    )

    NUMBERS = (
        "requests",  # complete requests received, whatever became of them
        "connections",  # accepted TCP connections
        "handshakes",  # TLS handshakes completed
        "failed_handshakes",
        "logins",  # user name and password accepted: a session made, or a request with Basic
        "failed_logins",  # user name and password refused, in either way
        "sessions_created",
        "sessions_deleted",  # by their owner's DELETE; those that age out are not in it
    )

    def __init__(self) -> None:
        self.per_method: dict[str, int] = {}
        self.reset()

    def reset(self) -> None:
        self.requests = 0
        self.connections = 0
        self.handshakes = 0
        self.failed_handshakes = 0
        self.logins = 0
        self.failed_logins = 0
        self.sessions_created = 0
        self.sessions_deleted = 0
        self.per_method.clear()

    def request(self, method: str) -> None:
        self.requests += 1
        self.per_method[method] = self.per_method.get(method, 0) + 1

    def as_dict(self) -> dict[str, Any]:
        found: dict[str, Any] = {name: getattr(self, name) for name in self.NUMBERS}
        found["per_method"] = dict(self.per_method)
        return found


def add(total: dict[str, Any], part: dict[str, Any]) -> None:
    """Adds numbers and tables of numbers key by key."""
    for key, value in part.items():
        if isinstance(value, dict):
            add(total.setdefault(key, {}), value)
        else:
            total[key] = total.get(key, 0) + value


def cpu_seconds() -> float:
    """User and system time of this process so far."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def rss_bytes() -> int:
    """Resident memory of this process now."""
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
