# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The machines of the rack: disks, firmware variables, TPMs, domains. See tests/lab/engine/machines.py."""

from __future__ import annotations

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from tests.lab.engine import machines, record, tpm
from tests.lab.engine.errors import LabError
from tests.lab.engine.files import Entry, ensure
from tests.lab.engine.machine import Plan


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "lab": {"type": "path", "required": True},
            "plan": {"type": "dict"},
            "bmc_port": {"type": "int", "default": 8443},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        },
        required_if=[("state", "present", ["plan"])],
    )
    lab = Path(module.params["lab"])
    recorded = []
    try:
        if module.params["state"] == "absent":
            changes = [f"{name}: removed" for name in machines.of_lab(lab)]
            for name in machines.of_lab(lab):
                machines.remove(name, lab)
        else:
            wanted = Plan(**{**module.params["plan"], "lab": lab}).machines()
            changes = machines.ensure(wanted, lab)
            if ensure(Entry(lab / "ek-ca" / "chain.pem", 0o644, tpm.chain(lab / "ek-ca"))):
                changes.append("the roots of the EK certificates in one file")
            recorded = [record.of_machine(machine, module.params["bmc_port"]) for machine in wanted]
    except LabError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=bool(changes), changes=changes, machines=recorded)


if __name__ == "__main__":
    main()
