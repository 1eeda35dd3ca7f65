# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module live_image_node through Ansible, with the real xorriso and ssh-keygen."""

from __future__ import annotations

import hashlib
import json
import pathlib
import shutil
import subprocess
import typing as t

import pytest
import yaml

from ansible_collections.hearth.datacenter.plugins.module_utils._live_image.areas import (
    NODE_BYTES,
    NODE_HEADER_BYTES,
    NODE_PATH,
    node_area,
)
from tests.integration.playbook_run import PlaybookFolder, Ran
from tests.toolchain.places import ROOT

pytestmark = pytest.mark.skipif(
    not (shutil.which("xorriso") and shutil.which("ssh-keygen")), reason="xorriso or ssh-keygen is not installed"
)

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKh4Zq0tSpJBCCMWSNIuDQ3ml1Lr0EGRHFOsmDMzqPzN operator"
PRIVATE = "BEGIN OPENSSH PRIVATE KEY"


@pytest.fixture
def runs(tmp_path: pathlib.Path) -> PlaybookFolder:
    return PlaybookFolder(tmp_path)


def node(runs: PlaybookFolder, *words: str, **options: t.Any) -> Ran:
    interface = {"match": {"mac": "52:54:00:12:34:56"}, "addresses": ["192.0.2.17/24"]}
    given = {
        "dest": str(runs.folder / "node.iso"),
        "hostname": "node-1",
        "network": {"interfaces": [interface]},
        "authorized_keys": [KEY],
        **options,
    }
    task = {"hearth.datacenter.live_image_node": given, "delegate_to": "jump"}
    return runs.run([task], *words)


def image(folder: pathlib.Path) -> pathlib.Path:
    """A medium with a node area, as a live image has one."""
    tree = folder / "tree"
    (tree / "hearth").mkdir(parents=True)
    (tree / NODE_PATH).write_bytes(node_area())
    (tree / "hearth/root.squashfs").write_bytes(bytes(range(256)) * 100)
    target = folder / "live.iso"
    subprocess.run(
        ["xorriso", "-as", "mkisofs", "-quiet", "-o", str(target), "-V", "HEARTH_LIVE", "-R", str(tree)], check=True
    )
    return target


def document_of(medium: pathlib.Path, folder: pathlib.Path) -> bytes:
    found = folder / "found.json"
    found.unlink(missing_ok=True)
    command = ["xorriso", "-osirrox", "on", "-indev", f"stdio:{medium}", "-extract", "/hearth-node.json", str(found)]
    subprocess.run(command, check=True, capture_output=True)
    return found.read_bytes()


def test_a_medium_holds_the_document_and_the_result_the_public_key_only(runs: PlaybookFolder) -> None:
    ran = node(runs)

    assert ran.code == 0, ran.said
    made = ran.results[0]["live_image_node"]
    content = document_of(runs.folder / "node.iso", runs.folder)
    document = json.loads(content)
    key = runs.folder / "key"
    key.write_text(document["ssh_host_key"])
    key.chmod(0o600)
    public = subprocess.run(["ssh-keygen", "-y", "-f", str(key)], check=True, capture_output=True, text=True).stdout
    assert made["ssh_host_key"].split() == public.split()[:2]
    assert made["document_sha256"] == hashlib.sha256(content).hexdigest()
    assert made["sha256"] == hashlib.sha256((runs.folder / "node.iso").read_bytes()).hexdigest()
    assert (runs.folder / "node.iso").stat().st_mode & 0o777 == 0o640
    assert PRIVATE not in json.dumps(ran.results)
    assert PRIVATE not in ran.said


