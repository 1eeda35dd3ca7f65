# Copyright: (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTTP to one endpoint: one kept-alive connection, deadlines, retries, and no credential to a peer that is not trusted."""

from __future__ import annotations

import threading
import time
from typing import Any, Callable, Dict, Mapping, Optional, Union

from .counters import Counters
from .deadline import Deadline
from .endpoint import Endpoint
from .limits import Limits
from .response import Response
from .trust import Peer, Trust

__all__ = ["Counters", "Deadline", "Endpoint", "Limits", "Transport"]


class Transport:
    peer: Optional[Peer]
    counters: Counters

    def __init__(
        self,
        endpoint: Endpoint,
        trust: Trust,
        *,
        deadline: Deadline,
        limits: Limits = Limits(),
        keep_alive: bool = True,
        on_progress: Optional[Callable[[], None]] = None,
        cancelled: Optional[threading.Event] = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Optional[Callable[[float], None]] = None,
    ) -> None:
        raise NotImplementedError

    def connect(self) -> Peer:
        """TCP and TLS; idempotent."""
        raise NotImplementedError

    def authorize(self, header: str, value: str) -> None:
        raise NotImplementedError

    def deauthorize(self) -> None:
        raise NotImplementedError

    def request(
        self,
        method: str,
        path: str,
        *,
        body: Union[Mapping[str, Any], bytes, None] = None,
        headers: Optional[Mapping[str, str]] = None,
        anonymous: bool = False,
        secret_body: bool = False,
        idempotent: Optional[bool] = None,
        patience: Optional[float] = None,
    ) -> Response:
        """``patience``: seconds to spend, in all, on a peer that says "busy" (default limits.patience; 0: raise Busy at once)."""
        raise NotImplementedError

    def get_json(self, path: str, **kw: Any) -> Dict[str, Any]:
        raise NotImplementedError

    def modify(self, method: str, path: str, payload: Mapping[str, Any], *, etag: Optional[str]) -> Response:
        """ETag ladder; typed errors for every status from 400."""
        raise NotImplementedError

    def wind_down(self, seconds: float = 5.0) -> None:
        """From here on: a fresh deadline of ``seconds``, and ``cancelled`` no longer stops anything. To delete a session
        after an expired deadline or a Ctrl-C."""
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError
