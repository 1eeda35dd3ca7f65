# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The emulated fleet that benches run against, and the files that point a client at a part of it."""

from __future__ import annotations

import json
import pathlib
import sys
import typing as t

import yaml

from tests.emulators.redfish.fleet import Fleet
from tests.toolchain.collection_tree import link_development_tree

from .clients.bare import Plan, Step

NETWORK = "127.64.0.0/14"
PLATFORMS = "openbmc=40,idrac9=20,ilo6=15,xcc=10,supermicro=10,generic=5"
LATENCY_MS = "50"
CONCURRENCY = 128


def fleet_of(bmcs: int, network: str = NETWORK, options: t.Sequence[str] = ()) -> Fleet:
    """A fleet of so many BMCs of the bench's mix, 50 ms for each request, HTTPS only."""
    return Fleet(bmcs, network, platforms=PLATFORMS, latency=LATENCY_MS, workers=2, start_within=300, options=options)


def plan_file(
    fleet: Fleet,
    bmcs: t.Sequence[t.Mapping[str, t.Any]],
    sequences: t.Mapping[str, t.Sequence[Step]],
    folder: pathlib.Path,
) -> pathlib.Path:
    """What the bare client and the engine ask, and how."""
    plan: Plan = {
        "ca": str(fleet.ca),
        "username": fleet.username,
        "password": fleet.password,
        "concurrency": CONCURRENCY,
        "bmcs": [(bmc["address"], fleet.https_port, bmc["platform"]) for bmc in bmcs],
        "sequences": {platform: list(steps) for platform, steps in sequences.items()},
    }
    path = folder / f"plan-{len(list(folder.glob('plan-*')))}.json"
    path.write_text(json.dumps(plan))
    return path


def inventory_file(fleet: Fleet, count: int, folder: pathlib.Path, **options: t.Any) -> pathlib.Path:
    """An inventory source over the first ``count`` BMCs, written as ranges as a user would."""
    name = str(options.pop("name", f"{count}"))
    source = {
        "plugin": "hearth.datacenter.bmc",
        "targets": ranges([bmc["address"] for bmc in fleet.bmcs[:count]]),
        "ports": [str(fleet.https_port)],
        "trust": "verify",
        "ca_path": str(fleet.ca),
        "username": fleet.username,
        "password": fleet.password,
        "state": str(folder / f"state-{name}.sqlite3"),
        "concurrency": CONCURRENCY,
        "connect_timeout": 10,
        "ipmi": "never",
        **options,
    }
    path = folder / f"{name}.bmc.yml"
    path.write_text(yaml.safe_dump(source))
    return path


def ranges(addresses: t.Sequence[str]) -> list[str]:
    """Neighbouring addresses as ``a-b``."""
    found: list[list[int]] = []
    for number in sorted(_number(address) for address in addresses):
        if found and number == found[-1][1] + 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return [f"{_dotted(first)}-{_dotted(last)}" for first, last in found]


def _number(address: str) -> int:
    return int.from_bytes(bytes(int(part) for part in address.split(".")), "big")


def _dotted(number: int) -> str:
    return ".".join(str(byte) for byte in number.to_bytes(4, "big"))


def ansible_environment(folder: pathlib.Path) -> dict[str, str]:
    """The environment of an Ansible command of a bench: nothing of the user's own configuration."""
    return {
        "PATH": f"{pathlib.Path(sys.executable).parent}:/usr/bin:/bin",
        "HOME": str(folder),
        "LC_ALL": "C.UTF-8",
        "ANSIBLE_COLLECTIONS_PATH": str(link_development_tree()),
        "ANSIBLE_INVENTORY_ENABLED": "hearth.datacenter.bmc",
        "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true",
    }
