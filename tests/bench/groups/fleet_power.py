# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""10,000 machines switched on by one task of redfish_fleet_power: beside a bare client, and beside a task for each."""

from __future__ import annotations

import dataclasses
import pathlib
import statistics
import sys
import tempfile
import typing as t

from ..bench_fleet import CONCURRENCY, LATENCY_MS, PLATFORMS, plan_file
from ..clients.bare import WAIT
from ..figures import Figure, held, stated
from ..power_hosts import FORKS, Cost, PowerHosts, power_fleet, scale, scaled
from ..processes import Account, run
from ..switching import switching_on

HOSTS = 10_000
PAIRS = 3


def measure(context: t.Mapping[str, t.Any]) -> list[Figure]:
    count = scaled(HOSTS)
    with tempfile.TemporaryDirectory(prefix="hearth-bench-") as name, power_fleet(count) as fleet:
        folder = pathlib.Path(name)
        hosts = PowerHosts(fleet, count, folder)
        hosts.switched("ForceOff")
        steps = switching_on(hosts)
        plan = plan_file(fleet, fleet.bmcs[:count], steps, folder)
        _bare(hosts, plan)  # every certificate of the fleet is made once, before anything counts
        # By turns, because a machine that others use, too, is never the same for long.
        pairs = [_pair(hosts, plan) for _dummy in range(PAIRS)]
        each = _switched_on(hosts, "redfish_power", {"state": "on"})
    bare, together = min(pairs, key=lambda pair: pair[0].wall + pair[1].wall)
    here = {
        **context,
        "hosts": count,
        "scale": scale(),
        "forks": FORKS,
        "concurrency": CONCURRENCY,
        "latency_ms": LATENCY_MS,
        "platforms": PLATFORMS,
        "requests_per_host": {platform: sum(step[0] != WAIT for step in sent) for platform, sent in steps.items()},
        "requests_bare": together.served["requests_bare"],
        "requests_fleet": together.served["requests"],
        "bare_wall_s": [round(bare.wall, 2) for bare, _together in pairs],
        "fleet_wall_s": [round(together.wall, 2) for _bare, together in pairs],
        "bare_cpu_s": [round(bare.cpu, 2) for bare, _together in pairs],
        "fleet_cpu_s": [round(together.cpu, 2) for _bare, together in pairs],
        "each_wall_s": round(each.wall, 2),
        "without": "wall and CPU of the same play without the task are subtracted from both of ours",
    }
    return [
        held(
            "fleet_power.wall_ratio",
            _median(together.wall / bare.wall for bare, together in pairs),
            "x bare",
            1.3,
            here,
        ),
        held("fleet_power.cpu_ratio", _median(together.cpu / bare.cpu for bare, together in pairs), "x bare", 2, here),
        stated("fleet_power.cpu", together.cpu_ms(count), "ms/host", here),
        stated("fleet_power.cpu_each", each.cpu_ms(count), "ms/host", here),
        stated("fleet_power.cpu_bare", 1000 * bare.cpu / count, "ms/host", here),
        stated("fleet_power.wall", together.wall, "s", here),
        stated("fleet_power.wall_each", each.wall, "s", here),
    ]


def _pair(hosts: PowerHosts, plan: pathlib.Path) -> tuple[Account, Cost]:
    """The bare client, and right after it the fleet task."""
    hosts.fleet.reset_statistics()
    bare = _bare(hosts, plan)
    asked = hosts.fleet.statistics()["requests"]
    together = _switched_on(hosts, "redfish_fleet_power", {"state": "on", "concurrency": CONCURRENCY})
    return bare, dataclasses.replace(together, served={**together.served, "requests_bare": asked})


def _median(ratios: t.Iterable[float]) -> float:
    return statistics.median(list(ratios))


def _bare(hosts: PowerHosts, plan: pathlib.Path) -> Account:
    hosts.switched("ForceOff")
    return run([sys.executable, "-m", "tests.bench.clients.bare", str(plan)])


def _switched_on(hosts: PowerHosts, module: str, arguments: t.Mapping[str, t.Any]) -> Cost:
    hosts.switched("ForceOff")
    cost = hosts.cost({f"hearth.datacenter.{module}": dict(arguments)})
    if hosts.on() != hosts.count:
        raise RuntimeError(f"{hosts.on()} of {hosts.count} machines are on after {module}")
    return cost
