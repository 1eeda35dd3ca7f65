# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role media_server with a real nginx, and media_progress_info on what nginx logs."""

from __future__ import annotations

import concurrent.futures
import os
import pathlib
import shutil
import signal
import ssl
import time
import typing as t

import pytest

from tests.integration.media_server import BMC, IMAGE, OTHER, PORT, SERVER, SHA256, MediaServer, lacking
from tests.integration.playbook_run import Ran
from tests.servers.certificates import Authority

pytestmark = pytest.mark.skipif(bool(lacking()), reason=lacking())


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[MediaServer]:
    """One server for all tests that do not change it, with the image in its store."""
    server = MediaServer(tmp_path_factory.mktemp("media"))
    try:
        for ran in (server.role(), server.store()):
            assert ran.code == 0, ran.said
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
def server(running: MediaServer) -> MediaServer:
    """Under a publication of the test's own, and with nothing published."""
    for left in (running.directory / "published").iterdir():
        shutil.rmtree(left)
    running.publication = os.urandom(16).hex()
    return running


def changed(ran: Ran) -> list[bool]:
    return [bool(result.get("changed")) for result in ran.results]


def test_a_second_run_changes_nothing(server: MediaServer) -> None:
    assert any(changed(server.publish()))
    for ran in (server.role(), server.store(), server.publish(), server.role("main", "--check", "--diff")):
        assert ran.code == 0, ran.said
        assert not any(changed(ran)), ran.said
    assert any(changed(server.role("withdraw", media_server_publication=server.publication)))
    assert not any(changed(server.role("withdraw", media_server_publication=server.publication)))


def test_one_address_reads_it_in_ranges_until_it_is_withdrawn(server: MediaServer) -> None:
    server.publish()
    status, body, headers = server.get()
    assert (status, body, headers["Accept-Ranges"]) == (200, IMAGE, "bytes")
    status, body, headers = server.get(Range="bytes=1000-1999")
    assert (status, body, headers["Content-Range"]) == (206, IMAGE[1000:2000], f"bytes 1000-1999/{len(IMAGE)}")
    status, body, headers = server.get(method="HEAD")
    assert (status, body, headers["Content-Length"]) == (200, b"", str(len(IMAGE)))
    # somebody else who knows the URL; somebody who guesses; somebody who looks around; somebody who writes
    assert server.get(client=OTHER)[0] == 404
    assert server.get(path=f"/{'0' * 32}/live.iso")[0] == 404
    for path in (
        "/",
        f"/{server.publication}/",
        f"/{server.publication}/{BMC}/live.iso",
        f"/{server.publication}/../images/{SHA256}",
        "/images/",
    ):
        assert server.get(path=path)[0] in (400, 404)
    assert server.get(method="PUT")[0] == 403

    ran = server.role("withdraw", media_server_publication=server.publication)
    assert ran.code == 0, ran.said
    assert server.get()[0] == 404


def test_nobody_on_the_server_can_list_what_is_published(server: MediaServer) -> None:
    server.publish()
    published = server.directory / "published"
    modes = [path.stat().st_mode & 0o007 for path in [published, server.directory / "log", *published.rglob("*")]]
    assert len(modes) == 5 and not any(modes)


def test_an_image_with_another_checksum_is_refused_and_nothing_is_stored(server: MediaServer) -> None:
    ran = server.store(sha256="0" * 64)
    assert ran.code != 0 and f"its SHA-256 is {SHA256}" in " ".join(ran.said.split())
    ran = server.role("store", media_server_image=f"{server.place}/none.iso", media_server_image_sha256="0" * 64)
    assert [path.name for path in (server.directory / "images").iterdir()] == [SHA256]
    assert ran.code != 0 and "there is no such image" in ran.said


def installing(folder: pathlib.Path, then: str) -> str:
    """A PATH whose install(1) copies, and then does this, too; ``$copy`` is what it has made."""
    folder.mkdir()
    spy = folder / "install"
    spy.write_text(f'#!/bin/sh\n{shutil.which("install")} "$@" || exit\nfor copy; do :; done\n{then}\n')
    spy.chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


