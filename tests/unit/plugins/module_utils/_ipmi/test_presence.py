# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The presence ping against UDP peers on loopback that answer in every wrong way there is."""

from __future__ import annotations

import os
import socket
import struct
import threading
import time
from contextlib import contextmanager
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core.deadline import Deadline
from ansible_collections.hearth.datacenter.plugins.module_utils._core.errors import BadInput
from ansible_collections.hearth.datacenter.plugins.module_utils._ipmi import presence

Answer = Callable[[bytes], List[bytes]]


def pong(tag: int, *, entities: int = 0x81, enterprise: int = 4542, kind: int = 0x40, length: int = 16) -> bytes:
    header = b"\x06\x00\xff\x06" + struct.pack(">IBBBB", enterprise, kind, tag, 0, length)
    return header + struct.pack(">II", 4542, 0) + bytes((entities, 0)) + bytes(6)


class Peer:
    """A UDP server on its own loopback address: answers each ping with what ``answer`` makes of it.

    :param mouth: the socket that it answers from, where that is not the one that was asked
    """

    def __init__(
        self, address: str, answer: Answer, family: int = socket.AF_INET, mouth: Optional[socket.socket] = None
    ) -> None:
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.bind((address, 0))
        self._mouth = mouth or self.socket
        self.socket.settimeout(0.05)
        self.address = address
        self.port = int(self.socket.getsockname()[1])
        self.pings: List[Tuple[float, bytes]] = []
        self._answer = answer
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while not self._stop.is_set():
            try:
                datagram, sender = self.socket.recvfrom(2048)
            except socket.timeout:
                continue
            self.pings.append((time.monotonic(), datagram))
            for answer in self._answer(datagram):
                self._mouth.sendto(answer, sender)

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        self.socket.close()


@contextmanager
def peer(
    answer: Answer,
    address: str = "127.45.1.1",
    family: int = socket.AF_INET,
    mouth: Optional[socket.socket] = None,
) -> Iterator[Peer]:
    server = Peer(address, answer, family, mouth)
    try:
        yield server
    finally:
        server.close()


def honest(ping: bytes) -> List[bytes]:
    return [pong(ping[9])]


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_ping_is_the_packet_of_the_specification() -> None:
    assert presence.ping_packet(0x2A).hex() == "0600ff06" + "000011be" + "80" + "2a" + "00" + "00"


def test_bmc_that_answers_is_present() -> None:
    with peer(honest) as bmc:
        assert presence.presence(bmc.address, port=bmc.port, timeout=2) is True
        assert len(bmc.pings) == 1


def test_ipv6_bmc_is_present() -> None:
    try:
        with peer(honest, "::1", socket.AF_INET6) as bmc:
            assert presence.presence("::1", port=bmc.port, timeout=2) is True
    except OSError as error:
        pytest.skip(f"no IPv6 loopback here: {error}")


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(lambda ping: [], id="silence"),
        pytest.param(lambda ping: [pong((ping[9] + 1) % 255)], id="another-tag"),
        pytest.param(lambda ping: [pong(ping[9], entities=0x01)], id="asf-without-ipmi"),
        pytest.param(lambda ping: [pong(ping[9], enterprise=4543)], id="another-enterprise"),
        pytest.param(lambda ping: [pong(ping[9], kind=0x80)], id="ping-reflected"),
        pytest.param(lambda ping: [ping], id="echo"),
        pytest.param(lambda ping: [pong(ping[9])[:-1]], id="truncated"),
        pytest.param(lambda ping: [b"\x06\x00\xff\x07" + pong(ping[9])[4:]], id="ipmi-class"),
        pytest.param(lambda ping: [b"\x06\x00\xff\x86" + pong(ping[9])[4:]], id="acknowledge"),
        pytest.param(lambda ping: [b"", b"\x00", os.urandom(128), b"\x06" * 2000], id="junk"),
    ],
)
def test_whatever_is_not_the_pong_to_our_ping_is_no_bmc(answer: Answer) -> None:
    with peer(answer) as bmc:
        assert presence.presence(bmc.address, port=bmc.port, timeout=0.3) is False


def test_pong_from_an_address_that_was_not_asked_does_not_count() -> None:
    """A neighbour that knows the tag still answers from the wrong address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as neighbour:
        neighbour.bind(("127.45.1.2", 0))
        with peer(honest, mouth=neighbour) as bmc:
            assert presence.presence(bmc.address, port=bmc.port, timeout=0.4) is False
            assert bmc.pings


def test_pong_from_another_port_does_not_count() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other_program:
        other_program.bind(("127.45.1.1", 0))
        with peer(honest, mouth=other_program) as bmc:
            assert presence.presence(bmc.address, port=bmc.port, timeout=0.4) is False
            assert bmc.pings


def test_lost_ping_is_sent_again_with_the_same_tag() -> None:
    seen: List[bytes] = []

    def second_time(ping: bytes) -> List[bytes]:
        seen.append(ping)
        return [pong(ping[9])] if len(seen) == 2 else []

    with peer(second_time) as bmc:
        assert presence.presence(bmc.address, port=bmc.port, timeout=1) is True
    assert len(seen) == 2 and seen[0] == seen[1]


def test_silent_address_gets_two_datagrams_and_no_more_than_its_time() -> None:
    with peer(lambda ping: []) as bmc:
        began = time.monotonic()
        assert presence.presence(bmc.address, port=bmc.port, timeout=0.4) is False
        assert 0.35 <= time.monotonic() - began < 1.5
        assert len(bmc.pings) == 2


def test_many_addresses_are_told_apart() -> None:
    with (
        peer(honest, "127.45.1.1") as one,
        peer(lambda ping: [], "127.45.1.2") as mute,
        peer(honest, "127.45.1.3") as three,
    ):
        asked = [(bmc.address, bmc.port) for bmc in (one, mute, three)]
        asked += [(f"127.45.2.{number}", 9) for number in range(1, 100)]
        assert presence.presence_many(asked, timeout=0.4) == {asked[0], asked[2]}


def test_answers_carry_the_address_as_it_was_written() -> None:
    """An IPv4 address that getaddrinfo reads differently is still the caller's key."""
    with peer(honest, "127.45.1.1") as bmc:
        assert presence.presence_many([("127.45.257", bmc.port)], timeout=1) == {("127.45.257", bmc.port)}


