# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Playbooks on the hosts of a fleet whose machines are switched on and off, and what each of their tasks cost."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import typing as t

import yaml

from ansible_collections.hearth.datacenter.plugins.module_utils._core.deadline import Deadline
from ansible_collections.hearth.datacenter.plugins.module_utils._core.endpoint import Endpoint
from ansible_collections.hearth.datacenter.plugins.module_utils._core.fanout import Progress, fan_out
from ansible_collections.hearth.datacenter.plugins.module_utils._core.transport import Transport
from ansible_collections.hearth.datacenter.plugins.module_utils._core.trust import Trust
from ansible_collections.hearth.datacenter.plugins.module_utils._redfish.credential import Credential
from ansible_collections.hearth.datacenter.plugins.module_utils._redfish.discovery import DiscoveryRequest, discover
from tests.emulators.redfish.fleet import Fleet

from .bench_fleet import ansible_environment, fleet_of
from .processes import Account, run
from .recording import one_of_each

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
NETWORK = "127.68.0.0/14"
FORKS = 50
# The machines' own seconds are not what is measured.
AT_ONCE = ("--power-seconds", "0")


def scaled(hosts: int) -> int:
    """HEARTH_BENCH_SCALE=0.02 tries a bench on a fiftieth of its hosts; its context says so then."""
    return max(20, round(hosts * scale()))


def scale() -> float:
    return float(os.environ.get("HEARTH_BENCH_SCALE", "1"))


def power_fleet(bmcs: int) -> Fleet:
    return fleet_of(bmcs, NETWORK, AT_ONCE)


@dataclasses.dataclass(frozen=True)
class Cost:
    """What a task cost beyond the same playbook without it: seconds for all hosts."""

    wall: float
    cpu: float
    served: t.Mapping[str, t.Any]

    def cpu_ms(self, hosts: int) -> float:
        return 1000 * self.cpu / hosts

    def per_task(self, hosts: int) -> dict[str, float]:
        """What the fleet saw of it, for each host."""
        methods = self.served["per_method"]
        counts = {what: self.served[what] for what in ("requests", "handshakes", "logins")} | methods
        return {what: round(count / hosts, 3) for what, count in counts.items()}


class PowerHosts:
    """The first ``count`` BMCs of a fleet as hosts, with what discovery would have found."""

    def __init__(self, fleet: Fleet, count: int, folder: pathlib.Path) -> None:
        self.fleet = fleet
        self.count = count
        self._folder = folder / f"hosts-{count}"
        self._folder.mkdir()
        self._inventory = self._folder / "inventory.json"
        #: what the action bench_bare sends, where it is used
        self.bare_plan = self._folder / "bare.json"
        self.bmcs = fleet.bmcs[:count]
        self._keys = self._shown_keys()
        self._templates = {platform: self._discovered(bmc) for platform, bmc in one_of_each(self.bmcs).items()}
        self._write()
        self._empty: Account | None = None

    def hearth_bmc(self, bmc: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        template = self._templates[bmc["platform"]]["hearth_bmc"]
        return {
            **template,
            "address": bmc["address"],
            "expected": {"serial": bmc["serial"], "uuid": None},
            "fingerprint": {**template["fingerprint"], "spki_sha256": self._keys[bmc["address"]]},
        }

    def _shown_keys(self) -> dict[str, str]:
        """The key of each BMC, by address, as discovery learns it from the handshake."""

        def shown(address: str, progress: Progress) -> str:
            endpoint = Endpoint(address, self.fleet.https_port, "https")
            trust = Trust("verify", ca_path=self.fleet.ca)
            with Transport(endpoint, trust, deadline=Deadline.after(60), on_progress=progress.beat) as transport:
                return transport.connect().spki_sha256

        keys = dict(fan_out([bmc["address"] for bmc in self.bmcs], shown, concurrency=16))
        failed = next((key for key in keys.values() if not isinstance(key, str)), None)
        if failed is not None:
            raise RuntimeError(f"a BMC of the fleet shows no key: {failed}")
        return t.cast("dict[str, str]", keys)

    def _discovered(self, bmc: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        fleet = self.fleet
        outcome = discover(
            DiscoveryRequest(
                endpoint=Endpoint(bmc["address"], fleet.https_port, "https"),
                trust=Trust("verify", ca_path=fleet.ca),
                credentials=(Credential("bench", fleet.username, fleet.password),),
                details="standard",
                connect_timeout=10,
                deadline=60,
            )
        )
        if outcome.group or len(outcome.hosts) != 1:
            raise RuntimeError(f"{bmc['platform']} was not discovered: {outcome.error}")
        return outcome.hosts[0]

    def _write(self) -> None:
        hosts = {}
        for bmc in self.bmcs:
            server = self._templates[bmc["platform"]]["hearth_server"]
            hosts[bmc["address"]] = {"hearth_bmc": self.hearth_bmc(bmc), "hearth_server": server}
        shared = {
            "ansible_connection": "ssh",
            "ansible_python_interpreter": "{{ ansible_playbook_python }}",
            "hearth_bmc_username": self.fleet.username,
            "hearth_bmc_password": self.fleet.password,
        }
        self._inventory.write_text(json.dumps({"all": {"hosts": hosts, "vars": shared}}))

    def switched(self, reset_type: str) -> None:
        """Every machine's power, by its button, so to speak."""
        self.fleet.admin("POST", "/power", {"reset_type": reset_type})

    def on(self) -> int:
        """How many of these machines have power."""
        described = self.fleet.admin("GET", "/bmcs")
        return sum("On" in described[bmc["address"]]["power"].values() for bmc in self.bmcs)

    def cost(self, task: t.Mapping[str, t.Any], *, collections: str = "") -> Cost:
        """One task for all hosts."""
        empty = self.empty()
        self.fleet.reset_statistics()
        account = self._play([dict(task)], collections)
        return Cost(account.wall - empty.wall, account.cpu - empty.cpu, self.fleet.statistics())

    def empty(self) -> Account:
        """The same play without any task: reading the inventory, starting Ansible."""
        if self._empty is None:
            self._empty = self._play([])
        return self._empty

    def _play(self, tasks: list[dict[str, t.Any]], collections: str = "") -> Account:
        play = {"hosts": "all", "gather_facts": False, "tasks": tasks}
        playbook = self._folder / "play.yml"
        playbook.write_text(yaml.safe_dump([play], sort_keys=False))
        environment = ansible_environment(self._folder)
        environment |= {
            "ANSIBLE_INVENTORY_ENABLED": "yaml",
            # for bench_bare
            "PYTHONPATH": str(CHECKOUT),
            "HEARTH_BENCH_BARE_PLAN": str(self.bare_plan),
            "ANSIBLE_ACTION_PLUGINS": str(pathlib.Path(__file__).parent / "action_plugins"),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_FORKS": str(FORKS),
            "ANSIBLE_LOCAL_TEMP": str(self._folder / "tmp"),
        }
        if collections:
            environment["ANSIBLE_COLLECTIONS_PATH"] += f":{collections}"
        command = ["ansible-playbook", "-i", str(self._inventory), str(playbook)]
        return run(command, env=environment, timeout=3600)
