# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fleet's processes: how they start, what they say when they cannot, and that none outlives its parent."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.emulators.redfish.fleet import CHECKOUT, Fleet, FleetFailed
from tests.unit.emulators.raw_client import Client


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def wait_until_gone(pids: list[int]) -> None:
    until = time.monotonic() + 10
    while any(alive(pid) for pid in pids):
        assert time.monotonic() < until, f"still there: {[pid for pid in pids if alive(pid)]}"
        time.sleep(0.02)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.emulators.redfish", *arguments]
    return subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_the_parent_ends_all_with_status_0(number: signal.Signals) -> None:
    fleet = Fleet(4, "127.43.4.0/24", platforms="generic", workers=3)
    fleet.start()
    try:
        pids = fleet.description["pids"]
        assert len(pids) == 4 and pids[0] == fleet.pid
        os.kill(fleet.pid, number)
        process = fleet._process
        assert process is not None and process.wait(10) == 0
        wait_until_gone(pids)
        assert "Traceback" not in fleet.log
    finally:
        fleet.stop()


def test_workers_end_when_the_parent_is_killed() -> None:
    fleet = Fleet(4, "127.43.4.0/24", platforms="generic", workers=2)
    fleet.start()
    try:
        pids = fleet.description["pids"]
        os.kill(fleet.pid, signal.SIGKILL)
        wait_until_gone(pids[1:])
    finally:
        fleet.stop()


def test_the_fleet_ends_when_a_worker_dies() -> None:
    fleet = Fleet(4, "127.43.4.0/24", platforms="generic", workers=2)
    fleet.start()
    try:
        pids = fleet.description["pids"]
        os.kill(pids[1], signal.SIGKILL)
        process = fleet._process
        assert process is not None and process.wait(10) == 1
        wait_until_gone(pids)
    finally:
        fleet.stop()


def test_the_context_manager_ends_all_even_after_an_error() -> None:
    pids: list[int] = []
    with pytest.raises(ZeroDivisionError):
        with Fleet(2, "127.43.4.0/24", platforms="generic") as fleet:
            pids = fleet.description["pids"]
            _dummy = 1 / 0
    wait_until_gone(pids)


def test_a_taken_port_is_told_and_leaves_nothing_behind() -> None:
    with socket.create_server(("127.43.4.2", 8443)):
        with pytest.raises(FleetFailed, match="the fleet cannot start.*in use"):
            Fleet(4, "127.43.4.0/24", platforms="generic", workers=2).start()


def test_the_same_seed_gives_the_same_fleet() -> None:
    found = []
    for seed in ("1", "1", "2"):
        with Fleet(5, "127.43.4.0/24", platforms="generic=1,openbmc=1", options=["--seed", seed]) as fleet:
            found.append((fleet.bmcs, Path(fleet.ca).read_bytes()))
    assert found[0] == found[1]
    assert found[0][0] != found[2][0] and found[0][1] != found[2][1]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--network", "10.0.0.0/8"], "loopback addresses"),
        (["--network", "127.43.4.0/30", "--bmcs", "9"], "room for 2 BMCs, not 9"),
        (["--platforms", "vax=1"], "no personality vax"),
        (["--platforms", "generic=many"], "not NAME or NAME=WEIGHT"),
        (["--latency", "fast"], "not a number of milliseconds"),
        (["--latency", "200-20"], "larger number first"),
        (["--faults", "gremlins=5%"], "there is no fault gremlins"),
        (["--faults", "refused=200%"], "neither a percentage"),
        (["--faults", "refused=1:speed=2", "--network", "127.43.4.0/24"], "has no option speed"),
        (["--bmcs", "0"], "at least 1"),
        (["--https-port", "0"], "--https-port is 1"),
        (["--replay", "/nowhere"], "neither index.json nor"),
    ],
)
def test_a_bad_command_line_is_an_error_without_traceback(arguments: list[str], says: str) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_more_listeners_than_open_files_is_told_before_anything_starts() -> None:
    limited = "import resource, sys; resource.setrlimit(resource.RLIMIT_NOFILE, (600, 600));"
    start = "from tests.emulators.redfish.cli import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", limited + start, "--bmcs", "300", "--workers", "1", "--network", "127.43.4.0/23"]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "would need 1100 open files and may have 600: use more --workers" in done.stderr


def test_platforms_and_faults_can_be_listed() -> None:
    done = run("--list")
    assert done.returncode == 0
    assert "generic" in done.stdout and "black_hole" in done.stdout


def test_certificates_can_be_shared() -> None:
    with Fleet(3, "127.43.4.0/24", platforms="generic", options=["--certificates", "shared"]) as fleet:
        found = set()
        for address in fleet.addresses:
            with Client(fleet, address) as client:
                assert client.get("/redfish/v1").status == 200
                found.add(client.certificate)
        assert len(found) == 1
