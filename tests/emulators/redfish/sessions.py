# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sessions of one BMC: limit, timeout, tokens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from tests.emulators.redfish.accounts import Account
from tests.emulators.redfish.personality import Manners

SERVICE = "/redfish/v1/SessionService"
COLLECTION = "/redfish/v1/SessionService/Sessions"


class NoRoom(Exception):
    """The limit of sessions is reached and the platform refuses another."""


@dataclass(slots=True)
class Session:
    id: str
    account: Account
    token: str = field(repr=False)
    created_at: float
    used_at: float
    peer: str = ""
    context: str = ""
    created: str = ""  # as it is shown


class SessionBook:
    """``timeout`` is asked at each use, since a PATCH may change it."""

    __slots__ = ("_by_token", "_clock", "_drop_oldest", "_limit", "_made", "_random", "_timeout")

    def __init__(
        self,
        limit: int,
        timeout: Callable[[], float],
        clock: Callable[[], float],
        random: Random,
        *,
        drop_oldest: bool = False,
    ) -> None:
        self._limit = limit
        self._timeout = timeout
        self._clock = clock
        self._random = random
        self._drop_oldest = drop_oldest
        self._by_token: dict[str, Session] = {}
        self._made = 0

    def adopt(self, manners: Manners) -> None:
        """From now on with this limit; who is in stays in."""
        self._limit = manners.session_limit
        self._drop_oldest = manners.session_overflow == "oldest_dropped"

    def __len__(self) -> int:
        self._expire()
        return len(self._by_token)

    def _expire(self) -> None:
        oldest = self._clock() - self._timeout()
        for token in [token for token, session in self._by_token.items() if session.used_at < oldest]:
            del self._by_token[token]

    def open(self, account: Account, peer: str = "", *, numbered: bool = False) -> Session:
        self._expire()
        if len(self._by_token) >= self._limit:
            if not self._drop_oldest:
                raise NoRoom
            del self._by_token[min(self._by_token.values(), key=lambda session: session.used_at).token]
        self._made += 1
        now = self._clock()
        identity = str(self._made) if numbered else f"{self._made:04d}{self._random.getrandbits(24):06x}"
        session = Session(identity, account, f"{self._random.getrandbits(160):040x}", now, now, peer)
        self._by_token[session.token] = session
        return session

    def use(self, token: str) -> Session | None:
        """The session of that token, which is in use now; None where it is unknown or has aged out."""
        session = self._by_token.get(token)
        if session is None:
            return None
        now = self._clock()
        if session.used_at < now - self._timeout():
            del self._by_token[token]
            return None
        session.used_at = now
        return session

    def all(self) -> list[Session]:
        self._expire()
        return list(self._by_token.values())

    def find(self, identity: str) -> Session | None:
        return next((session for session in self.all() if session.id == identity), None)

    def end(self, session: Session) -> None:
        self._by_token.pop(session.token, None)

    def restart(self) -> None:
        """All are gone, and counting begins anew."""
        self.end_all()
        self._made = 0

    def end_all(self, account: Account | None = None) -> None:
        """All sessions, or all of one account (it was deleted, disabled or got another password)."""
        for session in list(self._by_token.values()):
            if account is None or session.account is account:
                self.end(session)
