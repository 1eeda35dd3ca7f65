# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""VirtualBMC: an IPMI BMC for a libvirt machine. Its vbmcd has a directory of its own, from ``with`` to its end."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType

from tests.servers.libvirt import URI
from tests.toolchain.places import ROOT

ENVIRONMENT = ROOT / ".venv-virtualbmc"
_STARTS_WITHIN = 30.0
_PING = bytes.fromhex("0600ff06000011be80000000")


class NoVirtualBmc(Exception):
    """There is no vbmcd; the text says where it was looked for."""


def vbmcd() -> Path:
    """The program: of the toolchain's environment, else of the PATH."""
    found = ENVIRONMENT / "bin" / "vbmcd"
    elsewhere = shutil.which("vbmcd")
    if not found.exists() and elsewhere is None:
        raise NoVirtualBmc(f"vbmcd is neither in {ENVIRONMENT} (make integration makes it) nor in the PATH")
    return found if found.exists() else Path(str(elsewhere))


class VirtualBmc:
    """The BMC of one machine, at its own address and UDP port. It has the account that is given and no other."""

    def __init__(self, directory: Path, domain: str, address: str, username: str, password: str) -> None:
        self.address = address
        self.port = _free_port(address, socket.SOCK_DGRAM)
        self._program = vbmcd()
        self._directory = directory
        self._bmcs = directory / "bmcs"
        self._files = {
            self._bmcs / domain / "config": f"""\
[VirtualBMC]
username = {username}
password = {password}
address = {address}
port = {self.port}
domain_name = {domain}
libvirt_uri = {URI}
active = True
""",
            directory / "virtualbmc.conf": f"""\
[default]
config_dir = {self._bmcs}
pid_file = {directory / "vbmcd.pid"}
server_port = {_free_port("127.0.0.1", socket.SOCK_STREAM)}
""",
        }
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> VirtualBmc:
        for path, text in self._files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(0o600)
            path.write_text(text, encoding="utf-8")
        environment = {**os.environ, "VIRTUALBMC_CONFIG": str(self._directory / "virtualbmc.conf")}
        with (self._directory / "vbmcd.log").open("wb") as log:
            self._process = subprocess.Popen(
                [str(self._program), "--foreground"],
                env={**environment, "HOME": str(self._directory)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # it runs a process for each BMC
            )
        try:
            self._wait(self._process)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _end(self) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                pass
            try:
                os.killpg(self._process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self._process.wait()

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        """Until somebody has bound the BMC's port. A presence ping has no answer: VirtualBMC knows none."""
        until = time.monotonic() + _STARTS_WITHIN
        while process.poll() is None and time.monotonic() < until:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
                udp.settimeout(0.1)
                udp.connect((self.address, self.port))
                try:
                    udp.send(_PING)
                    udp.recv(64)
                except ConnectionRefusedError:
                    time.sleep(0.1)
                    continue
                except TimeoutError:
                    pass
                return
        log = (self._directory / "vbmcd.log").read_text(encoding="utf-8", errors="replace")
        raise AssertionError(f"vbmcd does not serve {self.address}: {log.strip()[-800:]}")


def _free_port(address: str, kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])
