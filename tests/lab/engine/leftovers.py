# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What there is of a rack, looked for without its records: processes, domains, networks, pools, files."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from tests.lab.engine import bridges, machines, pool, virsh

# Where libvirt and swtpm keep something about a domain under its name.
_DIRECTORIES = (
    "/etc/libvirt/qemu",
    "/etc/libvirt/storage",
    "/run/libvirt/qemu",
    "/run/libvirt/qemu/swtpm",
    "/run/libvirt/storage",
    "/var/lib/libvirt/qemu",
    "/var/lib/libvirt/qemu/save",
    "/var/lib/libvirt/qemu/snapshot",
    "/var/lib/libvirt/qemu/nvram",
    "/var/log/libvirt/qemu",
    "/var/log/swtpm/libvirt/qemu",
)


def of_rack(lab: Path, name: str) -> dict[str, list[str]]:
    """Everything of the rack called ``name`` in the directory ``lab``, by kind; empty lists where nothing is."""
    libvirt = virsh.answers()
    return {
        "processes": sorted(_processes(lab, name)),
        "domains": sorted({*machines.of_lab(lab), *_named(virsh.domains(), name)}) if libvirt else [],
        "networks": bridges.of_lab(lab),
        "pools": sorted({*pool.of_lab(lab), *_named(virsh.pools(), name)}) if libvirt else [],
        "files": sorted(_files(lab, name)),
    }


def _pattern(name: str) -> re.Pattern[str]:
    """The rack's own name, or one of its machines': never another rack's that begins alike."""
    return re.compile(rf"(?<![A-Za-z0-9_-]){re.escape(name)}(-[0-9]+)?(?![A-Za-z0-9_]|-[A-Za-z])")


def _named(names: list[str], rack: str) -> list[str]:
    return [name for name in names if re.fullmatch(rf"{re.escape(rack)}(-[0-9]+)?", name)]


def _processes(lab: Path, name: str) -> Iterator[str]:
    """Processes that name the lab's directory or a machine in their command, or have a file of it open.

    One that merely stands in the directory is its user's: a shell, or a connection that Ansible keeps for later.
    """
    mine = _ancestors()
    place, guest = f"{lab}/", re.compile(rf"guest={re.escape(name)}-[0-9]+\b")
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) in mine:
            continue
        try:
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
            held = [os.readlink(link) for link in [entry / "exe", *(entry / "fd").iterdir()]]
        except OSError:
            continue  # ended while we looked, or the kernel's own
        if place in command or guest.search(command) or any(f"{path}/".startswith(place) for path in held):
            yield f"{entry.name} {command[:120]}"


def _ancestors() -> set[int]:
    """This process and those that it was started by: they may well name the lab."""
    found, pid = set(), os.getpid()
    while pid > 1:
        found.add(pid)
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        pid = int(stat.rpartition(")")[2].split()[1])
    return found


def _files(lab: Path, name: str) -> Iterator[str]:
    if os.path.lexists(lab):
        yield str(lab)
    pattern = _pattern(name)
    for directory in map(Path, _DIRECTORIES):
        if directory.is_dir():
            yield from (str(path) for path in directory.iterdir() if pattern.search(path.name))
    links = Path("/var/lib/libvirt/swtpm")
    for path in links.iterdir() if links.is_dir() else ():
        if path.is_symlink() and Path(os.readlink(path)).is_relative_to(lab):
            yield str(path)
