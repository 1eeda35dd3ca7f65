# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One task on a discovered host of every platform, and one task under every fault of the fleet."""

from __future__ import annotations

import dataclasses
import pathlib
import typing as t

from tests.emulators.redfish.fleet import Fleet
from tests.emulators.redfish.personalities.index import PERSONALITIES
from tests.integration.discovered_hosts import DiscoveredHosts

Task = dict[str, t.Any]
Result = dict[str, t.Any]

# Fault → its options. Those that act on connections last for the whole task.
FAULTS: dict[str, dict[str, t.Any]] = {
    "black_hole": {},
    "refused": {},
    "tls_stall": {},
    "changed_certificate": {},
    "restart": {"seconds": 1},
    "random_401": {"rate": 0.3},
    "unavailable": {"times": 3},
    "slow_resource": {"path": "/redfish/v1/Systems", "seconds": 1},
    "drop_mid_body": {"rate": 0.2},
    "truncated": {"rate": 0.2},
    "not_json": {"rate": 0.2},
    "wrong_etag": {},
    "duplicate_etag": {},
    "broken_expand": {},
    "hostile_strings": {},
    "endless_paging": {},
    "endless_links": {},
    "huge_body": {"path": "/redfish/v1/Chassis"},
}


@dataclasses.dataclass(frozen=True)
class Runs:
    """What one host's runs gave."""

    check: Result
    first: Result
    second: Result

    def assert_convergent(self) -> None:
        """Check, then run, then run again with no change; check's and the run's diff are one."""
        assert "error" not in self.check and "error" not in self.first, (self.check, self.first)
        assert (self.check["changed"], self.first["changed"], self.second["changed"]) == (True, True, False)
        assert self.check["diff"] == self.first["diff"]
        assert self.second["diff"]["before"] == self.second["diff"]["after"] == self.first["diff"]["after"]


def fleet_of_each(network: str) -> Fleet:
    return Fleet(len(PERSONALITIES), network, platforms=dict.fromkeys(PERSONALITIES, 1))


class EveryPlatform(DiscoveredHosts):
    """The hosts of a fleet with one BMC of each platform; all are off for Ansible."""

    def platform(self, host: str) -> str:
        address = self.hosts[host]["hearth_bmc"]["address"]
        return str(next(bmc["platform"] for bmc in self.fleet.bmcs if bmc["address"] == address))

    def host(self, platform: str) -> str:
        """The first host of that platform."""
        return next(host for host in sorted(self.hosts) if self.platform(host) == platform)

    def of_platforms(self, *without: str) -> list[str]:
        return [host for host in self.hosts if self.platform(host) not in without]

    def results(self, hosts: t.Iterable[str], tasks: list[Task], *words: str) -> dict[str, list[Result]]:
        """The results of tasks by host; a task that fails does not end the host's play."""
        names = list(hosts)
        ran = self.play([{**task, "ignore_errors": True} for task in tasks], *words, hosts=names)
        return {host: ran.of(host) for host in names}

    def runs(self, hosts: t.Iterable[str], task: Task) -> dict[str, Runs]:
        """Check, run, run again."""
        names = list(hosts)
        checked = self.results(names, [task], "--check", "--diff")
        ran = self.results(names, [task, task], "--diff")
        return {host: Runs(checked[host][0], *ran[host]) for host in names}

    def one(self, platform: str, task: Task, *words: str) -> Result:
        host = self.host(platform)
        return self.results([host], [task], *words)[host][0]


def under_every_fault(folder: pathlib.Path, network: str, task: Task) -> None:
    """Each fault on a BMC of its own: a typed error, or a success that a second run without faults confirms. No
    session is left by those that could be reached."""
    with Fleet(len(FAULTS), network, platforms="generic") as fleet:
        hosts = DiscoveredHosts(folder, fleet)
        for address, (name, options) in zip(fleet.addresses, FAULTS.items(), strict=True):
            fleet.faults(address, **{name: options})
        module, arguments = next(iter(task.items()))
        task = {module: {**arguments, "deadline": 8, "connect_timeout": 2}, "ignore_errors": True}
        ran = hosts.play([task], environment={"ANSIBLE_FORKS": str(len(FAULTS))})
        left = {bmc["address"]: bmc["sessions_open"] for bmc in fleet.admin("GET", "/bmcs").values()}
        for address in fleet.addresses:
            fleet.faults(address)
        again = hosts.play([task], environment={"ANSIBLE_FORKS": str(len(FAULTS))})
    wrong = []
    for address, name in zip(fleet.addresses, FAULTS, strict=True):
        (result,), (after,) = ran.of(hosts.name_of(address)), again.of(hosts.name_of(address))
        said = result.get("error", {}).get("type") or "ok"
        print(f"{name}: {said}")
        if "unreachable" in result or "Traceback" in str(result):
            wrong.append(f"{name}: {result}")
        if said == "ok" and (after["changed"] or "error" in after):
            wrong.append(f"{name}: said to be done and was not: {after}")
        if left[address]:
            wrong.append(f"{name}: {left[address]} sessions left ({said})")
    assert not wrong, "\n".join(wrong)
