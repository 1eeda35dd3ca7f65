# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""LUKS2 devices that are plain files, made and broken by cryptsetup itself."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

PASSPHRASE = b"canary-passphrase-4711"

QUICK = ("--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000")


def require_cryptsetup() -> None:
    if shutil.which("cryptsetup") is None:
        pytest.skip("cryptsetup not installed")


class LuksImage:
    """A file with a LUKS2 header, and PASSPHRASE in keyslot 0."""

    def __init__(self, path: Path, *words: str) -> None:
        self.path = path
        with path.open("wb") as file:
            file.truncate(20 << 20)
        self.cryptsetup("luksFormat", "--type", "luks2", *QUICK, *words, "-q", str(path), "-", stdin=PASSPHRASE)

    def cryptsetup(self, *words: str, stdin: bytes = b"") -> bytes:
        done = subprocess.run(["cryptsetup", *words], input=stdin, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def metadata(self) -> dict[str, Any]:
        dumped = json.loads(self.cryptsetup("luksDump", "--dump-json-metadata", str(self.path)))
        assert isinstance(dumped, dict)
        return dumped

    @property
    def keyslots(self) -> list[int]:
        return sorted(int(number) for number in self.metadata()["keyslots"])

    @property
    def tokens(self) -> list[str]:
        return sorted(token["type"] for token in self.metadata()["tokens"].values())

    def add(self, secret: bytes, keyslot: int, *words: str) -> None:
        new = self.path.with_suffix(".new")
        new.write_bytes(secret)
        at = ("--key-slot", str(keyslot))
        path = str(self.path)
        self.cryptsetup("luksAddKey", "-q", *QUICK, *words, *at, "-d", "-", path, str(new), stdin=PASSPHRASE)
        new.unlink()

    def kill(self, keyslot: int) -> None:
        self.cryptsetup("luksKillSlot", "-q", str(self.path), str(keyslot))

    def token(self, content: Mapping[str, Any]) -> None:
        self.cryptsetup("token", "import", "--json-file", "-", str(self.path), stdin=json.dumps(content).encode())

    def forge(self, there: bytes, instead: bytes) -> None:
        """Write other metadata of the same length into both copies, with right checksums, as an attacker would.

        LUKS2 On-Disk Format 1.1.2, 2.1: hdr_size at 8, csum (64 bytes) at 448, JSON from 4096."""
        assert len(there) == len(instead)
        disk = bytearray(self.path.read_bytes())
        size = int.from_bytes(disk[8:16], "big")
        for start in (0, size):
            area = disk[start : start + size]
            area[4096:] = area[4096:].replace(there, instead)
            area[448:512] = bytes(64)
            area[448:480] = hashlib.sha256(area).digest()
            disk[start : start + size] = area
        self.path.write_bytes(disk)

    def opens(self, secret: bytes, keyslot: int | None = None) -> bool:
        chosen = [] if keyslot is None else ["--key-slot", str(keyslot)]
        argv = ["cryptsetup", "open", "--test-passphrase", *chosen, "-d", "-", str(self.path)]
        return subprocess.run(argv, input=secret, capture_output=True, check=False).returncode == 0

    def clevis_opens(self, keyslot: int, environment: Mapping[str, str] | None = None) -> bool:
        """By clevis' own program, which knows nothing of ours."""
        argv = ["clevis-luks-unlock", "-d", str(self.path), "-t", str(keyslot)]
        within = dict(os.environ if environment is None else environment)
        return subprocess.run(argv, env=within, capture_output=True, check=False).returncode == 0
