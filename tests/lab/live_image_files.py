# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The live image for scenarios: built by the role as a user builds it, cached outside the checkout."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.integration.playbook_run import PlaybookFolder, Ran
from tests.lab.plain_machine import ADDRESS, MAC, NODE_ADDRESS, NODE_GATEWAY, PlainMachine
from tests.toolchain.places import CACHE

IMAGES = CACHE / "live-image"


@dataclass(frozen=True)
class LiveImage:
    """A built image."""

    iso: Path
    manifest: dict[str, Any]


@dataclass(frozen=True)
class Node:
    """One machine's medium, the key that it shows and the key that opens it."""

    medium: Path
    host_key: str
    document_sha256: str
    operator_key: Path


class Builder:
    """Runs the role and the modules on this machine."""

    def __init__(self, folder: Path) -> None:
        self.runs = PlaybookFolder(folder)
        self.folder = folder

    def role(self, *words: str, timeout: float = 3600, **variables: Any) -> Ran:
        """The role with these variables; default is the cache of this machine."""
        given = {"live_image_directory": str(IMAGES), **variables}
        play = [
            {
                "hosts": "jump",
                "gather_facts": False,
                "roles": [{"role": "hearth.datacenter.live_image", "vars": given}],
            }
        ]
        return self._play(play, *words, timeout=timeout)

    def image(self, architecture: str = "amd64", **variables: Any) -> LiveImage:
        """The image, built if it is not there."""
        ran = self.role(live_image_architecture=architecture, **variables)
        if ran.code != 0:
            raise RuntimeError(f"the live image was not built:\n{ran.said[-4000:]}")
        directory = Path(variables.get("live_image_directory", IMAGES)) / architecture
        name = f"hearth-live-{architecture}"
        manifest = json.loads((directory / f"{name}.manifest.json").read_text())
        return LiveImage(directory / manifest["iso"]["file"], manifest)

    def node(self, name: str, **options: Any) -> Node:
        """A medium for the plain machine. Its document's SHA-256 has a byte that is a line feed.

        The initrd hands that digest to the TPM as bytes, through a shell: what goes wrong at a line feed would show
        with one document of nine only.
        """
        key = self.folder / "operator"
        if not key.exists():
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
        interface = {"match": {"mac": MAC}, "name": "data0", "addresses": [NODE_ADDRESS], "gateway": NODE_GATEWAY}
        task = {
            "hearth.datacenter.live_image_node": {
                "dest": str(self.folder / f"{name}.iso"),
                "hostname": name,
                "network": {"interfaces": [interface]},
                "authorized_keys": [key.with_suffix(".pub").read_text().strip()],
                **options,
            },
            # Each is another one, for its host key is.
            "register": "made",
            "until": "made.live_image_node.document_sha256 is match('(..)*0a')",
            "retries": 200,
            "delay": 0,
        }
        ran = self._play([{"hosts": "jump", "gather_facts": False, "tasks": [task]}], timeout=600)
        if ran.code != 0:
            raise RuntimeError(f"the node's medium was not made:\n{ran.said[-4000:]}")
        made = ran.results[-1]["live_image_node"]
        return Node(Path(made["path"]), made["ssh_host_key"], made["document_sha256"], key)

    def verdict(self, image: LiveImage, node: Node, machine: PlainMachine, **options: Any) -> dict[str, Any]:
        """The result of the verdict's task on a machine that answers, for a TPM that nobody certified."""
        arguments = {
            "manifest": str(image.iso.with_suffix(".manifest.json")),
            "node_document_sha256": node.document_sha256,
            "ek_key_sha256": ["0" * 64],
            **options,
        }
        variables = {
            "ansible_connection": "ssh",
            "ansible_host": ADDRESS,
            "ansible_port": machine.port,
            "ansible_user": "root",
            "ansible_ssh_private_key_file": str(node.operator_key),
            "ansible_ssh_common_args": f"-F none -o UserKnownHostsFile={machine.folder / 'known_hosts'}",
            "ansible_host_key_checking": True,
            "ansible_pipelining": True,
            "ansible_python_interpreter": "/usr/bin/python3",
            "ansible_timeout": 120,
        }
        task = {"hearth.datacenter.live_image_verdict": arguments, "ignore_errors": True}
        play = [{"hosts": "jump", "gather_facts": False, "vars": variables, "tasks": [task]}]
        ran = self._play(play, timeout=900)
        if not ran.results:
            raise RuntimeError(f"the verdict's task did not end:\n{ran.said[-4000:]}")
        return ran.results[-1]

    def _play(self, play: list[dict[str, Any]], *words: str, timeout: float) -> Ran:
        path = self.folder / "play.yml"
        path.write_text(json.dumps(play))
        (self.folder / "results.jsonl").unlink(missing_ok=True)
        done = subprocess.run(
            ["ansible-playbook", "-i", str(self.folder / "inventory.yml"), str(path), *words],
            cwd=self.folder,
            env=self.runs.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        return self.runs.ran(done.returncode, done.stdout + done.stderr)