def test_addresses_are_taken_lazily_and_no_more_than_in_flight() -> None:
    taken: List[int] = []
    answered = threading.Event()

    def addresses() -> Iterator[Tuple[str, int]]:
        for number in range(1, 30):
            taken.append(number)
            yield (f"127.45.3.{number}", 9)

    def clock() -> float:
        if len(taken) > 4 and not answered.is_set():
            answered.set()
            held.append(len(taken))
        return time.monotonic()

    held: List[int] = []
    list(presence.ping_many(addresses(), timeout=0.1, attempts=1, in_flight=4, clock=clock))
    assert len(taken) == 29
    assert held == [5]  # the fifth was taken only after the clock had been asked again, when a place was free


def test_name_is_resolved_and_one_that_leads_nowhere_is_silence() -> None:
    family, _kind, _protocol, _name, sockaddr = socket.getaddrinfo("localhost", 0, type=socket.SOCK_DGRAM)[0]
    with peer(honest, str(sockaddr[0]), family) as bmc:
        asked = [("bmc.invalid", bmc.port), ("localhost", bmc.port)]
        assert presence.presence_many(asked, timeout=0.5) == {("localhost", bmc.port)}


def test_rate_bounds_the_datagrams() -> None:
    with peer(lambda ping: [], "127.45.1.1") as bmc:
        began = time.monotonic()
        asked = [(f"127.45.4.{number}", 9) for number in range(1, 100)] + [(bmc.address, bmc.port)]
        presence.presence_many(asked, timeout=0.2, rate=100.0, in_flight=1000)
        # 100 addresses, two datagrams each, 32 of them as a burst
        assert time.monotonic() - began >= (200 - 34) / 100.0


def test_deadline_ends_the_sweep() -> None:
    began = time.monotonic()
    silent = [(f"127.45.5.{number}", 9) for number in range(1, 200)]
    assert presence.presence_many(silent, timeout=5, in_flight=2, deadline=Deadline.after(0.3)) == set()
    assert time.monotonic() - began < 1.0


def test_cancelling_ends_the_sweep() -> None:
    cancelled = threading.Event()
    timer = threading.Timer(0.2, cancelled.set)
    timer.start()
    began = time.monotonic()
    presence.presence_many([("127.45.5.1", 9)], timeout=30, cancelled=cancelled)
    assert time.monotonic() - began < 2.0
    timer.join()


def test_flood_does_not_keep_the_sweep_from_its_end() -> None:
    with peer(lambda ping: [b"x" * 64] * 2000) as bmc:
        began = time.monotonic()
        assert presence.presence(bmc.address, port=bmc.port, timeout=0.4) is False
        assert time.monotonic() - began < 2.0


@pytest.mark.parametrize("end", ["exhausted", "closed", "raised"])
def test_no_socket_outlives_the_sweep(end: str) -> None:
    def addresses() -> Iterator[Tuple[str, int]]:
        yield (bmc.address, bmc.port)
        if end == "raised":
            raise KeyboardInterrupt

    with peer(honest) as bmc:
        before = open_files()
        sweep = presence.ping_many(addresses(), timeout=0.5)
        if end == "raised":
            with pytest.raises(KeyboardInterrupt):
                list(sweep)
        elif end == "closed":
            next(sweep)
            sweep.close()  # type: ignore[attr-defined]
        else:
            assert list(sweep) == [(bmc.address, bmc.port)]
        assert open_files() == before


@pytest.mark.parametrize("address", ["", "10.0.0.0/24", "bmc example", "{{ bmc }}", "1.2.3.4\x00", "127.45.1.1 "])
def test_nonsense_is_bad_input(address: str) -> None:
    with pytest.raises(BadInput) as raised:
        presence.presence(address, timeout=0.1)
    assert repr(address) in raised.value.msg


@pytest.mark.parametrize(
    "limits", [{"timeout": 0.0}, {"in_flight": 0}, {"rate": 0.0}], ids=["timeout", "in_flight", "rate"]
)
def test_limits_that_cannot_be_met_are_bad_input(limits: Dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        presence.presence_many([("127.45.1.1", 9)], **limits)


def test_address_that_the_kernel_refuses_is_silence() -> None:
    """Broadcast is refused (EACCES) before anything leaves; one such target may not end the sweep."""
    with peer(honest) as bmc:
        asked = [("255.255.255.255", 623), (bmc.address, bmc.port)]
        assert presence.presence_many(asked, timeout=0.5) == {(bmc.address, bmc.port)}
