# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Machines as they see themselves, as a table in plain text.

PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ._columns import columns

HEAD = ("host", "serial", "CPUs", "memory", "TPM", "Secure Boot", "verdict", "disks", "NICs")
_GIB = 1 << 30


def machine_table(machines: t.Any) -> str:
    """A line for each machine, and one more for each further disk or interface; why, where there is nothing to show."""
    if not isinstance(machines, t.Mapping):
        raise AnsibleFilterError(f"machine_table needs machines by host, and got a {type(machines).__name__}")
    rows: list[tuple[t.Sequence[str], str]] = []
    for name, found in machines.items():
        if not isinstance(found, t.Mapping):
            raise AnsibleFilterError(f"machine_table needs a dictionary for {name}, and got a {type(found).__name__}")
        machine = found.get("machine")
        if machine:
            rows.extend((cells, "") for cells in _rows(str(name), machine, str(found.get("verdict") or "-")))
        else:
            rows.append(((str(name),), str(found.get("why") or "nothing is known of it")))
    return columns(HEAD, rows)


def _rows(name: str, machine: t.Mapping[str, t.Any], verdict: str) -> t.Iterator[t.Sequence[str]]:
    disks = [_disk(disk) for disk in machine.get("disks") or ()] or ["-"]
    nics = [f"{nic.get('name')} {nic.get('mac')} {nic.get('link') or '-'}" for nic in machine.get("nics") or ()] or [
        "-"
    ]
    tpm = machine.get("tpm") or {}
    first = (
        name,
        _text((machine.get("identity") or {}).get("serial")),
        _text(machine.get("cpus")),
        _gib(machine.get("memory_bytes")),
        _text(tpm.get("version")) if tpm.get("present") else "no",
        {True: "on", False: "off", None: "-"}[machine.get("secure_boot")],
        verdict,
    )
    for line in range(max(len(disks), len(nics))):
        own = first if line == 0 else ("",) * len(first)
        yield (*own, disks[line] if line < len(disks) else "", nics[line] if line < len(nics) else "")


def _disk(disk: t.Mapping[str, t.Any]) -> str:
    return f"{_text(disk.get('serial'))} {_gib(disk.get('size_bytes'))} {_text(disk.get('transport'))}"


def _gib(size: t.Any) -> str:
    return (
        "-" if not size else f"{int(size) / _GIB:.0f} GiB" if int(size) >= 10 * _GIB else f"{int(size) / _GIB:.1f} GiB"
    )


def _text(value: t.Any) -> str:
    return "-" if value in (None, "") else str(value)
