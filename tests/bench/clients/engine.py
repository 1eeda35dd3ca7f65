# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The discovery engine alone, without Ansible around it: ``python -m tests.bench.clients.engine PLAN.json``.

Takes the plan of the bare client (its sequences are not looked at), so the two can be compared process by process.
"""

from __future__ import annotations

import json
import pathlib
import sys
import time

from ansible_collections.hearth.datacenter.plugins.module_utils._core.endpoint import Endpoint
from ansible_collections.hearth.datacenter.plugins.module_utils._core.fanout import Progress, fan_out
from ansible_collections.hearth.datacenter.plugins.module_utils._core.trust import Trust
from ansible_collections.hearth.datacenter.plugins.module_utils._redfish.credential import Credential
from ansible_collections.hearth.datacenter.plugins.module_utils._redfish.discovery import (
    DiscoveryOutcome,
    DiscoveryRequest,
    discover,
)

from .bare import Plan


def main(path: str) -> None:
    plan: Plan = json.loads(pathlib.Path(path).read_text())
    trust = Trust("verify", ca_path=plan["ca"])
    credentials = (Credential("bench", plan["username"], plan["password"]),)

    def ask(bmc: tuple[str, int, str], progress: Progress) -> DiscoveryOutcome:
        endpoint = Endpoint(bmc[0], bmc[1], "https")
        return discover(
            DiscoveryRequest(endpoint, trust, credentials, "standard", connect_timeout=10, deadline=60),
            progress=progress,
        )

    began = time.monotonic()
    requests = logins = hosts = 0
    for bmc, outcome in fan_out(plan["bmcs"], ask, concurrency=plan["concurrency"]):
        if not isinstance(outcome, DiscoveryOutcome) or outcome.group:
            raise SystemExit(f"{bmc} was not discovered: {outcome}")
        requests += outcome.counters["requests"]
        logins += outcome.counters["logins"]
        hosts += len(outcome.hosts)
    summary = {"seconds": time.monotonic() - began, "requests": requests, "logins": logins, "hosts": hosts}
    json.dump({**summary, "bmcs": len(plan["bmcs"])}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
