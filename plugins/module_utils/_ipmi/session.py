# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One IPMI session: a child process that logs in, does what it is asked, logs out and ends.

The request, with the password in it, goes to the child's stdin as JSON, the answer comes back on its stdout. Argument
list and environment hold no secret, whatever the environment of this process holds. The child gets the time that the
deadline leaves; it is told to stop a moment earlier, so that it can close its session on the BMC, and its process group
is killed at the deadline. Nothing is left afterwards: no process, no thread, no open file.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from typing import IO, Any, Dict, Mapping, Optional, Tuple, Type

from .._core import errors
from .._core.deadline import Deadline
from .._core.hostile import clean
from .._core.missing_library import missing_library
from .child.login import SUITES, USER, names
from .child_source import BOOT, sources

# IPMI 2.0, 22.30 and 13.31: longer ones cannot be had, and pyghmi would send a digest that no BMC shares.
MAX_USERNAME = 16
MAX_PASSWORD = 20

MAX_ANSWER = 2 * 1024 * 1024
_MAX_COMPLAINT = 8192
_READ_AT_ONCE = 65536
_CANCEL_CHECK = 0.2
# What the child gets to close its session once it was told to stop
FAREWELL = 0.5

# What an interpreter needs to find its libraries; everything else of our environment stays here.
_ENVIRONMENT = ("PATH", "PYTHONPATH", "PYTHONHOME", "PYTHONUSERBASE", "HOME", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "TZ")

_KINDS: Dict[str, Type[errors.HearthError]] = {
    kind.__name__: kind
    for kind in (
        errors.AccessDenied,
        errors.AuthenticationFailed,
        errors.Busy,
        errors.ProtocolViolation,
        errors.TimedOut,
        errors.Unreachable,
        errors.Unsupported,
    )
}

_NEXT = {
    "AuthenticationFailed": "check the user name and the password; it was tried once",
    "AccessDenied": "give the account the privilege level USER for the LAN channel, or OPERATOR to switch and set",
    "Busy": "close other IPMI sessions, or try later",
    "TimedOut": "check that UDP port 623 passes, or give it more time (deadline)",
    "Unreachable": "check the address and the route to it",
    "Unsupported": "use Redfish, or allow IPMI 2.0 with cipher suite 17 or 3 on the BMC",
}

SHA1_WARNING = (
    "IPMI cipher suite 3 (SHA-1) was all that the BMC offered; suite 17 (SHA-256) was refused. "
    "Whoever can alter the traffic can bring this about."
)
SHA1_CHOSEN = "IPMI cipher suite 3 (SHA-1) was used, since cipher_suites allows no other."


@dataclass(frozen=True)
class Login:
    """An IPMI account. ``name`` is what the operator calls the credential; it is no secret, the password is."""

    username: str
    password: str = field(repr=False)
    name: str = ""


@dataclass(frozen=True)
class Answer:
    """What the child brought back."""

    data: Mapping[str, Any]
    suite: int
    """Cipher suite of the session: 17 or 3"""
    proofs: int
    """How often a digest of the password was sent"""
    warnings: Tuple[str, ...]


def ask(
    address: str,
    login: Login,
    request: Mapping[str, Any],
    *,
    port: int = 623,
    deadline: Deadline,
    privilege: int = USER,
    suites: Tuple[int, ...] = (17, 3),
    cancelled: Optional[threading.Event] = None,
) -> Answer:
    """Log in to ``address`` and do what ``request`` says (see child.machine.read). One login, closed in the end.

    :param privilege: the level to ask for: USER reads everything that discovery wants
    :param suites: allowed cipher suites out of 17 and 3; the stronger one is tried first
    :raises BadInput: the user name or the password cannot be an IPMI one, or a suite is not allowed; nothing was sent
    :raises AuthenticationFailed: user name or password refused, after one try
    :raises TimedOut, Unreachable, AccessDenied, Busy, Unsupported, ProtocolViolation: as named
    :raises MissingLibrary: no pyghmi for this interpreter
    :raises Cancelled: ``cancelled`` was set
    """
    where = place(address, port)
    order = order_for(
        address, login, request, port=port, deadline=deadline, privilege=privilege, suites=suites, where=where
    )
    data = _converse(order, deadline, cancelled, where)
    raise_problem(data, where)
    suite = int(data.get("suite", 0))
    return Answer(data, suite, int(data.get("proofs", 0)), (*suite_warnings(suite, suites), *warnings_in(data)))


