# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A BMC reads its medium from a web server by Range, from its own address; QEMU reads it from the BMC over NBD."""

from __future__ import annotations

import errno
import os
import re
import shutil
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from tests.emulators.redfish.domains.nbd import EXPORT, NbdServer
from tests.emulators.redfish.domains.remote_image import ReadFailed, RemoteImage, Source
from tests.emulators.redfish.machine import MediumRefused, MediumUnreachable
from tests.servers.certificates import Authority
from tests.servers.scripted_http import CLOSE, Received, ScriptedServer, reply

SERVER, BMC = "127.51.3.1", "127.51.3.11"
CONTENT = Random(5).randbytes(3 * 1024 * 1024 + 7)

CONTENT_TAIL = 2 * 1024 * 1024


class Files:
    """A web server with one image on it, that may misbehave."""

    def __init__(self) -> None:
        self.content = CONTENT
        self.tag = '"1"'
        self.instead: Callable[[Received], object] | None = None

    def __call__(self, request: Received) -> object:
        if self.instead is not None:
            found = self.instead(request)
            if found is not None:
                return found
        if request.target != "/image.iso":
            return reply(status=404)
        match = re.fullmatch(r"bytes=(\d+)-(\d+)", request.headers["range"])
        assert match is not None
        first, last = int(match[1]), min(int(match[2]), len(self.content) - 1)
        return reply(
            body=self.content[first : last + 1],
            status=206,
            Content_Range=f"bytes {first}-{last}/{len(self.content)}",
            ETag=self.tag,
        )


@pytest.fixture
def files() -> Files:
    return Files()


@pytest.fixture
def server(files: Files) -> Iterator[ScriptedServer]:
    with ScriptedServer(files, host=SERVER) as started:  # type: ignore[arg-type]
        yield started


@pytest.fixture
def image(server: ScriptedServer) -> Iterator[Callable[..., RemoteImage]]:
    opened: list[RemoteImage] = []

    def make(
        path: str = "/image.iso", said: Callable[[str], None] = lambda text: None, **options: object
    ) -> RemoteImage:
        url = f"{'http' if server.context is None else 'https'}://{server.host}:{server.port}{path}"
        opened.append(RemoteImage(Source(url, BMC, **options), said=said))  # type: ignore[arg-type]
        return opened[-1]

    yield make
    for each in opened:
        each.close()


def test_every_byte_arrives_in_few_requests(image: Callable[..., RemoteImage], server: ScriptedServer) -> None:
    medium = image()
    assert medium.size == len(CONTENT)
    step = 64 * 1024
    assert b"".join(medium.read(offset, step) for offset in range(0, len(CONTENT), step)) == CONTENT
    assert medium.read(len(CONTENT) - 5, 50) == CONTENT[-5:]
    assert medium.read(300_000, 500_000) == CONTENT[300_000:800_000]
    assert (server.log.connections, len(server.log.requests) < 10) == (1, True)


def test_requests_come_from_the_bmcs_own_address(image: Callable[..., RemoteImage], server: ScriptedServer) -> None:
    peers = []
    with socket.create_server((SERVER, 0)) as listener:

        def accept() -> None:
            peer, address = listener.accept()
            peers.append(address[0])
            peer.close()

        thread = threading.Thread(target=accept)
        thread.start()
        with pytest.raises(MediumUnreachable):
            RemoteImage(Source(f"http://{SERVER}:{listener.getsockname()[1]}/image.iso", BMC))
        thread.join(10)
    assert peers == [BMC]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (reply(status=404), "404"),
        (reply(status=403), "403"),
        (reply(status=302, Location="http://127.51.3.1/other.iso"), "302"),
        (reply(status=500), "500"),
        (reply(body=CONTENT, status=200), "Range"),
        (reply(body=b"x" * 10, status=206, Content_Range="bytes 5-14/100"), "another range"),
        (reply(body=b"x" * 10, status=206), "another range"),
        (reply(body=b"x" * 10, status=206, Content_Range="bytes 0-9/100"), "less"),
        (reply(body=b"", status=206, Content_Range="bytes 0-0/0"), "empty"),
    ],
)
def test_an_image_that_cannot_be_used_is_refused(
    image: Callable[..., RemoteImage], files: Files, answer: bytes, reason: str
) -> None:
    files.instead = lambda request: answer
    with pytest.raises(MediumRefused, match=reason) as refused:
        image()
    assert not isinstance(refused.value, MediumUnreachable)


