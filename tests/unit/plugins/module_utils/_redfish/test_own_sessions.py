# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sessions that nobody closed: ours are deleted where something proves that they are ours, other people's never."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core.errors import ConnectionLost
from ansible_collections.hearth.datacenter.plugins.module_utils._core.turn import lock_directory
from tests.emulators.redfish.fleet import Fleet
from tests.unit.plugins.module_utils._redfish.emulated import EmulatedBmc, bmc_of

SESSIONS = "/redfish/v1/SessionService/Sessions"
LOGIN = {"path": SESSIONS, "methods": ["POST"]}


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    platforms = {"openbmc": 1, "idrac9": 1}
    with Fleet(2, "127.41.2.0/24", platforms=platforms) as running:
        yield running


def fresh(fleet: Fleet, platform: str) -> Iterator[EmulatedBmc]:
    bmc = bmc_of(fleet, platform)
    yield bmc
    fleet.faults(bmc.address)
    bmc.manners()
    bmc.order("end_sessions", {})


@pytest.fixture
def openbmc(fleet: Fleet) -> Iterator[EmulatedBmc]:
    """It keeps a session's Context."""
    yield from fresh(fleet, "openbmc")


@pytest.fixture
def idrac(fleet: Fleet) -> Iterator[EmulatedBmc]:
    """It does not."""
    yield from fresh(fleet, "idrac9")


@pytest.fixture
def locks(tmp_path: Path) -> str:
    return lock_directory(str(tmp_path))


@contextlib.contextmanager
def worker(bmc: EmulatedBmc, locks: str) -> Iterator[int]:
    """A worker that logs in and stays; killed at the end."""
    child = os.fork()
    if not child:
        with contextlib.suppress(BaseException), bmc.opened(lock_directory=locks):
            signal.pause()
        os._exit(1)
    try:
        yield child
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def wait_for_a_note(locks: str, what: str) -> None:
    until = time.monotonic() + 10
    while not any(what in file.read_text() for file in Path(locks).iterdir()):
        assert time.monotonic() < until
        time.sleep(0.02)


def killed(bmc: EmulatedBmc, locks: str) -> None:
    """A worker that is killed while it is logged in."""
    with worker(bmc, locks):
        wait_for_a_note(locks, '"session"')


def paths(bmc: EmulatedBmc) -> list[str]:
    with bmc.opened() as session:
        return [path for path in session.client.member_links(SESSIONS) if path != session.client.session_path]


class TestKilled:
    def test_by_an_id_that_is_counted_up_and_the_time_of_its_creation(self, idrac: EmulatedBmc, locks: str) -> None:
        idrac.manners(session_ids="number")
        killed(idrac, locks)
        assert len(paths(idrac)[0].rpartition("/")[2]) < 8
        with idrac.opened(lock_directory=locks):
            assert idrac.open_sessions == 1
        assert idrac.open_sessions == 0

    def test_an_id_that_is_somebody_elses_by_now_is_left_alone(self, idrac: EmulatedBmc, locks: str) -> None:
        """The BMC restarted and counts from 1 again; somebody logged in by our user name."""
        idrac.manners(session_ids="number", not_ready_seconds=0.0)
        idrac.order("restart", {"seconds": 0.1})
        time.sleep(0.5)
        killed(idrac, locks)
        idrac.order("restart", {"seconds": 0.1})
        time.sleep(1.2)  # times have whole seconds
        with idrac.opened() as theirs:
            noted = [json.loads(file.read_text())["session"] for file in Path(locks).iterdir() if file.read_text()]
            assert noted == [theirs.client.session_path]
            with idrac.opened(lock_directory=locks):
                pass
            assert idrac.open_sessions == 1

    def test_before_the_answer_to_the_login_came(self, openbmc: EmulatedBmc, locks: str) -> None:
        openbmc.fleet.faults(openbmc.address, slow_resource={**LOGIN, "seconds": 1.0})
        with worker(openbmc, locks) as child:
            wait_for_a_note(locks, '"context"')
            time.sleep(0.2)
            os.kill(child, signal.SIGSTOP)  # its connection stays, and so the BMC does as it was asked
            time.sleep(1.3)
            assert openbmc.open_sessions == 1
        openbmc.fleet.faults(openbmc.address)
        with openbmc.opened(lock_directory=locks):
            assert openbmc.open_sessions == 1
        assert openbmc.open_sessions == 0


