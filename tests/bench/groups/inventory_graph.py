# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a cached inventory of 10,000 hosts costs: keyed groups on the fast path beside the same keys as templates."""

from __future__ import annotations

import json
import pathlib
import tempfile
import typing as t

import yaml

from ..bench_fleet import ansible_environment, fleet_of, inventory_file
from ..figures import Figure, held
from ..processes import Account, run

HOSTS = 10_000
KEYS = ("hearth_bmc.platform", "hearth_server.model")


def measure(context: t.Mapping[str, t.Any]) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="hearth-bench-") as name:
        folder = pathlib.Path(name)
        cache = {"cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": str(folder / "cache")}
        with fleet_of(HOSTS) as fleet:
            source = inventory_file(fleet, HOSTS, folder, name="cached", keyed_groups=_keyed(KEYS), **cache)
            _graph(source, folder)
            fleet.reset_statistics()
            plain = [_graph(source, folder) for _dummy in range(3)]
            groups = _groups(plain[0])
            text = yaml.safe_load(source.read_text())
            source.write_text(yaml.safe_dump({**text, "keyed_groups": _keyed([f"({key})" for key in KEYS])}))
            templated = [_graph(source, folder) for _dummy in range(2)]
            if fleet.statistics()["requests"]:
                raise RuntimeError("a run that should have used the cache asked the fleet")
        if _groups(templated[0]) != groups:
            raise RuntimeError("the fast path and the templates give different groups")
    here = {
        **context,
        "hosts": HOSTS,
        "keyed_groups": len(KEYS),
        "groups": len(groups),
        "plain_wall_s": [round(account.wall, 2) for account in plain],
        "templated_wall_s": [round(account.wall, 2) for account in templated],
        "peak_rss_mb": round(plain[0].peak_rss_mb),
    }
    wall = sorted(account.wall for account in plain)[1]
    return [
        held("inventory_graph.wall", wall, "s", 6, here),
        held("inventory_graph.ratio_to_templates", wall / min(account.wall for account in templated), "x", 0.6, here),
    ]


def _keyed(keys: t.Sequence[str]) -> list[dict[str, str]]:
    return [{"key": key, "prefix": f"k{number}"} for number, key in enumerate(keys)]


def _graph(source: pathlib.Path, folder: pathlib.Path) -> Account:
    account = run(["ansible-inventory", "-i", str(source), "--graph"], env=ansible_environment(folder))
    if account.stdout.count("|--") < HOSTS:
        raise RuntimeError(f"the graph has {account.stdout.count('|--')} lines: {json.dumps(account.stdout[:300])}")
    return account


def _groups(account: Account) -> dict[str, int]:
    """The groups of a graph, and how many lines each holds."""
    counts: dict[str, int] = {}
    group = ""
    for line in account.stdout.splitlines():
        if "--@" in line:
            group = line.split("--@")[1].rstrip(":")
            counts.setdefault(group, 0)
        elif "|--" in line:
            counts[group] = counts.get(group, 0) + 1
    return counts
