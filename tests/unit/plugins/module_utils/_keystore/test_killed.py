# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SIGKILL before and after every step that leaves something behind: the next run finishes, no copy lies unlisted."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core.errors import KeyNotFound
from ansible_collections.hearth.datacenter.plugins.module_utils._core.state.opening import open_store
from ansible_collections.hearth.datacenter.plugins.module_utils._core.state.records import Records
from ansible_collections.hearth.datacenter.plugins.module_utils._keystore.escrow import Escrow
from ansible_collections.hearth.datacenter.plugins.module_utils._keystore.kmip_session import KmipSession
from ansible_collections.hearth.datacenter.plugins.module_utils._keystore.ledger import DESTROYED, Ledger
from ansible_collections.hearth.datacenter.plugins.module_utils._keystore.store import KeyStore
from tests.servers.kmip_server import RunningKmip

from .conftest import Holders, kmip_of

SECRET = b"canary-recovery-key-0815"

#: What leaves something behind: on the disk, in the ledger, in the KMIP server.
_STEPS: tuple[tuple[Any, str], ...] = (
    *((os, name) for name in ("open", "rename", "unlink", "fsync")),
    (Records, "append_record"),
    *((KmipSession, name) for name in ("create", "activate", "encrypt", "revoke", "destroy")),
)


class Lab:
    def __init__(self, directory: Path, make_store: Callable[[], KeyStore], fru: str) -> None:
        self.fru = fru
        self.keys = directory / "keys"
        self.escrowed = directory / "escrowed.jwe"
        self._state = f"sqlite://{directory}/state.sqlite3?persistent=yes"
        self._make_store = make_store

    def run(self, work: Callable[[Escrow], Any]) -> Any:
        store = self._make_store()
        try:
            with open_store(self._state, owner="test") as state:
                return work(Escrow(store, Ledger(state)))
        finally:
            store.close()

    def killed(self, work: Callable[[Escrow], Any], point: int) -> bool:
        """Whether a process that does this work was killed at that point; False: it ended before."""
        child = os.fork()
        if child == 0:
            try:
                _kill_at(point)
                self.run(work)
            except BaseException:  # noqa: BLE001 - it must not return into pytest
                os._exit(1)
            os._exit(0)
        _child, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "the work failed"
        return os.WIFSIGNALED(status)


def _kill_at(point: int) -> None:
    passed = 0

    def count() -> None:
        nonlocal passed
        passed += 1
        if passed == point:
            os.kill(os.getpid(), signal.SIGKILL)

    def counted(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            count()
            result = function(*arguments, **options)
            count()
            return result

        return call

    for owner, name in _STEPS:
        setattr(owner, name, counted(getattr(owner, name)))


@pytest.fixture(params=["files", "kmip"])
def make_lab(request: pytest.FixtureRequest, tmp_path: Path, holders: Holders, fru: str) -> Callable[[int], Lab]:
    server: RunningKmip | None = request.getfixturevalue("kmip") if request.param == "kmip" else None

    def make(number: int) -> Lab:
        directory = tmp_path / f"lab-{number}"
        keys = directory / "keys"
        keys.mkdir(parents=True, mode=0o700)
        if server is None:
            return Lab(directory, lambda: holders.store(keys), f"{fru} {number}")
        return Lab(directory, lambda: kmip_of(server, keys), f"{fru} {number}")

    return make


def _escrow_one(lab: Lab) -> Callable[[Escrow], None]:
    def work(escrow: Escrow) -> None:
        escrow.make_key(lab.fru)
        document = escrow.wrap(SECRET, fru=lab.fru, context={"slot": 1})
        escrow.keep(document, str(lab.escrowed), fru=lab.fru)

    return work


def _escrow_after_a_kill(lab: Lab, point: int) -> bool:
    was_killed = lab.killed(_escrow_one(lab), point)
    if lab.escrowed.exists():
        # What lies there is whole, listed, and opens.
        assert lab.run(lambda escrow: escrow.unwrap(lab.escrowed.read_bytes(), fru=lab.fru, context={})) == SECRET
        assert str(lab.escrowed) in lab.run(lambda escrow: [copy.place for copy in escrow.copies(lab.fru)])
    lab.run(_escrow_one(lab))
    assert lab.run(lambda escrow: escrow.unwrap(lab.escrowed.read_bytes(), fru=lab.fru, context={})) == SECRET
    return was_killed


def _destroy_after_a_kill(lab: Lab, point: int) -> bool:
    lab.run(_escrow_one(lab))
    was_killed = lab.killed(lambda escrow: escrow.destroy(lab.fru), point)
    lab.run(lambda escrow: escrow.destroy(lab.fru))
    with pytest.raises(KeyNotFound):
        lab.run(lambda escrow: escrow.unwrap(lab.escrowed.read_bytes(), fru=lab.fru, context={}))
    assert lab.run(lambda escrow: [key.state for key in escrow._ledger.keys(lab.fru)]) == [DESTROYED]
    assert not [path for path in lab.keys.iterdir() if not path.name.endswith(".lock")]
    # A machine that comes back gets a new key.
    lab.run(lambda escrow: escrow.make_key(lab.fru))
    return was_killed


@pytest.mark.parametrize(("work", "fewest"), [(_escrow_after_a_kill, 10), (_destroy_after_a_kill, 8)])
def test_killed_at_every_point(make_lab: Callable[[int], Lab], work: Callable[[Lab, int], bool], fewest: int) -> None:
    point = 1
    while work(make_lab(point), point):
        point += 1
    assert point > fewest