@pytest.mark.parametrize("url", ["nfs://127.51.3.1/image.iso", "http:///image.iso", "http://127.51.3.1:x/image.iso"])
def test_a_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(MediumRefused):
        RemoteImage(Source(url, BMC))


def test_a_connection_that_the_server_closed_is_opened_anew(image: Callable[..., RemoteImage], files: Files,
                                                            server: ScriptedServer) -> None:  # fmt: skip
    medium = image()
    server.drop_connections()
    assert medium.read(0, 1000) == CONTENT[:1000]


def test_trouble_that_passes_is_waited_for_and_told(image: Callable[..., RemoteImage], files: Files) -> None:
    said: list[str] = []
    medium = image(said=said.append)
    answers: Iterator[object] = iter([reply(status=503), (CLOSE,), None])
    files.instead = lambda request: next(answers, None)
    assert medium.read(0, 1000) == CONTENT[:1000]
    assert ["503" in said[0], said[1]] == [True, "the image can be read again"]


def test_patience_ends(image: Callable[..., RemoteImage], files: Files, server: ScriptedServer) -> None:
    medium = image(patience=0.6)
    files.instead = lambda request: reply(status=503)
    with pytest.raises(ReadFailed, match="503"):
        medium.read(0, 1000)
    before = len(server.log.requests)
    with pytest.raises(ReadFailed, match="503"):
        medium.read(0, 1000)
    assert len(server.log.requests) == before + 1, "the next reads are tried once"
    files.instead = None
    assert medium.read(0, 1000) == CONTENT[:1000]
    assert medium.read(CONTENT_TAIL, 1000) == CONTENT[CONTENT_TAIL : CONTENT_TAIL + 1000]


def test_another_image_at_the_same_place_is_not_mixed_in(image: Callable[..., RemoteImage], files: Files) -> None:
    medium = image()
    files.tag = '"2"'
    with pytest.raises(ReadFailed, match="changed"):
        medium.read(0, 1000)


def test_closing_ends_a_read_that_the_server_keeps_waiting(image: Callable[..., RemoteImage], files: Files) -> None:
    medium = image(timeout=60)
    files.instead = lambda request: (30.0,)
    failed: list[str] = []

    def read() -> None:
        try:
            medium.read(0, 1000)
        except ReadFailed as error:
            failed.append(str(error))

    thread = threading.Thread(target=read)
    thread.start()
    time.sleep(0.3)
    begun = time.monotonic()
    medium.close()
    thread.join(20)
    assert failed == ["the medium was ejected"] and time.monotonic() - begun < 10


def test_credentials_go_to_the_server(image: Callable[..., RemoteImage], server: ScriptedServer) -> None:
    image(username="u", password="p")
    assert server.log.headers("Authorization") == ["Basic dTpw"]


def test_tls_is_checked_where_the_bmc_has_a_ca(
    image: Callable[..., RemoteImage], server: ScriptedServer, tmp_path: Path
) -> None:
    authority, other = Authority(tmp_path, "media"), Authority(tmp_path, "other")
    server.context = authority.issue(SERVER).server_context()
    assert image(ca=str(authority.ca)).read(0, 10) == CONTENT[:10]
    assert image().size == len(CONTENT), "most BMCs do not check"
    with pytest.raises(MediumUnreachable, match="certificate"):
        image(ca=str(other.ca))


# NBD


@pytest.fixture
def nbd(image: Callable[..., RemoteImage], tmp_path: Path) -> Iterator[NbdServer]:
    served = NbdServer(image(patience=0.2), tmp_path / "medium.sock")
    yield served
    served.close()