class TestLostAnswer:
    def test_the_login_is_done_again_and_the_lost_session_deleted(self, openbmc: EmulatedBmc) -> None:
        openbmc.fleet.faults(openbmc.address, lost_answer={**LOGIN, "times": 1})
        with openbmc.opened() as theirs:  # by the same user name; its own first answer was lost, too
            openbmc.fleet.faults(openbmc.address, lost_answer={**LOGIN, "times": 1})
            with openbmc.opened() as session:
                assert session.system().id == "system"
                assert any("answer to a login was lost" in warning for warning in session.warnings)
                assert openbmc.open_sessions == 2
            assert paths(openbmc) == [theirs.client.session_path]
        assert openbmc.open_sessions == 0

    def test_where_the_second_is_lost_as_well_the_next_task_deletes_both(
        self, openbmc: EmulatedBmc, locks: str
    ) -> None:
        openbmc.fleet.faults(openbmc.address, lost_answer={**LOGIN, "times": 2})
        with pytest.raises(ConnectionLost), openbmc.opened(lock_directory=locks):
            raise AssertionError("opened")
        assert openbmc.open_sessions == 2
        with openbmc.opened(lock_directory=locks):
            assert openbmc.open_sessions == 1
        assert openbmc.open_sessions == 0

    def test_where_no_context_is_kept_it_stays_and_the_error_says_so(self, idrac: EmulatedBmc, locks: str) -> None:
        idrac.fleet.faults(idrac.address, lost_answer={**LOGIN, "times": 1})
        with pytest.raises(ConnectionLost) as caught, idrac.opened(lock_directory=locks):
            raise AssertionError("opened")
        assert "stays until it ages out" in caught.value.next
        with idrac.opened(lock_directory=locks):
            assert idrac.open_sessions == 2

    @pytest.mark.parametrize("fault", ["drop_mid_body", "truncated"])
    def test_an_answer_that_breaks_off_after_its_head_is_enough(self, idrac: EmulatedBmc, fault: str) -> None:
        options: dict[str, Any] = {fault: LOGIN}
        idrac.fleet.faults(idrac.address, **options)
        with idrac.opened() as session:
            assert session.system().id
        assert idrac.open_sessions == 0

    def test_a_logout_whose_answer_is_lost_is_done(self, idrac: EmulatedBmc) -> None:
        idrac.fleet.faults(idrac.address, lost_answer={"methods": ["DELETE"], "times": 1})
        with idrac.opened() as session:
            pass
        assert idrac.open_sessions == 0 and not session.warnings


def test_an_older_bmcweb_that_knows_no_context_is_asked_without(openbmc: EmulatedBmc) -> None:
    openbmc.manners(session_context="refused")
    openbmc.fleet.reset_statistics()
    with openbmc.opened() as session:
        assert session.client.session_context == ""
    assert openbmc.fleet.statistics()["failed_logins"] == 0 and openbmc.open_sessions == 0


class TestUntoldPath:
    def test_the_only_one_of_our_name_is_ours(self, idrac: EmulatedBmc) -> None:
        idrac.manners(session_location="none")
        idrac.fleet.faults(idrac.address, truncated=LOGIN)
        with idrac.opened() as session:
            assert session.client.session_path == ""
        assert idrac.open_sessions == 0

    def test_of_two_of_our_name_neither_is_deleted(self, idrac: EmulatedBmc) -> None:
        with idrac.opened() as theirs:
            idrac.manners(session_location="none")
            idrac.fleet.faults(idrac.address, truncated=LOGIN)
            with idrac.opened() as session:
                pass
            assert any("could not be deleted" in warning for warning in session.warnings)
            assert idrac.open_sessions == 2
            assert theirs.fresh("/redfish/v1/Systems")

    def test_of_two_of_our_name_the_context_tells(self, openbmc: EmulatedBmc) -> None:
        with openbmc.opened() as theirs:
            openbmc.manners(session_location="none")
            openbmc.fleet.faults(openbmc.address, truncated=LOGIN)
            with openbmc.opened() as session:
                assert session.client.session_path == ""
            assert openbmc.open_sessions == 1
            assert theirs.fresh("/redfish/v1/Systems")
