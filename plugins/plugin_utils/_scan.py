# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who listens: a TCP connect to every address and port, many at a time, from the calling thread.

PRIVATE to the collection.

A connection that succeeds is closed at once, without a byte. A network where nobody answers takes about
addresses x ports / in_flight x connect_timeout seconds; memory is bounded by ``in_flight``, not by the network.
"""

from __future__ import annotations

import collections
import dataclasses
import errno
import resource
import selectors
import socket
import threading
import time
import typing as t

from ..module_utils._core.deadline import Deadline

IN_FLIGHT = 2048

OPEN, REFUSED, SILENT, ERROR = "open", "refused", "silent", "error"

# No more file descriptors, ports, buffers or neighbour entries: the same try may succeed once others have ended.
_CROWDED = frozenset(
    (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EAGAIN, errno.EADDRNOTAVAIL, errno.EADDRINUSE)
)
# What ARP or a router says after having asked in vain
_NOBODY = frozenset((errno.EHOSTUNREACH, errno.EHOSTDOWN, errno.ETIMEDOUT))
_CROWDED_PAUSE = 0.05
_CANCEL_CHECK = 0.2

Result = tuple[str, int, str]


def scan(
    addresses: t.Iterable[str],
    ports: t.Sequence[int],
    connect_timeout: float,
    in_flight: int = IN_FLIGHT,
    deadline: Deadline | None = None,
    cancelled: threading.Event | None = None,
    clock: t.Callable[[], float] = time.monotonic,
) -> t.Iterator[Result]:
    """Yield (address, port, state) as the answers come, with state open, refused, silent or error.

    :param addresses: numeric, may be lazy; taken only when there is room
    :param connect_timeout: seconds until a connection that neither succeeds nor fails counts as silent
    :param in_flight: connections at once; never more than half of the files that this process may open
    :param deadline: when it is over, the rest is neither asked nor yielded
    :param cancelled: ends the scan within 0.2 seconds when set

    However it ends, also by KeyboardInterrupt in the consumer, no socket stays open.
    """
    allowance = max(1, min(in_flight, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2))
    run = _Scan(connect_timeout, allowance, clock)
    questions = ((address, port) for address in addresses for port in ports)
    try:
        while run.ask(questions) or run.busy:
            if (deadline is not None and deadline.expired) or (cancelled is not None and cancelled.is_set()):
                return
            pauses = [run.pause()]
            if deadline is not None:
                pauses.append(deadline.remaining())
            if cancelled is not None:
                pauses.append(_CANCEL_CHECK)
            yield from run.answers(min(pauses))
    finally:
        run.close()


@dataclasses.dataclass
class _Attempt:
    """One connection on its way."""

    address: str
    port: int
    socket: socket.socket
    until: float


class _Scan:
    """The connections in flight. Results wait in ``_ready`` until they are asked for."""

    def __init__(self, connect_timeout: float, allowance: int, clock: t.Callable[[], float]) -> None:
        self._connect_timeout = connect_timeout
        self._most = self._allowance = allowance
        self._clock = clock
        self._selector = selectors.DefaultSelector()
        # Everybody gets the same time, so the first begun is the first to run out of it.
        self._attempts: collections.OrderedDict[int, _Attempt] = collections.OrderedDict()
        self._ready: collections.deque[Result] = collections.deque()
        self._postponed: tuple[str, int] | None = None
        self._postponed_until = 0.0
        self._pausing_until = 0.0

    @property
    def busy(self) -> bool:
        return bool(self._attempts or self._ready or self._postponed)

    def ask(self, questions: t.Iterator[tuple[str, int]]) -> bool:
        """Begin as many connections as there is room for; False when there are no more questions."""
        while len(self._attempts) < self._allowance and len(self._ready) < self._allowance:
            if self._clock() < self._pausing_until:
                return True
            question = self._postponed or next(questions, None)
            if question is None:
                return False
            self._postponed = question if not self._begin(*question) else None
        return True

    def pause(self) -> float:
        """Seconds until the next thing to do if no answer comes."""
        now = self._clock()
        if self._ready:
            return 0.0
        moments = [self._oldest().until] if self._attempts else []
        if self._postponed:
            moments.append(self._pausing_until)
        return max(0.0, min(moments, default=now) - now)

    def answers(self, pause: float) -> t.Iterator[Result]:
        """The results that are there within ``pause`` seconds. Late answers count as long as nobody has looked."""
        for key, _events in self._selector.select(pause):
            attempt = self._attempts.pop(key.fd)
            state = _state(attempt.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
            self._finish(attempt, state)
        now = self._clock()
        while self._attempts and self._oldest().until <= now:
            _descriptor, attempt = self._attempts.popitem(last=False)
            self._finish(attempt, SILENT)
        while self._ready:
            yield self._ready.popleft()

    def close(self) -> None:
        for attempt in self._attempts.values():
            attempt.socket.close()
        self._attempts.clear()
        self._selector.close()

    def _oldest(self) -> _Attempt:
        return next(iter(self._attempts.values()))

    def _begin(self, address: str, port: int) -> bool:
        """Start a connection; False when it has to wait for room."""
        try:
            tcp = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
        except OSError as error:
            return self._refused_by_kernel(address, port, error.errno or 0)
        tcp.setblocking(False)
        try:
            number = tcp.connect_ex((address, port))
        except (OSError, OverflowError):  # no numeric address after all
            number = errno.EINVAL
        if number == errno.EINPROGRESS:
            self._postponed_until = 0.0
            self._allowance = min(self._most, self._allowance + 1)
            self._attempts[tcp.fileno()] = _Attempt(address, port, tcp, self._clock() + self._connect_timeout)
            self._selector.register(tcp, selectors.EVENT_WRITE)
            return True
        tcp.close()
        if number in _CROWDED:
            return self._refused_by_kernel(address, port, number)
        self._ready.append((address, port, _state(number)))
        return True

    def _refused_by_kernel(self, address: str, port: int, number: int) -> bool:
        """Go on with fewer at once, and with one more again after each success.

        Gives up on this one when nothing is in flight and there has been no room for as long as a connection may take.
        """
        now = self._clock()
        if not self._postponed_until:
            self._postponed_until = now + self._connect_timeout
        if number not in _CROWDED or (now >= self._postponed_until and not self._attempts):
            self._postponed_until = 0.0
            self._ready.append((address, port, ERROR))
            return True
        self._allowance = max(1, min(self._allowance, len(self._attempts)))
        self._pausing_until = now + _CROWDED_PAUSE
        return False

    def _finish(self, attempt: _Attempt, state: str) -> None:
        self._selector.unregister(attempt.socket)
        attempt.socket.close()
        self._ready.append((attempt.address, attempt.port, state))


def _state(number: int) -> str:
    if number in (0, errno.EISCONN):
        return OPEN
    if number == errno.ECONNREFUSED:
        return REFUSED
    return SILENT if number in _NOBODY else ERROR
