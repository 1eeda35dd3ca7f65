# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The packages of an image: which exactly, where they came from, and what their bytes are.

An image is made from such a list and nothing else, so the list is what is kept, compared and built from again.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Dict, Mapping, Tuple

from .._core.errors import BadInput

SCHEMA = 1
_NAME = re.compile(r"[a-z0-9][a-z0-9+.-]+")
_VERSION = re.compile(r"[A-Za-z0-9.+:~-]+")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Package:
    """One .deb."""

    name: str
    version: str
    architecture: str
    url: str
    """Where the mirror served it when the list was made."""
    size_bytes: int
    sha256: str
    installed: bool
    """False: its boot loader is taken from it, and the package itself is not in the image."""

    @property
    def file_name(self) -> str:
        return f"{self.name}_{self.version.replace(':', '%3a')}_{self.architecture}.deb"

    @property
    def pool_path(self) -> str:
        """What follows the archive's root in the URL, the same on every mirror."""
        return self.url[self.url.index("/pool/") + 1 :]


@dataclass(frozen=True)
class Wanted:
    """What a list is made for."""

    architecture: str
    suite: str
    sources: Tuple[str, ...]
    """Lines of sources.list(5)."""
    packages: Tuple[str, ...]
    """Named by the user; what they depend on is found."""
    boot_packages: Tuple[str, ...]

    def as_dict(self) -> Dict[str, Any]:
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}


@dataclass(frozen=True)
class PackageList:
    """Every package of one image."""

    wanted: Wanted
    source_date_epoch: int
    """Seconds since 1970: when the archive was published, and the time that everything in the image shows."""
    packages: Tuple[Package, ...]

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    def versions(self) -> Dict[str, str]:
        return {package.name: package.version for package in self.packages}

    def to_json(self) -> str:
        document = {
            "schema": SCHEMA,
            "wanted": self.wanted.as_dict(),
            "source_date_epoch": self.source_date_epoch,
            "packages": [asdict(package) for package in sorted(self.packages, key=lambda one: one.name)],
        }
        return json.dumps(document, indent=1, sort_keys=True) + "\n"


def read_package_list(path: Path) -> PackageList:
    """A list from its file; whatever is wrong with it is said before anything is fetched."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadInput(
            f"there is no package list {path}", expected="a file made by live_image_packages", where=str(path)
        ) from None
    except (OSError, ValueError) as error:
        raise _unusable(path, str(error)) from error
    try:
        if document["schema"] != SCHEMA:
            raise _unusable(path, f"schema {document['schema']!r}")
        packages = tuple(_package(path, entry) for entry in document["packages"])
        if len({package.name for package in packages}) != len(packages):
            raise _unusable(path, "a package is listed twice")
        return PackageList(_wanted(document["wanted"]), int(document["source_date_epoch"]), packages)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _unusable(path, f"{type(error).__name__}: {error}") from error


def _wanted(entry: Mapping[str, Any]) -> Wanted:
    return Wanted(
        architecture=str(entry["architecture"]),
        suite=str(entry["suite"]),
        sources=tuple(entry["sources"]),
        packages=tuple(entry["packages"]),
        boot_packages=tuple(entry["boot_packages"]),
    )


def _package(path: Path, entry: Mapping[str, Any]) -> Package:
    package = Package(**entry)
    # These become file names and arguments.
    for pattern, value in (
        (_NAME, package.name),
        (_VERSION, package.version),
        (_NAME, package.architecture),
        (_SHA256, package.sha256),
    ):
        if not pattern.fullmatch(value):
            raise _unusable(path, f"{value!r} in the entry of {package.name!r}")
    if "/pool/" not in package.url or not re.match(r"(https?|file|copy):/", package.url):
        raise _unusable(path, f"URL {package.url!r}")
    return package


def _unusable(path: Path, found: str) -> BadInput:
    return BadInput(
        f"{path} is not a usable package list",
        expected=f"JSON of schema {SCHEMA} as live_image_packages writes it",
        found=found,
        where=str(path),
        next="Take another file, or delete this one so that a new list is made.",
    )
