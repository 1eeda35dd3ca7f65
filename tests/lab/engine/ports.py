# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who listens where on this machine, from /proc."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# The kernel's states: a listening TCP socket, a UDP socket that is bound.
_WAITING = {"tcp": "0A", "udp": "07"}


@dataclass(frozen=True)
class Listener:
    """A socket that waits for somebody: ``protocol`` is tcp or udp."""

    protocol: str
    address: str
    port: int
    inode: str

    def takes(self, protocol: str, address: str, port: int) -> bool:
        """Whether nobody else can listen there."""
        mine, theirs = ipaddress.ip_address(address), ipaddress.ip_address(self.address)
        return (self.protocol, self.port) == (protocol, port) and (mine == theirs or theirs.is_unspecified)


def listeners() -> Iterator[Listener]:
    """Every waiting socket of this network namespace."""
    for table in ("tcp", "tcp6", "udp", "udp6"):
        try:
            lines = Path("/proc/net", table).read_text(encoding="ascii").splitlines()[1:]
        except FileNotFoundError:
            continue  # a kernel without IPv6
        for line in lines:
            fields = line.split()
            if fields[3] == _WAITING[table[:3]]:
                address, port = fields[1].split(":")
                yield Listener(table[:3], _address(address), int(port, 16), fields[9])


def holder(listener: Listener) -> tuple[int, str]:
    """Process id and name of the one that holds it; (0, "") where nobody is to be seen."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            for descriptor in (entry / "fd").iterdir():
                if os.readlink(descriptor) == f"socket:[{listener.inode}]":
                    return int(entry.name), (entry / "comm").read_text(encoding="utf-8").strip()
        except OSError:
            continue  # ended while we looked
    return 0, ""


def _address(text: str) -> str:
    # The kernel prints each 32-bit word in the host's byte order; x86 and arm64 are little-endian.
    words = [bytes.fromhex(text[start : start + 8])[::-1] for start in range(0, len(text), 8)]
    return str(ipaddress.ip_address(b"".join(words)))
