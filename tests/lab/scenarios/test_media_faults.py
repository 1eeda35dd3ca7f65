# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A media server that dies in mid-boot, and one that is slow."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from tests.lab.live import Live
from tests.lab.rack import Machine, Rack

EMPTY = {"hearth.datacenter.redfish_virtual_media": {"state": "ejected"}, "check_mode": True}


@pytest.fixture
def machine(rack: Rack) -> Machine:
    return rack.machines[0]


def sent(rack: Rack) -> int:
    """Bytes that the media server has logged."""
    return Path(rack.servers["media"]["log"]).stat().st_size


def kill_the_media_server_once_it_is_read(rack: Rack) -> threading.Thread:
    before = sent(rack)

    def kill() -> None:
        until = time.monotonic() + 300
        # a few dozen requests: GRUB has the kernel, and nothing more
        while sent(rack) - before < 8_000 and time.monotonic() < until:
            time.sleep(0.1)
        master = int((Path(rack.servers["media"]["directory"]) / "nginx.pid").read_text())
        workers = Path(f"/proc/{master}/task/{master}/children").read_text().split()
        for pid in (master, *map(int, workers)):
            os.kill(pid, signal.SIGKILL)

    thread = threading.Thread(target=kill)
    thread.start()
    return thread


def test_a_slow_media_server_makes_a_slow_boot(rack: Rack, live: Live, machine: Machine) -> None:
    configuration = Path(rack.servers["media"]["directory"]) / "nginx.conf"
    fast = configuration.read_text()
    pid = int((configuration.parent / "nginx.pid").read_text())
    configuration.write_text(fast.replace("limit_rate 0;", "limit_rate 3m;"))
    assert configuration.read_text() != fast
    os.kill(pid, signal.SIGHUP)
    try:
        ran = live.boot(machine, boot_live_reboot=True)
    finally:
        configuration.write_text(fast)
        os.kill(pid, signal.SIGHUP)
    assert ran.code == 0, ran.said[-6000:]


@pytest.mark.usefixtures("repaired")
def test_a_media_server_that_is_killed_in_mid_boot(rack: Rack, live: Live, machine: Machine) -> None:
    killer = kill_the_media_server_once_it_is_read(rack)
    ran = live.boot(machine, boot_live_reboot=True, boot_live_first_read_timeout=60, boot_live_timeout=100)
    killer.join()
    assert ran.code != 0
    why = next(
        str(result["msg"])
        for result, outcome in zip(reversed(ran.results), reversed(ran.outcomes))
        if outcome == "failed"
    )
    # how far it came, what the console shows, and that nothing is left
    assert "It did not answer over SSH within 100 s" in why or "has switched itself off" in why, why
    assert " % was read." in why and "Of the image 0 % was read" not in why
    assert "The end of its console:" in why
    assert "The media are out, and withdrawn. It boots by its own order." in why
    assert live.published() == []
    assert [result["changed"] for result in live.tasks([EMPTY], machine).results] == [False]
