# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files of a finished image: the image, its manifest, its package list, their checksums and the signature."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Mapping, Optional

from .._core.errors import BadInput, HearthError
from .commands import CommandFailed, Commands
from .manifest import read_manifest
from .package_cache import sha256_of
from .package_list import PackageList

# Of ssh-keygen -Y sign: a signature for another purpose does not count.
NAMESPACE = "hearth-live-image"


@dataclass(frozen=True)
class Output:
    """Where the files of one image lie."""

    directory: Path
    name: str

    @property
    def iso(self) -> Path:
        return self.directory / f"{self.name}.iso"

    @property
    def manifest(self) -> Path:
        return self.directory / f"{self.name}.manifest.json"

    @property
    def package_list(self) -> Path:
        return self.directory / f"{self.name}.packages.json"

    @property
    def checksums(self) -> Path:
        return self.directory / f"{self.name}.sha256"

    @property
    def signature(self) -> Path:
        return self.directory / f"{self.name}.sha256.sig"

    def holds(self, image_id: str) -> bool:
        """Whether the image of that id is here, whole."""
        try:
            document = read_manifest(self.manifest)
            expected = self.checksums.read_text(encoding="ascii")
        except (HearthError, OSError):
            return False
        if document.get("image_id") != image_id:
            return False
        return self._files_are_there() and expected == self._checksum_lines()

    def _files_are_there(self) -> bool:
        return all(path.is_file() for path in (self.iso, self.manifest, self.package_list))

    def _checksum_lines(self) -> str:
        """As sha256sum prints them and checks them."""
        paths = (self.iso, self.manifest, self.package_list)
        return "".join(f"{sha256_of(path)}  {path.name}\n" for path in paths)

    def remove_beginnings(self) -> None:
        """What a killed process left that was about to put a file here. Nobody else may be at work here now."""
        for path in self.directory.glob(f".{self.name}.*"):
            path.unlink()

    def put(self, iso: Path, document: Mapping[str, Any], packages: PackageList) -> None:
        """Take a finished image over. Whoever has the old one open keeps reading the old one."""
        self.directory.mkdir(parents=True, exist_ok=True)
        # Until all is there, nothing claims to be whole.
        for path in (self.checksums, self.signature):
            path.unlink(missing_ok=True)
        # The workspace may lie on another file system.
        beside = self.iso.with_name(f".{self.iso.name}.{os.getpid()}")
        try:
            shutil.move(str(iso), beside)
            beside.chmod(0o644)
            beside.replace(self.iso)
        finally:
            beside.unlink(missing_ok=True)
        _write(self.package_list, packages.to_json())
        _write(self.manifest, json.dumps(document, indent=1, sort_keys=True) + "\n")
        _write(self.checksums, self._checksum_lines())

    def is_signed_by(self, key: Path, commands: Commands) -> bool:
        """Whether the checksums carry a signature that this key made."""
        if not self.signature.is_file():
            return False
        before = self.signature.read_bytes()
        return before == self._signature_of(key, commands)

    def sign(self, key: Path, commands: Commands) -> None:
        """Sign the checksums, and by them everything."""
        _write_bytes(self.signature, self._signature_of(key, commands))

    def _signature_of(self, key: Path, commands: Commands) -> bytes:
        scratch = self.directory / f".{self.name}.{os.getpid()}.sign"
        made = scratch.with_name(scratch.name + ".sig")
        try:
            scratch.write_bytes(self.checksums.read_bytes())
            commands.run("ssh-keygen", "-q", "-Y", "sign", "-n", NAMESPACE, "-f", key, scratch)
            return made.read_bytes()
        except CommandFailed as error:
            raise BadInput(
                f"{key} does not sign",
                expected="an Ed25519 key of OpenSSH without a passphrase, readable by root only",
                found=error.found,
                where=str(key),
                next="ssh-keygen -t ed25519 -N '' makes one; or let an agent hold it.",
            ) from error
        finally:
            scratch.unlink(missing_ok=True)
            made.unlink(missing_ok=True)


def unsigned(output: Output) -> Optional[Path]:
    """The signature that nobody asked for any more."""
    return output.signature if output.signature.exists() else None


def _write(path: Path, text: str) -> None:
    _write_bytes(path, text.encode("utf-8"))


def _write_bytes(path: Path, content: bytes) -> None:
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_bytes(content)
    beside.chmod(0o644)
    beside.replace(path)
