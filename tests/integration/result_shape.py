# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What two front ends must have in common: the keys of a result and the types of what they hold."""

from __future__ import annotations

from typing import Any

#: Ansible's own; ansible-core 2.19 adds the invocation of a module, later versions only on request
_ANSIBLES = ("_", "ansible_", "invocation")


def shape(value: Any, name: str = "") -> dict[str, str]:
    """Every key of a result, dotted, with the type of what it holds. ``pins`` has addresses for keys: they are data."""
    if isinstance(value, dict) and not name.endswith(".pins"):
        found: dict[str, str] = {}
        for key, inner in value.items():
            if not key.startswith(_ANSIBLES):
                found |= shape(inner, f"{name}.{key}" if name else key)
        return found
    if isinstance(value, list) and value:
        return shape(value[0], f"{name}[]")
    return {name: type(value).__name__}
