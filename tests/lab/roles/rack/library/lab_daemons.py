# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Programs that stay, started once, in order; or all of them stopped. See tests/lab/engine/daemons.py."""

from __future__ import annotations

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from tests.lab.engine.daemons import Daemon, Daemons
from tests.lab.engine.errors import LabError


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "directory": {"type": "path", "required": True},
            "daemons": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {
                    "name": {"type": "str", "required": True},
                    "argv": {"type": "list", "elements": "str", "required": True},
                    "ready": {"type": "str", "default": ""},
                    "ready_within": {"type": "float", "default": 30.0},
                    "depends": {"type": "str", "default": ""},
                    "environment": {"type": "dict", "default": {}},
                    "alone": {"type": "bool", "default": False},
                },
            },
            "state": {"type": "str", "choices": ["started", "stopped"], "default": "started"},
        }
    )
    daemons = Daemons(Path(module.params["directory"]))
    wanted = [Daemon(**{**each, "argv": tuple(each["argv"])}) for each in module.params["daemons"]]
    kept = {daemon.name for daemon in wanted}
    changed, pids = [], {}
    try:
        # Those that are not wanted any more go first: what takes their place may want their port.
        for name in daemons.names():
            if name not in kept and daemons.stop(name):
                changed.append(f"{name} stopped")
        for daemon in wanted if module.params["state"] == "started" else []:
            if daemons.ensure(daemon):
                changed.append(f"{daemon.name} started")
            process = daemons.running(daemon.name)
            pids[daemon.name] = process.pid if process else 0
    except LabError as error:
        module.fail_json(msg=str(error), changed=bool(changed))
    module.exit_json(changed=bool(changed), changes=changed, pids=pids)


if __name__ == "__main__":
    main()
