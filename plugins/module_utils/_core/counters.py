# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a transport has cost, exactly: benches and tests compare it with the server's own count."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Dict


@dataclass
class Counters:
    #: requests written to the end; one that met a connection which the peer had closed meanwhile was never seen there
    #: and does not count
    requests: int = 0
    #: TLS handshakes completed
    handshakes: int = 0
    #: TCP connections made
    connects: int = 0
    #: repetitions of a request, whatever the reason; each is in ``requests`` as well
    retries: int = 0
    #: bytes of HTTP received (after TLS)
    bytes_in: int = 0

    def as_dict(self) -> Dict[str, int]:
        return asdict(self)
