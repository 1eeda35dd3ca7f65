# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What would stop the rack half-way, looked for before anything is changed. Every problem at once, with what to do."""

from __future__ import annotations

import ipaddress
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.lab.engine import bridges, domain, ports, virsh
from tests.lab.engine.commands import run
from tests.lab.engine.daemons import Daemons
from tests.lab.engine.machine import GIB, Plan

# The file that says that a directory is a lab's, and may be removed by rack-down.
MARK = "lab.json"

# Beside what the machines' disks grow by: firmware variables, TPMs, certificates, logs.
_SPACE_OF_THE_REST = GIB

_PROGRAMS = {
    "virsh": "libvirt-clients",
    "libvirtd": "libvirt-daemon-system",
    "qemu-system-x86_64": "qemu-system-x86",
    "qemu-img": "qemu-utils",
    "swtpm": "swtpm",
    "swtpm_setup": "swtpm-tools",
    "certtool": "gnutls-bin",
    "tpm2_dictionarylockout": "tpm2-tools",
    "openssl": "openssl",
    "ip": "iproute2",
}


@dataclass(frozen=True)
class Seat:
    """A place where a server of the rack will listen: ``protocol`` is tcp or udp."""

    who: str
    address: str
    port: int
    protocol: str = "tcp"


@dataclass(frozen=True)
class Wanted:
    """What the rack is going to take."""

    plan: Plan
    listeners: Sequence[Seat]
    # Daemons that were started by an earlier run may hold those ports.
    run_directory: Path
    space_for_each_machine: int


def problems(wanted: Wanted) -> list[str]:
    """Everything that stands in the way; empty where the rack can be made."""
    if os.geteuid() != 0:
        return [
            "the rack needs root: it makes network bridges and binds addresses, and libvirt's system instance runs its"
            " machines; run it with sudo, or in a container or machine of its own"
        ]
    found = [*missing_programs(search_path()), *of_somebody_else(wanted.plan.lab)]
    if not found:
        found += [*_libvirt(), *_networks(wanted.plan), *_ports(wanted), *_space(wanted)]
    return found


def search_path() -> str:
    """Debian's user PATH lacks sbin."""
    return os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])


def missing_programs(path: str) -> Iterator[str]:
    missing = {program: package for program, package in _PROGRAMS.items() if shutil.which(program, path=path) is None}
    if missing:
        yield (
            f"{', '.join(missing)} not found: apt-get install --no-install-recommends"
            f" {' '.join(sorted(set(missing.values())))}"
        )
    if not (domain.FIRMWARE.is_file() and domain.FIRMWARE_VARIABLES.is_file()):
        yield f"there is no firmware at {domain.FIRMWARE}: apt-get install ovmf"


def of_somebody_else(lab: Path) -> Iterator[str]:
    """Why a directory must be neither used nor removed."""
    if lab.is_dir() and any(lab.iterdir()) and not (lab / MARK).is_file():
        yield (
            f"{lab} holds files and is no lab's directory (it lacks {MARK}): rack-down would remove it with all that is"
            " in it; choose another one in HEARTH_LAB"
        )
    elif lab.exists() and not lab.is_dir():
        yield f"{lab} is not a directory: choose another one in HEARTH_LAB"


def _libvirt() -> Iterator[str]:
    if not virsh.answers() and Path("/run/systemd/system").is_dir():
        yield "libvirt does not answer on qemu:///system: systemctl start libvirtd, and see systemctl status libvirtd"


def _networks(plan: Plan) -> Iterator[str]:
    ours = {plan.management_bridge: plan.management_network, plan.data_bridge: plan.data_network}
    for name in ours:
        current = bridges.present(name)
        if current is not None and not bridges.is_of(current, plan.lab):
            yield (
                f"an interface {name} is there already and is not of the lab in {plan.lab}: make rack-down with the"
                f" HEARTH_LAB that made it, or ip link delete {name}"
            )
    for route in json.loads(run(["ip", "-json", "-4", "route", "show", "table", "all"]) or "[]"):
        if route.get("dst") in (None, "default") or route.get("dev") in (*ours, "lo"):
            continue
        there = ipaddress.ip_network(route["dst"], strict=False)
        for network in ours.values():
            if there.overlaps(ipaddress.ip_network(network)):
                yield (
                    f"{network} is not free: this host has a route to {route['dst']} through {route.get('dev')};"
                    " choose another rack_management_network or rack_data_network"
                )


def _ports(wanted: Wanted) -> Iterator[str]:
    daemons = Daemons(wanted.run_directory)
    ours = {process.pid for name in daemons.names() for process in daemons.session(name)}
    there = list(ports.listeners())
    for seat in wanted.listeners:
        for listener in there:
            if listener.takes(seat.protocol, seat.address, seat.port):
                pid, name = ports.holder(listener)
                if pid not in ours:
                    yield (
                        f"{seat.address} {seat.protocol} port {seat.port}, where {seat.who} is to listen, is taken by"
                        f" {f'{name} (process {pid})' if pid else 'a process that is not to be seen from here'}"
                    )


def _space(wanted: Wanted) -> Iterator[str]:
    new = [machine for machine in wanted.plan.machines() if not machine.disks[0].path.exists()]
    if not new:
        return
    needed = len(new) * wanted.space_for_each_machine + _SPACE_OF_THE_REST
    place = wanted.plan.lab
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    if free < needed:
        yield (
            f"{place} has {free / GIB:.1f} GiB left and {len(new)} new machines want {needed / GIB:.1f} GiB: make room,"
            " lower rack_machines, or put the lab on another disk by HEARTH_LAB"
        )
