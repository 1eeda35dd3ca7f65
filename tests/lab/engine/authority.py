# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's own certificate authority: it signs what BMCs and media server show. Made once for each lab."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from tests.lab.engine.commands import run

_DAYS = "3650"


def ensure(directory: Path, name: str) -> bool:
    """Make ``ca.pem`` and ``ca.key`` (0600); whether anything was changed."""
    certificate, key = directory / "ca.pem", directory / "ca.key"
    if certificate.is_file() and key.is_file():
        return False
    directory.mkdir(mode=0o711, parents=True, exist_ok=True)
    _new_key(key)
    beside = certificate.with_suffix(".new")
    run(
        ["openssl", "req", "-x509", "-new", "-key", str(key), "-sha256", "-days", _DAYS, "-subj", f"/CN={name}"]
        + ["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign"]
        + ["-out", str(beside)]
    )
    beside.chmod(0o644)
    beside.rename(certificate)
    return True


def issue(directory: Path, name: str, address: str) -> bool:
    """Make ``<name>.pem`` and ``<name>.key`` (0600), for a server at an address; whether anything was changed."""
    certificate, key = directory / f"{name}.pem", directory / f"{name}.key"
    if certificate.is_file() and key.is_file() and _speaks_for(certificate, address):
        return False
    _new_key(key)
    request = run(["openssl", "req", "-new", "-key", str(key), "-subj", f"/CN={name}"])
    extensions = directory / f"{name}.extensions"
    extensions.write_text(
        f"subjectAltName=IP:{address}\nbasicConstraints=critical,CA:FALSE\n"
        "keyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\n",
        encoding="ascii",
    )
    beside = certificate.with_suffix(".new")
    run(
        ["openssl", "x509", "-req", "-sha256", "-days", _DAYS, "-set_serial", f"0x{secrets.token_hex(16)}"]
        + ["-CA", str(directory / "ca.pem"), "-CAkey", str(directory / "ca.key")]
        + ["-extfile", str(extensions), "-out", str(beside)],
        stdin=request,
    )
    extensions.unlink()
    beside.chmod(0o644)
    beside.rename(certificate)
    return True


def _new_key(path: Path) -> None:
    beside = path.with_suffix(".new-key")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.close(descriptor)
    run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", str(beside)])
    beside.chmod(0o600)
    beside.rename(path)


def _speaks_for(certificate: Path, address: str) -> bool:
    said = run(["openssl", "x509", "-in", str(certificate), "-noout", "-ext", "subjectAltName"])
    return f"IP Address:{address}" in [line.strip() for line in said.splitlines()]
