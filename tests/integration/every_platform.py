# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tasks on a discovered host of every platform."""

from __future__ import annotations

import dataclasses
import typing as t

from tests.emulators.redfish.fleet import Fleet
from tests.emulators.redfish.personalities.index import PERSONALITIES
from tests.integration.discovered_hosts import DiscoveredHosts

Task = dict[str, t.Any]
Result = dict[str, t.Any]


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
