# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How fast, how cheap and how robust is discovery: 1,000 and 10,000 BMCs at 50 ms a request, beside a bare client."""

from __future__ import annotations

import json
import pathlib
import sys
import tempfile
import typing as t

from tests.emulators.redfish.fleet import Fleet
from tests.emulators.redfish.personalities.index import PERSONALITIES

from ..bench_fleet import CONCURRENCY, LATENCY_MS, PLATFORMS, ansible_environment, fleet_of, inventory_file, plan_file
from ..clients.bare import Step
from ..figures import Figure, held, stated
from ..processes import Account, run
from ..recording import sequences

SMALL, LARGE = 1_000, 10_000
BLACK_HOLES = 0.05
CONNECT_TIMEOUT = 10


def measure(context: t.Mapping[str, t.Any]) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="hearth-bench-") as name:
        folder = pathlib.Path(name)
        with fleet_of(LARGE) as fleet:
            return _measure(fleet, folder, context)


def _measure(fleet: Fleet, folder: pathlib.Path, given: t.Mapping[str, t.Any]) -> list[Figure]:
    sent = sequences(fleet.bmcs, fleet.https_port, str(fleet.ca), fleet.username, fleet.password, "standard")
    context = {
        **given,
        "latency_ms": LATENCY_MS,
        "platforms": PLATFORMS,
        "concurrency": CONCURRENCY,
        "requests_per_bmc": {platform: len(requests) for platform, requests in sent.items()},
    }
    plans = {count: plan_file(fleet, fleet.bmcs[:count], sent, folder) for count in (SMALL, LARGE)}
    _client("bare", plans[LARGE])  # every certificate of the fleet is made once, before anything counts
    figures = _client_cpu(fleet, folder, sent, context)
    walls: dict[int, float] = {}
    for count in (SMALL, LARGE):
        figures += _compared(fleet, folder, count, plans[count], context, walls)
    growth = {**context, "wall_s": {count: round(wall, 2) for count, wall in walls.items()}}
    figures.append(held("discovery.growth", walls[LARGE] / walls[SMALL], "x", 10.5, growth))
    figures += _black_holes(fleet, folder, walls[SMALL], context)
    return figures


def _client_cpu(
    fleet: Fleet, folder: pathlib.Path, sent: dict[str, list[Step]], context: t.Mapping[str, t.Any]
) -> list[Figure]:
    """CPU for a BMC that keeps its connection, and for one that wants a new one (and its TLS) for each request."""
    figures: list[Figure] = []
    for name, keeps in (("client_cpu", True), ("client_cpu_reconnecting", False)):
        bmcs = [bmc for bmc in fleet.bmcs if PERSONALITIES[bmc["platform"]].manners.keep_alive is keeps][:SMALL]
        plan = plan_file(fleet, bmcs, sent, folder)
        bare, engine = _client("bare", plan), _client("engine", plan)
        here = {
            **context,
            "bmcs": len(bmcs),
            "platforms": sorted({bmc["platform"] for bmc in bmcs}),
            "bare_cpu_ms_per_bmc": round(1000 * bare.cpu / len(bmcs), 3),
        }
        value = 1000 * engine.cpu / len(bmcs)
        if keeps:
            figures.append(held(f"discovery.{name}", value, "ms/BMC", 4, here))
        else:
            figures.append(stated(f"discovery.{name}", value, "ms/BMC", here))
    return figures


def _client(name: str, plan: pathlib.Path) -> Account:
    return run([sys.executable, "-m", f"tests.bench.clients.{name}", str(plan)])


def _compared(
    fleet: Fleet,
    folder: pathlib.Path,
    count: int,
    plan: pathlib.Path,
    context: t.Mapping[str, t.Any],
    walls: dict[int, float],
) -> list[Figure]:
    """Bare client, engine alone, and the whole ``ansible-inventory``, one after the other on the same BMCs."""
    bare = _client("bare", plan)
    fleet.reset_statistics()
    engine = _client("engine", plan)
    served = fleet.statistics()
    asked = json.loads(engine.stdout)
    source = inventory_file(fleet, count, folder)
    plugin = run(["ansible-inventory", "-i", str(source), "--graph"], env=ansible_environment(folder))
    listed = plugin.stdout.count("|--") - plugin.stdout.count("|--@")
    if asked["requests"] != served["requests"] or listed < count:
        raise RuntimeError(f"{asked} against {served}; {listed} hosts listed of {count}")
    walls[count] = plugin.wall
    here = {
        **context,
        "bmcs": count,
        "bare_wall_s": round(bare.wall, 2),
        "bare_cpu_s": round(bare.cpu, 2),
        "engine_wall_s": round(engine.wall, 2),
        "engine_cpu_s": round(engine.cpu, 2),
        "plugin_wall_s": round(plugin.wall, 2),
        "plugin_cpu_s": round(plugin.cpu, 2),
        "requests": asked["requests"],
        "fleet_cpu_ms_per_bmc": round(1000 * served["cpu_seconds"] / count, 3),
        "fleet_cpu_share": round(served["cpu_seconds"] / (served["cpu_seconds"] + engine.cpu), 3),
    }
    figures = [
        stated(f"discovery.client_cpu_mixed_{count}", 1000 * engine.cpu / count, "ms/BMC", here),
        held(f"discovery.wall_ratio_{count}", engine.wall / bare.wall, "x bare", 1.3, here),
        stated(f"discovery.wall_{count}", engine.wall, "s", here),
        stated(f"discovery.bare_wall_{count}", bare.wall, "s", here),
        # with all of ansible-inventory around it: its start, its scan, its hosts, its store
        stated(f"discovery.plugin_wall_{count}", plugin.wall, "s", here),
        stated(f"discovery.plugin_wall_ratio_{count}", plugin.wall / bare.wall, "x bare", here),
        stated(f"discovery.fleet_cpu_{count}", here["fleet_cpu_ms_per_bmc"], "ms/BMC", here),
    ]
    if count == LARGE:
        figures.append(held(f"discovery.peak_memory_{count}", plugin.peak_rss_mb, "MB", 300, here))
    return figures


def _black_holes(fleet: Fleet, folder: pathlib.Path, clean: float, context: t.Mapping[str, t.Any]) -> list[Figure]:
    """The same small part of the fleet, of which every twentieth BMC accepts connections and says nothing."""
    dark = [bmc["address"] for bmc in fleet.bmcs[: SMALL : int(1 / BLACK_HOLES)]]
    source = inventory_file(fleet, SMALL, folder, name="black-holes", connect_timeout=CONNECT_TIMEOUT)
    try:
        for address in dark:
            fleet.faults(address, black_hole={})
        plugin = run(["ansible-inventory", "-i", str(source), "--graph"], env=ansible_environment(folder))
    finally:
        for address in dark:
            fleet.faults(address)
    here = {
        **context,
        "bmcs": SMALL,
        "black_holes": len(dark),
        "clean_wall_s": round(clean, 2),
        "wall_s": round(plugin.wall, 2),
    }
    bound = clean * 1.1 + CONNECT_TIMEOUT
    return [held("discovery.black_holes_5_percent", plugin.wall, "s", round(bound, 2), here)]
