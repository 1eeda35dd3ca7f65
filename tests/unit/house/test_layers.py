# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Imports go down only, as docs/architecture.md says: front ends, glue, systems, core."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.toolchain.places import ROOT
from tests.unit.house.imports_of import Import, imports_below

MODULE_UTILS = ROOT / "plugins" / "module_utils"


def below_the_glue() -> list[Path]:
    return sorted(
        path for path in MODULE_UTILS.iterdir() if path.is_dir() and path.name not in ("_glue", "__pycache__")
    )


def target(found: Import) -> Path:
    """The file or package that a relative import names."""
    base = found.file.parent
    for _step in range(found.level - 1):
        base = base.parent
    return base.joinpath(*found.module.split(".")) if found.module else base


@pytest.mark.parametrize("package", below_the_glue(), ids=lambda path: path.name)
class TestBelowTheGlue:
    def test_there_is_no_ansible(self, package: Path) -> None:
        assert [str(found) for found in imports_below(package) if found.top.startswith("ansible")] == []

    def test_nothing_is_imported_by_a_name_that_is_computed(self, package: Path) -> None:
        # AnsiballZ bundles what it finds by reading: importlib leaves a module without its parts on the node.
        assert [str(found) for found in imports_below(package) if found.top in ("importlib", "pkgutil", "runpy")] == []

    def test_a_system_imports_the_core_and_itself_only(self, package: Path) -> None:
        allowed = (package, MODULE_UTILS / "_core")
        relative = [found for found in imports_below(package) if found.level]
        outside = [str(found) for found in relative if not any(target(found).is_relative_to(path) for path in allowed)]
        assert outside == []


def test_a_third_party_import_is_guarded() -> None:
    """A module lands on nodes that have nothing but Python: an import that fails there must not fail the file."""
    unguarded = []
    for found in imports_below(MODULE_UTILS):
        if found.level or found.top in sys.stdlib_module_names or found.top.startswith("ansible"):
            continue
        line = found.file.read_text(encoding="utf-8").splitlines()[found.line - 1]
        if not line.startswith((" ", "\t")):
            unguarded.append(str(found))
    assert unguarded == []


def test_plugin_utils_are_for_plugins() -> None:
    """Modules and what they bundle run where there is no controller."""
    modules = ROOT / "plugins" / "modules"
    found = [*imports_below(MODULE_UTILS), *(imports_below(modules) if modules.is_dir() else ())]
    assert [str(one) for one in found if "plugin_utils" in one.module] == []
