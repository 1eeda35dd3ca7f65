# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""TLS contexts are built once, hold what their setting says, and nothing that the environment says."""

from __future__ import annotations

import os
import socket
import ssl
import threading
import warnings
from pathlib import Path

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core import tls
from ansible_collections.hearth.datacenter.plugins.module_utils._core.errors import (
    BadInput,
    CertificateUnverified,
    TlsFailed,
)
from ansible_collections.hearth.datacenter.plugins.module_utils._core.transport import Deadline, Endpoint, Transport
from ansible_collections.hearth.datacenter.plugins.module_utils._core.trust import Trust
from tests.servers.certificates import Authority
from tests.servers.scripted_http import reply

from .conftest import Open, Serve


def answer(_request: object) -> bytes:
    return reply({"ok": True})


def test_a_context_is_built_once_for_all_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    built = []
    monkeypatch.setattr(tls, "_system_trust", lambda: built.append(1) or tls._unverified())
    contexts = tls.TlsContexts()
    found: list[ssl.SSLContext] = []
    threads = [threading.Thread(target=lambda: found.append(contexts.get(Trust("verify")))) for _thread in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(built) == 1 and len(set(map(id, found))) == 1 and len(found) == 16


def test_settings_that_verify_nothing_share_a_context() -> None:
    contexts = tls.TlsContexts()
    unverified = {id(contexts.get(Trust(mode))) for mode in ("pin", "off", "anonymous")}
    assert len(unverified) == 1
    assert contexts.get(Trust("verify")).verify_mode == ssl.CERT_REQUIRED
    assert contexts.get(Trust("verify")).check_hostname


def test_nothing_below_tls_1_2(authority: Authority, serve: Serve, transport_to: Open) -> None:
    context = authority.issue("127.41.0.1").server_context()
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(TlsFailed) as caught:
        transport_to(serve(answer, context=context)).connect()
    assert "1.2" in caught.value.expected


@pytest.mark.usefixtures("misleading_environment")
def test_an_explicit_ca_does_not_ask_the_environment(authority: Authority, serve: Serve, transport_to: Open) -> None:
    server = serve(answer, context=authority.issue("127.41.0.1").server_context())
    trust = Trust("verify", ca_path=str(authority.ca))
    assert transport_to(server, trust).get_json("/") == {"ok": True}


def test_an_explicit_ca_is_the_only_one(
    authority: Authority, serve: Serve, transport_to: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment's CA would verify this peer; the one that the user named does not."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.ca))
    server = serve(answer, context=authority.issue("127.41.0.1").server_context())
    contexts = tls.TlsContexts()
    assert transport_to(server, Trust("verify"), contexts=contexts).connect().how == "ca"
    other = Authority(tmp_path, "another authority")
    with pytest.raises(CertificateUnverified):
        transport_to(server, Trust("verify", ca_path=str(other.ca)), contexts=contexts).connect()


def test_a_context_made_before_the_fork_serves_one_ca_only(
    authority: Authority, serve: Serve, transport_to: Open, tmp_path: Path
) -> None:
    server = serve(answer, context=authority.issue("127.41.0.1").server_context())
    other = Authority(tmp_path, "another authority")
    contexts = tls.TlsContexts()
    contexts.prepare()
    with pytest.raises(CertificateUnverified):
        transport_to(server, Trust("verify", ca_path=str(other.ca)), contexts=contexts).connect()
    assert transport_to(server, Trust("verify", ca_path=str(authority.ca)), contexts=contexts).connect().how == "ca"
    with pytest.raises(CertificateUnverified):
        transport_to(server, Trust("verify", ca_path=str(other.ca)), contexts=contexts).connect()


def test_a_ca_file_that_changed_is_read_again(
    authority: Authority, serve: Serve, transport_to: Open, tmp_path: Path
) -> None:
    server = serve(answer, context=authority.issue("127.41.0.1").server_context())
    path = tmp_path / "ca.pem"
    path.write_bytes(Authority(tmp_path, "another authority").ca.read_bytes())
    trust = Trust("verify", ca_path=str(path))
    contexts = tls.TlsContexts()
    with pytest.raises(CertificateUnverified):
        transport_to(server, trust, contexts=contexts).connect()
    first = contexts.get(trust)
    assert contexts.get(trust) is first
    path.write_bytes(authority.ca.read_bytes())
    os.utime(path, (1, 1))
    assert transport_to(server, trust, contexts=contexts).connect().trusted


def test_a_directory_of_cas(authority: Authority, serve: Serve, transport_to: Open, tmp_path: Path) -> None:
    (tmp_path / "site.crt").write_bytes(authority.ca.read_bytes())
    (tmp_path / "README").write_text("our CAs\n")
    server = serve(answer, context=authority.issue("127.41.0.1").server_context())
    assert transport_to(server, Trust("verify", ca_path=str(tmp_path))).connect().trusted


def test_a_bmc_s_own_certificate_may_be_the_ca(authority: Authority, serve: Serve, transport_to: Open) -> None:
    certificate = authority.issue("127.41.0.1")
    server = serve(answer, context=certificate.server_context())
    assert transport_to(server, Trust("verify", ca_path=str(certificate.path))).connect().how == "ca"


@pytest.mark.parametrize("content", ["", "nothing here\n", "-----BEGIN CERTIFICATE-----\nrubbish\n"])
def test_a_ca_file_without_a_certificate_is_bad_input(content: str, tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.write_text(content)
    with pytest.raises(BadInput) as caught:
        tls.TlsContexts().get(Trust("verify", ca_path=str(path)))
    assert str(path) in caught.value.found


def test_an_absent_ca_file_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        tls.TlsContexts().get(Trust("verify", ca_path=str(tmp_path / "absent.pem")))
    assert "absent.pem" in caught.value.found and caught.value.where == "ca_path"


@pytest.mark.parametrize(
    ("hosts", "expired", "why"),
    [(("127.41.0.9",), False, "mismatch"), (("bmc.example",), False, "mismatch"), (("127.41.0.1",), True, "expired")],
)
def test_a_certificate_for_another_name_or_time(
    authority: Authority, serve: Serve, transport_to: Open, hosts: tuple[str, ...], expired: bool, why: str
) -> None:
    server = serve(answer, context=authority.issue(*hosts, expired=expired).server_context())
    transport = transport_to(server, Trust("verify", ca_path=str(authority.ca)))
    with pytest.raises(CertificateUnverified) as caught:
        transport.connect()
    assert why in caught.value.found
    assert transport.peer is None and transport.counters.handshakes == 0 and server.log.bytes_in == 0


def test_a_name_is_verified_as_a_name(authority: Authority, serve: Serve) -> None:
    server = serve(answer, context=authority.issue("localhost").server_context(), host="127.0.0.1")
    trust = Trust("verify", ca_path=str(authority.ca))
    with Transport(Endpoint("localhost", server.port), trust, deadline=Deadline.after(10)) as transport:
        assert transport.connect().trusted
    with Transport(Endpoint("127.0.0.1", server.port), trust, deadline=Deadline.after(10)) as transport:
        with pytest.raises(CertificateUnverified):
            transport.connect()


@pytest.mark.parametrize("banner", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-OpenSSH_9.2\r\n", b""])
def test_a_peer_that_speaks_no_tls(banner: bytes) -> None:
    with socket.create_server(("127.41.0.1", 0)) as listener:

        def serve_once() -> None:
            sock, _peer = listener.accept()
            with sock:
                sock.recv(65536)
                sock.sendall(banner)

        thread = threading.Thread(target=serve_once)
        thread.start()
        endpoint = Endpoint("127.41.0.1", listener.getsockname()[1])
        with Transport(endpoint, Trust("off"), deadline=Deadline.after(10)) as transport:
            with pytest.raises(TlsFailed):
                transport.connect()
        thread.join()
