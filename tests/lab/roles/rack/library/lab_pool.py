# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's storage pool. See tests/lab/engine/pool.py."""

from __future__ import annotations

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from tests.lab.engine import pool
from tests.lab.engine.errors import LabError


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "lab": {"type": "path", "required": True},
            "name": {"type": "str"},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        },
        required_if=[("state", "present", ["name"])],
    )
    lab = Path(module.params["lab"])
    changes = []
    try:
        if module.params["state"] == "absent":
            changes = pool.of_lab(lab)
            for name in changes:
                pool.remove(name)
        elif pool.ensure(module.params["name"], lab / "pool"):
            changes = [module.params["name"]]
    except LabError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=bool(changes), changes=changes)


if __name__ == "__main__":
    main()
