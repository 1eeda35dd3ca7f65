# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What goes on before and around an IPMI session: cipher suites, passwords, lost datagrams, and who is given up when.

The peer is our own (tests/emulators/rmcp), since ipmi_sim knows suite 3 only; ipmitool has judged it.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core import errors
from ansible_collections.hearth.datacenter.plugins.module_utils._core.turn import lock_directory
from ansible_collections.hearth.datacenter.plugins.module_utils._ipmi.access import Access, Connection, opened
from ansible_collections.hearth.datacenter.plugins.module_utils._ipmi.child.login import OPERATOR, USER
from ansible_collections.hearth.datacenter.plugins.module_utils._ipmi.power import power_now
from ansible_collections.hearth.datacenter.plugins.module_utils._ipmi.session import SHA1_CHOSEN, SHA1_WARNING, Login
from tests.emulators.rmcp.machine import Machine
from tests.emulators.rmcp.peer import Account, Manners, RmcpPeer
from tests.emulators.rmcp.suites import SUITES

pytest.importorskip("pyghmi", reason="pyghmi is not installed")

ADDRESS = "127.63.2.1"
GOOD = Login("hearth", "correct-horse", "site")
WRONG = Login("hearth", "wrong", "old")


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """No child, no thread and no open file stays behind, whatever happened."""
    files, threads = len(os.listdir("/proc/self/fd")), threading.active_count()
    yield
    assert threading.active_count() == threads
    assert len(os.listdir("/proc/self/fd")) == files


def access(peer: Any, *credentials: Login, **options: Any) -> Access:
    return Access(peer.address, credentials or (GOOD,), port=peer.port, **{"deadline": 15.0, **options})


def state_by(peer: RmcpPeer, *credentials: Login, **options: Any) -> tuple[str, Connection]:
    with opened(access(peer, *credentials, **options)) as connection:
        return power_now(connection), connection


# Cipher suites


def test_suite_17_is_used_where_it_is_on_offer_without_a_word() -> None:
    with RmcpPeer(ADDRESS, manners=Manners(suites=(3, 17))) as peer:
        state, connection = state_by(peer)
        assert (state, connection.warnings) == ("off", [])
        assert peer.proposals == [SUITES[17]]
        assert (peer.received["rakp3"], connection.logins, peer.sessions) == (1, 1, 0)


def test_suite_3_is_used_with_a_warning_once_17_was_refused() -> None:
    with RmcpPeer(ADDRESS, manners=Manners(suites=(3,))) as peer:
        state, connection = state_by(peer)
        assert (state, connection.warnings) == ("off", [SHA1_WARNING])
        assert peer.proposals == [SUITES[17], SUITES[3]]


def test_suite_3_is_not_used_where_only_17_is_allowed() -> None:
    with RmcpPeer(ADDRESS, manners=Manners(suites=(3, 2, 1, 0))) as peer:
        with pytest.raises(errors.Unsupported):
            state_by(peer, suites=(17,))
        assert peer.proposals == [SUITES[17]]
        assert peer.received["rakp1"] == 0


@pytest.mark.parametrize("suites", [(0,), (1,), (2,), (8,), (15,), (16,), (0, 1, 2, 15, 16)], ids=str)
def test_bmc_that_offers_only_weak_suites_is_refused_and_gets_nothing(suites: tuple[int, ...]) -> None:
    with RmcpPeer(ADDRESS, manners=Manners(suites=suites)) as peer:
        with pytest.raises(errors.Unsupported):
            state_by(peer)
        assert peer.proposals == [SUITES[17], SUITES[3]], "a suite was proposed that must not be used"
        assert peer.received["rakp1"] == 0, "the user name went out"


@pytest.mark.parametrize("suite", [0, 1, 2, 8, 15, 16])
def test_bmc_that_chooses_another_suite_than_the_proposed_one_is_refused(suite: int) -> None:
    """The proposal is 17; whoever sits in between, or a BMC with a bug, answers with something weaker."""
    with RmcpPeer(ADDRESS, manners=Manners(answers_with=suite)) as peer:
        with pytest.raises(errors.ProtocolViolation, match="cipher suite 17 was proposed"):
            state_by(peer)
        assert (peer.received["open"], peer.received["rakp1"]) == (1, 0)


def test_bmc_that_answers_suite_3_whatever_is_proposed_has_refused_17() -> None:
    """As VirtualBMC does. Whoever can forge that answer can forge a refusal, and gets no more by it."""
    with RmcpPeer(ADDRESS, manners=Manners(answers_with=3)) as peer:
        state, connection = state_by(peer)
        assert (state, connection.warnings) == ("off", [SHA1_WARNING])
        assert peer.proposals == [SUITES[17], SUITES[3]], "a session goes by what was proposed and nothing else"
        assert (peer.received["rakp1"], peer.received["rakp3"], peer.sessions) == (1, 1, 0)
    with RmcpPeer(ADDRESS, manners=Manners(answers_with=3)) as peer:
        with pytest.raises(errors.ProtocolViolation, match="cipher suite 17 was proposed"):
            state_by(peer, suites=(17,))
        assert (peer.received["open"], peer.received["rakp1"]) == (1, 0)


