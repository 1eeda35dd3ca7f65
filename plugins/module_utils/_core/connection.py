# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One connection to one endpoint: opened, judged, and used for one request after another."""

from __future__ import annotations

import ssl
import threading
from typing import Callable, Optional

from .counters import Counters
from .deadline import Deadline
from .endpoint import Endpoint
from .http1 import Answer, AnswerReader
from .limits import Limits
from .stream import Stream, Watch, open_tcp, open_tls
from .trust import Peer, Trust, judge


class Connection:
    """Made by ``open_connection``. ``peer`` is whom the handshake showed; nothing of HTTP has been sent by then."""

    def __init__(self, stream: Stream, peer: Peer, limits: Limits) -> None:
        self.peer = peer
        #: answers read so far; a connection that has had none cannot be stale
        self.answers = 0
        self._stream = stream
        self._reader = AnswerReader(stream, limits)

    def exchange(self, method: str, request: bytes, watch: Watch, sent: Callable[[], None]) -> Answer:
        """Write one request, read its answer. After an exception the connection is of no more use."""
        self._stream.watch = watch
        self._stream.send(request)
        sent()
        answer = self._reader.read(method)
        self.answers += 1
        return answer

    def is_idle(self) -> bool:
        """Whether the peer has left it open and has sent nothing that nobody asked for."""
        return not self._reader.has_leftovers and self._stream.is_idle()

    def close(self) -> None:
        self._stream.close()


def open_connection(
    endpoint: Endpoint,
    trust: Trust,
    context: Optional[ssl.SSLContext],
    *,
    deadline: Deadline,
    limits: Limits,
    counters: Counters,
    on_progress: Optional[Callable[[], None]],
    cancelled: Optional[threading.Event],
) -> Connection:
    """``context``: None for plain HTTP."""

    def received(count: int) -> None:
        counters.bytes_in += count
        if on_progress is not None:
            on_progress()

    watch = Watch(deadline.sooner(limits.connect_timeout), endpoint.url, cancelled)
    sock = open_tcp(endpoint, watch)
    counters.connects += 1
    if on_progress is not None:
        on_progress()
    if context is None:
        return Connection(Stream(sock, watch, received), judge(trust, None), limits)
    tls = open_tls(sock, context, endpoint, watch)
    counters.handshakes += 1
    if on_progress is not None:
        on_progress()
    try:
        peer = judge(trust, tls.getpeercert(True) or b"")
    except BaseException:
        tls.close()
        raise
    return Connection(Stream(tls, watch, received), peer, limits)
