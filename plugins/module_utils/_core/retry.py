# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When to try again, and after how long: only what the peer itself called temporary, and never beyond a bound."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Callable, Optional

from .response import Response

_BUSY_STATUS = frozenset((429, 503))
#: A front-end on the BMC answers for a service behind it that is not up: as good as 503, where repeating is safe.
_GATEWAY_STATUS = frozenset((502, 504))
#: "Not ready" in words, under whatever status (field notes, section 6): Dell's iDRAC while its services start, HPE's
#: iLO while the server is in POST.
_NOT_READY = re.compile(
    rb"\b(?:SYS518|SWC0700)\b|\biLO[\w.]*\.(?:UnableToModifyDuringSystemPOST|InvalidOperationForSystemState)\b"
)
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 8.0


def says_busy(response: Response, repeatable: bool) -> bool:
    """Whether the peer has not done what was asked, and says that it could later."""
    if response.status < 400:
        return False
    if response.status in _BUSY_STATUS or (repeatable and response.status in _GATEWAY_STATUS):
        return True
    return response.status != 401 and _NOT_READY.search(response.body) is not None


def busy_pause(response: Response, attempt: int, now: datetime, jitter: Callable[[], float]) -> float:
    """Seconds until the next attempt (``attempt`` counts from 0): what the peer asked for, else doubling."""
    asked: Optional[float] = response.retry_after(now)
    if asked is not None:
        # Never sooner than asked; a little later, so that 10,000 clients of one outage do not come back as one.
        return max(asked, 0.1) * (1.0 + 0.1 * jitter())
    return backoff(attempt, jitter)


def backoff(attempt: int, jitter: Callable[[], float]) -> float:
    """Half a second, doubling, up to eight; between half and all of it."""
    pause: float = min(_FIRST_PAUSE * 2.0 ** min(attempt, 16), _LONGEST_PAUSE)
    return pause * (0.5 + 0.5 * jitter())
