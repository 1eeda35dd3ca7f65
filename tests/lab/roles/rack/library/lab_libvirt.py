# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""libvirtd and virtlogd serve; or are stopped, if a lab started them and none needs them. See engine/libvirtd.py."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule

from tests.lab.engine import libvirtd
from tests.lab.engine.daemons import Daemons
from tests.lab.engine.errors import LabError


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["started", "stopped"], "default": "started"},
        }
    )
    daemons = Daemons(libvirtd.DIRECTORY)
    try:
        if module.params["state"] == "started":
            changes, left = libvirtd.ensure(daemons), ""
        else:
            changes, left = libvirtd.stop(daemons)
    except LabError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=bool(changes), changes=changes, left=left)


if __name__ == "__main__":
    main()
