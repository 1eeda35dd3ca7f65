# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""TPMs in software (swtpm), with endorsement certificates from authorities of the test."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

TOOLS = ("swtpm", "swtpm_setup", "swtpm_localca", "tpm2_quote")


def require_swtpm() -> None:
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)} not installed")


@dataclass(frozen=True)
class EkAuthority:
    """A certification authority for endorsement keys: swtpm_localca makes its root and issuer when first asked."""

    directory: Path

    @property
    def certificates(self) -> bytes:
        """Root and issuer, PEM."""
        names = ("swtpm-localca-rootca-cert.pem", "issuercert.pem")
        return b"".join((self.directory / name).read_bytes() for name in names)

    @property
    def issuer_key(self) -> Path:
        return self.directory / "signkey.pem"

    @property
    def issuer(self) -> Path:
        return self.directory / "issuercert.pem"

    def setup_config(self) -> Path:
        self.directory.mkdir(parents=True, exist_ok=True)
        (self.directory / "localca.conf").write_text(
            f"statedir = {self.directory}\nsigningkey = {self.issuer_key}\nissuercert = {self.issuer}\n"
            f"certserial = {self.directory}/certserial\n",
            encoding="utf-8",
        )
        (self.directory / "localca.options").write_text(
            "--platform-manufacturer Hearth\n--platform-version 1\n--platform-model Test\n", encoding="utf-8"
        )
        config = self.directory / "setup.conf"
        config.write_text(
            f"create_certs_tool = {shutil.which('swtpm_localca')}\n"
            f"create_certs_tool_config = {self.directory}/localca.conf\n"
            f"create_certs_tool_options = {self.directory}/localca.options\nactive_pcr_banks = sha256\n",
            encoding="utf-8",
        )
        return config


class SoftwareTpm:
    """One running swtpm, freshly started up: PCRs at their first values."""

    def __init__(self, directory: Path, tcti: str) -> None:
        self.directory = directory
        self.tcti = tcti

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "TPM2TOOLS_TCTI": self.tcti, "TSS2_LOG": "all+error"}

    def run(self, *command: str | Path) -> bytes:
        """A program of tpm2-tools, in the TPM's directory."""
        done = subprocess.run(command, cwd=self.directory, env=self.environment, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def extend(self, measurements: Iterable[tuple[int, bytes]]) -> None:
        """Extend PCRs of the SHA-256 bank, in order."""
        self.run("tpm2_pcrextend", *(f"{pcr}:sha256={digest.hex()}" for pcr, digest in measurements))

    def flush(self) -> None:
        for kind in ("-t", "-l", "-s"):
            self.run("tpm2_flushcontext", kind)

    def guess(self) -> str:
        """Use a key with a password that is wrong, and what was said: one try less, until the TPM is locked out."""
        if not (self.directory / "guessed.ctx").exists():
            self.run("tpm2_createprimary", "-C", "o", "-p", "right", "-G", "ecc", "-c", "guessed.ctx")
            self.flush()
        command = ["tpm2_create", "-C", "guessed.ctx", "-P", "wrong", "-G", "ecc", "-c", "child.ctx"]
        done = subprocess.run(command, cwd=self.directory, env=self.environment, capture_output=True, check=False)
        self.flush()
        assert done.returncode != 0
        return done.stderr.decode()

    def lock_out(self) -> None:
        """Guess until the TPM takes no more guesses (TPM_RC_LOCKOUT)."""
        while "0x921" not in self.guess():
            pass

    def certificate(self, index: int = 0x01C00002) -> bytes:
        return self.run("tpm2_nvread", "-C", "o", f"{index:#010x}")


def manufacture(state: Path, authority: EkAuthority | None) -> None:
    """A new TPM's state, with keys of its own; without an authority it has no certificates."""
    state.mkdir(parents=True)
    setup: list[str | Path] = ["swtpm_setup", "--tpm2", "--tpmstate", state, "--pcr-banks", "sha256", "--overwrite"]
    if authority is not None:
        setup += ["--create-ek-cert", "--config", authority.setup_config()]
    subprocess.run(setup, check=True, capture_output=True)


@contextmanager
def software_tpm(directory: Path, manufactured: Path) -> Iterator[SoftwareTpm]:
    """The TPM with a copy of this state, switched on."""
    state = directory / "state"
    shutil.copytree(manufactured, state)
    socket = directory / "tpm"
    process = subprocess.Popen(
        [
            *("swtpm", "socket", "--tpm2", "--tpmstate", f"dir={state}", "--flags", "not-need-init,startup-clear"),
            *("--server", f"type=unixio,path={socket}", "--ctrl", f"type=unixio,path={socket}.ctrl"),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 30
        while not socket.exists():
            assert process.poll() is None and time.monotonic() < deadline, "swtpm does not listen"
            time.sleep(0.01)
        yield SoftwareTpm(directory, f"swtpm:path={socket}")
    finally:
        process.terminate()
        process.wait(10)
