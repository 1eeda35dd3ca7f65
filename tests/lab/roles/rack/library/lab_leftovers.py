# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fails where something of the rack is left, and says what. See tests/lab/engine/leftovers.py."""

from __future__ import annotations

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from tests.lab.engine import leftovers
from tests.lab.engine.errors import LabError


def main() -> None:
    module = AnsibleModule(
        argument_spec={"lab": {"type": "path", "required": True}, "name": {"type": "str", "required": True}},
        supports_check_mode=True,
    )
    try:
        found = leftovers.of_rack(Path(module.params["lab"]), module.params["name"])
    except LabError as error:
        module.fail_json(msg=str(error))
    left = [f"{kind}: {', '.join(things)}" for kind, things in found.items() if things]
    if left:
        module.fail_json(msg=f"Of the rack there still are {'; '.join(left)}", leftovers=found)
    module.exit_json(changed=False, leftovers=found)


if __name__ == "__main__":
    main()
