# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A BMC with IPMI that the controller cannot reach and a jump host can: the same tasks, delegated."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.ipmi_hosts import IpmiHosts
from tests.integration.ipmi_sim import PASSWORD, missing_tool
from tests.integration.network_namespace import NoNamespaces, network_namespace
from tests.toolchain.places import ROOT

pytest.importorskip("pyghmi", reason="pyghmi is not installed")

ADDRESS = "127.42.2.1"
INFO = "hearth.datacenter.ipmi_info"
POWER = "hearth.datacenter.ipmi_power"
BOOT = "hearth.datacenter.ipmi_boot"
ON = {POWER: {"state": "on", "connect_timeout": 2}}

# Runs inside the BMC's network until its standard input ends.
_SIMULATE = f"""
import sys
from pathlib import Path
sys.path[:0] = {[str(ROOT), str(ROOT / "build" / "dev")]!r}
from tests.integration.ipmi_run import FRU
from tests.integration.ipmi_sim import IpmiSim
with IpmiSim(Path(sys.argv[1]), address="{ADDRESS}", fru_data=FRU, chassis=True) as sim:
    print(sim.port, flush=True)
    sys.stdin.read()
"""


class Reached:
    """Where the BMC is, and the machine's power as the machine itself has it."""

    address = ADDRESS

    def __init__(self, folder: Path, port: int) -> None:
        self.port = port
        self._power = folder / "chassis" / "power"

    @property
    def power(self) -> str:
        return self._power.read_text().strip() if self._power.exists() else ""


@pytest.fixture
def inside(tmp_path: Path) -> Iterator[Path]:
    """A Python in the network of the BMC."""
    try:
        with network_namespace(tmp_path) as found:
            yield found
    except NoNamespaces as missing:
        pytest.skip(f"no network namespace: {missing}")


@pytest.fixture
def bmc(inside: Path, tmp_path: Path) -> Iterator[Reached]:
    if missing_tool():
        pytest.skip(missing_tool())
    folder = tmp_path / "sim"
    program = subprocess.Popen(
        [str(inside), "-c", _SIMULATE, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert program.stdin is not None and program.stdout is not None
    try:
        yield Reached(folder, int(program.stdout.readline()))
    finally:
        program.stdin.close()
        program.wait(20)
        program.stdout.close()


def jump_hosts(folder: Path, bmc: Reached, python: Path) -> IpmiHosts:
    hosts = IpmiHosts(folder, {"server": bmc})
    hosts.inventory["all"]["hosts"]["jump"]["ansible_python_interpreter"] = str(python)
    hosts.write()
    return hosts


def test_the_controller_cannot_and_the_jump_host_can(tmp_path: Path, bmc: Reached, inside: Path) -> None:
    there = {"delegate_to": "jump"}
    tasks: list[dict[str, Any]] = [
        {**ON, "ignore_errors": True},
        {**ON, **there},
        {**ON, **there},
        {INFO: {"subset": ["power", "system"]}, **there},
        {BOOT: {"state": "disabled"}, **there},
    ]
    ran = jump_hosts(tmp_path, bmc, inside).play(tasks, "-vvvv")
    assert ran.outcomes == ["failed", "ok", "ok", "ok", "ok"], ran.said
    here, on, again, info, boot = ran.results
    assert here["error"]["type"] in ("TimedOut", "Unreachable") and not here.get("unreachable")
    assert (on["changed"], again["changed"], boot["changed"], bmc.power) == (True, False, False, "1")
    assert (info["info"]["power"]["state"], info["info"]["system"]["serial"]) == ("on", "SN-0042")
    assert PASSWORD not in ran.said


def test_what_the_jump_host_lacks_is_named(tmp_path: Path, bmc: Reached, inside: Path) -> None:
    """The interpreter beneath the environment that the tests run in: it has no pyghmi."""
    bare = Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}"
    if subprocess.run([str(bare), "-c", "import pyghmi"], capture_output=True, check=False).returncode == 0:
        pytest.skip(f"{bare} has pyghmi")
    python = tmp_path / "bare-python"
    python.write_text(inside.read_text().replace(sys.executable, str(bare)))
    python.chmod(0o755)
    (result,) = jump_hosts(tmp_path, bmc, python).play([{**ON, "delegate_to": "jump"}]).results
    assert result["error"]["type"] == "MissingLibrary"
    assert result["msg"].startswith(f"The Python library pyghmi is not installed for {bare}")
    assert result["msg"].endswith(f" on {socket.gethostname()}.")
    assert bmc.power == ""
