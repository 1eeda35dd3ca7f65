# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The TCP-connect scan: on loopback for those who answer, in a network namespace for those who don't."""

from __future__ import annotations

import json
import math
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Dict, Iterator, List, Tuple

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core.deadline import Deadline
from ansible_collections.hearth.datacenter.plugins.plugin_utils._scan import scan

BUILD = Path(__file__).parents[4] / "build" / "dev"


@contextmanager
def listening(address: str, family: int = socket.AF_INET) -> Iterator[int]:
    with socket.socket(family, socket.SOCK_STREAM) as server:
        server.bind((address, 0))
        server.listen(64)
        yield int(server.getsockname()[1])


@contextmanager
def mute(address: str) -> Iterator[int]:
    """A port whose queue is full: the kernel drops further SYNs, so connections to it get no answer."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as server:
        server.bind((address, 0))
        server.listen(0)
        port = int(server.getsockname()[1])
        crowd = []
        for _number in range(4):
            client = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            client.setblocking(False)
            client.connect_ex((address, port))
            crowd.append(client)
        time.sleep(0.05)
        try:
            yield port
        finally:
            for client in crowd:
                client.close()


@pytest.fixture
def nothing_left() -> Iterator[None]:
    files, threads = len(os.listdir("/proc/self/fd")), threading.active_count()
    yield
    assert len(os.listdir("/proc/self/fd")) == files
    assert threading.active_count() == threads


def test_open_and_refused_ports_are_told_apart(nothing_left: None) -> None:
    with listening("127.46.0.1") as port, listening("127.46.0.2") as other:
        found = set(scan(["127.46.0.1", "127.46.0.2", "127.46.0.3"], (port, other), 2.0))
    assert found == {
        ("127.46.0.1", port, "open"),
        ("127.46.0.1", other, "refused"),
        ("127.46.0.2", port, "refused"),
        ("127.46.0.2", other, "open"),
        ("127.46.0.3", port, "refused"),
        ("127.46.0.3", other, "refused"),
    }


def test_ipv6(nothing_left: None) -> None:
    try:
        with listening("::1", socket.AF_INET6) as port:
            assert list(scan(["::1"], (port,), 2.0)) == [("::1", port, "open")]
    except OSError as error:
        pytest.skip(f"no IPv6 loopback here: {error}")


def test_port_without_answer_is_silent_after_its_time(nothing_left: None) -> None:
    with mute("127.46.0.4") as port:
        began = time.monotonic()
        assert list(scan(["127.46.0.4"], (port,), 0.4)) == [("127.46.0.4", port, "silent")]
        assert 0.35 <= time.monotonic() - began < 1.5


def test_address_that_the_kernel_refuses_is_an_error_and_not_the_end(nothing_left: None) -> None:
    """A link-local address without its zone leads nowhere."""
    with listening("127.46.0.1") as port:
        found = {address: state for address, _port, state in scan(["fe80::1", "127.46.0.1"], (port,), 1.0)}
    assert found == {"fe80::1": "error", "127.46.0.1": "open"}


def test_every_address_of_a_network_is_answered_for_once(nothing_left: None) -> None:
    addresses = [f"127.46.{high}.{low}" for high in range(8) for low in range(256)]
    with listening("127.46.3.77") as port:
        found = list(scan(addresses, (port,), 5.0, in_flight=64))
    assert sorted(address for address, _port, _state in found) == sorted(addresses)
    assert [address for address, _port, state in found if state == "open"] == ["127.46.3.77"]


def test_addresses_are_taken_only_when_there_is_room(nothing_left: None) -> None:
    taken: List[str] = []

    def addresses() -> Iterator[str]:
        for number in range(1000):
            taken.append(f"127.46.1.{number % 256}")
            yield taken[-1]

    results = scan(addresses(), (9,), 5.0, in_flight=10)
    for _number in range(5):
        next(results)
    assert len(taken) <= 5 + 2 * 10 + 1
    results.close()  # type: ignore[attr-defined]


def test_deadline_ends_the_scan(nothing_left: None) -> None:
    with mute("127.46.0.4") as port:
        began = time.monotonic()
        found = list(scan(["127.46.0.4"] * 100, (port,), 10.0, in_flight=1, deadline=Deadline.after(0.3)))
        assert found == []
        assert time.monotonic() - began < 1.0


def test_cancelling_ends_the_scan(nothing_left: None) -> None:
    cancelled = threading.Event()
    timer = threading.Timer(0.2, cancelled.set)
    with mute("127.46.0.4") as port:
        timer.start()
        began = time.monotonic()
        assert list(scan(["127.46.0.4"] * 10, (port,), 30.0, cancelled=cancelled)) == []
        assert time.monotonic() - began < 1.5
        timer.join()


@pytest.mark.parametrize("end", ["closed", "interrupted"])
def test_no_socket_stays_open_when_the_consumer_stops(end: str, nothing_left: None) -> None:
    def consume() -> None:
        for _result in scan(addresses, (port, 9), 30.0):
            if end == "interrupted":
                raise KeyboardInterrupt
            return

    with mute("127.46.0.4") as port:
        addresses = ["127.46.0.4"] * 20
        if end == "interrupted":
            with pytest.raises(KeyboardInterrupt):
                consume()
        else:
            consume()


def test_answer_that_came_while_nobody_looked_is_not_late(nothing_left: None) -> None:
    """Discovery takes the next candidate only when it has a free place, which may be long after."""
    with listening("127.46.0.1") as port:
        results = scan(["127.46.0.5", "127.46.0.1"], (port,), 0.2, in_flight=2)
        found = [next(results)]
        time.sleep(0.5)
        found += results
    assert sorted(found) == [("127.46.0.1", port, "open"), ("127.46.0.5", port, "refused")]


def run_limited(program: str, files: int) -> Any:
    """Run a program in a process that may open ``files`` files; what it prints is JSON."""
    limited = f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, ({files}, {files}))\n" + program
    return json.loads(run_program([], limited))


def run_program(prefix: List[str], program: str) -> str:
    head = f"import json, os, sys, time\nsys.path.insert(0, {str(BUILD)!r})\n"
    head += "from ansible_collections.hearth.datacenter.plugins.plugin_utils import _scan, _targets\n"
    ran = subprocess.run(
        [*prefix, sys.executable, "-c", head + program], capture_output=True, text=True, timeout=120, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_half_of_the_open_file_limit_is_left_to_others() -> None:
    program = """
