# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The artefact alone: what somebody gets who installs one file and has no checkout."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
import yaml

from tests.toolchain.peer_collections import NoSuchPeer, provide
from tests.toolchain.places import ROOT

# What may be in the artefact, at its top. A new name here is a decision.
SHIPPED = {
    "CHANGELOG.rst",
    "CODE_OF_CONDUCT.md",
    "CONTRIBUTING.md",
    "FILES.json",
    "LICENSE",
    "LICENSES",
    "MANIFEST.json",
    "README.md",
    "REUSE.toml",
    "changelogs",
    "docs",
    "extensions",
    "inventory",
    "meta",
    "playbooks",
    "plugins",
    "roles",
}


def ansible(program: str, *arguments: str | Path, collections: Path | None = None, cwd: Path) -> str:
    """Run one of Ansible's programs as an installation without this checkout would."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "PYTHON"))}
    variables["ANSIBLE_COLLECTIONS_PATH"] = str(collections or os.devnull)
    answer = subprocess.run(
        [Path(sys.executable).with_name(program), *arguments],
        cwd=cwd,
        env=variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert answer.returncode == 0, f"{program} {arguments}: exit {answer.returncode}\n{answer.stdout}{answer.stderr}"
    return answer.stdout + answer.stderr


@pytest.fixture(scope="module")
def artefact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("artefact")
    # From the checkout itself, with all that lies about in it: what must not be in there is kept out by build_ignore.
    ansible("ansible-galaxy", "collection", "build", "--output-path", directory, ROOT, cwd=directory)
    [built] = directory.glob("*.tar.gz")
    return built


@pytest.fixture(scope="module")
def installed(artefact: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("collections")
    arguments = ("collection", "install", "--offline", "--no-deps", "--collections-path", directory, artefact)
    ansible("ansible-galaxy", *arguments, collections=directory, cwd=directory)
    return directory


def test_its_name_is_what_galaxy_wants(artefact: Path) -> None:
    assert artefact.name.startswith("hearth-datacenter-")


def test_it_holds_what_is_shipped_and_nothing_else(artefact: Path) -> None:
    with tarfile.open(artefact) as archive:
        names = archive.getnames()
    assert {name.partition("/")[0] for name in names} <= SHIPPED
    assert {"MANIFEST.json", "README.md", "LICENSE", "meta/runtime.yml", "plugins/inventory/bmc.py"} <= set(names)
    assert [name for name in names if "__pycache__" in name or name.startswith("extensions/molecule")] == []


def test_what_it_depends_on_is_taken_from_where_ansible_is_installed(artefact: Path, tmp_path: Path) -> None:
    """As the package `ansible` brings it: no index is asked."""
    try:
        peers = provide(["community.crypto"])
    except NoSuchPeer as error:
        pytest.skip(str(error))
    arguments = ("collection", "install", "--offline", "--collections-path", tmp_path, artefact)
    ansible("ansible-galaxy", *arguments, collections=peers, cwd=tmp_path)
    assert [path.name for path in (tmp_path / "ansible_collections").glob("*/*") if path.is_dir()] == ["datacenter"]


def test_it_is_found_under_its_name(installed: Path) -> None:
    shown = ansible("ansible-galaxy", "collection", "list", collections=installed, cwd=installed)
    assert "hearth.datacenter" in shown


def playbooks() -> list[str]:
    return sorted(path.stem for path in (ROOT / "playbooks").glob("*.yml"))


@pytest.mark.parametrize("playbook", playbooks())
def test_a_playbook_is_understood_from_there(installed: Path, playbook: str) -> None:
    name = f"hearth.datacenter.{playbook}"
    ansible("ansible-playbook", "--syntax-check", name, collections=installed, cwd=installed)


def roles() -> list[tuple[str, str]]:
    """Each role with each of its entry points."""
    found = []
    for specs in (ROOT / "roles").glob("*/meta/argument_specs.yml"):
        entries = yaml.safe_load(specs.read_text(encoding="utf-8"))["argument_specs"]
        found += [(specs.parents[1].name, entry) for entry in entries]
    return sorted(found)


@pytest.mark.parametrize(("role", "entry"), roles())
def test_a_role_is_understood_from_there(installed: Path, tmp_path: Path, role: str, entry: str) -> None:
    task = {"ansible.builtin.import_role": {"name": f"hearth.datacenter.{role}", "tasks_from": entry}}
    play = tmp_path / "play.yml"
    play.write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": [task]}]), encoding="utf-8")
    ansible("ansible-playbook", "--syntax-check", play, collections=installed, cwd=tmp_path)
    shown = ansible("ansible-doc", "-t", "role", f"hearth.datacenter.{role}", collections=installed, cwd=tmp_path)
    assert entry in shown


def test_nothing_that_is_shipped_reaches_into_the_tests(installed: Path) -> None:
    """Emulators and the virtual rack are tools of a checkout."""
    collection = installed / "ansible_collections" / "hearth" / "datacenter"
    reaching = re.compile(
        r"tests/(lab|emulators|bench|demo|servers|toolchain)|\b(from|import) tests\b|tests\.(lab|emulators)"
    )
    files = [
        path for top in ("plugins", "roles", "playbooks", "inventory", "meta") for path in (collection / top).rglob("*")
    ]
    texts = {path: path.read_text(encoding="utf-8", errors="replace") for path in files if path.is_file()}
    assert len(texts) > 100
    assert [str(path) for path, text in texts.items() if path.suffix != ".md" and reaching.search(text)] == []


def plugins() -> list[tuple[str, str]]:
    """Type and name of each plugin that has documentation."""
    types = {"modules": "module", "inventory": "inventory", "filter": "filter", "lookup": "lookup"}
    found = [(types[path.parent.name], path.stem) for path in (ROOT / "plugins").glob("*/[a-z]*.py")
             if path.parent.name in types]  # fmt: skip
    return sorted(found)


@pytest.mark.parametrize(("kind", "name"), plugins())
def test_a_plugin_explains_itself_from_there(installed: Path, kind: str, name: str) -> None:
    shown = ansible("ansible-doc", "--type", kind, f"hearth.datacenter.{name}", collections=installed, cwd=installed)
    assert str(installed) in shown


def test_the_inventory_plugin_runs_from_there(installed: Path, tmp_path: Path) -> None:
    source = tmp_path / "hearth.bmc.yml"
    # One expected address where nobody listens: it becomes a host that says so.
    source.write_text(
        "plugin: hearth.datacenter.bmc\ntargets: [127.92.0.1]\nports: ['9']\nusername: nobody\npassword: nothing\n"
        f"state: {tmp_path / 'state.sqlite3'}\nipmi: never\n",
        encoding="utf-8",
    )
    shown = ansible("ansible-inventory", "-i", source, "--graph", collections=installed, cwd=tmp_path)
    assert "@bmc_unreachable" in shown
    assert "127.92.0.1" in shown
