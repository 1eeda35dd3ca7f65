# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A site's authority, made by the role site_ca: on one host the authority, on others what it issues."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import yaml

from tests.integration.playbook_run import PlaybookFolder, Ran
from tests.servers.softhsm import MODULE, SoftToken, configure, new_token
from tests.toolchain.collection_tree import link_development_tree
from tests.toolchain.peer_collections import NoSuchPeer, provide

SECRET = "canary-of-the-root-key-0815"
ENGINES = list(Path("/usr/lib").glob("*/engines-3/pkcs11.so"))
TMPFS = Path("/dev/shm")

# Writes down with which arguments and in which environment a program was started, and becomes it.
_WITNESS = """#!/bin/sh
{{ printf '%s\\n' "$0" "$@"; env; }} >> {log}
exec {program} "$@"
"""


def lacking(store: str) -> str:
    """What this machine lacks to make an authority in such a store."""
    missing = [name for name in ("openssl", "p11tool") if shutil.which(name) is None]
    if store == "pkcs11" and not (ENGINES and MODULE.exists() and shutil.which("softhsm2-util")):
        missing.append("libengine-pkcs11-openssl and softhsm2")
    if store == "pkcs11" and not os.access(TMPFS, os.W_OK):
        missing.append(str(TMPFS))
    try:
        provide(["community.crypto"])
    except NoSuchPeer as error:
        missing.append(str(error))
    return f"not here: {', '.join(missing)}" if missing else ""


class SiteCa(PlaybookFolder):
    """One authority on the host `ca`; `media` and `verifier` ask it for certificates."""

    within = 600.0

    def __init__(self, folder: Path, store: str) -> None:
        super().__init__(folder)
        self.directory = folder / "ca"
        self.certificates = folder / "certificates"
        self.witnessed = folder / "witnessed"
        self.token: SoftToken | None = None
        self.place = Path(tempfile.mkdtemp(prefix="hearth-site-ca-", dir=TMPFS))
        hosts = {
            host: {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
            for host in ("ca", "media", "verifier", *(f"wrong{number}" for number in range(8)))
        }
        (folder / "inventory.yml").write_text(yaml.safe_dump({"all": {"hosts": hosts}}))
        self.variables: dict[str, Any] = {
            "site_ca_name": f"Rack CA in a {store}",
            "site_ca_directory": str(self.directory),
            "site_ca_certificate_directory": str(self.certificates),
            "site_ca_store": store,
            "site_ca_install": False,
            "site_ca_host": "ca",
        }
        if store == "pkcs11":
            self._make_token()
        else:
            self.variables["site_ca_passphrase"] = SECRET
        self._stand_witness("openssl")
        self._stand_witness("p11tool")

    def _make_token(self) -> None:
        self.token = new_token(configure(self.folder / "softhsm"), "site", SECRET)
        command = ["p11tool", "--provider", str(MODULE), "--login", "--set-pin", SECRET, "--outfile", os.devnull]
        command += ["--generate-privkey=ecdsa", "--curve=secp384r1", "--label", "root", "pkcs11:token=site"]
        subprocess.run(command, check=True, capture_output=True, env=self.token.environment)
        self.pin_file("pin", SECRET)
        self.variables |= {
            "site_ca_token_module": str(MODULE),
            "site_ca_token": "site",
            "site_ca_token_key": "root",
            "site_ca_token_pin_file": str(self.place / "pin"),
        }

    def pin_file(self, name: str, text: str, mode: int = 0o600) -> Path:
        file = self.place / name
        file.unlink(missing_ok=True)
        file.touch(mode=0o600)
        file.write_text(text)
        file.chmod(mode)
        return file

    def _stand_witness(self, program: str) -> None:
        witness = self.folder / "bin" / program
        witness.parent.mkdir(exist_ok=True)
        witness.write_text(_WITNESS.format(log=self.witnessed, program=shutil.which(program)))
        witness.chmod(0o755)

    def environment(self, **more: str) -> dict[str, str]:
        there = super().environment()
        there["PATH"] = f"{self.folder / 'bin'}:{there['PATH']}"
        there["ANSIBLE_COLLECTIONS_PATH"] = f"{link_development_tree()}:{provide(['community.crypto'])}"
        if self.token:
            there["SOFTHSM2_CONF"] = str(self.token.configuration)
        return {**there, **more}

    def main(self, *words: str, **variables: Any) -> Ran:
        return self.plays([self._play("ca", "main", variables)], *words)

    def issue(self, hosts: str, certificates: list[dict[str, Any]], *words: str, **variables: Any) -> Ran:
        return self.plays([self._play(hosts, "issue", {"site_ca_certificates": certificates, **variables})], *words)

    def everything(self, certificates: list[dict[str, Any]], *words: str, **variables: Any) -> Ran:
        """The authority, and certificates for `media`."""
        wanted = {"site_ca_certificates": certificates, **variables}
        return self.plays([self._play("ca", "main", variables), self._play("media", "issue", wanted)], *words)

    def wrong(self, entry: str, each: list[dict[str, Any]]) -> tuple[Ran, list[str]]:
        """Several mistakes in one run, each on a host of its own, and what was said to each of them."""
        hosts = [f"wrong{number}" for number in range(len(each))]
        play = self._play(
            ",".join(hosts), entry, {"site_ca_host": "{{ inventory_hostname }}" if entry == "main" else "ca"}
        )
        names = {name for one in each for name in one}
        known = {name: self.variables[name] for name in names if name in self.variables}
        play["tasks"][0]["vars"] |= {name: f"{{{{ mistakes[inventory_hostname].{name} }}}}" for name in names}
        play["vars"] = {"mistakes": {host: {**known, **one} for host, one in zip(hosts, each, strict=True)}}
        ran = self.plays([play])
        said = dict(zip(ran.hosts, ran.results, strict=True))
        return ran, [str(said[host]) for host in hosts]

    def _play(self, hosts: str, entry: str, variables: dict[str, Any]) -> dict[str, Any]:
        role = {"name": "hearth.datacenter.site_ca", "tasks_from": entry}
        tasks: list[dict[str, Any]] = [{"ansible.builtin.include_role": role, "vars": variables}]
        if entry == "issue":
            tasks.append({"ansible.builtin.debug": {"var": "site_ca_issued"}})
        # Each host has a directory of its own below: they are all this machine.
        variables.setdefault("site_ca_certificate_directory", f"{self.certificates}/{{{{ inventory_hostname }}}}")
        return {"hosts": hosts, "gather_facts": False, "vars_files": ["variables.yml"], "tasks": tasks}

    def plays(self, plays: list[dict[str, Any]], *words: str) -> Ran:
        (self.folder / "variables.yml").write_text(yaml.safe_dump(self.variables))
        (self.folder / "play.yml").write_text(json.dumps(plays))
        return self.playbook(str(self.folder / "play.yml"), *words)

    def files(self) -> dict[str, str]:
        """What is kept, and with which mode."""
        return {
            str(path.relative_to(self.folder)): f"{stat.S_IMODE(path.stat().st_mode):04o}"
            for top in (self.directory, self.certificates)
            for path in sorted(top.rglob("*"))
            if path.is_file()
        }

    def end(self) -> None:
        shutil.rmtree(self.place)


def changed(ran: Ran) -> dict[str, int]:
    """Host → tasks that changed something, as the recap counts them."""
    return {host: int(count) for host, count in re.findall(r"^(\S+)\s+: ok=.*?changed=(\d+)", ran.said, re.MULTILINE)}