def test_its_label_is_the_one_that_the_live_system_looks_for(runs: PlaybookFolder) -> None:
    node(runs)

    said = subprocess.run(
        ["blkid", "-p", "-o", "value", "-s", "LABEL", str(runs.folder / "node.iso")],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert said.strip() == "HEARTH_NODE"


def test_a_copy_differs_from_the_image_in_its_area_only(runs: PlaybookFolder) -> None:
    base = image(runs.folder)

    ran = node(runs, mode="patched", image=str(base), image_sha256=hashlib.sha256(base.read_bytes()).hexdigest())

    assert ran.code == 0, ran.said
    before, after = base.read_bytes(), (runs.folder / "node.iso").read_bytes()
    start = before.index(node_area()[:NODE_HEADER_BYTES])
    assert after[:start] == before[:start]
    assert after[start + NODE_BYTES :] == before[start + NODE_BYTES :]
    length = int(after[start : start + NODE_HEADER_BYTES].split()[2])
    document = after[start + NODE_HEADER_BYTES :][:length]
    assert json.loads(document)["hostname"] == "node-1"
    assert ran.results[0]["live_image_node"]["document_sha256"] == hashlib.sha256(document).hexdigest()


def test_each_run_makes_another_key(runs: PlaybookFolder) -> None:
    first = node(runs).results[0]["live_image_node"]
    second = node(runs).results[0]["live_image_node"]

    assert first["ssh_host_key"] != second["ssh_host_key"]


def test_check_mode_makes_nothing_and_finds_what_is_wrong(runs: PlaybookFolder) -> None:
    good = node(runs, "--check")
    bad = node(runs, "--check", hostname="node_1")

    assert good.results[0]["changed"] is True
    assert good.results[0]["live_image_node"]["ssh_host_key"] is None
    assert not (runs.folder / "node.iso").exists()
    assert bad.results[0]["error"]["where"] == "hostname"


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({"network": {"interfaces": []}}, "BadInput"),
        ({"authorized_keys": ["not a key"]}, "BadInput"),
        ({"dest": "/nonexistent/node.iso"}, "BadInput"),
        ({"mode": "patched"}, "BadInput"),
        ({"mode": "patched", "image": "/nonexistent.iso"}, "BadInput"),
        ({"mode": "patched", "image": "/etc/passwd"}, "BadInput"),
    ],
)
def test_what_cannot_work_is_said_before_anything_is_made(
    runs: PlaybookFolder, options: dict[str, t.Any], kind: str
) -> None:
    ran = node(runs, **options)

    assert ran.outcomes == ["failed"]
    assert ran.results[0]["error"]["type"] == kind, ran.results[0]
    assert not (runs.folder / "node.iso").exists()


def test_another_image_than_the_one_that_is_meant_is_refused(runs: PlaybookFolder) -> None:
    base = image(runs.folder)

    ran = node(runs, mode="patched", image=str(base), image_sha256="0" * 64)

    assert ran.results[0]["error"]["type"] == "VerificationFailed"
    assert not (runs.folder / "node.iso").exists()


def test_the_image_itself_is_never_written_over(runs: PlaybookFolder) -> None:
    base = image(runs.folder)
    before = base.read_bytes()

    ran = node(runs, mode="patched", image=str(base), dest=str(base))

    assert ran.results[0]["error"]["type"] == "BadInput"
    assert base.read_bytes() == before


def test_the_examples_run(runs: PlaybookFolder) -> None:
    base = image(runs.folder)
    module = (ROOT / "plugins/modules/live_image_node.py").read_text()
    examples = module.split('EXAMPLES = r"""', 1)[1].split('"""', 1)[0]
    tasks = yaml.safe_load(
        examples.replace("/srv/hearth-media/nodes", str(runs.folder)).replace(
            "/var/cache/hearth/live-image/amd64/hearth-live-amd64.iso", str(base)
        )
    )

    ran = runs.run([{**task, "delegate_to": "jump"} for task in tasks])

    assert ran.code == 0, ran.said
    assert (runs.folder / "rack1-u07.iso").exists()
    assert (runs.folder / "rack1-u08.iso").stat().st_size == base.stat().st_size