@pytest.fixture
def empty(tmp_path: pathlib.Path) -> t.Iterator[MediaServer]:
    """A server with nothing in its store, not started."""
    server = MediaServer(tmp_path)
    try:
        ran = server.role()
        assert ran.code == 0, ran.said
        yield server
    finally:
        server.stop()


def test_a_copy_that_is_not_the_image_is_not_stored_and_not_left(
    empty: MediaServer, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where the source changes while it is copied."""
    monkeypatch.setenv("PATH", installing(tmp_path / "spies", 'echo >> "$copy"'))
    ran = empty.store()
    assert ran.code != 0 and "Read what was copied" in ran.said, ran.said
    assert list((empty.directory / "images").iterdir()) == []


def test_two_plays_store_the_same_image_at_once(
    empty: MediaServer, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second comes while the first one copies, and is done before it."""
    copied, go_on = tmp_path / "copied", tmp_path / "go-on"
    (tmp_path / "second").mkdir()
    second = MediaServer(tmp_path / "second", media_server_directory=str(empty.directory))
    waiting = f"touch {copied}; for _ in $(seq 600); do [ -e {go_on} ] && break; sleep 0.1; done"
    try:
        with monkeypatch.context() as slow, concurrent.futures.ThreadPoolExecutor() as pool:
            slow.setenv("PATH", installing(tmp_path / "spies", waiting))
            first = pool.submit(empty.store)
            until = time.monotonic() + 60
            while not copied.exists() and time.monotonic() < until:
                time.sleep(0.05)
            slow.undo()
            there = second.store()
            go_on.touch()
            ran = first.result()
        assert copied.exists() and (there.code, ran.code) == (0, 0), there.said + ran.said
        assert [path.name for path in (empty.directory / "images").iterdir()] == [SHA256]
        assert (empty.directory / "images" / SHA256).read_bytes() == IMAGE
    finally:
        shutil.rmtree(second.place)


@pytest.mark.parametrize(
    "wrong",
    [
        {"media_server_media": [{"name": "live.iso?token=1", "file": "/dev/null"}]},
        {"media_server_clients": ["10.0.0.1/../.."]},
        {"media_server_clients": []},
        {"media_server_publication": "guessable"},
    ],
    ids=str,
)
def test_what_could_not_be_served_is_refused(server: MediaServer, wrong: dict[str, t.Any]) -> None:
    variables = {"media_server_publication": server.publication, **wrong}
    ran = server.role(
        "publish",
        **{
            "media_server_clients": [BMC],
            "media_server_media": [{"name": "live.iso", "file": f"{server.directory}/images/{SHA256}"}],
            **variables,
        },
    )
    assert ran.code != 0 and "media_server_publication is 32 lower-case" in ran.said
    assert list((server.directory / "published").iterdir()) == []


def test_what_a_killed_run_left_is_swept_after_its_hours(server: MediaServer) -> None:
    server.publish()
    assert not any(changed(server.role("sweep")))
    left = server.directory / "published" / server.publication
    os.utime(left, (time.time() - 13 * 3600,) * 2)
    assert any(changed(server.role("sweep")))
    assert server.get()[0] == 404
    images = server.directory / "images"
    old, new = (images / f".{SHA256}.{number * 16}" for number in "01")
    for copy in (old, new):
        copy.write_bytes(IMAGE[:1000])
    os.utime(old, (time.time() - 13 * 3600,) * 2)
    try:
        assert any(changed(server.role("sweep")))
        assert sorted(images.iterdir()) == [new, images / SHA256]
    finally:
        new.unlink()


def test_progress_is_what_was_read_once(server: MediaServer) -> None:
    server.publish()
    assert server.progress(server.publication) == []
    size = len(IMAGE)
    server.get(method="HEAD")
    [seen] = server.progress(server.publication)
    assert (seen["size_bytes"], seen["distinct_bytes"], seen["requests"], seen["share"]) == (size, 0, 1, 0.0)
    server.get(Range="bytes=0-999999")
    server.get(Range="bytes=500000-1499999")
    server.get(Range="bytes=1400000-1499999")
    server.get(client=OTHER)
    server.get(client=OTHER)
    [seen] = [one for one in server.progress() if one["publication"] == server.publication]
    assert (seen["publication"], seen["name"], seen["clients"]) == (server.publication, "live.iso", [BMC])
    assert (seen["distinct_bytes"], seen["sent_bytes"], seen["share"]) == (1_500_000, 2_100_000, 0.5)
    assert seen["finished"] is False and seen["first_request"] <= seen["last_request"]
    assert seen["refused"] == [{"client": OTHER, "status": 404, "requests": 2}]
    server.get(Range="bytes=1500000-")
    [seen] = server.progress(server.publication)
    assert (seen["distinct_bytes"], seen["finished"], seen["share"]) == (size, True, 1.0)
    assert server.progress("f" * 32) == []


def test_progress_goes_on_over_a_rotated_log(server: MediaServer) -> None:
    server.publish()
    server.get(Range="bytes=0-999999")
    log = server.directory / "log" / "access.json"
    log.rename(log.with_name("access.json.1"))
    os.kill(int((server.directory / "nginx.pid").read_text()), signal.SIGUSR1)
    until = time.monotonic() + 10
    while not log.exists() and time.monotonic() < until:
        time.sleep(0.02)
    server.get(Range="bytes=1000000-1999999")
    [seen] = server.progress(server.publication)
    assert seen["distinct_bytes"] == 2_000_000


def test_a_missing_log_is_an_error_that_names_it(server: MediaServer) -> None:
    ran = server.play([{"hearth.datacenter.media_progress_info": {"log": f"{server.place}/nothing"}}])
    assert ran.code != 0 and ran.results[-1]["error"]["type"] == "NotFound"
    ran = server.play([{"hearth.datacenter.media_progress_info": {"log": "/dev/null", "publications": ["../.."]}}])
    assert ran.code != 0 and ran.results[-1]["error"]["type"] == "BadInput"


def test_tls_and_a_limited_rate(tmp_path: pathlib.Path) -> None:
    authority = Authority(tmp_path)
    pem = str(authority.issue(SERVER).path)
    server = MediaServer(
        tmp_path,
        port=PORT + 1,  # the module's own server may still be there
        media_server_tls_certificate=pem,
        media_server_tls_key=pem,
        media_server_rate="2m",
    )
    try:
        ran = server.role()
        assert ran.code == 0, ran.said
        server.start()
        server.store()
        server.publish()
        began = time.monotonic()
        context = ssl.create_default_context(cafile=str(authority.ca))
        status, body, _headers = server.get(context=context)
        assert (status, body) == (200, IMAGE)
        assert time.monotonic() - began > 0.3
        assert server.get()[0] == 400  # plain HTTP
    finally:
        server.stop()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"media_server_tls_certificate": "/etc/ssl/certs/x.pem"}, "go together"),
        (
            {"media_server_tls_certificate": "/nonexistent/x.pem", "media_server_tls_key": "/nonexistent/x.key"},
            "cannot load certificate",
        ),
        ({"media_server_address": "192.0.2.1"}, "bind() to 192.0.2.1:8480 failed"),
        ({"media_server_address": "bmc-net"}, "is an IP address"),
        ({"media_server_rate": "20 MB/s"}, "bytes a second"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_configuration_that_nginx_could_not_start_with_is_not_written(
    tmp_path: pathlib.Path, wrong: dict[str, t.Any], said: str
) -> None:
    server = MediaServer(tmp_path, **wrong)
    try:
        ran = server.role()
        assert ran.code != 0 and said in " ".join(ran.said.split()), ran.said
        assert not (server.directory / "nginx.conf").exists()
    finally:
        server.stop()
