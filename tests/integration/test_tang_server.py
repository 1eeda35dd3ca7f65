# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role tang_server with a real tangd, its filter in network namespaces, and its units judged by systemd.

This machine's first process is no systemd: what starts and enables units is not run here."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.integration.playbook_run import PlaybookFolder, Ran
from tests.integration.test_tang_keys import holder
from tests.servers.tang import TANGD, require_tang

ROLE = "hearth.datacenter.tang_server"
TEMPLATES = Path(__file__).parents[2] / "roles" / "tang_server" / "templates"


class Site:
    """A key directory, two holders of backups, and plays."""

    def __init__(self, folder: Path) -> None:
        self.runs = PlaybookFolder(folder)
        self.keys = folder / "tang"
        self.backups = folder / "backups"
        self.filter = folder / "tang.nft"
        for directory in (self.keys, self.backups):
            directory.mkdir(mode=0o700)
        self.holders: list[Path] = []
        public: list[str] = []
        for name in ("alice", "bob"):
            private, half = holder(folder, name)
            (folder / f"{name}.pub.jwk").write_text(json.dumps(half), encoding="utf-8")
            self.holders.append(private)
            public.append(str(folder / f"{name}.pub.jwk"))
        self.variables: dict[str, Any] = {
            "tang_server_install": False,
            "tang_server_service": False,
            "tang_server_keys": str(self.keys),
            "tang_server_nftables": str(self.filter),
            "tang_server_clients": ["10.65.0.2", "fd65::/64", "10.65.8.0/24"],
            "tang_server_backup_keys": public,
            "tang_server_backup_directory": str(self.backups),
        }

    def role(self, *words: str, **variables: Any) -> Ran:
        tasks = [
            {"ansible.builtin.include_role": {"name": ROLE}, "vars": {**self.variables, **variables}},
            {"ansible.builtin.debug": {"var": "tang_server_thumbprints"}},
        ]
        return self.play(tasks, *words)

    def play(self, tasks: list[dict[str, Any]], *words: str) -> Ran:
        path = self.runs.folder / "play.yml"
        path.write_text(json.dumps([{"hosts": "jump", "gather_facts": False, "tasks": tasks}]), encoding="utf-8")
        return self.runs.playbook(str(path), *words)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    require_tang()
    if shutil.which("nft") is None or os.geteuid() != 0:
        pytest.skip("nft is not installed, or this is not root")
    return Site(tmp_path)


def changed(ran: Ran) -> bool:
    assert ran.code == 0, ran.said
    return any(result.get("changed") for result in ran.results)


def test_check_run_run_again(site: Site) -> None:
    assert changed(site.role("--check", "--diff"))
    assert list(site.keys.iterdir()) == [] and list(site.backups.iterdir()) == [] and not site.filter.exists()
    first = site.role("-vvvv", "--diff")
    assert changed(first)
    assert not changed(site.role()) and not changed(site.role("--check"))
    keys = [json.loads(path.read_bytes()) for path in site.keys.iterdir()]
    assert sorted(key["alg"] for key in keys) == ["ECMR", "ES512"]
    assert not [key for key in keys if key["d"] in first.said]
    (backup,) = site.backups.iterdir()
    assert backup.stat().st_mode & 0o7777 == 0o600
    for private in site.holders:
        argv = ["jose", "jwe", "dec", "-i", str(backup), "-k", str(private), "-O-"]
        opened = json.loads(subprocess.run(argv, check=True, capture_output=True).stdout)
        assert opened["keys"] == {path.name: json.loads(path.read_bytes()) for path in site.keys.iterdir()}
    signing = next(path for path in site.keys.iterdir() if json.loads(path.read_bytes())["alg"] == "ES512")
    assert first.results[-1]["tang_server_thumbprints"] == [signing.name[: -len(".jwk")]]

    # Other keys: another backup, and the first one stays.
    subprocess.run(["/usr/libexec/tangd-keygen", str(site.keys)], check=True, capture_output=True)
    assert changed(site.role())
    assert len(list(site.backups.iterdir())) == 2 and backup.exists()

    # Nobody is kept out any more.
    assert changed(site.role(tang_server_clients=[])) and not site.filter.exists()
    assert not changed(site.role(tang_server_clients=[]))


