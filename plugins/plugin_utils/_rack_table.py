# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Discovered hosts as a table in plain text.

PRIVATE to the collection.
"""

from __future__ import annotations

import collections
import typing as t

from ansible.errors import AnsibleFilterError

from ._columns import columns

HEAD = ("host", "platform", "model", "serial", "power", "health", "GPUs", "firmware")


def rack_table(hosts: t.Iterable[t.Any]) -> str:
    """A line for each host, in the order given; those that could not be read show why."""
    rows: list[tuple[tuple[str, ...], str]] = []
    states: collections.Counter[str] = collections.Counter()
    for host in hosts:
        if not isinstance(host, t.Mapping):
            raise AnsibleFilterError(f"rack_table needs the variables of hosts, and got a {type(host).__name__}")
        bmc = host.get("hearth_bmc")
        if bmc is not None:
            states[str(bmc.get("state") or "ok")] += 1
            rows.append(_row(str(host.get("inventory_hostname") or ""), bmc, host.get("hearth_server") or {}))
    counted = ", ".join(f"{count} {state}" for state, count in states.most_common())
    return "\n".join([columns(HEAD, rows), "", f"{len(rows)} hosts: {counted or 'none'}"])


def _row(name: str, bmc: t.Mapping[str, t.Any], server: t.Mapping[str, t.Any]) -> tuple[tuple[str, ...], str]:
    """The cells of a host; of one that could not be read only the first cells, and the reason in place of the
    others."""
    platform = _text(bmc.get("platform") or bmc.get("protocol"))
    if bmc.get("state") not in (None, "ok"):
        error = bmc.get("error") or {}
        return (name, platform), f"{bmc['state']}: {error.get('msg') or error.get('type') or 'no reason is known'}"
    gpus = server.get("gpus") or {}
    cells = (
        name,
        platform,
        _text(server.get("model")),
        _text(server.get("serial")),
        _text(server.get("power_state")),
        _text(server.get("health")),
        f"{gpus['count']} x {gpus['model']}" if gpus.get("count") and gpus.get("model") else _text(gpus.get("count")),
        _text(bmc.get("firmware")),
    )
    return cells, ""


def _text(value: t.Any) -> str:
    return "-" if value in (None, "") else str(value)
