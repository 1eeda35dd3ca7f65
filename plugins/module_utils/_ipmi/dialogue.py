# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An IPMI session that is asked one thing after another: one login, however long the machine takes to go down.

The child process is session.py's; here it stays for several orders. A command that gets no answer is sent again by
pyghmi, three times, with the same sequence number, by which a BMC knows a request that it has carried out already; then
the session counts as lost. A lost session is not opened again.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import subprocess
import threading
import time
from typing import IO, Any, Dict, Iterator, Mapping, Optional, Sequence, Tuple

from .._core import errors
from .._core.deadline import Deadline
from .._core.hostile import clean
from .child.login import USER
from .session import (
    FAREWELL,
    MAX_ANSWER,
    Login,
    end,
    order_for,
    place,
    raise_problem,
    start,
    suite_warnings,
    warnings_in,
)

_READ_AT_ONCE = 65536
_MAX_COMPLAINT = 8192
_CANCEL_CHECK = 0.2
# A BMC that is busy (C0h) is asked again so often, after so many seconds
_BUSY_ATTEMPTS = 4
_BUSY_PAUSE = 0.5

_OK = 0x00
_BUSY = 0xC0
_DENIED = frozenset((0xD4, 0xD6))  # privilege; disabled by the firmware firewall
_NOT_NOW = 0xD5
# 80h is "parameter not supported" for every command that is sent here
_UNKNOWN = frozenset((0x80, 0xC1, 0xC2, 0xC9, 0xCC))