most = 0
states = []
addresses = ("127.46.2.%d" % number for number in range(200))
class Watching:
    def __call__(self):
        global most
        most = max(most, len(os.listdir("/proc/self/fd")))
        return time.monotonic()
for _address, _port, state in _scan.scan(addresses, (9,), 5.0, clock=Watching()):
    states.append(state)
print(json.dumps([most, sorted(set(states)), len(states)]))
"""
    most, states, count = run_limited(program, 64)
    assert (states, count) == (["refused"], 200)
    assert most <= 32 + 8


def test_without_free_files_it_goes_on_with_fewer() -> None:
    program = """
spare = [os.open("/dev/null", os.O_RDONLY) for _number in range(50)]
addresses = ["127.46.2.%d" % number for number in range(200)]
print(json.dumps(sorted({state for _address, _port, state in _scan.scan(addresses, (9,), 5.0)})))
"""
    assert run_limited(program, 64) == ["refused"]


def test_without_any_free_file_it_says_error_and_ends() -> None:
    program = """
scanning = _scan.scan(["127.46.2.1"], (9,), 0.3)
addresses = iter(["127.46.2.1"])
def full():
    spare = []
    while True:
        try:
            spare.append(os.open("/dev/null", os.O_RDONLY))
        except OSError:
            yield "127.46.2.1"
            return
print(json.dumps([state for _address, _port, state in _scan.scan(full(), (9,), 0.3)]))
"""
    assert run_limited(program, 64) == ["error"]


# ---- a network in which nobody answers ------------------------------------------------------------------------------

NAMESPACE = f"hearth-scan-{os.getpid()}"


@pytest.fixture(scope="module")
def silent_network() -> Iterator[List[str]]:
    """The command prefix that runs a program where 10.99.0.0/16 swallows every packet: a veth pair without ARP."""
    if not shutil.which("ip"):
        pytest.skip("ip is missing (Debian package iproute2)")

    def ip(*arguments: str) -> None:
        subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True, timeout=30)

    try:
        ip("netns", "add", NAMESPACE)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"no privilege to make a network namespace: {error.stderr.strip()}")
    inside = ["-n", NAMESPACE]
    try:
        try:
            ip(*inside, "link", "add", "silent0", "type", "veth", "peer", "name", "silent1")
            ip(*inside, "link", "set", "silent0", "arp", "off", "up")
            ip(*inside, "link", "set", "silent1", "up")
            ip(*inside, "address", "add", "10.99.255.254/16", "dev", "silent0")
        except subprocess.CalledProcessError as error:
            pytest.skip(f"no virtual network device here: {error.stderr.strip()}")
        yield ["ip", "netns", "exec", NAMESPACE]
    finally:
        subprocess.run(["ip", "netns", "delete", NAMESPACE], check=False, capture_output=True, timeout=30)


def sweep(prefix: List[str], network: str, options: str) -> Tuple[Dict[str, int], float, float]:
    """States and their number, seconds, and CPU seconds of a scan in the silent network."""
    program = f"""
import collections
from ansible_collections.hearth.datacenter.plugins.module_utils._core.deadline import Deadline
began, cpu = time.monotonic(), time.process_time()
addresses = _targets.parse_blocks([{network!r}]).scanned()
states = collections.Counter(state for _address, _port, state in _scan.scan(addresses, (443,), {options}))
print(json.dumps([states, time.monotonic() - began, time.process_time() - cpu]))
"""
    states, seconds, cpu = json.loads(run_program(prefix, program))
    return states, seconds, cpu


def test_silent_network_takes_its_waves_and_no_more(silent_network: List[str]) -> None:
    """4,094 addresses, 1,024 at once, half a second each: four waves."""
    states, seconds, _cpu = sweep(silent_network, "10.99.16.0/20", "0.5, in_flight=1024")
    assert states == {"silent": 4094}
    waves = math.ceil(4094 / 1024)
    assert 0.5 * (waves - 1) < seconds < 0.5 * waves + 2.0


def test_silent_network_of_65_536_addresses_ends_by_its_deadline(silent_network: List[str]) -> None:
    states, seconds, cpu = sweep(silent_network, "10.99.0.0/16", "2.0, in_flight=256, deadline=Deadline.after(3)")
    assert set(states) == {"silent"}
    assert seconds < 3.5
    assert cpu < 2.0


def test_network_without_route_is_no_traceback(silent_network: List[str]) -> None:
    states, seconds, _cpu = sweep(silent_network, "192.0.2.0/24", "5.0")
    assert states == {"error": 254}
    assert seconds < 3.0