def test_who_allows_suite_3_only_is_not_told_that_17_was_refused() -> None:
    with RmcpPeer(ADDRESS) as peer:
        state, connection = state_by(peer, suites=(3,))
        assert (state, connection.warnings, peer.proposals) == ("off", [SHA1_CHOSEN], [SUITES[3]])


def test_ipmi_1_5_is_refused() -> None:
    with RmcpPeer(ADDRESS, manners=Manners(ipmi_2=False)) as peer:
        with pytest.raises(errors.Unsupported, match=r"1\.5"):
            state_by(peer)
        assert (peer.received["open"], peer.received["rakp1"]) == (0, 0)


def test_answers_without_protection_inside_a_session_count_for_nothing() -> None:
    """Integrity and encryption were agreed on; an answer that has neither is not the BMC's."""
    with RmcpPeer(ADDRESS, manners=Manners(unprotected_answers=True)) as peer:
        began = time.monotonic()
        with pytest.raises(errors.TimedOut):
            state_by(peer, deadline=6.0)
        assert time.monotonic() - began < 8


# Passwords


def test_wrong_password_is_tried_once_and_the_proof_of_it_not_sent() -> None:
    with RmcpPeer(ADDRESS) as peer:
        with pytest.raises(errors.AuthenticationFailed) as raised:
            state_by(peer, WRONG)
        assert (peer.received["rakp1"], peer.received["rakp3"]) == (1, 0)
    with RmcpPeer(ADDRESS) as peer, pytest.raises(errors.AuthenticationFailed) as unknown:
        state_by(peer, Login("nobody", "correct-horse"))
    assert raised.value.msg == unknown.value.msg, "it tells which user names there are"


def test_next_credential_is_tried_in_order_and_none_twice() -> None:
    with RmcpPeer(ADDRESS) as peer:
        state, connection = state_by(peer, WRONG, WRONG, GOOD)
        assert (state, connection.credential) == ("off", "site")
        assert (peer.received["rakp1"], peer.received["rakp3"]) == (2, 1)


def test_trying_stops_after_two_credentials() -> None:
    with RmcpPeer(ADDRESS) as peer:
        with pytest.raises(errors.AuthenticationFailed):
            state_by(peer, WRONG, Login("hearth", "older"), GOOD)
        assert peer.received["rakp1"] == 2


def test_account_with_less_privilege_reads_what_it_may() -> None:
    with RmcpPeer(ADDRESS, accounts={"hearth": Account("correct-horse", privilege=2)}) as peer:
        with pytest.raises(errors.AccessDenied), opened(access(peer), privilege=OPERATOR):
            raise AssertionError("it was let in")
        assert peer.received["rakp3"] == 0
        with opened(access(peer), privilege=OPERATOR, at_least=USER) as connection:
            assert power_now(connection) == "off"
        assert len(connection.warnings) == 1 and "OPERATOR" in connection.warnings[0]


def test_what_was_refused_is_not_sent_again_within_the_run(tmp_path: Path) -> None:
    run = {"run_directory": str(tmp_path)}
    with RmcpPeer(ADDRESS) as peer:
        for _task in range(3):
            with pytest.raises(errors.AuthenticationFailed):
                state_by(peer, WRONG, **run)
        assert peer.received["rakp1"] == 1
        for _task in range(2):
            assert state_by(peer, WRONG, GOOD, **run)[0] == "off"
        assert (peer.received["rakp1"], peer.received["rakp3"]) == (3, 2)


def test_no_more_than_two_are_refused_in_a_run(tmp_path: Path) -> None:
    """IPMI cannot say how many failures lock an account."""
    run = {"run_directory": str(tmp_path)}
    with RmcpPeer(ADDRESS) as peer:
        for login in (WRONG, Login("hearth", "older", "older"), Login("hearth", "oldest", "oldest"), GOOD):
            with pytest.raises(errors.AuthenticationFailed) as raised:
                state_by(peer, login, **run)
        assert peer.received["rakp1"] == 2
        assert "no more credentials are tried" in raised.value.msg


# Others at the same BMC


def test_who_waits_too_long_for_a_turn_is_told_that_it_is_busy(tmp_path: Path) -> None:
    locks = {"lock_directory": lock_directory(str(tmp_path))}
    with RmcpPeer(ADDRESS) as peer, RmcpPeer("127.63.2.2") as another:
        with opened(access(peer, **locks)) as first, opened(access(peer, **locks)) as second:
            with pytest.raises(errors.Busy, match="others are at work"):
                state_by(peer, deadline=0.5, **locks)
            assert (peer.received["rakp1"], peer.sessions) == (2, 2), "it was not its turn"
            assert state_by(another, **locks)[0] == power_now(first) == power_now(second) == "off"
        assert state_by(peer, **locks)[0] == "off"


