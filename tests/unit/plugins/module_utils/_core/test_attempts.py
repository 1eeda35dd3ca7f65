# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run remembers of refused credentials, over tasks, threads and processes."""

from __future__ import annotations

import os
import stat
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core.attempts import attempts
from ansible_collections.hearth.datacenter.plugins.module_utils._core.deadline import Deadline
from ansible_collections.hearth.datacenter.plugins.module_utils._core.errors import BadInput, Busy, Cancelled

BMC = "127.41.0.1:443"


@dataclass(frozen=True)
class Account:
    name: str
    username: str
    password: str


SITE, FACTORY, THIRD = Account("site", "root", "s1te"), Account("factory", "root", "calvin"), Account("c", "x", "y")


def tried(run: Path | None, *credentials: Account, right: Account | None = None, most: int = 2) -> list[str]:
    """What one task sends to a BMC that accepts the right one only, by name."""
    sent: list[str] = []
    with attempts(None if run is None else str(run), BMC, credentials, most, deadline=Deadline.after(5.0)) as login:
        while (credential := login.next()) is not None:
            sent.append(credential.name)
            if credential == right:
                login.worked(credential)
                break
            login.refused(credential)
    return sent


def test_what_was_refused_is_not_sent_again_by_a_later_task(tmp_path: Path) -> None:
    assert tried(tmp_path, SITE) == ["site"]
    assert tried(tmp_path, SITE) == []
    assert tried(tmp_path, FACTORY, right=FACTORY) == ["factory"]
    assert tried(tmp_path, SITE, FACTORY, right=FACTORY) == ["factory"]


def test_another_run_knows_nothing_of_it_and_no_directory_remembers_nothing(tmp_path: Path) -> None:
    for run in (tmp_path / "one", tmp_path / "two"):
        run.mkdir()
        assert tried(run, SITE) == ["site"]
    assert tried(None, SITE) == tried(None, SITE) == ["site"]
    assert tried(None, SITE, FACTORY, THIRD) == ["site", "factory"]


def test_another_password_or_user_name_is_another_credential(tmp_path: Path) -> None:
    assert tried(tmp_path, SITE, most=9) == ["site"]
    assert tried(tmp_path, Account("site", "root", "changed"), most=9) == ["site"]
    assert tried(tmp_path, Account("site", "admin", "s1te"), most=9) == ["site"]
    # The same under another name is the same.
    assert tried(tmp_path, Account("other", "root", "s1te"), most=9) == []


def test_no_more_are_tried_than_the_threshold_leaves_room_for(tmp_path: Path) -> None:
    assert tried(tmp_path, SITE) == ["site"]
    assert tried(tmp_path, FACTORY) == ["factory"]
    assert tried(tmp_path, THIRD, right=THIRD) == []


def test_a_login_that_works_makes_room_again(tmp_path: Path) -> None:
    assert tried(tmp_path, SITE) == ["site"]
    assert tried(tmp_path, THIRD, right=THIRD) == ["c"]
    assert tried(tmp_path, FACTORY) == ["factory"]
    assert tried(tmp_path, SITE, Account("d", "d", "d")) == ["d"]


def test_when_the_accounts_have_changed_what_was_refused_may_be_right_now(tmp_path: Path) -> None:
    """Onboarding: the site's password is refused, the factory's works and sets the site's, which then must be tried."""
    assert tried(tmp_path, SITE, FACTORY, right=FACTORY) == ["site", "factory"]
    assert tried(tmp_path, SITE, FACTORY, right=SITE) == ["factory", "site"]
    assert tried(tmp_path, SITE, FACTORY, right=SITE) == ["site"]


def test_the_error_says_that_nothing_was_sent_and_why(tmp_path: Path) -> None:
    tried(tmp_path, SITE)
    with attempts(str(tmp_path), BMC, (SITE,), 2, deadline=Deadline.after(1.0)) as login:
        error = login.refusal("https://bmc")
    assert "not tried again" in error.msg and error.found == "refused before: site" and error.where == "https://bmc"
    tried(tmp_path, FACTORY)
    with attempts(str(tmp_path), BMC, (THIRD, SITE), 2, deadline=Deadline.after(1.0)) as login:
        error = login.refusal("https://bmc")
    assert "might be locked" in error.msg and error.found == "2 refused, among them site"


def test_no_secret_is_on_the_disk_and_nobody_else_reads_it(tmp_path: Path) -> None:
    tried(tmp_path, SITE, FACTORY)
    (file,) = tmp_path.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    written = file.read_bytes()
    assert len(written) == 32 + 2 * 33
    assert not any(word in written for word in (b"root", b"s1te", b"calvin", b"site"))
    other = tmp_path / "other"
    other.mkdir()
    tried(other, SITE, FACTORY)
    assert not set(pieces(written)) & set(pieces(next(other.iterdir()).read_bytes()))  # each file has its own key


def pieces(written: bytes) -> list[bytes]:
    return [written[start : start + 33] for start in range(32, len(written), 33)]


def test_an_entry_that_was_cut_off_is_forgotten_and_the_next_is_read(tmp_path: Path) -> None:
    tried(tmp_path, SITE)
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-5])
    assert tried(tmp_path, SITE) == ["site"]
    assert tried(tmp_path, SITE) == []
    file.write_bytes(b"short")
    assert tried(tmp_path, SITE) == ["site"]
    assert tried(tmp_path, SITE) == []


def test_workers_that_come_at_once_send_it_once(tmp_path: Path) -> None:
    sent: list[str] = []
    together = threading.Barrier(8)

    def work() -> None:
        together.wait()
        with attempts(str(tmp_path), BMC, (SITE,), 9, deadline=Deadline.after(10.0)) as login:
            credential = login.next()
            if credential is not None:
                sent.append(credential.name)
                time.sleep(0.05)  # the BMC thinks
                login.refused(credential)

    threads = [threading.Thread(target=work) for _number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sent == ["site"]


def test_processes_that_come_at_once_send_it_once(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    children = []
    for number in range(6):
        child = os.fork()
        if not child:
            if tried(run, SITE):
                (tmp_path / f"sent-{number}").touch()
            os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)
    assert len(list(tmp_path.glob("sent-*"))) == 1


def test_who_waits_too_long_is_told_and_an_interruption_ends_the_wait(tmp_path: Path) -> None:
    run = str(tmp_path)
    with attempts(run, BMC, (SITE,), 2, deadline=Deadline.after(1.0)):
        with pytest.raises(Busy), attempts(run, BMC, (SITE,), 2, deadline=Deadline.after(0.1)):
            raise AssertionError("two at once")
        cancelled = threading.Event()
        cancelled.set()
        with (
            pytest.raises(Cancelled),
            attempts(run, BMC, (SITE,), 2, deadline=Deadline.after(9.0), cancelled=cancelled),
        ):
            raise AssertionError("two at once")
        with attempts(run, "127.41.0.2:443", (SITE,), 2, deadline=Deadline.after(0.1)) as login:
            assert login.next() == SITE  # another BMC
    with pytest.raises(BadInput), attempts(run + "/gone", BMC, (SITE,), 2, deadline=Deadline.after(0.1)):
        raise AssertionError("nowhere")
