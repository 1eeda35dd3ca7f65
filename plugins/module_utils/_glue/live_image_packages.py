# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Arguments and result of the module live_image_packages, around :mod:`.._live_image.resolve`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Dict, Mapping, Optional

from .._core.errors import BadInput
from .._live_image.architecture import architecture
from .._live_image.commands import Commands, build_environment, require_tools
from .._live_image.directory_lock import IMAGES, directory_lock
from .._live_image.package_cache import fetch, missing
from .._live_image.package_list import PackageList, Wanted, read_package_list
from .._live_image.resolve import resolve
from .._live_image.workspace import workspace
from .contract import Contract, Outcome, Request

_LOG = "packages.log"


def run(request: Request) -> Outcome:
    """Make the list where there is none for these wishes, and have its packages here."""
    require_tools(("apt-get", "apt-config"))
    if request.check_mode:
        return _listed(request)
    path = Path(request.params["path"])
    with directory_lock(path.parent, IMAGES, request.params["lock_timeout"]):
        for beginning in path.parent.glob(f".{path.name}.*"):
            # Of a killed run: nobody else is at work here now.
            beginning.unlink()
        return _listed(request)


def _listed(request: Request) -> Outcome:
    params = request.params
    path = Path(params["path"])
    cache = Path(params["package_cache"])
    before = read_package_list(path) if path.exists() else None
    wanted = _wanted(params)
    kept = before if before is not None and before.wanted == wanted and not params["update"] else None
    given = read_package_list(Path(params["given_list"])) if params["given_list"] else None
    if given is not None:
        _require_same_architecture(given, wanted)
        kept = given
    with workspace(Path(params["work_directory"])) as scratch:
        commands = Commands(scratch / _LOG, build_environment())
        after = kept if kept is not None else resolve(wanted, scratch / "apt", commands)
        if before is not None and after.packages == before.packages and after.wanted == before.wanted:
            # Published anew without a change that concerns this list: the image stays the same image.
            after = before
        lost = missing(cache, after.packages)
        listed = before is not None and after.digest == before.digest
        if not request.check_mode:
            if lost:
                fetch(cache, lost, params["archives"], commands, params["lock_timeout"])
            if not listed:
                _write(path, after)
    return Outcome(
        changed=bool(lost) or not listed,
        nouns={"live_image_packages": {"path": str(path), **_said(after), "fetched": len(lost)}},
        before=_versions(before),
        after=_versions(after),
    )


def _wanted(params: Mapping[str, Any]) -> Wanted:
    arch = architecture(params["architecture"])
    return Wanted(
        architecture=arch.name,
        suite=params["suite"],
        sources=tuple(params["sources"]),
        packages=(arch.kernel_package, *sorted(set(params["packages"]))),
        boot_packages=arch.boot_packages,
    )


def _require_same_architecture(given: PackageList, wanted: Wanted) -> None:
    if given.wanted.architecture != wanted.architecture:
        raise BadInput(
            "the given list is for another architecture",
            expected=wanted.architecture,
            found=given.wanted.architecture,
            next="Name the architecture of the list.",
        )


def _said(packages: PackageList) -> Dict[str, Any]:
    return {
        "sha256": packages.digest,
        "source_date_epoch": packages.source_date_epoch,
        "size_bytes": sum(package.size_bytes for package in packages.packages),
        "packages": packages.versions(),
    }


def _versions(packages: Optional[PackageList]) -> Dict[str, Any]:
    return {"packages": packages.versions() if packages is not None else {}}


def _write(path: Path, packages: PackageList) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(packages.to_json(), encoding="utf-8")
    beside.chmod(0o644)
    beside.replace(path)


LIVE_IMAGE_PACKAGES = Contract(
    "live_image_packages",
    run,
    argument_spec={
        "path": {"type": "path", "required": True},
        "architecture": {"type": "str", "choices": ["amd64", "arm64"], "default": "amd64"},
        "suite": {"type": "str", "default": "bookworm"},
        "sources": {"type": "list", "elements": "str", "required": True},
        "packages": {"type": "list", "elements": "str", "required": True},
        "given_list": {"type": "path"},
        "archives": {"type": "list", "elements": "str", "default": []},
        "update": {"type": "bool", "default": False},
        "package_cache": {"type": "path", "required": True},
        "work_directory": {"type": "path", "default": "/var/tmp"},
        "lock_timeout": {"type": "int", "default": 1800},
    },
)