def place(address: str, port: int) -> str:
    """How error messages name a BMC."""
    return f"IPMI at {address} port {port}"


def key_of(address: str, port: int) -> str:
    """The name of a BMC among all that are logged in to, by whichever protocol."""
    return f"ipmi_{address}:{port}"


def order_for(
    address: str,
    login: Login,
    request: Mapping[str, Any],
    *,
    port: int,
    deadline: Deadline,
    privilege: int,
    suites: Tuple[int, ...],
    where: str,
) -> Mapping[str, Any]:
    """The first line of the child's stdin. BadInput for what must not be tried, TimedOut where no time is left."""
    check_login(login, where)
    if not suites or not set(suites) <= set(SUITES):
        raise errors.BadInput(
            "this IPMI cipher suite is not allowed",
            expected="cipher suites out of " + names(sorted(SUITES, reverse=True)),
            found=names(suites) or "none",
            where=where,
        )
    deadline.check(where)
    told = max(deadline.remaining() - FAREWELL, deadline.remaining() / 2, 0.01)
    order = dict(request)
    order.update(
        address=address,
        port=port,
        username=login.username,
        password=login.password,
        privilege=privilege,
        suites=sorted(suites, reverse=True),
        seconds=told,
    )
    return {"program": sources(), "request": order}


def raise_problem(data: Mapping[str, Any], where: str) -> None:
    """The child's {"error": ...} as the typed error that it names."""
    problem = data.get("error")
    if isinstance(problem, dict):
        kind = str(problem.get("type"))
        if kind == errors.MissingLibrary.__name__:
            raise missing_library("pyghmi", "IPMI", clean(str(problem.get("msg"))))
        raise _KINDS.get(kind, errors.ProtocolViolation)(
            clean(str(problem.get("msg"))), where=where, next=_NEXT.get(kind, "")
        )


def suite_warnings(suite: int, allowed: Tuple[int, ...]) -> Tuple[str, ...]:
    """About the suite of a session; whoever allows no better one is not told that it was refused."""
    if suite != 3:
        return ()
    return (SHA1_WARNING,) if 17 in allowed else (SHA1_CHOSEN,)


def warnings_in(data: Mapping[str, Any]) -> Tuple[str, ...]:
    return tuple(clean(str(warning)) for warning in data.get("warnings", ()))


def check_login(login: Login, where: str = "") -> None:
    """BadInput for what cannot be an IPMI 2.0 account, so that it is never tried."""
    for what, value, limit in (("user name", login.username, MAX_USERNAME), ("password", login.password, MAX_PASSWORD)):
        try:
            size = len(value.encode())
        except UnicodeEncodeError:
            size = -1
        if not 0 <= size <= limit or "\x00" in value:
            raise errors.BadInput(
                f"this {what} cannot be an IPMI one",
                expected=f"at most {limit} bytes of UTF-8, none of them zero",
                found=f"a {what} of {len(value)} characters",
                where=where,
                next="give IPMI a credential of its own",
            )


def _converse(
    order: Mapping[str, Any], deadline: Deadline, cancelled: Optional[threading.Event], where: str
) -> Mapping[str, Any]:
    """Start the child, hand it the order, and take its answer."""
    talk = _Talk(json.dumps(order).encode() + b"\n", where)
    grace = FAREWELL
    process = start(where)
    try:
        talk.run(process, deadline, cancelled)
        grace = 0.0  # it has said everything, or had its chance to log out before the deadline
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(deadline.remaining())
    finally:
        end(process, grace)
    return talk.result(process.returncode)


