# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the collection imports and what it declares are the same."""

from __future__ import annotations

import re
import sys
from importlib import metadata
from pathlib import Path

import pytest
import yaml

from tests.toolchain import environments
from tests.toolchain.places import ROOT
from tests.toolchain.requirements import lower_bounds, normalised
from tests.unit.house.imports_of import imports_below

# Where the name that is imported is not the name that is installed.
DISTRIBUTIONS = {"ansible": "ansible-core", "yaml": "pyyaml", "kmip": "pykmip", "pkcs11": "python-pkcs11"}

# ansible-core itself cannot be installed without these, so that they need no line of their own.
WITH_ANSIBLE_CORE = {"cryptography", "jinja2", "packaging", "pyyaml"}

OUR_OWN = {"ansible_collections", "tests"}


def third_party(directory: Path) -> set[str]:
    """The distributions that the files below a directory import."""
    tops = {found.top for found in imports_below(directory) if found.level == 0}
    return {DISTRIBUTIONS.get(top, normalised(top)) for top in tops - set(sys.stdlib_module_names) - OUR_OWN}


def declared(*files: str) -> set[str]:
    return {name for file in files for name in lower_bounds(ROOT / file)}


def test_what_plugins_import_is_declared_for_controllers() -> None:
    assert third_party(ROOT / "plugins") <= declared(environments.CONTROLLER) | WITH_ANSIBLE_CORE


def test_what_is_declared_for_controllers_is_imported() -> None:
    # requests is sushy's client, not ours: it is declared because we run sushy on it, with a bound of our own.
    of_sushy = {normalised(re.split(r"[ <>=!~;\[]", line)[0]) for line in metadata.requires("sushy") or ()}
    used = third_party(ROOT / "plugins") | third_party(ROOT / "tests") | ({"requests"} & of_sushy)
    assert declared(environments.CONTROLLER) - used == set()


def test_what_tests_import_is_declared_for_tests() -> None:
    files = (environments.CONTROLLER, environments.EMULATORS, environments.TESTS, environments.INTEGRATION)
    assert third_party(ROOT / "tests") <= declared(*files) | WITH_ANSIBLE_CORE


def test_the_emulated_fleet_needs_no_more_than_make_demo_installs() -> None:
    files = (environments.CONTROLLER, environments.EMULATORS)
    assert third_party(ROOT / "tests" / "emulators") <= declared(*files) | WITH_ANSIBLE_CORE


@pytest.mark.parametrize(
    "file",
    [
        environments.CONTROLLER,
        environments.EMULATORS,
        environments.TESTS,
        environments.INTEGRATION,
        environments.TOOLS,
        environments.GALAXY_IMPORTER,
    ],
)
def test_every_requirement_has_a_lower_bound(file: str) -> None:
    assert lower_bounds(ROOT / file)


def test_a_requirement_without_a_lower_bound_is_refused(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("sushy\n", encoding="utf-8")
    with pytest.raises(ValueError, match="expected 'name>=version', found 'sushy'"):
        lower_bounds(tmp_path / "requirements.txt")


def test_ansible_core_has_the_same_lower_bound_as_the_collection() -> None:
    runtime = (ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8")
    assert f'requires_ansible: ">={lower_bounds(ROOT / environments.CONTROLLER)["ansible-core"]}"' in runtime


def test_collections_that_roles_and_playbooks_use_are_declared_and_no_others() -> None:
    task = re.compile(r"^\s+(?:- )?([a-z_]+\.[a-z_]+)\.[a-z0-9_]+:", re.MULTILINE)
    files = [file for top in ("roles", "playbooks") for file in (ROOT / top).rglob("*.yml")]
    used = {name for file in files for name in task.findall(file.read_text(encoding="utf-8"))}
    galaxy = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))
    assert used - {"ansible.builtin", "hearth.datacenter"} == set(galaxy["dependencies"])
