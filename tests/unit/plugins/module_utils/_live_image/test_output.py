# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files of a finished image: whole or not there, and signed by one key."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core.errors import BadInput
from ansible_collections.hearth.datacenter.plugins.module_utils._live_image.commands import Commands, build_environment
from ansible_collections.hearth.datacenter.plugins.module_utils._live_image.output import Output
from ansible_collections.hearth.datacenter.plugins.module_utils._live_image.package_list import PackageList, Wanted

NAME = "hearth-live-amd64"
ID = "ab" * 32


@pytest.fixture
def output(tmp_path: Path) -> Output:
    made = tmp_path / "work.iso"
    made.write_bytes(b"an image")
    output = Output(tmp_path / "out", NAME)
    packages = PackageList(Wanted("amd64", "bookworm", (), (), ()), 1, ())
    output.put(made, {"schema": 1, "image_id": ID}, packages)
    return output


@pytest.fixture
def commands(tmp_path: Path) -> Commands:
    return Commands(tmp_path / "log", build_environment())


def key(folder: Path, name: str) -> Path:
    path = folder / name
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    return path


def test_what_was_put_is_held(output: Output) -> None:
    assert output.holds(ID)
    assert not output.holds("cd" * 32)
    assert sorted(path.name for path in output.directory.iterdir()) == [
        f"{NAME}.iso",
        f"{NAME}.manifest.json",
        f"{NAME}.packages.json",
        f"{NAME}.sha256",
    ]


def test_sha256sum_checks_the_checksums(output: Output) -> None:
    subprocess.run(["sha256sum", "--check", "--strict", "--quiet", f"{NAME}.sha256"], cwd=output.directory, check=True)


@pytest.mark.parametrize("suffix", ["iso", "manifest.json", "packages.json", "sha256"])
def test_a_file_that_was_changed_or_is_gone_is_noticed(output: Output, suffix: str) -> None:
    path = output.directory / f"{NAME}.{suffix}"
    path.write_bytes(path.read_bytes() + b" ")
    assert not output.holds(ID)

    path.unlink()
    assert not output.holds(ID)


@pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="ssh-keygen is not installed")
def test_a_signature_of_this_key_counts_and_no_other(output: Output, commands: Commands, tmp_path: Path) -> None:
    ours, other = key(tmp_path, "ours"), key(tmp_path, "other")
    assert not output.is_signed_by(ours, commands)

    output.sign(ours, commands)

    assert output.is_signed_by(ours, commands)
    assert not output.is_signed_by(other, commands)
    output.checksums.write_text(output.checksums.read_text() + "\n")
    assert not output.is_signed_by(ours, commands)


def test_a_file_that_is_no_key_does_not_sign(output: Output, commands: Commands, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no key")

    with pytest.raises(BadInput, match="does not sign"):
        output.sign(tmp_path / "text", commands)
    assert not output.signature.exists()
