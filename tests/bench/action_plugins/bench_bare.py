# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An action that sends the requests of redfish_power and looks at no answer: what the wire alone costs in a worker."""

from __future__ import annotations

import json
import os
import pathlib
import ssl
import typing as t

from ansible.plugins.action import ActionBase

from tests.bench.clients.bare import Plan, ask

# Both before the fork, which is more than an action can do that learns its CA from the host's variables.
_PLAN: Plan = json.loads(pathlib.Path(os.environ["HEARTH_BENCH_BARE_PLAN"]).read_text())
_CONTEXT = ssl.create_default_context(cafile=_PLAN["ca"])


class ActionModule(ActionBase):
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        bmc = (task_vars or {})["hearth_bmc"]
        ask(_PLAN, _CONTEXT, str(bmc["address"]), int(bmc["port"]), str(bmc["platform"]))
        return {**super().run(tmp, task_vars), "changed": True}
