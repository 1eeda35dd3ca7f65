# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rack's bridges, with the host's addresses on them. See tests/lab/engine/bridges.py."""

from __future__ import annotations

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from tests.lab.engine import bridges
from tests.lab.engine.errors import LabError


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "lab": {"type": "path", "required": True},
            "bridges": {"type": "list", "elements": "dict", "default": []},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        }
    )
    lab = Path(module.params["lab"])
    changed = []
    try:
        if module.params["state"] == "absent":
            changed = [name for name in bridges.of_lab(lab) if bridges.remove(name, lab)]
        for each in module.params["bridges"] if module.params["state"] == "present" else []:
            if bridges.ensure(bridges.Bridge(each["name"], tuple(each["addresses"])), lab):
                changed.append(each["name"])
    except LabError as error:
        module.fail_json(msg=str(error), changed=bool(changed))
    module.exit_json(changed=bool(changed), bridges=changed)


if __name__ == "__main__":
    main()
