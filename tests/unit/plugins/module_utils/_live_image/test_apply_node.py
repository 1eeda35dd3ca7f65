# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What apply-node makes of a document on the machine: files that networkd, udev and sshd read."""

from __future__ import annotations

import configparser
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._live_image.node_document import node_document

PROGRAM = Path(__file__).parents[5] / "roles/live_image/files/root/usr/lib/hearth/apply-node"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKh4Zq0tSpJBCCMWSNIuDQ3ml1Lr0EGRHFOsmDMzqPzN operator"
MAC = "52:54:00:12:34:56"
OTHER = "52:54:00:12:34:57"


class Applied:
    def __init__(self, root: Path, done: subprocess.CompletedProcess[str]) -> None:
        self.root = root
        self.code = done.returncode
        self.said = done.stdout + done.stderr

    def unit(self, name: str) -> configparser.ConfigParser:
        parser = configparser.ConfigParser(strict=False)
        parser.optionxform = str  # type: ignore[assignment, method-assign]
        parser.read_string((self.root / "etc/systemd/network" / name).read_text())
        return parser

    def names(self) -> list[str]:
        return sorted(path.name for path in (self.root / "etc/systemd/network").glob("*"))


def apply(folder: Path, text: bytes) -> Applied:
    given = folder / "node.json"
    given.write_bytes(text)
    root = folder / "root"
    root.mkdir()
    done = subprocess.run(
        [sys.executable, "-IS", str(PROGRAM), str(given), str(root)], capture_output=True, text=True, check=False
    )
    return Applied(root, done)


def document(*interfaces: dict[str, Any]) -> bytes:
    return node_document("node-1", interfaces, [KEY], "PRIVATE\n")


def test_a_static_address(tmp_path: Path) -> None:
    done = apply(
        tmp_path,
        document(
            {
                "match": {"mac": MAC},
                "name": "data0",
                "addresses": ["192.0.2.17/24", "2001:db8::17/64"],
                "gateway": "192.0.2.1",
                "dns": ["192.0.2.53"],
                "mtu": 9000,
            }
        ),
    )

    assert done.code == 0, done.said
    assert done.names() == ["30-hearth-000.link", "30-hearth-000.network"]
    assert done.unit("30-hearth-000.link")["Link"]["Name"] == "data0"
    network = (done.root / "etc/systemd/network/30-hearth-000.network").read_text()
    assert f"PermanentMACAddress={MAC}" in network
    assert "Address=192.0.2.17/24\nAddress=2001:db8::17/64\nDNS=192.0.2.53" in network
    assert done.unit("30-hearth-000.network")["Route"]["Gateway"] == "192.0.2.1"
    assert done.unit("30-hearth-000.network")["Link"]["MTUBytes"] == "9000"


def test_a_vlan_on_a_bond(tmp_path: Path) -> None:
    done = apply(
        tmp_path,
        document(
            {
                "name": "bond0",
                "bond": {"members": [MAC, OTHER], "mode": "802.3ad"},
                "vlan": {"id": 20},
                "addresses": ["192.0.2.17/24"],
            },
            {"name": "bond0", "vlan": {"id": 30, "name": "storage"}, "dhcp": True},
        ),
    )

    assert done.code == 0, done.said
    bond = done.unit("30-hearth-000.netdev")
    assert (bond["NetDev"]["Name"], bond["NetDev"]["Kind"], bond["Bond"]["Mode"]) == ("bond0", "bond", "802.3ad")
    below = (done.root / "etc/systemd/network/30-hearth-000.network").read_text()
    assert "VLAN=vlan20\nVLAN=storage\n" in below
    assert "\nAddress=" not in below
    for member, mac in enumerate((MAC, OTHER)):
        unit = done.unit(f"30-hearth-000-{member:02d}.network")
        assert (unit["Match"]["PermanentMACAddress"], unit["Network"]["Bond"]) == (mac, "bond0")
    assert done.unit("30-hearth-vlan20.netdev")["VLAN"]["Id"] == "20"
    assert done.unit("30-hearth-vlan20.network")["Network"]["Address"] == "192.0.2.17/24"
    assert done.unit("30-hearth-storage.network")["Network"]["DHCP"] == "yes"


def test_keys_are_where_sshd_reads_them_and_the_document_is_gone(tmp_path: Path) -> None:
    done = apply(tmp_path, document({"match": {"mac": MAC}, "dhcp": True}))

    host_key = done.root / "etc/ssh/ssh_host_ed25519_key"
    assert host_key.read_text() == "PRIVATE\n"
    assert host_key.stat().st_mode & 0o777 == 0o600
    assert (done.root / "root/.ssh/authorized_keys").read_text() == KEY + "\n"
    assert (done.root / "etc/hostname").read_text() == "node-1\n"
    assert (done.root / "run/hearth/node-applied").exists()
    assert not (tmp_path / "node.json").exists()


def _with(change: dict[str, Any]) -> bytes:
    good = json.loads(document({"match": {"mac": MAC}, "dhcp": True}))
    return json.dumps({**good, **change}).encode()


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b'{"schema": 2}',
        _with({"hostname": "../../etc/passwd"}),
        _with({"authorized_keys": ["one\ntwo"]}),
        _with({"authorized_keys": None}),
        _with({"network": {"interfaces": [{"match": {"mac": "x"}, "dhcp": True}]}}),
        _with({"network": {"interfaces": [{"match": {"mac": MAC}, "name": "../x", "dhcp": True}]}}),
        _with({"network": {"interfaces": [{"match": {"mac": MAC}, "addresses": ["1.2.3.4/24\n[Route]"]}]}}),
    ],
)
def test_a_document_that_nobody_checked_lets_nobody_in(tmp_path: Path, text: bytes) -> None:
    done = apply(tmp_path, text)

    assert done.code == 1
    assert "nobody can log in" in done.said
    assert not list(done.root.rglob("*"))
