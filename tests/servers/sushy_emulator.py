# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""OpenStack's sushy-emulator in front of libvirt: a Redfish service for real machines that is not ours."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType

from tests.servers.certificates import Authority
from tests.servers.libvirt_domain import URI, virsh

CHECKOUT = Path(__file__).resolve().parents[2]
USERNAME, PASSWORD = "hearth", "sushy-emulator-password"
_HASH = "import bcrypt, sys; print(bcrypt.hashpw(sys.stdin.read().encode(), bcrypt.gensalt(4)).decode())"


def program() -> Path | None:
    """Where it is: in the environment that `make rack-up` makes for it, or on the PATH."""
    ours = CHECKOUT / ".venv-rack" / "bin" / "sushy-emulator"
    if ours.exists():
        return ours
    found = shutil.which("sushy-emulator")
    return None if found is None else Path(found)


def missing() -> str:
    return "" if program() else "sushy-emulator (tests/requirements-rack.txt; `make rack-up` installs it)"


class SushyEmulator:
    """``with SushyEmulator(folder, "127.51.5.11", 8000, uuids) as service: …``: HTTPS and Basic."""

    def __init__(self, folder: Path, address: str, port: int, uuids: list[str]) -> None:
        self.folder = folder
        self.address, self.port = address, port
        self._pool = f"hearth-backend-{os.getpid()}"
        self._uuids = uuids
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> SushyEmulator:
        found = program()
        assert found is not None
        for name in ("pool", "state", "temp"):
            (self.folder / name).mkdir(parents=True)
            (self.folder / name).chmod(0o711)
        authority = Authority(self.folder, "sushy")
        self.ca = str(authority.ca)
        certificate = authority.issue(self.address)
        hashing = [str(found.with_name("python")), "-c", _HASH]
        hashed = subprocess.run(hashing, input=PASSWORD, capture_output=True, text=True, check=True, timeout=60)
        (self.folder / "htpasswd").write_text(f"{USERNAME}:{hashed.stdout}")
        settings = {
            "SUSHY_EMULATOR_LISTEN_IP": self.address,
            "SUSHY_EMULATOR_LISTEN_PORT": self.port,
            "SUSHY_EMULATOR_SSL_CERT": str(certificate.path),
            "SUSHY_EMULATOR_SSL_KEY": str(certificate.path),
            "SUSHY_EMULATOR_AUTH_FILE": str(self.folder / "htpasswd"),
            "SUSHY_EMULATOR_LIBVIRT_URI": URI,
            "SUSHY_EMULATOR_STORAGE_POOL": self._pool,
            "SUSHY_EMULATOR_STATE_DIR": str(self.folder / "state"),
            "SUSHY_EMULATOR_FEATURE_SET": "full",
            "SUSHY_EMULATOR_ALLOWED_INSTANCES": self._uuids,
            "SUSHY_EMULATOR_BOOT_LOADER_MAP": {"UEFI": {"x86_64": "/usr/share/OVMF/OVMF_CODE_4M.ms.fd"}},
        }
        configuration = self.folder / "sushy.conf"
        configuration.write_text("".join(f"{name} = {value!r}\n" for name, value in settings.items()))
        virsh("pool-create-as", self._pool, "dir", "--target", str(self.folder / "pool"))
        try:
            with open(self.folder / "log", "wb") as log:
                self._process = subprocess.Popen(
                    [str(found), "--config", str(configuration)],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env={**os.environ, "TMPDIR": str(self.folder / "temp")},
                )
            self._wait()
        except BaseException:
            self._stop()
            raise
        return self

    def _wait(self) -> None:
        until = time.monotonic() + 90
        while True:
            with contextlib.suppress(OSError), socket.create_connection((self.address, self.port), 1):
                return
            assert self._process is not None and self._process.poll() is None and time.monotonic() < until, self.log
            time.sleep(0.1)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop()

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)
            if process.poll() is None:
                process.kill()
                process.wait()
        virsh("pool-destroy", self._pool)

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")
