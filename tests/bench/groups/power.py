# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task for each host costs that switches power: beside community.general, above a no-op, with dead BMCs."""

from __future__ import annotations

import pathlib
import statistics
import tempfile
import typing as t

from tests.emulators.redfish.fleet import Fleet
from tests.toolchain.peer_collections import NoSuchPeer, provide

from ..bench_fleet import LATENCY_MS, PLATFORMS, plan_file
from ..figures import Figure, held, stated
from ..power_hosts import FORKS, Cost, PowerHosts, power_fleet, scale, scaled
from ..switching import switching_on

PEER_HOSTS, HOSTS = 200, 1_000
BLACK_HOLES = 0.02
DEADLINE = 10
ABOVE_FLOOR_MS = 8
ROUNDS = 3
SWITCH_ON = {"hearth.datacenter.redfish_power": {"state": "on"}}


def beside_peer(context: t.Mapping[str, t.Any]) -> list[Figure]:
    """power_peer: the same machines switched on by redfish_power and by community.general.redfish_command."""
    try:
        collections = str(provide(["community.general"]))
    except NoSuchPeer as missing:
        raise RuntimeError(f"there is no community.general to compare with: {missing}") from missing
    count = scaled(PEER_HOSTS)
    with tempfile.TemporaryDirectory(prefix="hearth-bench-") as name, power_fleet(count) as fleet:
        hosts = PowerHosts(fleet, count, pathlib.Path(name))
        ours, ours_again = _twice(hosts, SWITCH_ON)
        peer, peer_again = _twice(hosts, _peer_task(fleet), collections)
    here = {
        **_context(context, count),
        "ours_per_task": ours.per_task(count),
        "peer_per_task": peer.per_task(count),
        "ours_again_per_task": ours_again.per_task(count),
        "peer_again_per_task": peer_again.per_task(count),
        "ours_wall_s": round(ours.wall, 2),
        "peer_wall_s": round(peer.wall, 2),
    }
    return [
        held("power_peer.cpu_of_peers", ours.cpu / peer.cpu, "x peer", 0.1, here),
        held("power_peer.cpu_of_peers_unchanged", ours_again.cpu / peer_again.cpu, "x peer", 0.1, here),
        stated("power_peer.cpu_ours", ours.cpu_ms(count), "ms/task", here),
        stated("power_peer.cpu_peer", peer.cpu_ms(count), "ms/task", here),
        *(
            stated(f"power_peer.{what}_{whose}", cost.per_task(count).get(key, 0), "/task", here)
            for whose, cost in (("ours", ours), ("peer", peer))
            for what, key in (("handshakes", "handshakes"), ("logins", "logins"), ("gets", "GET"))
        ),
    ]


def above_floor(context: t.Mapping[str, t.Any]) -> list[Figure]:
    """power_floor: a task of redfish_power beside one of an action that does nothing."""
    count = scaled(HOSTS)
    with tempfile.TemporaryDirectory(prefix="hearth-bench-") as name, power_fleet(count) as fleet:
        hosts = PowerHosts(fleet, count, pathlib.Path(name))
        hosts.switched("ForceOff")
        hosts.bare_plan.symlink_to(plan_file(fleet, (), switching_on(hosts), hosts.bare_plan.parent))
        # By turns, because a machine that others use, too, is never the same for long.
        rounds = [_floor_round(hosts) for _dummy in range(ROUNDS)]
    costs = {what: [getattr(each, what).cpu_ms(count) for each in rounds] for what in FloorRound._fields}
    above = {what: [cost - noop for cost, noop in zip(costs[what], costs["noop"])] for what in costs}
    here = {
        **_context(context, count),
        "ms_per_task": {what: [round(cost, 2) for cost in several] for what, several in costs.items()},
        "per_task": rounds[0].ours.per_task(count),
        "per_task_unchanged": rounds[0].unchanged.per_task(count),
    }
    return [
        held("power_floor.above_noop", statistics.median(above["ours"]), "ms/task", ABOVE_FLOOR_MS, here),
        held(
            "power_floor.above_noop_unchanged", statistics.median(above["unchanged"]), "ms/task", ABOVE_FLOOR_MS, here
        ),
        # A task that sends the same requests with http.client and looks at no answer: no engine can be below it.
        stated("power_floor.above_noop_same_requests", statistics.median(above["wire"]), "ms/task", here),
        stated("power_floor.noop", statistics.median(costs["noop"]), "ms/task", here),
    ]


class FloorRound(t.NamedTuple):
    """The costs that are compared, measured one right after the other."""

    noop: Cost
    ours: Cost
    unchanged: Cost
    wire: Cost


def _floor_round(hosts: PowerHosts) -> FloorRound:
    noop = hosts.cost({"bench_noop": {}})
    ours, unchanged = _twice(hosts, SWITCH_ON)
    hosts.switched("ForceOff")
    return FloorRound(noop, ours, unchanged, hosts.cost({"bench_bare": {}}))


def with_black_holes(context: t.Mapping[str, t.Any]) -> list[Figure]:
    """power_black_holes: some BMCs accept connections and say nothing."""
    count = scaled(HOSTS)
    task = {"hearth.datacenter.redfish_power": {"state": "on", "deadline": DEADLINE, "connect_timeout": DEADLINE}}
    with tempfile.TemporaryDirectory(prefix="hearth-bench-") as name, power_fleet(count) as fleet:
        hosts = PowerHosts(fleet, count, pathlib.Path(name))
        hosts.switched("ForceOff")
        clean = hosts.cost(task)
        hosts.switched("ForceOff")
        dark = [bmc["address"] for bmc in hosts.bmcs[:: int(1 / BLACK_HOLES)]]
        for address in dark:
            fleet.faults(address, black_hole={})
        holes = hosts.cost({**task, "ignore_errors": True})
        on = hosts.on()
    if on != count - len(dark):
        raise RuntimeError(f"{on} of {count} machines are on with {len(dark)} black holes")
    here = {
        **_context(context, count),
        "black_holes": len(dark),
        "deadline_s": DEADLINE,
        "clean_wall_s": round(clean.wall, 2),
    }
    return [held("power_black_holes.wall", holes.wall, "s", round(clean.wall * 1.2 + DEADLINE, 2), here)]


def _twice(hosts: PowerHosts, task: t.Mapping[str, t.Any], collections: str = "") -> tuple[Cost, Cost]:
    """From off to on, and again when nothing is left to do."""
    hosts.switched("ForceOff")
    first = hosts.cost(task, collections=collections)
    if hosts.on() != hosts.count:
        raise RuntimeError(f"{hosts.on()} of {hosts.count} machines are on after {task}")
    return first, hosts.cost(task, collections=collections)


def _peer_task(fleet: Fleet) -> dict[str, t.Any]:
    """As its documentation shows it, with the certificate verified as ours is."""
    arguments = {
        "category": "Systems",
        "command": "PowerOn",
        "baseuri": "{{ hearth_bmc.address }}:{{ hearth_bmc.port }}",
        "username": "{{ hearth_bmc_username }}",
        "password": "{{ hearth_bmc_password }}",
        "resource_id": "{{ hearth_bmc.system_id }}",
        "validate_certs": True,
        "ca_path": fleet.ca,
        "timeout": 60,
    }
    return {"community.general.redfish_command": arguments, "delegate_to": "localhost"}


def _context(given: t.Mapping[str, t.Any], count: int) -> dict[str, t.Any]:
    return {
        **given,
        "hosts": count,
        "scale": scale(),
        "forks": FORKS,
        "latency_ms": LATENCY_MS,
        "platforms": PLATFORMS,
    }
