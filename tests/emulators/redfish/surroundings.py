# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What BMCs share: all of one platform, and all of one worker."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from random import Random

from tests.emulators.redfish.body import CompiledTree
from tests.emulators.redfish.http1 import DateHeader
from tests.emulators.redfish.personality import Manners, Tree
from tests.emulators.redfish.tls import Authority


@dataclass
class Platform:
    """What all BMCs of one personality share."""

    name: str
    manners: Manners
    tree: CompiledTree
    grow: Callable[[], Tree] | None = None  # another copy of the tree
    metadata: bytes | None = None  # $metadata, once somebody asked for it


@dataclass(frozen=True)
class Surroundings:
    """What all BMCs of one worker share. ``clock`` is monotonic seconds, ``now`` the time of day in UTC."""

    loop: asyncio.AbstractEventLoop
    clock: Callable[[], float]
    now: Callable[[], datetime]
    random: Random
    date: DateHeader
    authority: Authority
    latency: tuple[float, float] = (0.0, 0.0)
    username: str = "hearth"
    password: str = "emulated-fleet"
    https_port: int = 8443
    http_port: int = 8080
    shared_context: ssl.SSLContext | None = None
