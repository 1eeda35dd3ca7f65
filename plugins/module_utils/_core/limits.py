# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How much time, and how many bytes, one peer may cost."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Times in seconds, sizes in bytes."""

    #: TCP and TLS together, for one connection
    connect_timeout: float = 5.0
    #: from the first byte of a request to the last byte of its answer
    request_timeout: float = 30.0
    #: of one answer, before and after decompression
    max_body: int = 16 * 1024 * 1024
    #: status line and header fields of one answer
    max_head: int = 64 * 1024
    max_headers: int = 128
    #: same-origin redirects followed for one request
    max_redirects: int = 3
    #: longest time that one request waits, in all, for a peer that said "busy" or that restarts
    patience: float = 20.0
    #: repetitions of one request because the peer said "busy", or was there and is away
    busy_retries: int = 4
    #: repetitions of one safe request because the connection broke
    reconnects: int = 2
    #: once cancelled: time for an unsafe request that is already on its way
    cancel_grace: float = 5.0
