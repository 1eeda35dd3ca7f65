# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`module_defaults` for a group reaches exactly the modules that have the options of the group."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import tomllib
import yaml

from tests.toolchain.places import ROOT

MODULES = sorted((ROOT / "plugins" / "modules").glob("[a-z]*.py"))


def documentation(module: Path) -> dict[str, Any]:
    for node in ast.parse(module.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and [getattr(target, "id", "") for target in node.targets] == ["DOCUMENTATION"]:
            found: dict[str, Any] = yaml.safe_load(ast.literal_eval(node.value))
            return found
    raise AssertionError(f"{module} has no DOCUMENTATION")


def users_of(fragment: str) -> set[str]:
    """The modules whose documentation takes options from a fragment, or from a section of it."""
    users = set()
    for module in MODULES:
        named = documentation(module).get("extends_documentation_fragment", [])
        fragments = [named] if isinstance(named, str) else named
        if any(name == fragment or name.startswith(f"{fragment}.") for name in fragments):
            users.add(module.stem)
    return users


def declared_groups() -> dict[str, set[str]]:
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    return {group: set(members) for group, members in runtime["action_groups"].items()}


def fragments_of_groups() -> dict[str, str]:
    settings = tomllib.loads((ROOT / "antsibull-nox.toml").read_text(encoding="utf-8"))
    checked = settings["sessions"]["extra_checks"]["action_groups_config"]
    return {group["name"]: group["doc_fragment"] for group in checked}


def test_each_group_is_the_modules_that_share_its_options() -> None:
    assert declared_groups() == {group: users_of(fragment) for group, fragment in fragments_of_groups().items()}


def test_no_group_is_empty() -> None:
    assert [group for group, members in declared_groups().items() if not members] == []
