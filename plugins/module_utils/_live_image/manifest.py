# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is known of an image when it is made, for those who publish it, boot it and judge it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, List, Mapping, Sequence

from .._core.errors import BadInput
from .areas import NODE_PATH
from .build import Built, ImageSpec
from .iso_image import GRUB_CFG, INITRD, KERNEL, SQUASHFS
from .package_cache import sha256_of

SCHEMA = 1


def boot_chain(spec: ImageSpec, built: Built, authenticode: Mapping[str, str]) -> List[Dict[str, str]]:
    """What firmware, shim and GRUB verify, in the order of loading. ``authenticode`` has the digests by role."""
    roles = (
        ("shim", f"/EFI/BOOT/{built.loaders[0].name}", built.loaders[0].source),
        ("grub", f"/EFI/BOOT/{built.loaders[1].name}", built.loaders[1].source),
        ("kernel", f"/{KERNEL}", built.tree / KERNEL),
    )
    return [
        {"role": role, "path": path, "sha256": sha256_of(source), "authenticode_sha256": authenticode[role]}
        for role, path, source in roles
    ]


def grub_files(built: Built) -> List[Dict[str, str]]:
    """What GRUB reads, in that order."""
    return [{"path": f"/{path}", "sha256": sha256_of(built.tree / path)} for path in (GRUB_CFG, KERNEL, INITRD)]


def manifest(
    spec: ImageSpec,
    built: Built,
    *,
    file_name: str,
    chain: Sequence[Mapping[str, str]],
    expected_events: Sequence[Sequence[Mapping[str, Any]]],
) -> Dict[str, Any]:
    """The document. ``expected_events``: the ways in which the image can boot, as a CD first."""
    offset, size = built.places[NODE_PATH]
    return {
        "schema": SCHEMA,
        "name": spec.name,
        "image_id": spec.key(),
        "architecture": spec.architecture.name,
        "source_date_epoch": spec.packages.source_date_epoch,
        "iso": {"file": file_name, "size_bytes": built.iso.stat().st_size, "sha256": sha256_of(built.iso)},
        "squashfs": {"path": f"/{SQUASHFS}", "sha256": built.squashfs_sha256},
        "boot_chain": [dict(program) for program in chain],
        "grub_files": grub_files(built),
        "grub_cfg_text": built.grub_cfg,
        "kernel_command_line": spec.kernel_command_line,
        "expected_events": list(expected_events[0]),
        "expected_events_alternatives": [list(events) for events in expected_events[1:]],
        "node_area": {"path": f"/{NODE_PATH}", "offset": offset, "size_bytes": size},
        "package_list_sha256": spec.packages.digest,
        "packages": spec.packages.versions(),
    }


def read_manifest(path: Path) -> Dict[str, Any]:
    """A manifest from its file."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadInput(f"{path} is not a manifest", expected="JSON", found=str(error), where=str(path)) from error
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise BadInput(
            f"{path} is not a manifest of a live image", expected=f"schema {SCHEMA}", found="another", where=str(path)
        )
    return document