def start(where: str) -> subprocess.Popen[bytes]:
    """A child that waits for its order on stdin; whoever starts it hands it to :func:`end`."""
    if not sys.executable:
        raise errors.MissingLibrary("there is no Python interpreter to start for IPMI", where=where)
    # run_command, which ansible-test wants here, exists only in a module, and bounds neither time nor size.
    return subprocess.Popen(  # pylint: disable=ansible-bad-function
        [sys.executable, "-c", BOOT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd="/",  # the interpreter looks for modules in its working directory first
        env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
        start_new_session=True,
    )


class _Talk:
    """The exchange with one child over its three pipes, in the calling thread."""

    def __init__(self, order: bytes, where: str) -> None:
        self._order = memoryview(order)
        self._where = where
        self._late = False
        self.answer = bytearray()
        self._complaint = bytearray()

    def run(self, process: subprocess.Popen[bytes], deadline: Deadline, cancelled: Optional[threading.Event]) -> None:
        """Until the child has closed its pipes or the deadline is there."""
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise errors.ProtocolViolation("the child has no pipes", where=self._where)
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdin, selectors.EVENT_WRITE)
            selector.register(process.stdout, selectors.EVENT_READ, self.answer)
            selector.register(process.stderr, selectors.EVENT_READ, self._complaint)
            os.set_blocking(process.stdin.fileno(), False)
            while selector.get_map():
                if cancelled is not None and cancelled.is_set():
                    raise errors.Cancelled("interrupted", where=self._where)
                if deadline.expired:
                    self._late = True
                    return
                pause = deadline.remaining() if cancelled is None else min(deadline.remaining(), _CANCEL_CHECK)
                for key, _events in selector.select(pause):
                    pipe: IO[bytes] = key.fileobj  # type: ignore[assignment]
                    open_still = self._write(pipe) if pipe is process.stdin else self._read(pipe, key.data)
                    if not open_still:
                        selector.unregister(pipe)
                        if pipe is process.stdin:
                            pipe.close()

    def _write(self, pipe: IO[bytes]) -> bool:
        try:
            written = os.write(pipe.fileno(), self._order[:_READ_AT_ONCE])
        except BlockingIOError:
            return True
        except BrokenPipeError:
            return False  # the child ended early; what it says tells why
        self._order = self._order[written:]
        return bool(self._order)

    def _read(self, pipe: IO[bytes], into: bytearray) -> bool:
        data = os.read(pipe.fileno(), _READ_AT_ONCE)
        if into is self._complaint:
            into += data[: _MAX_COMPLAINT - len(into)]
        elif len(into) + len(data) > MAX_ANSWER:
            raise errors.ProtocolViolation(
                "what the BMC told is too long", expected=f"at most {MAX_ANSWER} bytes", where=self._where
            )
        else:
            into += data
        return bool(data)

    def result(self, returncode: int) -> Mapping[str, Any]:
        try:
            data = json.loads(self.answer.decode("utf-8"))
        except ValueError as error:
            if self._late:
                raise errors.TimedOut(
                    "the deadline passed while the BMC was being read", where=self._where, next=_NEXT["TimedOut"]
                ) from error
            last_words = self._complaint.decode("utf-8", "replace").strip().rpartition("\n")[2]
            raise errors.ProtocolViolation(
                "the IPMI child process ended without an answer",
                expected="one JSON object",
                found=clean(last_words) or f"exit status {returncode}",
                where=self._where,
            ) from error
        if not isinstance(data, dict):
            raise errors.ProtocolViolation("the IPMI child process gave no JSON object", where=self._where)
        return data


def end(process: subprocess.Popen[bytes], grace: float) -> None:
    """Leave no child and no pipe behind: with ``grace`` seconds to log out if it is interrupted, then by force."""
    try:
        if grace and process.poll() is None:
            _signal_group(process.pid, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(grace)
    finally:
        if process.poll() is None:
            _signal_group(process.pid, signal.SIGKILL)
            process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


def _signal_group(leader: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, number)
