# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which credentials a BMC has refused in this run: a wrong password is sent once, not by every task and every host.

One small file for each BMC in the run's own temporary directory, which Ansible removes when the run ends. It holds a
random key and a keyed digest (HMAC-SHA-256) of each credential that was tried, never the credential, and is the lock
under which workers log in to that BMC one after the other. Whoever can read the user's files while the run lasts can
test a guess against it, as they could against the process itself.

    with attempts(request.run_directory, "10.20.0.17:443", credentials, 2, deadline=deadline) as tried:
        while True:
            credential = tried.next()
            if credential is None:
                raise refused or tried.refusal(where)
            try:
                log_in(credential)
            except AuthenticationFailed as error:  # judged; say nothing of what leaves it open (busy, time out)
                tried.refused(credential)
                refused = error
            else:
                tried.worked(credential)
                break
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import threading
from contextlib import contextmanager, suppress
from typing import Generic, Iterator, Optional, Protocol, Sequence, Set, TypeVar

from .deadline import Deadline
from .errors import AuthenticationFailed, Busy
from .lock_file import file_name, wait_for_one

_KEY, _ENTRY = 32, 33  # bytes of the key at the beginning, and of each entry: what became of it, and the digest
_REFUSED, _WORKED = b"R", b"W"
_PAUSE = 0.02  # seconds between two looks whether another worker has logged in


class Named(Protocol):
    """What a credential has."""

    @property
    def name(self) -> str: ...

    @property
    def username(self) -> str: ...

    @property
    def password(self) -> str: ...


C = TypeVar("C", bound=Named)


class Attempts(Generic[C]):
    """The credentials that may be tried at one BMC, in their order: ask ``next``, then say what became of it.

    One that was refused is not given again in this run. Once ``most`` were refused, none is, until one has worked.
    Where a credential is refused that had worked in this run, the accounts were changed in between, so what was refused
    before that counts no longer.
    """

    def __init__(self, credentials: Sequence[C], most: int, endpoint: str, record: int = -1) -> None:
        self.credentials = credentials
        self._most = most
        self._endpoint = endpoint
        self._record = record
        self._refused: Set[bytes] = set()
        self._worked: Set[bytes] = set()
        self._in_a_row = 0
        self._key = b""
        if record < 0:
            self._key = os.urandom(_KEY)
        else:
            self._read()

    def next(self) -> Optional[C]:
        """The first that may be tried; None where there is none."""
        if self._in_a_row >= self._most:
            return None
        return next((one for one in self.credentials if not self.was_refused(one)), None)

    def was_refused(self, credential: C) -> bool:
        return self._digest(credential) in self._refused

    def refused(self, credential: C) -> None:
        """The BMC has judged it and said no. Not for answers that leave that open."""
        self._enter(_REFUSED, self._digest(credential))

    def worked(self, credential: C) -> None:
        digest = self._digest(credential)
        if self._in_a_row or digest not in self._worked:
            self._enter(_WORKED, digest)

    def refusal(self, where: str) -> AuthenticationFailed:
        """The error where ``next`` gave none at the first time of asking."""
        before = [one for one in self.credentials if self.was_refused(one)]
        names = ", ".join(one.name for one in before)
        if len(before) == len(self.credentials):
            return AuthenticationFailed(
                "the BMC has refused the credentials before in this run; they are not tried again",
                expected="a credential that has not been refused",
                found=f"refused before: {names}",
                where=where,
                next="correct them: another user name or password is tried; or see whether the account is locked",
            )
        return AuthenticationFailed(
            "no more credentials are tried in this run: the account might be locked",
            expected=f"fewer than {self._most} refused",
            found=f"{self._in_a_row} refused" + (f", among them {names}" if names else ""),
            where=where,
            next="put the right one first and run again",
        )

    # The record

    def _digest(self, credential: C) -> bytes:
        said = [self._endpoint, credential.username, credential.password]
        return hmac.new(self._key, json.dumps(said).encode(), hashlib.sha256).digest()

    def _read(self) -> None:
        written = os.pread(self._record, 1 << 20, 0)
        if len(written) < _KEY:
            os.ftruncate(self._record, 0)
            written = os.urandom(_KEY)
            os.pwrite(self._record, written, 0)
        self._key = written[:_KEY]
        for start in range(_KEY, len(written) - _ENTRY + 1, _ENTRY):
            self._count(written[start : start + 1], written[start + 1 : start + _ENTRY])
        os.ftruncate(self._record, len(written) - (len(written) - _KEY) % _ENTRY)  # whoever wrote it was killed

    def _enter(self, what: bytes, digest: bytes) -> None:
        self._count(what, digest)
        if self._record >= 0:
            with suppress(OSError):  # a full disk: the next task tries it once more
                os.lseek(self._record, 0, os.SEEK_END)
                os.write(self._record, what + digest)

    def _count(self, what: bytes, digest: bytes) -> None:
        if what == _WORKED:
            self._worked.add(digest)
            self._refused.discard(digest)
            self._in_a_row = 0
            return
        if digest in self._worked:
            self._worked.discard(digest)
            self._refused.clear()
            self._in_a_row = 0
        self._refused.add(digest)
        self._in_a_row += 1


@contextmanager
def attempts(
    directory: Optional[str],
    endpoint: str,
    credentials: Sequence[C],
    most: int,
    *,
    deadline: Deadline,
    cancelled: Optional[threading.Event] = None,
) -> Iterator[Attempts[C]]:
    """Log in within this, as long as ``next`` gives a credential; other workers of the run wait for what comes of it.

    ``directory``: the run's own; None: nothing is remembered. ``endpoint``: the BMC's name among all that are logged in
    to. ``most``: how many may be refused in a row. A credential has ``name``, ``username`` and ``password``. Busy when
    the deadline passes while others log in.
    """
    if directory is None:
        yield Attempts(credentials, most, endpoint)
        return
    path = os.path.join(directory, f"hearth-{file_name(endpoint)}.tried")

    def busy() -> Busy:
        return Busy(
            "others are logging in to this BMC",
            expected="their login to end within the deadline",
            where=f"{endpoint} ({path})",
            next="try again later, or give it more time (deadline)",
        )

    record = wait_for_one([path], deadline, _PAUSE, busy, cancelled)
    try:
        yield Attempts(credentials, most, endpoint, record)
    finally:
        os.close(record)