class Dialogue:
    """An open session. ``warnings`` grows by what readings warn about."""

    def __init__(
        self, process: subprocess.Popen[bytes], deadline: Deadline, cancelled: Optional[threading.Event], where: str
    ) -> None:
        self._process = process
        self._lifetime = self._deadline = deadline
        self._cancelled = cancelled
        self._unread = bytearray()
        self._complaint = bytearray()
        self.where = where
        self.closed = False
        self.suite = 0
        """cipher suite of the session: 17 or 3"""
        self.proofs = 0
        """how often a digest of the password was sent"""
        self.warnings: Tuple[str, ...] = ()

    def command(self, netfn: int, command: int, data: Sequence[int] = (), *, what: str) -> bytes:
        """The answer's data.

        :param what: what it is for, in the words of an error message ("reading the chassis status")
        :raises Unsupported: the BMC does not know the command or one of its parameters
        :raises AccessDenied, Busy, Refused: by completion code
        """
        for attempt in range(_BUSY_ATTEMPTS):
            if attempt:
                self.pause(_BUSY_PAUSE)
            answer = self._order({"command": [netfn, command, list(data)]})
            code = int(answer.get("code", 0xFF))
            if code != _BUSY:
                break
        if code == _OK:
            return bytes.fromhex(str(answer.get("data", "")))
        raise _refusal(code, what, f"{self.where}, netfn {netfn:02X}h command {command:02X}h")

    def read(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """What session.ask gives for the same request."""
        data = self._order({"read": dict(request)})
        self.warnings += warnings_in(data)
        return data

    def grant(self, seconds: float) -> Deadline:
        """From here on a fresh deadline, for a wait that has one of its own; the session's lifetime bounds it."""
        self._deadline = self._lifetime.sooner(seconds)
        return self._deadline

    def pause(self, seconds: float) -> None:
        """Wait, but not beyond the deadline and not once cancelled."""
        seconds = min(seconds, self._deadline.remaining())
        if self._cancelled is None:
            time.sleep(seconds)
        elif self._cancelled.wait(seconds):
            raise errors.Cancelled("interrupted", where=self.where)

    def begin(self, order: Mapping[str, Any], suites: Tuple[int, ...]) -> None:
        """Hand the child its order and wait until it has logged in."""
        self._send(order)
        answer = self._receive()
        self.suite, self.proofs = int(answer.get("suite", 0)), int(answer.get("proofs", 0))
        self.warnings += suite_warnings(self.suite, suites)

    def finish(self) -> None:
        """Let the child log out."""
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        with contextlib.suppress(errors.HearthError):
            self._receive()

    def _order(self, order: Mapping[str, Any]) -> Mapping[str, Any]:
        self._deadline.check(self.where)
        self._send(order)
        return self._receive()

    def _send(self, order: Mapping[str, Any]) -> None:
        pipe = self._process.stdin
        if pipe is None:
            raise errors.ProtocolViolation("the child has no pipes", where=self.where)
        rest = memoryview(json.dumps(order).encode() + b"\n")
        os.set_blocking(pipe.fileno(), False)
        with selectors.DefaultSelector() as selector:
            selector.register(pipe, selectors.EVENT_WRITE)
            while rest:
                self._wait(selector)
                try:
                    rest = rest[os.write(pipe.fileno(), rest) :]
                except BlockingIOError:
                    continue
                except BrokenPipeError:
                    return  # the child ended early; what it says tells why

    def _receive(self) -> Mapping[str, Any]:
        """The child's next line."""
        stdout, stderr = self._process.stdout, self._process.stderr
        if stdout is None or stderr is None:
            raise errors.ProtocolViolation("the child has no pipes", where=self.where)
        with selectors.DefaultSelector() as selector:
            selector.register(stdout, selectors.EVENT_READ)
            selector.register(stderr, selectors.EVENT_READ)
            while b"\n" not in self._unread and not self.closed:
                for key, _events in self._wait(selector):
                    pipe: IO[bytes] = key.fileobj  # type: ignore[assignment]
                    data = os.read(pipe.fileno(), _READ_AT_ONCE)
                    if not data:
                        selector.unregister(pipe)
                        self.closed = not selector.get_map()
                    elif pipe is stdout:
                        self._unread += data
                    else:
                        self._complaint += data[: _MAX_COMPLAINT - len(self._complaint)]
                    if len(self._unread) > MAX_ANSWER:
                        raise errors.ProtocolViolation(
                            "what the BMC told is too long", expected=f"at most {MAX_ANSWER} bytes", where=self.where
                        )
        line, _end, rest = self._unread.partition(b"\n")
        self._unread = bytearray(rest)
        return self._understood(bytes(line))

    def _wait(self, selector: selectors.BaseSelector) -> Sequence[Tuple[selectors.SelectorKey, int]]:
        """What is ready, or nothing after a moment; raises once it is too late."""
        if self._cancelled is not None and self._cancelled.is_set():
            raise errors.Cancelled("interrupted", where=self.where)
        self._deadline.check(self.where)
        left = self._deadline.remaining()
        return selector.select(left if self._cancelled is None else min(left, _CANCEL_CHECK))

    def _understood(self, line: bytes) -> Mapping[str, Any]:
        try:
            data = json.loads(line.decode("utf-8"))
        except ValueError as error:
            last_words = self._complaint.decode("utf-8", "replace").strip().rpartition("\n")[2]
            raise errors.ProtocolViolation(
                "the IPMI child process ended without an answer",
                expected="one JSON object",
                found=clean(last_words) or "nothing",
                where=self.where,
            ) from error
        if not isinstance(data, dict):
            raise errors.ProtocolViolation("the IPMI child process gave no JSON object", where=self.where)
        raise_problem(data, self.where)
        return data


@contextlib.contextmanager
def opened(
    address: str,
    login: Login,
    *,
    port: int = 623,
    deadline: Deadline,
    privilege: int = USER,
    suites: Tuple[int, ...] = (17, 3),
    connect_timeout: float = 0.0,
    cancelled: Optional[threading.Event] = None,
) -> Iterator[Dialogue]:
    """A session on that BMC, closed at the end whatever happens; parameters and errors as in session.ask.

    :param deadline: the end of the session, whatever is granted later
    :param connect_timeout: seconds after which a BMC that has not answered at all is given up; 0: the deadline
    """
    where = place(address, port)
    order = order_for(
        address,
        login,
        {"dialogue": True, "patience": connect_timeout},
        port=port,
        deadline=deadline,
        privilege=privilege,
        suites=suites,
        where=where,
    )
    process = start(where)
    dialogue = Dialogue(process, deadline, cancelled, where)
    try:
        dialogue.begin(order, suites)
        yield dialogue
        dialogue.finish()
    except errors.Cancelled:
        raise
    except errors.HearthError:
        dialogue.finish()
        raise
    finally:
        end(process, FAREWELL)


def _refusal(code: int, what: str, where: str) -> errors.HearthError:
    fields: Dict[str, str] = {"expected": "completion code 00h", "found": f"{code:02X}h", "where": where}
    if code in _DENIED:
        return errors.AccessDenied(
            f"the BMC does not allow this account {what}",
            next="give the account the privilege level OPERATOR for the LAN channel",
            **fields,
        )
    if code in _UNKNOWN:
        return errors.Unsupported(f"the BMC does not support {what}", **fields)
    if code == _BUSY:
        return errors.Busy(f"the BMC is too busy for {what}", next="try again later", **fields)
    reason = " in the machine's present state" if code == _NOT_NOW else ""
    return errors.Refused(f"the BMC refused {what}{reason}", **fields)
