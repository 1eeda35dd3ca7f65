# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tang servers: Debian's own tangd behind systemd-socket-activate, each with a key directory of its own."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest

TANGD = "/usr/libexec/tangd"


def require_tang() -> None:
    missing = [tool for tool in ("systemd-socket-activate", "jose", "clevis") if shutil.which(tool) is None]
    if not Path(TANGD).exists():
        missing.append(TANGD)
    if missing:
        pytest.skip(f"{', '.join(missing)} not installed")


class TangServer:
    """One Tang server, which can go away and come back at its address."""

    def __init__(self, keys: Path) -> None:
        self.keys = keys
        keys.mkdir(parents=True)
        subprocess.run(["/usr/libexec/tangd-keygen", str(keys)], check=True, capture_output=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self.process = subprocess.Popen(
            ["systemd-socket-activate", "--inetd", "-a", "-l", f"127.0.0.1:{self.port}", TANGD, str(self.keys)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 30
        while True:
            try:
                self.advertisement()
                return
            except OSError:
                assert self.process.poll() is None and time.monotonic() < deadline, "tangd does not listen"
                time.sleep(0.02)

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(10)
            self.process = None

    def advertisement(self) -> str:
        with urllib.request.urlopen(f"{self.url}/adv", timeout=10) as answer:
            return str(answer.read().decode())

    @property
    def thumbprint(self) -> str:
        """By jose, as Tang's own tang-show-keys does it: another program than ours."""
        payload = subprocess.run(
            ["jose", "fmt", "-j-", "-g", "payload", "-y", "-o-"],
            input=self.advertisement().encode(),
            check=True,
            capture_output=True,
        ).stdout
        used = ["jose", "jwk", "use", "-i-", "-r", "-u", "verify", "-o-"]
        key = subprocess.run(used, input=payload, check=True, capture_output=True).stdout
        thumbprint = ["jose", "jwk", "thp", "-i-", "-a", "S256"]
        return subprocess.run(thumbprint, input=key, check=True, capture_output=True).stdout.decode().strip()

    def rotate(self) -> None:
        """Hide the keys, which stay useful, and make new ones."""
        for key in self.keys.glob("[!.]*.jwk"):
            key.rename(key.with_name(f".{key.name}"))
        subprocess.run(["/usr/libexec/tangd-keygen", str(self.keys)], check=True, capture_output=True)

    def forget_hidden(self) -> None:
        for key in self.keys.glob(".*.jwk"):
            key.unlink()
