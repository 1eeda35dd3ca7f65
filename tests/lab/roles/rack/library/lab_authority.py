# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's certificate authority and the certificates that it issues. See tests/lab/engine/authority.py."""

from __future__ import annotations

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from tests.lab.engine import authority
from tests.lab.engine.errors import LabError


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "directory": {"type": "path", "required": True},
            "name": {"type": "str", "required": True},
            "servers": {"type": "dict", "default": {}},
        }
    )
    directory = Path(module.params["directory"])
    made = []
    try:
        if authority.ensure(directory, module.params["name"]):
            made.append("ca")
        for server, address in module.params["servers"].items():
            if authority.issue(directory, server, address):
                made.append(server)
    except LabError as error:
        module.fail_json(msg=str(error), changed=bool(made))
    module.exit_json(changed=bool(made), made=made)


if __name__ == "__main__":
    main()
