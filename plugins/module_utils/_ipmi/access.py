# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Access to one BMC for one task: the login, what is asked with it, and the logout at the end.

Credentials are tried in their order, each at most once, and no more than ATTEMPTS of them: IPMI cannot say how many
failures lock an account. A BMC that falls silent in the middle, because its network port went down with the machine
that shares it, may be logged in to again with the credential that it has accepted.
"""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Iterator, List, Optional, Tuple

from .._core.attempts import attempts
from .._core.deadline import Deadline
from .._core.errors import AccessDenied, AuthenticationFailed, Busy, Cancelled, TimedOut
from .._core.turn import turn
from . import dialogue
from .child.login import USER
from .dialogue import Dialogue
from .reading import Reading, reading_of
from .session import Answer, Login, key_of, place

PORT = 623
ATTEMPTS = 2
_LOGIN_PAUSE = 1.0  # seconds between two logins at a BMC whose session table is full
_REOPENED = 5  # how often a session that was lost is opened again


@dataclass(frozen=True)
class Access:
    """How to reach one BMC. Times in seconds."""

    address: str
    credentials: Tuple[Login, ...]
    port: int = PORT
    suites: Tuple[int, ...] = (17, 3)
    deadline: float = 60.0
    """For all of it but what ``Connection.grant`` adds."""
    connect_timeout: float = 5.0
    """How long a BMC may say nothing at all."""
    lock_directory: Optional[str] = None
    """Where workers take turns (see turn.lock_directory); None: nobody else is at work there."""
    run_directory: Optional[str] = None
    """The run's own, where it remembers which credentials were refused; None: it does not."""

    @property
    def where(self) -> str:
        return place(self.address, self.port)

    @property
    def key(self) -> str:
        return key_of(self.address, self.port)


class Connection:
    """A BMC that is logged in to. ``warnings`` belong into the result."""

    def __init__(
        self, access: Access, privilege: int, at_least: int, lifetime: Deadline, cancelled: Optional[threading.Event]
    ) -> None:
        self.access = access
        self.warnings: List[str] = []
        self.logins = 0
        """how often a digest of the password was sent"""
        self._privilege = privilege
        self._at_least = at_least
        self._lifetime = lifetime
        self._cancelled = cancelled
        self._open = ExitStack()
        self._login: Optional[Login] = None
        self._dialogue: Optional[Dialogue] = None
        self._reopened = 0

    @property
    def dialogue(self) -> Dialogue:
        if self._dialogue is None:
            raise TimedOut("the session with the BMC is lost", where=self.access.where)
        return self._dialogue

    @property
    def credential(self) -> str:
        """The name of the credential that the BMC accepted."""
        return self._login.name if self._login is not None else ""

    def log_in(self) -> None:
        """With the first credential that is accepted of those that may be tried."""
        access = self.access
        until = self._lifetime.sooner(access.deadline)
        refused: Optional[AuthenticationFailed] = None
        with attempts(
            access.run_directory, access.key, access.credentials, ATTEMPTS, deadline=until, cancelled=self._cancelled
        ) as tried:
            while self._dialogue is None:
                login = tried.next()
                if login is None:
                    raise refused or tried.refusal(access.where)
                try:
                    self._log_in_when_free(login, until)
                except AuthenticationFailed as error:
                    tried.refused(login)
                    refused = error
                else:
                    tried.worked(login)

    def _log_in_when_free(self, login: Login, until: Deadline) -> None:
        """A BMC whose session table is full says so before it asks for the user name: it is asked again."""
        while True:
            try:
                self._log_in_with_less(login)
                return
            except Busy:
                if until.remaining() <= _LOGIN_PAUSE:
                    raise
                self.pause(_LOGIN_PAUSE)

    def _log_in_with_less(self, login: Login) -> None:
        try:
            self._log_in(login)
        except AccessDenied:
            if self._privilege <= self._at_least:
                raise
            # The BMC said so before it saw a proof of the password, so this is still the first attempt with it.
            self._privilege = self._at_least
            self._log_in(login)
            self.warn("the account has not the privilege level OPERATOR; what needs that is left out")

    def again(self) -> bool:
        """Log in again to a BMC that fell silent; False where it is still silent. TimedOut after too many times."""
        self.close()
        if self._login is None or self._reopened >= _REOPENED:
            raise TimedOut("the BMC stopped answering", where=self.access.where, next="see whether it is still there")
        self._reopened += 1
        try:
            self._log_in(self._login)
        except (TimedOut, Busy):  # the session that was lost still counts for a while
            return False
        return True

    def read(self, **request: Any) -> Reading:
        """What child.machine.read reads; the MAC, sensors and events only on request."""
        data = self.dialogue.read(request)
        answer = Answer(data, self.dialogue.suite, self.logins, self._new_warnings())
        return reading_of(answer)

    def command(self, netfn: int, command: int, data: Tuple[int, ...] = (), *, what: str) -> bytes:
        return self.dialogue.command(netfn, command, data, what=what)

    def grant(self, seconds: float) -> Deadline:
        return self.dialogue.grant(seconds)

    def until(self, seconds: float) -> Deadline:
        """So many seconds from now, or the end of the connection's life."""
        return self._lifetime.sooner(seconds)

    def pause(self, seconds: float) -> None:
        """Wait, but not beyond the connection's life; Cancelled when the run is interrupted."""
        seconds = min(seconds, self._lifetime.remaining())
        if self._cancelled is None:
            time.sleep(seconds)
        elif self._cancelled.wait(seconds):
            raise Cancelled("interrupted", where=self.access.where)

    def warn(self, text: str) -> None:
        if text not in self.warnings:
            self.warnings.append(text)

    def close(self) -> None:
        self._dialogue = None
        self._open.close()

    def _log_in(self, login: Login) -> None:
        access = self.access
        opened_dialogue = self._open.enter_context(
            dialogue.opened(
                access.address,
                login,
                port=access.port,
                deadline=self._lifetime,
                privilege=self._privilege,
                suites=access.suites,
                connect_timeout=access.connect_timeout,
                cancelled=self._cancelled,
            )
        )
        self._dialogue, self._login = opened_dialogue, login
        self.logins += opened_dialogue.proofs
        opened_dialogue.grant(access.deadline)
        self._new_warnings()

    def _new_warnings(self) -> Tuple[str, ...]:
        """The dialogue's warnings, which from here on are this connection's."""
        said, self.dialogue.warnings = self.dialogue.warnings, ()
        for warning in said:
            self.warn(warning)
        return said


@contextmanager
def opened(
    access: Access,
    *,
    privilege: int = USER,
    at_least: Optional[int] = None,
    longest: float = 0.0,
    cancelled: Optional[threading.Event] = None,
) -> Iterator[Connection]:
    """Log in to the BMC when it is our turn, and out again at the end. Every error is a HearthError.

    :param at_least: the privilege level to be content with where ``privilege`` is denied
    :param longest: seconds that the waits together may be granted beyond the access' deadline
    """
    with turn(access.lock_directory, access.key, access.where, Deadline.after(access.deadline), cancelled):
        lifetime = Deadline.after(access.deadline + longest)
        connection = Connection(access, privilege, privilege if at_least is None else at_least, lifetime, cancelled)
        try:
            connection.log_in()
            yield connection
        finally:
            connection.close()
