#!/usr/bin/python
# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Directories and files of the lab, many at once. See tests/lab/engine/files.py."""

from __future__ import annotations

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from tests.lab.engine.files import Entry, ensure


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "root": {"type": "path", "required": True},
            "directories": {"type": "list", "elements": "str", "default": []},
            "files": {"type": "dict", "default": {}},
            # Readable by root alone.
            "secrets": {"type": "dict", "default": {}, "no_log": True},
        }
    )
    root = Path(module.params["root"])
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


if __name__ == "__main__":
    main()
