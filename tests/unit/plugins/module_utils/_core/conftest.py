# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers that a test decides over, and transports to them; both are gone when it ends."""

from __future__ import annotations

import ssl
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Callable, Iterator, Optional

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core.transport import Deadline, Endpoint, Transport
from ansible_collections.hearth.datacenter.plugins.module_utils._core.trust import Trust
from tests.servers.certificates import Authority
from tests.servers.scripted_http import Handler, ScriptedServer

Serve = Callable[..., ScriptedServer]
Open = Callable[..., Transport]

OFF = Trust("off")


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def serve() -> Iterator[Serve]:
    with ExitStack() as servers:

        def start(
            handler: Handler, *, context: Optional[ssl.SSLContext] = None, host: str = "127.41.0.1"
        ) -> ScriptedServer:
            return servers.enter_context(ScriptedServer(handler, host=host, context=context))

        yield start


@pytest.fixture
def transport_to() -> Iterator[Open]:
    with ExitStack() as transports:

        def start(server: ScriptedServer, trust: Trust = OFF, *, seconds: float = 10.0, **kw: Any) -> Transport:
            endpoint = Endpoint(server.host, server.port, "https" if server.context is not None else "http")
            deadline = kw.pop("deadline", None) or Deadline.after(seconds)
            return transports.enter_context(Transport(endpoint, trust, deadline=deadline, **kw))

        yield start


@pytest.fixture
def misleading_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What a shell of somebody else's may hold."""
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("no certificate at all\n")
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, str(nonsense))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "absent"))
    for name in ("https_proxy", "HTTPS_PROXY", "http_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.41.255.254:1")
