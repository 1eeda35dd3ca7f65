# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is read out of Debian's own signed programs."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core.errors import BadInput
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.authenticode import authenticode_sha256
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.grub_image import embedded_config
from tests.unit.plugins.module_utils._tpm.recorded_boots import GCD_CONFIG

SIGNED_GRUB = Path("/usr/lib/grub/x86_64-efi-signed/gcdx64.efi.signed")
SIGNED_SHIM = Path("/usr/lib/shim/shimx64.efi.signed")


def installed(path: Path) -> bytes:
    if not path.exists():
        pytest.skip(f"{path} is not installed")
    return path.read_bytes()


def test_the_script_in_debians_grub_is_found() -> None:
    assert embedded_config(installed(SIGNED_GRUB)) == GCD_CONFIG


def test_another_grub_of_debian_looks_elsewhere() -> None:
    assert embedded_config(installed(SIGNED_GRUB.with_name("grubnetx64.efi.signed"))) != GCD_CONFIG


@pytest.mark.parametrize("path", [SIGNED_SHIM, SIGNED_GRUB], ids=lambda path: path.name)
def test_the_digest_is_the_one_that_was_signed(path: Path, tmp_path: Path) -> None:
    image = installed(path)
    # The signature is PKCS #7 over the digest, which stands in it as it is.
    signature = tmp_path / "signature"
    subprocess.run(["sbattach", "--detach", signature, path], check=True, capture_output=True)
    assert bytes.fromhex(authenticode_sha256(image)) in signature.read_bytes()


@pytest.mark.parametrize("image", [b"", b"MZ", b"MZ" + bytes(200), b"\x7fELF" + bytes(200)])
def test_what_is_no_program_is_refused(image: bytes) -> None:
    with pytest.raises(BadInput):
        authenticode_sha256(image)
    with pytest.raises(BadInput):
        embedded_config(image)


def test_a_truncated_program_is_refused() -> None:
    image = installed(SIGNED_SHIM)
    with pytest.raises(BadInput):
        authenticode_sha256(image[: len(image) // 2])
