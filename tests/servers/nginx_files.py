# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A folder served by nginx, as media servers do: HTTP or TLS, Range, an access log. It can die and come back."""

from __future__ import annotations

import contextlib
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from tests.servers.certificates import Certificate

_CONFIGURATION = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
  log_format told '$remote_addr $status $body_bytes_sent $uri';
  access_log {folder}/access.log told;
  client_body_temp_path {folder}/temp; proxy_temp_path {folder}/temp; fastcgi_temp_path {folder}/temp;
  uwsgi_temp_path {folder}/temp; scgi_temp_path {folder}/temp;
  limit_rate {limit_rate};
  server {{ listen {address}:{port}{tls}; root {folder}/files; }}
}}
"""


def missing() -> str:
    return "" if shutil.which("nginx", path="/usr/sbin:/usr/bin") else "the Debian package nginx-light"


@dataclass(frozen=True)
class Served:
    """One line of the access log."""

    client: str
    status: int
    size: int
    path: str


class NginxFiles:
    """``with NginxFiles(folder, "127.51.1.1", 8480) as server: …``; what lies in ``server.files`` is served."""

    def __init__(
        self, folder: Path, address: str, port: int, *, certificate: Certificate | None = None, limit_rate: str = "0"
    ) -> None:
        """``limit_rate``: bytes a second of each answer, as nginx writes it ("64k")."""
        self.folder = folder
        self.files = folder / "files"
        self.files.mkdir(parents=True, exist_ok=True)
        self._address = (address, port)
        self.url = f"{'http' if certificate is None else 'https'}://{address}:{port}"
        tls = "" if certificate is None else " ssl"
        text = _CONFIGURATION.format(folder=folder, address=address, port=port, tls=tls, limit_rate=limit_rate)
        if certificate is not None:
            text = text.replace(
                "root ", f"ssl_certificate {certificate.path}; ssl_certificate_key {certificate.path}; root "
            )
        (folder / "nginx.conf").write_text(text)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> NginxFiles:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        # Its workers run as another user when root starts it, and could not read a test's folder.
        command = ["/usr/sbin/nginx", "-c", str(self.folder / "nginx.conf"), "-g", "user root;"]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 20
        while True:
            with contextlib.suppress(OSError), socket.create_connection(self._address, 1):
                return
            assert self._process.poll() is None and time.monotonic() < until, (self.folder / "error.log").read_text()
            time.sleep(0.05)

    def stop(self) -> None:
        """At once, in the middle of whatever it does."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGTERM)
            process.wait(20)

    @property
    def log(self) -> list[Served]:
        path = self.folder / "access.log"
        lines = [line.split(" ", 3) for line in path.read_text().splitlines()] if path.exists() else []
        return [Served(client, int(status), int(size), uri) for client, status, size, uri in lines]