def test_what_cannot_work_is_refused_before_anything_is_changed(site: Site) -> None:
    wrong: list[dict[str, Any]] = [
        {"tang_server_address": "tang.example.com"},
        {"tang_server_port": 0},
        {"tang_server_clients": ["10.0.0.0/24; drop"]},
        {"tang_server_clients": ["rack1"]},
        {"tang_server_backup_directory": ""},
        {"tang_server_service": True},
        {"tang_server_backup_keys": site.variables["tang_server_backup_keys"][:1]},
    ]
    for variables in wrong:
        ran = site.role(**{"tang_server_clients": [], **variables})
        assert ran.code != 0, variables
        assert list(site.keys.iterdir()) == [] and not site.filter.exists()


@pytest.fixture
def network() -> Iterator[tuple[str, str]]:
    """Two network namespaces with a wire between them: where the server is, and where two clients are."""
    server, clients = f"hearth-t{os.getpid()}", f"hearth-c{os.getpid()}"
    with ExitStack() as stack:
        for name in (server, clients):
            subprocess.run(["ip", "netns", "add", name], check=True)
            stack.callback(subprocess.run, ["ip", "netns", "del", name], check=True)
        wire = ["type", "veth", "peer", "name", "wire", "netns", clients]
        subprocess.run(["ip", "-n", server, "link", "add", "wire", *wire], check=True)
        for name, addresses in ((server, ["10.65.0.1/24"]), (clients, ["10.65.0.2/24", "10.65.0.3/24"])):
            for address in addresses:
                subprocess.run(["ip", "-n", name, "address", "add", address, "dev", "wire"], check=True)
            for link in ("lo", "wire"):
                subprocess.run(["ip", "-n", name, "link", "set", link, "up"], check=True)
        yield server, clients


ASK = """
import http.client, sys
connection = http.client.HTTPConnection("10.65.0.1", 80, timeout=3, source_address=(sys.argv[1], 0))
connection.request("GET", "/adv")
print(connection.getresponse().status)
"""


def test_the_filter_lets_clients_in_and_nobody_else(site: Site, network: tuple[str, str]) -> None:
    server, clients = network
    assert changed(site.role())

    def asks(source: str) -> bool:
        argv = ["ip", "netns", "exec", clients, sys.executable, "-c", ASK, source]
        return subprocess.run(argv, capture_output=True, check=False).stdout.strip() == b"200"

    listen = ["systemd-socket-activate", "--inetd", "-a", "-l", "10.65.0.1:80", TANGD, str(site.keys)]
    with subprocess.Popen(["ip", "netns", "exec", server, *listen], stderr=subprocess.DEVNULL) as tangd:
        try:
            deadline = time.monotonic() + 30
            while not asks("10.65.0.2"):
                assert tangd.poll() is None and time.monotonic() < deadline, "tangd does not listen"
                time.sleep(0.1)
            assert asks("10.65.0.3")
            # Twice: loading it again replaces what was loaded.
            for _time in range(2):
                load = ["ip", "netns", "exec", server, "nft", "-f", str(site.filter)]
                subprocess.run(load, check=True)
            assert asks("10.65.0.2") and not asks("10.65.0.3")
            rules = ["ip", "netns", "exec", server, "nft", "list", "ruleset"]
            said = subprocess.run(rules, check=True, capture_output=True, text=True).stdout
            assert said.count("drop") == 1 and "fd65::/64" in said
        finally:
            tangd.terminate()


def test_systemd_understands_the_units(site: Site) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    units = site.runs.folder / "units"
    (units / "tangd.socket.d").mkdir(parents=True)
    shutil.copy("/lib/systemd/system/tangd.socket", units)
    shutil.copy("/lib/systemd/system/tangd@.service", units)
    variables = {"tang_server_listen": "[fd65::1]:7500", "tang_server_nftables": "/etc/hearth-tang.nft"}
    made = {
        "tangd.socket.conf.j2": units / "tangd.socket.d" / "hearth.conf",
        "hearth-tang-firewall.service.j2": units / "hearth-tang-firewall.service",
    }
    tasks = [
        {"ansible.builtin.template": {"src": str(TEMPLATES / name), "dest": str(path)}, "vars": variables}
        for name, path in made.items()
    ]
    assert changed(site.play(tasks))
    for unit in ("tangd.socket", "hearth-tang-firewall.service"):
        judged = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", str(units / unit)], capture_output=True, text=True, check=False
        )
        ours = [line for line in judged.stderr.splitlines() if str(units) in line or "hearth" in line]
        assert judged.returncode == 0 and ours == [], judged.stderr
