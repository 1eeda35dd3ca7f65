# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An emulated fleet for a test: started as its own processes, ended with them."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, cast
from urllib.parse import urlsplit

CHECKOUT = Path(__file__).resolve().parents[3]


class FleetFailed(RuntimeError):
    """The fleet did not start, or its admin endpoint said no."""


class Fleet:
    """``with Fleet(bmcs=20, network="127.43.1.0/24", platforms={"openbmc": 1}) as fleet: …``

    ``options`` are further options of the command line, with their dashes.
    """

    def __init__(
        self,
        bmcs: int | None = None,
        network: str = "127.43.0.0/24",
        *,
        platforms: Mapping[str, int] | str = "",
        latency: str = "0",
        faults: str = "",
        https_port: int = 8443,
        http_port: int = 0,
        workers: int = 1,
        options: Sequence[str] = (),
        start_within: float = 60.0,
        python: str = sys.executable,
    ) -> None:
        if not isinstance(platforms, str):
            platforms = ",".join(f"{name}={weight}" for name, weight in platforms.items())
        self._arguments = [python, "-m", "tests.emulators.redfish", "--network", network, "--latency", latency]
        self._arguments += ["--https-port", str(https_port), "--http-port", str(http_port), "--workers", str(workers)]
        self._arguments += [] if bmcs is None else ["--bmcs", str(bmcs)]
        self._arguments += ["--platforms", platforms] if platforms else []
        self._arguments += ["--faults", faults] if faults else []
        self._arguments += options
        self._start_within = start_within
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self.description: dict[str, Any] = {}

    def __enter__(self) -> Fleet:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Returns when everything listens; raises FleetFailed with what the fleet wrote."""
        self._folder = tempfile.TemporaryDirectory(prefix="hearth-fleet-")
        folder = Path(self._folder.name)
        ready = folder / "fleet.json"
        try:
            with open(folder / "log", "wb") as log:
                self._process = subprocess.Popen(
                    [*self._arguments, "--state-dir", str(folder)],
                    cwd=CHECKOUT,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                )
            until = time.monotonic() + self._start_within
            while not ready.exists():
                if self._process.poll() is not None or time.monotonic() > until:
                    written = (folder / "log").read_text(errors="replace")[-4000:]
                    raise FleetFailed(f"the fleet did not start within {self._start_within} s:\n{written}")
                time.sleep(0.02)
            self.description = json.loads(ready.read_text())
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Ends it by its own pids; may be called twice."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                for pid in self.description.get("pids", ())[1:]:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    @property
    def pid(self) -> int:
        if self._process is None:
            raise FleetFailed("the fleet does not run")
        return self._process.pid

    @property
    def bmcs(self) -> list[dict[str, Any]]:
        return cast("list[dict[str, Any]]", self.description["bmcs"])

    @property
    def addresses(self) -> list[str]:
        return [bmc["address"] for bmc in self.bmcs]

    @property
    def ca(self) -> str:
        return str(self.description["ca"])

    @property
    def https_port(self) -> int:
        return int(self.description["https_port"])

    @property
    def http_port(self) -> int:
        return int(self.description["http_port"])

    @property
    def username(self) -> str:
        return str(self.description["username"])

    @property
    def password(self) -> str:
        return str(self.description["password"])

    @property
    def log(self) -> str:
        """What the fleet's processes wrote."""
        return "" if self._folder is None else (Path(self._folder.name) / "log").read_text(errors="replace")

    def admin(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """``fleet.admin("PUT", "/bmcs/127.43.0.1/faults", {"black_hole": {}})``; raises FleetFailed on refusal."""
        place = urlsplit(self.description["admin"])
        # Not urllib: it reads the system's authorities (35 ms of CPU) for each opener, for HTTP, too.
        connection = http.client.HTTPConnection(str(place.hostname), place.port, timeout=60)
        with contextlib.closing(connection):
            connection.request(method, path, None if body is None else json.dumps(body).encode())
            answer = connection.getresponse()
            said = answer.read()
        if answer.status >= 300:
            raise FleetFailed(f"{method} {path}: {answer.status} {said.decode(errors='replace')}")
        return json.loads(said)

    def statistics(self) -> dict[str, Any]:
        return cast("dict[str, Any]", self.admin("GET", "/statistics"))

    def reset_statistics(self) -> None:
        self.admin("POST", "/statistics/reset")

    def faults(self, address: str, **faults: Mapping[str, Any]) -> None:
        """These faults on that BMC from now on; none: ``fleet.faults(address)``."""
        self.admin("PUT", f"/bmcs/{address}/faults", faults)
