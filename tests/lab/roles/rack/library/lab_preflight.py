# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looks for what would stop the rack, changes nothing, and fails with all of it. See tests/lab/engine/preflight.py."""

from __future__ import annotations

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from tests.lab.engine import acceleration
from tests.lab.engine.errors import LabError
from tests.lab.engine.machine import GIB, Plan
from tests.lab.engine.preflight import Seat, Wanted, problems


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "plan": {"type": "dict", "required": True},
            "listeners": {
                "type": "list",
                "elements": "dict",
                "required": True,
                "options": {
                    "who": {"type": "str", "required": True},
                    "addresses": {"type": "list", "elements": "str", "required": True},
                    "ports": {"type": "list", "elements": "int", "required": True},
                    "protocol": {"type": "str", "choices": ["tcp", "udp"], "default": "tcp"},
                },
            },
            "run_directory": {"type": "path", "required": True},
            "gib_for_each_machine": {"type": "int", "required": True},
            "accelerator": {"type": "str", "choices": ["auto", "kvm", "tcg"], "default": "auto"},
        },
        supports_check_mode=True,
    )
    given = module.params["plan"]
    plan = Plan(**{**given, "lab": Path(given["lab"]), "accelerator": "tcg"})
    listeners = [
        Seat(each["who"], address, int(port), each["protocol"])
        for each in module.params["listeners"]
        for address in each["addresses"]
        for port in each["ports"]
    ]
    wanted = Wanted(
        plan, listeners, Path(module.params["run_directory"]), GIB * int(module.params["gib_for_each_machine"])
    )
    try:
        found = problems(wanted)
        works, why = (False, "tcg is what was asked for")
        if not found and module.params["accelerator"] != "tcg":
            works, why = acceleration.kvm_works()
            if module.params["accelerator"] == "kvm" and not works:
                found = [f"KVM was asked for and does not work here: {why}"]
    except LabError as error:
        found = [str(error)]
    if found:
        module.fail_json(msg="Nothing was changed. " + " // ".join(found), problems=found)
    module.exit_json(changed=False, accelerator="kvm" if works else "tcg", why_not_kvm="" if works else why)


if __name__ == "__main__":
    main()
