# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Drives that a domain has by QEMU's own arguments: libvirt 9 has no NVMe disk bus."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class ArgumentDrive:
    kind: str  # "nvme"
    serial: str
    path: str  # of the image; "" where it is not a file


def drives(arguments: Sequence[str]) -> tuple[ArgumentDrive, ...]:
    """The NVMe drives among a domain's ``<qemu:arg>``, in their order."""
    files: dict[str, str] = {}
    nodes: dict[str, dict[str, str]] = {}
    devices: list[dict[str, str]] = []
    for option, value in _pairs(arguments):
        if option == "-device":
            devices.append(_options(value, "driver"))
        elif option == "-drive":
            given = _options(value, "file")
            files[given.get("id", "")] = given.get("file", given.get("file.filename", ""))
        elif option == "-blockdev":
            given = _options(value, "driver")
            nodes[given.get("node-name", "")] = given
    for name in nodes:
        files.setdefault(name, _file_of(nodes, name))
    # a controller names its drive itself, or has namespaces that do
    controllers = {device.get("id", ""): device for device in devices if device.get("driver") == "nvme"}
    found = []
    for device in devices:
        if device.get("driver") == "nvme" and "drive" in device:
            found.append(ArgumentDrive("nvme", device.get("serial", ""), files.get(device["drive"], "")))
        elif device.get("driver") == "nvme-ns":
            controller = controllers.get(device.get("bus", "")) or next(iter(controllers.values()), {})
            found.append(ArgumentDrive("nvme", controller.get("serial", ""), files.get(device.get("drive", ""), "")))
    return tuple(found)


def _pairs(arguments: Sequence[str]) -> Iterator[tuple[str, str]]:
    left = iter(arguments)
    for argument in left:
        if argument in ("-device", "-drive", "-blockdev"):
            yield argument, next(left, "")


def _options(text: str, first: str) -> dict[str, str]:
    """``nvme,drive=d0,serial=a,,b`` (a comma is doubled) or a JSON object, flat: ``file.filename``."""
    if text.startswith("{"):
        return dict(_flat(json.loads(text)))
    found: dict[str, str] = {}
    for number, part in enumerate(text.replace(",,", "\0").split(",")):
        name, sign, value = part.replace("\0", ",").partition("=")
        if not sign and number == 0:
            name, value = first, name
        found[name] = value
    return found


def _flat(node: object, prefix: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(node, dict):
        for name, value in node.items():
            yield from _flat(value, f"{prefix}.{name}" if prefix else str(name))
    else:
        yield prefix, str(node)


def _file_of(nodes: dict[str, dict[str, str]], name: str) -> str:
    """The file at the bottom of a block node; each node is looked at once."""
    seen: set[str] = set()
    while name in nodes and name not in seen:
        seen.add(name)
        given = nodes[name]
        path = given.get("filename") or given.get("file.filename")
        if path:
            return path
        name = given.get("file", "")
    return ""
