# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role live_image: the same list makes the same bytes, and what is there stays."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.lab.live_image_files import IMAGES, Builder, LiveImage

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="not root: an image is made by root only"),
    pytest.mark.skipif(shutil.which("mmdebstrap") is None, reason="mmdebstrap is not installed"),
]


@pytest.fixture(scope="module")
def builder(tmp_path_factory: pytest.TempPathFactory) -> Builder:
    return Builder(tmp_path_factory.mktemp("builds"))


@pytest.fixture(scope="module")
def image(builder: Builder) -> LiveImage:
    return builder.image()


def test_a_second_run_changes_nothing(builder: Builder, image: LiveImage) -> None:
    before = image.iso.stat()

    ran = builder.role()

    assert ran.code == 0, ran.said
    assert [result.get("changed", False) for result in ran.results] == [False] * len(ran.results)
    assert image.iso.stat().st_mtime_ns == before.st_mtime_ns


def test_check_mode_finds_it_there(builder: Builder, image: LiveImage) -> None:
    ran = builder.role("--check")

    assert ran.code == 0, ran.said
    assert not any(result.get("changed") for result in ran.results)


def test_check_mode_says_that_another_image_would_be_made_and_makes_none(builder: Builder, image: LiveImage) -> None:
    before = image.iso.stat()

    ran = builder.role("--check", live_image_kernel_command_line="panic=30 ima_policy=tcb quiet")

    assert ran.code == 0, ran.said
    assert any(result.get("changed") for result in ran.results)
    assert image.iso.stat().st_mtime_ns == before.st_mtime_ns


def test_the_same_list_makes_the_same_bytes_elsewhere(builder: Builder, image: LiveImage, tmp_path: Path) -> None:
    """Another directory, another work directory, another time, the list of the first image; and this one is signed.

    The first attempt at it is killed in the middle.
    """
    work = tmp_path / "work"
    work.mkdir()
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "builder", "-f", str(key)], check=True)
    variables: dict[str, Any] = {
        "live_image_directory": str(tmp_path / "elsewhere"),
        "live_image_package_cache": str(IMAGES / "packages"),
        "live_image_work_directory": str(work),
        "live_image_given_list": str(image.iso.with_suffix(".packages.json")),
        "live_image_signing_key": str(key),
    }

    _kill_a_build(builder, work, tmp_path / "elsewhere/amd64/build.log", variables)
    left = [path.name for path in work.iterdir()]
    assert len(left) == 1, left

    again = builder.image(**variables)

    assert again.manifest == image.manifest
    assert again.iso.read_bytes() == image.iso.read_bytes()
    assert list(work.iterdir()) == []
    _verify(again.iso, key, tmp_path)
    second = builder.role(**variables)
    assert not any(result.get("changed") for result in second.results), second.said


def test_whoever_finds_somebody_at_work_is_told_who(builder: Builder, image: LiveImage) -> None:
    with (image.iso.parent / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        print(json.dumps({"pid": os.getpid(), "host": "here", "since": "today"}), file=lock, flush=True)
        ran = builder.role(live_image_lock_timeout=0)
        lock.truncate(0)
    assert ran.code != 0
    assert ran.results[-1]["error"]["type"] == "Busy", ran.said
    assert ran.results[-1]["error"]["found"] == f"process {os.getpid()} of here, since today"


def test_a_damaged_image_is_made_anew_or_said_to_be_needed(builder: Builder, image: LiveImage) -> None:
    with image.iso.open("r+b") as file:
        file.seek(-4096, os.SEEK_END)
        before = file.read(1)
        file.seek(-4096, os.SEEK_END)
        file.write(bytes([before[0] ^ 1]))
    try:
        ran = builder.role("--check")
        assert any(result.get("changed") for result in ran.results), ran.said
    finally:
        with image.iso.open("r+b") as file:
            file.seek(-4096, os.SEEK_END)
            file.write(before)


def _kill_a_build(builder: Builder, work: Path, log: Path, variables: dict[str, Any]) -> None:
    """While programs of the packages run in the image's root. They end with it."""
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(builder.role, **variables)
        deadline = time.monotonic() + 600
        while not (log.exists() and b"installing remaining packages" in log.read_bytes()):
            assert not running.done(), running.result().said
            assert time.monotonic() < deadline
            time.sleep(0.2)
        (owner,) = work.glob("hearth-live-image-*/owner.json")
        os.kill(json.loads(owner.read_text())["pid"], signal.SIGKILL)
        assert running.result().code != 0
    root = str(owner.parent / "root")
    deadline = time.monotonic() + 30
    while _in_root(root):
        assert time.monotonic() < deadline, _in_root(root)
        time.sleep(0.2)


def _in_root(root: str) -> list[str]:
    """Programs that were started with this directory as an argument, or run in it."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if os.readlink(process / "root") == root or root.encode() in (process / "cmdline").read_bytes():
                found.append(process.name)
        except OSError:
            continue
    return found


def _verify(iso: Path, key: Path, folder: Path) -> None:
    """As the role's README says."""
    checksums = iso.with_suffix(".sha256")
    (folder / "allowed_signers").write_text(f"builder {key.with_suffix('.pub').read_text()}")
    with checksums.open("rb") as signed:
        subprocess.run(
            [
                *("ssh-keygen", "-Y", "verify", "-n", "hearth-live-image", "-I", "builder"),
                *("-f", str(folder / "allowed_signers"), "-s", f"{checksums}.sig"),
            ],
            stdin=signed,
            check=True,
        )
    subprocess.run(["sha256sum", "--check", "--strict", "--quiet", checksums.name], cwd=iso.parent, check=True)
