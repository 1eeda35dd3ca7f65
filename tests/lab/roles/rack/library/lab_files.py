# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Directories and files of the lab, many at once. See tests/lab/engine/files.py."""

from __future__ import annotations

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from tests.lab.engine.errors import LabError
from tests.lab.engine.files import Entry, ensure
from tests.lab.engine.preflight import of_somebody_else
from tests.lab.engine.removal import remove


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "root": {"type": "path", "required": True},
            "directories": {"type": "list", "elements": "str", "default": []},
            "files": {"type": "dict", "default": {}},
            # Readable by root alone.
            "secrets": {"type": "dict", "default": {}, "no_log": True},
            "state": {"type": "str", "choices": ["present", "absent", "ours"], "default": "present"},
        }
    )
    root = Path(module.params["root"])
    if module.params["state"] != "present":
        _leave(module, root)
    # In this order: a run killed after the first file leaves a directory that carries the lab's mark.
    entries = [Entry(root, 0o711)]
    entries += [Entry(root / path, 0o644, content) for path, content in module.params["files"].items()]
    entries += [Entry(root / path, 0o600, content) for path, content in module.params["secrets"].items()]
    entries += [Entry(root / path, 0o711) for path in module.params["directories"]]
    changed = []
    try:
        for entry in entries:
            if ensure(entry):
                changed.append(str(entry.path))
    except OSError as error:
        module.fail_json(msg=f"{error.filename}: {error.strerror}", changed=bool(changed))
    module.exit_json(changed=bool(changed), paths=changed)


def _leave(module: AnsibleModule, root: Path) -> None:
    """ours: fail where the directory is somebody else's. absent: remove it."""
    try:
        for problem in of_somebody_else(root):
            raise LabError(problem)
        changed = remove(root) if module.params["state"] == "absent" else False
    except LabError as error:
        module.fail_json(msg=f"Nothing was changed. {error}")
    except OSError as error:
        module.fail_json(msg=f"{error.filename}: {error.strerror}", changed=True)
    module.exit_json(changed=changed)


if __name__ == "__main__":
    main()
