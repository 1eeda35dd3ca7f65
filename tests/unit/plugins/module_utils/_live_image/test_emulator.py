# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Programs of another architecture run here while somebody builds, and not afterwards. The kernel is this machine's."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._live_image.architecture import architecture
from ansible_collections.hearth.datacenter.plugins.module_utils._live_image.commands import Commands, build_environment
from ansible_collections.hearth.datacenter.plugins.module_utils._live_image.emulator import programs_run
from tests.toolchain.collection_tree import link_development_tree
from tests.toolchain.locks import alone

FORMATS = Path("/proc/sys/fs/binfmt_misc")
BUILD = """
import sys
from pathlib import Path
from ansible_collections.hearth.datacenter.plugins.module_utils._live_image.architecture import architecture
from ansible_collections.hearth.datacenter.plugins.module_utils._live_image.commands import Commands, build_environment
from ansible_collections.hearth.datacenter.plugins.module_utils._live_image.emulator import programs_run
with programs_run(architecture(sys.argv[1]), Commands(Path(sys.argv[2]), build_environment())):
    print("running", flush=True)
    sys.stdin.read()
"""

if os.geteuid() != 0:
    pytest.skip("not root: the kernel is told of emulators by root", allow_module_level=True)
if not Path("/usr/lib/binfmt.d/qemu-aarch64.conf").exists():
    pytest.skip("qemu-user-static is not installed", allow_module_level=True)

HOST = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, check=True).stdout.strip()
FOREIGN = architecture("amd64" if HOST == "arm64" else "arm64")
FORMAT = FORMATS / FOREIGN.emulator


@pytest.fixture(autouse=True)
def unknown() -> Iterator[None]:
    # The same tests may run on another Python at this moment, and there is one kernel.
    with alone("binary-formats"):
        if FORMAT.exists():
            pytest.skip(f"this kernel knows {FORMAT.name} already: somebody builds, or it was set up for good")
        yield


@contextmanager
def build(folder: Path, name: str = FOREIGN.name) -> Iterator[subprocess.Popen[str]]:
    running = subprocess.Popen(
        [sys.executable, "-c", BUILD, name, str(folder / "log")],
        env={**os.environ, "PYTHONPATH": str(link_development_tree())},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert running.stdout and running.stdout.readline() == "running\n"
        yield running
    finally:
        running.kill()
        running.communicate()


def test_the_last_build_takes_it_back(tmp_path: Path) -> None:
    before = FORMATS.joinpath("register").exists()
    with build(tmp_path) as first:
        assert FORMAT.exists()
        with build(tmp_path) as second:
            first.communicate("")
            assert FORMAT.exists()
            second.communicate("")
    assert not FORMAT.exists()
    assert FORMATS.joinpath("register").exists() == before


def test_what_a_killed_build_left_is_taken_back_by_the_next(tmp_path: Path) -> None:
    """By one for this machine's own architecture, too."""
    before = FORMATS.joinpath("register").exists()
    commands = Commands(tmp_path / "log", build_environment())
    for following in (FOREIGN.name, HOST):
        with build(tmp_path) as doomed:
            doomed.kill()
            doomed.wait()
        assert FORMAT.exists()
        with programs_run(architecture(following), commands):
            pass
        assert not FORMAT.exists()
        assert FORMATS.joinpath("register").exists() == before


def test_what_was_there_before_stays(tmp_path: Path) -> None:
    commands = Commands(tmp_path / "log", build_environment())
    mounted = not FORMATS.joinpath("register").exists()
    if mounted:
        subprocess.run(["mount", "-t", "binfmt_misc", "binfmt_misc", str(FORMATS)], check=True)
    try:
        (FORMATS / "register").write_bytes(Path(f"/usr/lib/binfmt.d/{FOREIGN.emulator}.conf").read_bytes())
        with programs_run(FOREIGN, commands):
            assert FORMAT.exists()
        assert FORMAT.exists()
    finally:
        FORMAT.write_bytes(b"-1")
        if mounted:
            subprocess.run(["umount", str(FORMATS)], check=True)