def test_worker_that_is_killed_leaves_no_session(tmp_path: Path) -> None:
    """Its child process sees the end of its orders, and logs out."""
    with RmcpPeer(ADDRESS) as peer:
        program = f"""
import sys, signal
sys.path[:0] = {sys.path!r}
from ansible_collections.hearth.datacenter.plugins.module_utils._ipmi.access import Access, opened
from ansible_collections.hearth.datacenter.plugins.module_utils._ipmi.session import Login
with opened(Access({peer.address!r}, (Login("hearth", "correct-horse"),), port={peer.port})):
    signal.pause()
"""
        worker = subprocess.Popen([sys.executable, "-c", program])
        wait_until(lambda: peer.sessions == 1)
        worker.kill()
        worker.wait()
        wait_until(lambda: peer.sessions == 0)
        assert peer.received["rakp3"] == 1


def wait_until(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_full_session_table_is_busy() -> None:
    with RmcpPeer(ADDRESS, manners=Manners(session_limit=1)) as peer, opened(access(peer)) as first:
        with pytest.raises(errors.Busy):
            state_by(peer, deadline=1.5)
        assert power_now(first) == "off"


def test_full_session_table_is_waited_for() -> None:
    with RmcpPeer(ADDRESS, manners=Manners(session_limit=1)) as peer:
        with opened(access(peer)) as first:
            timer = threading.Timer(0.5, first.close)
            timer.start()
            assert state_by(peer, deadline=10.0)[0] == "off"
            timer.join()
        assert (peer.most_sessions, peer.received["rakp1"], peer.sessions) == (1, 2, 0)


# Datagrams that get lost, and silence


@pytest.mark.parametrize("kind", ["other", "opened", "rakp2", "rakp4", "message"])
def test_answer_that_got_lost_is_asked_for_again(kind: str) -> None:
    with RmcpPeer(ADDRESS, manners=Manners(loses=lambda lost, count: lost == kind and count == 1)) as peer:
        state, _connection = state_by(peer)
        assert state == "off"
        assert peer.answered[kind] >= 2


def test_every_third_answer_lost_is_still_no_error() -> None:
    with RmcpPeer(ADDRESS, manners=Manners(loses=lambda kind, count: kind == "message" and count % 3 == 0)) as peer:
        with opened(access(peer, deadline=30.0)) as connection:
            assert [power_now(connection) for _time in range(5)] == ["off"] * 5


def test_command_whose_answers_are_all_lost_is_sent_a_bounded_number_of_times() -> None:
    machine = Machine()
    with RmcpPeer(ADDRESS, machine=machine, manners=Manners(loses=lambda kind, n: kind == "message" and n > 1)) as peer:
        with pytest.raises(errors.TimedOut):
            state_by(peer, deadline=30.0)
        assert peer.commands[0, 1] == 4
        assert peer.received["rakp3"] == 1, "it logged in again"


def test_silent_bmc_is_given_up_after_the_connect_timeout() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind((ADDRESS, 0))
        udp.settimeout(0)
        silent = Access(ADDRESS, (GOOD,), port=udp.getsockname()[1], deadline=60.0, connect_timeout=2.0)
        began = time.monotonic()
        with pytest.raises(errors.TimedOut), opened(silent):
            raise AssertionError("nobody was there")
        assert time.monotonic() - began < 4
        asked = 0
        while True:
            try:
                udp.recv(64)
            except BlockingIOError:
                break
            asked += 1
        assert 1 <= asked <= 4


def test_deadline_ends_a_bmc_that_falls_silent_and_its_session_is_closed() -> None:
    with RmcpPeer(ADDRESS, manners=Manners(loses=lambda kind, count: kind == "message" and count > 2)) as peer:
        began = time.monotonic()
        with pytest.raises(errors.TimedOut), opened(access(peer, deadline=3.0)) as connection:
            while True:
                power_now(connection)
        assert time.monotonic() - began < 5
        assert peer.sessions == 0, "its Close Session did not arrive"


def test_interrupted_task_closes_its_session() -> None:
    cancelled = threading.Event()
    with RmcpPeer(ADDRESS) as peer:
        with pytest.raises(errors.Cancelled), opened(access(peer), cancelled=cancelled) as connection:
            assert peer.sessions == 1
            cancelled.set()
            connection.pause(30)
        assert peer.sessions == 0


def test_busy_bmc_is_asked_again_a_few_times() -> None:
    with RmcpPeer(ADDRESS, machine=Machine(busy=2)) as peer:
        assert state_by(peer)[0] == "off"
    with RmcpPeer(ADDRESS, machine=Machine(busy=100)) as peer:
        with pytest.raises(errors.Busy):
            state_by(peer)
        assert peer.commands[0, 1] == 4
