# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A TPM's state, made once: swtpm with an endorsement key, and its certificate from the lab's own authority."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.lab.engine.commands import run
from tests.lab.engine.errors import LabError

# libvirt runs swtpm as this user on Debian; swtpm_setup works as root.
USER = "tss"

# Failed tries, and the seconds that one of them, and the lockout, last.
_LOCKOUT = ("--max-tries=31", "--recovery-time=600", "--lockout-recovery-time=600")


def ensure(directory: Path, machine: str, authority: Path) -> bool:
    """Make the state below ``directory``/tpm2 and the certificates beside it; whether anything was changed."""
    if (directory / "tpm2").is_dir() and list(directory.glob("ek-*.crt")):
        return False
    # Made beside and renamed at the end: a state that a killed run began is never taken for a TPM.
    beside = directory.with_name(f".{directory.name}.new")
    for old in (directory, beside):
        shutil.rmtree(old, ignore_errors=True)
    state = beside / "tpm2"
    state.mkdir(parents=True)
    os.chmod(beside, 0o711)
    os.chmod(state, 0o700)
    run(
        ["swtpm_setup", "--tpm2", "--tpmstate", str(state), "--create-ek-cert", "--create-platform-cert"]
        + ["--lock-nvram", "--overwrite", "--pcr-banks", "sha256", "--vmid", machine]
        + ["--config", str(authority / "swtpm_setup.conf"), "--logfile", str(state / "setup.log")]
        + ["--write-ek-cert-files", str(beside)],
        timeout=180.0,
    )
    if not list(beside.glob("ek-*.crt")):
        raise LabError(f"swtpm_setup wrote no EK certificate for {machine}; see {state / 'setup.log'}")
    (state / "setup.log").unlink()
    _set_lockout(state)
    for path in (state, *state.iterdir()):
        shutil.chown(path, USER, USER)
    beside.rename(directory)
    return True


def _set_lockout(state: Path) -> None:
    """As patient as a real TPM. swtpm_setup leaves 3 tries, and a machine whose power is cut counts as having tried."""
    # A socket's path may be 107 bytes long; a lab's directory is as long as somebody made it.
    with TemporaryDirectory(prefix="hearth-tpm-") as directory:
        socket = f"{directory}/tpm"
        command = ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={state}", "--flags", "not-need-init,startup-clear"]
        command += ["--server", f"type=unixio,path={socket}", "--ctrl", f"type=unixio,path={socket}.ctrl"]
        swtpm = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            _wait_for(Path(socket), swtpm)
            tcti = ["-T", f"swtpm:path={socket}"]
            run(["tpm2_dictionarylockout", *tcti, "-s", *_LOCKOUT])
            run(["tpm2_shutdown", *tcti, "-c"])
        finally:
            swtpm.terminate()
            swtpm.wait()


def _wait_for(socket: Path, swtpm: subprocess.Popen[bytes], within: float = 10.0) -> None:
    deadline = time.monotonic() + within
    while not socket.exists():
        if swtpm.poll() is not None or time.monotonic() > deadline:
            raise LabError(f"swtpm does not start on {socket.parent}: it ended with {swtpm.poll()}")
        time.sleep(0.02)


def ek_certificates(directory: Path) -> dict[str, str]:
    """SHA-256 of each EK certificate in DER, lower-case hex, by the kind of key: ``rsa2048``, ``secp384r1``."""
    found = {}
    for path in sorted(directory.glob("ek-*.crt")):
        found[path.stem.removeprefix("ek-")] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def chain(authority: Path) -> str:
    """Root and issuer of the EK certificates, PEM."""
    names = ("swtpm-localca-rootca-cert.pem", "issuercert.pem")
    return "".join((authority / name).read_text(encoding="ascii") for name in names)
