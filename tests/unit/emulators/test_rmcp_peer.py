# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The RMCP+ peer is judged by ipmitool, which shares no code with it."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator

import pytest

from tests.emulators.rmcp.machine import Machine
from tests.emulators.rmcp.peer import Account, Manners, RmcpPeer

ADDRESS = "127.63.1.1"

pytestmark = pytest.mark.skipif(not shutil.which("ipmitool"), reason="ipmitool is missing (Debian package ipmitool)")


def ipmitool(
    peer: RmcpPeer, suite: int, *words: str, password: str = "correct-horse"
) -> subprocess.CompletedProcess[str]:
    command = ["ipmitool", "-I", "lanplus", "-C", str(suite), "-N", "1", "-R", "2", "-H", peer.address]
    command += ["-p", str(peer.port), "-U", "hearth", "-P", password, *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def peer() -> Iterator[RmcpPeer]:
    with RmcpPeer(ADDRESS) as found:
        yield found


@pytest.mark.parametrize("suite", [17, 3, 16, 15, 8, 2, 1])
def test_ipmitool_logs_in_with_each_suite_and_switches_the_machine_on(suite: int) -> None:
    with RmcpPeer(ADDRESS, manners=Manners(suites=(suite,))) as peer:
        ran = ipmitool(peer, suite, "chassis", "power", "on")
        assert (ran.returncode, ran.stderr) == (0, "")
        assert peer.machine.power
        assert (peer.received["rakp3"], peer.sessions) == (1, 0)


def test_suite_0_lets_everybody_in_as_it_does_on_real_bmcs() -> None:
    """What our client must never use is really open here."""
    with RmcpPeer(ADDRESS, manners=Manners(suites=(17, 0))) as peer:
        assert ipmitool(peer, 0, "chassis", "power", "on", password="nonsense").returncode == 0
        assert peer.machine.power


def test_ipmitool_sees_what_is_refused(peer: RmcpPeer) -> None:
    assert "cipher suite" in ipmitool(peer, 16, "chassis", "status").stderr
    assert ipmitool(peer, 17, "chassis", "status", password="wrong").returncode != 0
    assert peer.received["rakp3"] == 0  # ipmitool, too, sees in RAKP 2 that they do not share a password


def test_privilege_is_held_against_the_account() -> None:
    with RmcpPeer(ADDRESS, accounts={"hearth": Account("correct-horse", privilege=2)}) as peer:
        assert ipmitool(peer, 17, "-L", "USER", "chassis", "power", "status").stdout == "Chassis Power is off\n"
        assert ipmitool(peer, 17, "-L", "USER", "chassis", "power", "on").returncode != 0
        assert ipmitool(peer, 17, "-L", "OPERATOR", "chassis", "power", "status").returncode != 0
        assert not peer.machine.power


def test_boot_flags_as_ipmitool_reads_and_writes_them(peer: RmcpPeer) -> None:
    assert ipmitool(peer, 17, "chassis", "bootdev", "pxe", "options=efiboot,persistent").returncode == 0
    said = ipmitool(peer, 17, "chassis", "bootparam", "get", "5").stdout
    for line in ("Boot Flag Valid", "Options apply to all future boots", "BIOS EFI boot", "Force PXE"):
        assert line in said


def test_flags_lapse_after_a_minute_unless_told_otherwise() -> None:
    now = [0.0]
    machine = Machine(clock=lambda: now[0])
    assert machine.do(0, 8, bytes([5, 0x80, 4, 0, 0, 0]), 4) == (0, b"")
    now[0] = 59
    assert machine.boot_flags[0] & 0x80
    now[0] = 61
    assert not machine.boot_flags[0] & 0x80
    machine.do(0, 8, bytes([3, 8]), 4)
    machine.do(0, 8, bytes([5, 0x80, 4, 0, 0, 0]), 4)
    now[0] = 1000
    assert machine.boot_flags[0] & 0x80


def test_garbage_is_no_concern_of_the_peer(peer: RmcpPeer) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        for datagram in (b"", b"\x06", bytes(14), bytes.fromhex("0600ff0706") + bytes(12), b"\xff" * 600):
            udp.sendto(datagram, (peer.address, peer.port))
    assert ipmitool(peer, 17, "chassis", "status").returncode == 0
