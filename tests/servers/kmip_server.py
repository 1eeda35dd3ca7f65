# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A KMIP server: PyKMIP's own, in a process of its own, with client certificates. Keys end with the test."""

from __future__ import annotations

import importlib.util
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.servers.certificates import Authority

# Arguments: port, certificate, key, authority, directory.
_PROGRAM = """
import logging, sys
from kmip.services.server import KmipServer
port, certificate, key, authority, directory = sys.argv[1:]
server = KmipServer(
    hostname="127.0.0.1", port=int(port), certificate_path=certificate, key_path=key, ca_path=authority,
    auth_suite="TLS1.2", config_path=None, log_path=directory + "/server.log", policy_path=directory + "/policy",
    enable_tls_client_auth=True, logging_level="INFO", database_path=directory + "/keys.db",
)
with server:
    server.serve()
"""


def require_pykmip() -> None:
    if importlib.util.find_spec("kmip") is None:
        pytest.skip("PyKMIP is not installed: no KMIP server")


@dataclass(frozen=True)
class RunningKmip:
    """Where it listens on 127.0.0.1, and what a client proves itself with."""

    port: int
    authority: Path
    certificate: Path
    key: Path
    log: Path


@contextmanager
def kmip_server(directory: Path) -> Iterator[RunningKmip]:
    require_pykmip()
    (directory / "policy").mkdir(parents=True)
    authority = Authority(directory, "KMIP authority")
    server = authority.issue("127.0.0.1")
    client = authority.issue("controller.example.net", client=True)
    client.path.chmod(0o600)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    arguments = [str(port), *(str(one) for one in (server.path, server.path, authority.ca, directory))]
    with (directory / "output.log").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, *arguments],
            stdout=output,
            stderr=output,
            env={**os.environ, "HOME": str(directory)},
            start_new_session=True,
        )
    try:
        _wait(process, port, directory)
        yield RunningKmip(port, authority.ca, client.path, client.path, directory / "server.log")
    finally:
        # It answers SIGTERM only when its next client comes; and it has a child that looks after its policies.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)


def _wait(process: subprocess.Popen[bytes], port: int, directory: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        assert process.poll() is None, (directory / "output.log").read_text(encoding="utf-8")
        assert time.monotonic() < deadline, "the KMIP server does not listen"
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
