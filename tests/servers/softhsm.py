# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""PKCS#11 tokens in software (SoftHSM 2)."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")


def require_softhsm() -> None:
    if shutil.which("softhsm2-util") is None or not MODULE.exists():
        pytest.skip("softhsm2 is not installed: no PKCS#11 token")
    if importlib.util.find_spec("pkcs11") is None:
        pytest.skip("python-pkcs11 is not installed")


@dataclass(frozen=True)
class SoftToken:
    label: str
    pin: str
    pin_file: Path
    configuration: Path

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "SOFTHSM2_CONF": str(self.configuration)}


def configure(directory: Path) -> Path:
    """The configuration of SoftHSM with its tokens below ``directory``."""
    (directory / "tokens").mkdir(parents=True)
    configuration = directory / "softhsm2.conf"
    configuration.write_text(
        f"directories.tokendir = {directory}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n", encoding="utf-8"
    )
    return configuration


def new_token(configuration: Path, label: str, pin: str = "canary-pin-4711") -> SoftToken:
    """A new token, with its PIN in a file. (softhsm2-util takes PINs as arguments only: this one guards nothing.)"""
    pin_file = configuration.parent / f"{label}.pin"
    pin_file.touch(mode=0o600)
    pin_file.write_text(pin + "\n", encoding="utf-8")
    token = SoftToken(label, pin, pin_file, configuration)
    command = ["softhsm2-util", "--init-token", "--free", "--label", label, "--so-pin", "12345678", "--pin", pin]
    subprocess.run(command, check=True, capture_output=True, env=token.environment)
    return token
