# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rack's networks: plain bridges with addresses of the host, no DHCP or DNS server on them.

A bridge of ours has a hardware address that follows from the lab's directory, so that nobody else's bridge of that name
is taken or removed. (An alias would say more, but the kernel takes none when an interface is made: a run that is killed
before it is set would leave a bridge that nobody knows.)
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.lab.engine.commands import attempt, run
from tests.lab.engine.errors import LabError


@dataclass(frozen=True)
class Bridge:
    """A bridge and the addresses (with prefix length) that the host has on it."""

    name: str
    addresses: tuple[str, ...]


def hardware_address(name: str, lab: Path) -> str:
    """Locally administered, and this lab's alone."""
    digest = hashlib.sha256(f"{lab}/{name}".encode()).digest()
    return "02:" + ":".join(f"{octet:02x}" for octet in digest[:5])


def is_of(interface: Mapping[str, object], lab: Path) -> bool:
    """Whether an interface is a bridge that this lab made."""
    return interface.get("address") == hardware_address(str(interface.get("ifname")), lab)


def present(name: str) -> dict[str, object] | None:
    """What ``ip`` says of an interface, or None."""
    answer = attempt(["ip", "-json", "-details", "address", "show", "dev", name])
    if answer.returncode != 0:
        return None
    found: list[dict[str, object]] = json.loads(answer.stdout)
    return found[0] if found else None


def ensure(bridge: Bridge, lab: Path) -> bool:
    """Make a bridge have exactly these addresses and be up; whether anything was changed."""
    changed = False
    current = present(bridge.name)
    if current is None:
        run(["ip", "link", "add", "name", bridge.name, "address", hardware_address(bridge.name, lab), "type", "bridge"])
        changed = True
        current = present(bridge.name) or {}
    elif not is_of(current, lab):
        raise LabError(f"interface {bridge.name} is not this lab's: choose another name for the rack's bridge")
    there = _addresses(current)
    for address in there:
        if address not in bridge.addresses:
            run(["ip", "address", "delete", address, "dev", bridge.name])
            changed = True
    for address in bridge.addresses:
        if address not in there:
            run(["ip", "address", "add", address, "dev", bridge.name])
            changed = True
    flags = current.get("flags")
    if not isinstance(flags, list) or "UP" not in flags:
        run(["ip", "link", "set", "dev", bridge.name, "up"])
        changed = True
    return changed


def remove(name: str, lab: Path) -> bool:
    """Remove a bridge of ours."""
    current = present(name)
    if current is None or not is_of(current, lab):
        return False
    run(["ip", "link", "delete", "dev", name, "type", "bridge"])
    return True


def of_lab(lab: Path) -> list[str]:
    """The bridges that this lab made."""
    links: list[dict[str, object]] = json.loads(run(["ip", "-json", "link", "show", "type", "bridge"]) or "[]")
    return [str(link["ifname"]) for link in links if is_of(link, lab)]


def _addresses(interface: dict[str, object]) -> Sequence[str]:
    infos = interface.get("addr_info")
    if not isinstance(infos, list):
        return []
    return [f"{info['local']}/{info['prefixlen']}" for info in infos if info.get("family") == "inet"]
