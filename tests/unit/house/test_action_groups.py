# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`module_defaults` for a group reaches exactly the modules that say they belong to it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.toolchain.places import DEVELOPMENT_ROOT, ROOT

NAMESPACE = "hearth.datacenter"


@pytest.fixture(scope="module")
def documented() -> dict[str, set[str]]:
    """Group → modules, as the attribute `action_group` of each module's documentation has it."""
    names = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("[a-z]*.py"))
    groups: dict[str, set[str]] = defaultdict(set)
    if names:
        for name, entry in ansible_doc([f"{NAMESPACE}.{name}" for name in names]).items():
            group = entry["doc"].get("attributes", {}).get("action_group", {})
            membership = group.get("membership") or []
            for member_of in [membership] if isinstance(membership, str) else membership:
                groups[member_of.removeprefix(f"{NAMESPACE}.")].add(name.removeprefix(f"{NAMESPACE}."))
    return groups


def ansible_doc(names: list[str]) -> dict[str, Any]:
    program = Path(sys.executable).with_name("ansible-doc")
    answer = subprocess.run(
        [program, "--type", "module", "--json", *names],
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(DEVELOPMENT_ROOT)},
        capture_output=True,
        check=True,
        text=True,
        timeout=120,
    )
    found: dict[str, Any] = json.loads(answer.stdout)
    return found


def test_each_group_holds_the_modules_that_say_so(documented: dict[str, set[str]]) -> None:
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    declared = {
        group: {member for member in members if isinstance(member, str)}
        for group, members in runtime["action_groups"].items()
    }
    assert {group: members for group, members in declared.items() if members} == documented
