# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Programs that stay: real ones, started, found, taken for nobody else, and stopped with what they started."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.lab.engine.daemons import Daemon, Daemons, process_of
from tests.lab.engine.errors import LabError

SLEEPER = Daemon("sleeper", ("sleep", "600"))


@pytest.fixture
def daemons(tmp_path: Path) -> Daemons:
    return Daemons(tmp_path / "run")


def _family(started: Path) -> tuple[str, ...]:
    """A program with a child, whose process id is in the file as soon as the file is there."""
    return "sh", "-c", f"sleep 600 & echo $! >{started}.new; mv {started}.new {started}; wait"


def alive(pid: int) -> bool:
    try:
        found = process_of(Path(f"/proc/{pid}/stat").read_text())
    except FileNotFoundError:
        return False
    return found is not None and found.state not in "ZX"


def test_one_that_runs_is_left_alone(daemons: Daemons) -> None:
    assert daemons.ensure(SLEEPER)
    first = daemons.running("sleeper")
    assert first is not None
    assert not daemons.ensure(SLEEPER)
    # Another run has no memory of this one's.
    assert Daemons(daemons.directory).running("sleeper") == first
    assert daemons.stop("sleeper")
    assert not alive(first.pid)
    assert daemons.names() == []


def test_another_command_or_configuration_restarts_it(daemons: Daemons) -> None:
    daemons.ensure(SLEEPER)
    first = daemons.running("sleeper")
    assert first is not None
    assert daemons.ensure(Daemon("sleeper", ("sleep", "600"), depends="its configuration, changed"))
    second = daemons.running("sleeper")
    assert second is not None
    assert second.pid != first.pid
    assert not alive(first.pid)
    daemons.stop("sleeper")


def test_what_it_started_stops_with_it(daemons: Daemons, tmp_path: Path) -> None:
    started = tmp_path / "started"
    daemons.ensure(Daemon("family", _family(started), ready=str(started)))
    child = int(started.read_text())
    assert alive(child)
    daemons.stop("family")
    assert not alive(child)


def test_what_outlived_it_is_stopped_too(daemons: Daemons, tmp_path: Path) -> None:
    """A server whose first process is killed leaves workers that hold its port."""
    started = tmp_path / "started"
    family = Daemon("family", _family(started), ready=str(started))
    daemons.ensure(family)
    child, leader = int(started.read_text()), daemons.running("family")
    assert leader is not None
    os.kill(leader.pid, 9)
    deadline = time.monotonic() + 10
    while alive(leader.pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert alive(child)
    started.unlink()
    daemons.ensure(family)
    assert not alive(child)
    daemons.stop("family")


def test_a_record_of_before_the_machine_was_booted_names_nobody(daemons: Daemons) -> None:
    daemons.ensure(SLEEPER)
    record = daemons.directory / "sleeper.digest"
    honest = record.read_text()
    record.write_text(f"{honest.split()[0]} 00000000-0000-0000-0000-000000000000\n")
    assert daemons.running("sleeper") is None
    assert daemons.session("sleeper") == []
    record.write_text(honest)
    daemons.stop("sleeper")


def test_with_alone_what_it_started_lives_on(daemons: Daemons, tmp_path: Path) -> None:
    started = tmp_path / "started"
    daemons.ensure(Daemon("parent", _family(started), ready=str(started)))
    child = int(started.read_text())
    daemons.stop("parent", alone=True)
    assert alive(child)
    os.kill(child, 9)


def test_one_that_ignores_being_asked_is_killed(daemons: Daemons, tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    daemons.ensure(
        Daemon("stubborn", ("sh", "-c", f"trap '' TERM; touch {ready}; while :; do sleep 1; done"), ready=str(ready))
    )
    process = daemons.running("stubborn")
    assert process is not None
    daemons.stop("stubborn", patience=0.5)
    assert not alive(process.pid)


def test_a_recycled_process_id_is_not_taken_for_it(daemons: Daemons) -> None:
    daemons.ensure(SLEEPER)
    record = daemons.directory / "sleeper.pid"
    head, bracket, tail = record.read_text().rpartition(")")
    fields = tail.split()
    fields[19] = str(int(fields[19]) - 1)
    honest = record.read_text()
    record.write_text(f"{head}{bracket} {' '.join(fields)}\n")
    assert daemons.running("sleeper") is None
    assert daemons.session("sleeper") == []
    record.write_text(honest)
    daemons.stop("sleeper")


def test_one_that_ends_at_once_tells_why(daemons: Daemons) -> None:
    with pytest.raises(LabError, match="ended at once with 3: no such luck"):
        daemons.ensure(Daemon("broken", ("sh", "-c", "echo no such luck; exit 3"), ready="127.0.0.1:1"))


def test_one_that_never_serves_is_stopped(daemons: Daemons) -> None:
    with pytest.raises(LabError, match="did not serve at 127.0.0.1:1"):
        daemons.ensure(Daemon("mute", ("sleep", "600"), ready="127.0.0.1:1", ready_within=0.3))
    assert daemons.names() == []


def test_a_pid_file_is_there_before_the_program_is(daemons: Daemons) -> None:
    """There is no moment at which it runs and is not on record: the program itself finds its record."""
    daemons.ensure(Daemon("reader", ("sh", "-c", f"test -s {daemons.directory}/reader.pid && exec sleep 600")))
    time.sleep(0.2)
    assert daemons.running("reader") is not None
    daemons.stop("reader")