class NbdClient:
    """As much of a client as qemu-img does not try out."""

    def __init__(self, path: Path) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(20)
        self.sock.connect(str(path))
        assert self.exactly(18)[:8] == b"NBDMAGIC"
        self.sock.sendall(struct.pack(">I", 3))

    def exactly(self, length: int) -> bytes:
        data = b""
        while len(data) < length:
            part = self.sock.recv(length - len(data))
            if not part:
                raise EOFError
            data += part
        return data

    def option(self, number: int, data: bytes) -> int:
        """The kind of the reply."""
        self.sock.sendall(struct.pack(">QII", 0x49484156454F5054, number, len(data)) + data)
        _magic, _option, kind, length = struct.unpack(">QIII", self.exactly(20))
        self.exactly(length)
        return int(kind)

    def go(self, name: str = EXPORT) -> int:
        kind = self.option(7, struct.pack(">I", len(name)) + name.encode() + struct.pack(">H", 0))
        if kind == 3:  # the size, then the end of the negotiation
            self.exactly(20)
        return kind

    def request(self, kind: int, offset: int, length: int, data: bytes = b"") -> tuple[int, bytes]:
        """(error, data)"""
        self.sock.sendall(struct.pack(">IHHQQI", 0x25609513, 0, kind, 77, offset, length) + data)
        magic, error, handle = struct.unpack(">IIQ", self.exactly(16))
        assert (magic, handle) == (0x67446698, 77)
        return int(error), self.exactly(length) if kind == 0 and not error else b""


@pytest.fixture
def client(nbd: NbdServer) -> Iterator[NbdClient]:
    made = NbdClient(nbd.path)
    yield made
    made.sock.close()


def test_qemu_reads_what_the_web_server_has(nbd: NbdServer, tmp_path: Path) -> None:
    if shutil.which("qemu-img") is None:
        pytest.skip("qemu-img (Debian: qemu-utils) is not installed")
    copy = tmp_path / "copy.iso"
    source = f"nbd+unix:///{EXPORT}?socket={nbd.path}"
    subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", "raw", source, str(copy)], check=True, timeout=60)
    # QEMU counts in sectors of 512 bytes
    assert copy.read_bytes() == CONTENT + bytes(-len(CONTENT) % 512)


def test_the_export_is_read_only_and_has_one_name(client: NbdClient) -> None:
    assert client.option(3, b"") == 0x80000001  # LIST
    assert client.go("another") == 0x80000006
    assert client.go() == 3
    assert client.request(0, 100, 50) == (0, CONTENT[100:150])
    sector = len(CONTENT) // 512 * 512
    assert client.request(0, sector, 512) == (0, CONTENT[sector:].ljust(512, b"\0"))
    assert client.request(0, sector, 513)[0] == errno.EINVAL
    assert client.request(0, 0, 0xFFFFFFFF)[0] == errno.EINVAL
    assert client.request(1, 0, 4, b"data")[0] == errno.EPERM
    with pytest.raises((EOFError, ConnectionError)):
        client.request(0, 0, 1)


def test_a_piece_that_cannot_be_had_is_an_io_error(client: NbdClient, files: Files) -> None:
    client.go()
    files.instead = lambda request: reply(status=503)
    assert client.request(0, 0, 512)[0] == errno.EIO
    files.instead = None
    assert client.request(0, 0, 512) == (0, CONTENT[:512])


def test_only_its_owner_may_connect_and_closing_leaves_nothing(nbd: NbdServer, client: NbdClient) -> None:
    assert nbd.path.stat().st_mode & 0o777 == 0o600
    nbd.give_to(os.getuid(), os.getgid())
    nbd.close()
    assert not nbd.path.exists()
    with pytest.raises((EOFError, ConnectionError)):
        client.go()
    with pytest.raises(OSError):
        NbdClient(nbd.path)
    nbd.close()
