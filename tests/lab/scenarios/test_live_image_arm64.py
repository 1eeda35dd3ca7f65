# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The live image for arm64: made on this machine by the same role, booted once to SSH. No arm64 server was seen."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.lab.live_image_files import Builder
from tests.lab.plain_machine import missing, plain_machine

pytestmark = [
    pytest.mark.skipif(bool(missing("arm64")), reason=f"this machine lacks {', '.join(missing('arm64'))}"),
    pytest.mark.skipif(os.geteuid() != 0, reason="not root: an image is made by root only"),
]

# Two cores that emulate another architecture.
BOOT_SECONDS = 1500
BINFMT = Path("/proc/sys/fs/binfmt_misc")


def test_it_boots_to_ssh_with_secure_boot(tmp_path: Path) -> None:
    before = sorted(path.name for path in BINFMT.glob("*"))
    builder = Builder(tmp_path)
    image = builder.image("arm64")
    assert sorted(path.name for path in BINFMT.glob("*")) == before
    node = builder.node("node-arm")

    with plain_machine(
        tmp_path / "machine", [image.iso, node.medium], port=2216, architecture="arm64", memory_mib=2048
    ) as machine:
        seconds = machine.wait_for_ssh(node.operator_key, node.host_key, BOOT_SECONDS)
        print(f"arm64: power-on to SSH: {seconds:.1f} s")
        variable = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
        said = machine.ssh(node.operator_key, f"uname -m; od -An -tu1 -j4 -N1 {variable}; hostname").stdout.split()
        assert said == ["aarch64", "1", "node-arm"]
