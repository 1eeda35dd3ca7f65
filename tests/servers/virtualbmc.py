# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""VirtualBMC: an IPMI BMC for a machine of libvirt. Its vbmcd has a directory of its own, from ``with`` to its end."""

from __future__ import annotations

import shutil
import socket
import time
from pathlib import Path
from types import TracebackType

from tests.lab.engine import virsh
from tests.lab.engine.daemons import Daemon, Daemons
from tests.lab.engine.errors import LabError
from tests.toolchain.places import ROOT

ENVIRONMENT = ROOT / ".venv-virtualbmc"
_SERVES_WITHIN = 30.0


def vbmcd() -> Path:
    """The program: of the toolchain's environment, else of the PATH. LabError where there is none."""
    found = ENVIRONMENT / "bin" / "vbmcd"
    if found.exists():
        return found
    elsewhere = shutil.which("vbmcd")
    if elsewhere is None:
        raise LabError(f"vbmcd is neither in {ENVIRONMENT} (make integration makes it) nor in the PATH")
    return Path(elsewhere)


class VirtualBmc:
    """The BMC of one machine, at its own address and UDP port. It has the account that is given and no other."""

    def __init__(self, directory: Path, domain: str, address: str, username: str, password: str) -> None:
        self.address = address
        self.port = _free_port(address, socket.SOCK_DGRAM)
        self._domain = domain
        self._account = (username, password)
        self._directory = directory
        self._daemons = Daemons(directory)

    def __enter__(self) -> VirtualBmc:
        program = vbmcd()
        configuration = self._directory / "virtualbmc.conf"
        bmc = self._directory / "bmcs" / self._domain / "config"
        port = _free_port("127.0.0.1", socket.SOCK_STREAM)
        settings = {"config_dir": bmc.parents[1], "pid_file": self._directory / "vbmcd-own.pid", "server_port": port}
        _write(configuration, "default", settings)
        username, password = self._account
        machine = {"domain_name": self._domain, "libvirt_uri": virsh.URI, "active": True}
        access = {"address": self.address, "port": self.port, "username": username, "password": password}
        _write(bmc, "VirtualBMC", {**machine, **access})
        environment = {"VIRTUALBMC_CONFIG": str(configuration), "HOME": str(self._directory)}
        ready = f"127.0.0.1:{port}"
        self._daemons.start(Daemon("vbmcd", (str(program), "--foreground"), ready, environment=environment))
        try:
            self._wait()
        except BaseException:
            self._daemons.stop("vbmcd")
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._daemons.stop("vbmcd")

    def _wait(self) -> None:
        """Until a process of its own has bound the BMC's port. Nothing is heard of it: it answers no presence ping."""
        until = time.monotonic() + _SERVES_WITHIN
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.settimeout(0.2)
            udp.connect((self.address, self.port))
            while time.monotonic() < until:
                try:
                    udp.send(bytes.fromhex("0600ff06000011be80000000"))
                    udp.recv(64)
                except ConnectionRefusedError:
                    time.sleep(0.1)
                except TimeoutError:
                    return
        raise LabError(f"vbmcd runs and does not serve {self.address} port {self.port}: {self._directory}/vbmcd.log")


def _write(path: Path, section: str, values: dict[str, object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(0o600)
    lines = [f"[{section}]", *(f"{name} = {value}" for name, value in values.items())]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _free_port(address: str, kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])
