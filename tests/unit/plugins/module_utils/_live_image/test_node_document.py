# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The node's document: what is refused before it is written, and what a good one becomes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core.errors import BadInput
from ansible_collections.hearth.datacenter.plugins.module_utils._live_image.node_document import node_document

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKh4Zq0tSpJBCCMWSNIuDQ3ml1Lr0EGRHFOsmDMzqPzN operator"
MAC = "52:54:00:12:34:56"
OTHER = "52:54:00:12:34:57"


def static(**more: Any) -> dict[str, Any]:
    return {"match": {"mac": MAC}, "addresses": ["192.0.2.17/24"], **more}


def document(interfaces: list[dict[str, Any]], hostname: str = "node-1", keys: list[str] | None = None) -> Any:
    return json.loads(node_document(hostname, interfaces, [KEY] if keys is None else keys, "PRIVATE"))


def test_a_static_address_arrives_as_it_was_meant() -> None:
    given = static(match={"mac": "52-54-00-12-34-56"}, gateway="192.0.2.1", dns=["2001:db8::53"], mtu=9000)

    interfaces = document([given])["network"]["interfaces"]

    assert interfaces == [
        {
            "match": {"mac": MAC},
            "dhcp": False,
            "addresses": ["192.0.2.17/24"],
            "gateway": "192.0.2.1",
            "dns": ["2001:db8::53"],
            "mtu": 9000,
        }
    ]


def test_two_vlans_share_one_bond() -> None:
    bond = {"name": "bond0", "bond": {"members": [MAC, OTHER]}, "vlan": {"id": 20}, "addresses": ["192.0.2.17/24"]}
    second = {"name": "bond0", "vlan": {"id": 30}, "dhcp": True}

    interfaces = document([bond, second])["network"]["interfaces"]

    assert interfaces[0]["bond"] == {"members": [MAC, OTHER], "mode": "active-backup", "miimon": 100}
    assert [interface["vlan"]["name"] for interface in interfaces] == ["vlan20", "vlan30"]


@pytest.mark.parametrize(
    ("interface", "where"),
    [
        (static(addresses=["192.0.2.17"]), "addresses"),
        (static(addresses=["192.0.2.0/24"]), "addresses"),
        (static(addresses=["192.0.2.255/24"]), "addresses"),
        (static(addresses=["127.0.0.1/8"]), "addresses"),
        (static(addresses=["ff02::1/64"]), "addresses"),
        (static(addresses=["192.0.2.300/24"]), "addresses"),
        (static(gateway="192.0.2.17"), "gateway"),
        (static(gateway="2001:db8::1"), "gateway"),
        (static(dns=["resolver.example.net"]), "dns"),
        (static(mtu=100), "mtu"),
        (static(name="a-name-that-is-too-long"), "name"),
        (static(name="eth0\n[Network]"), "name"),
        (static(match={"mac": "52:54:00:12:34"}), "mac"),
        (static(match={"mac": "01:00:5e:00:00:01"}), "mac"),
        (static(vlan={"id": 0}), "id"),
        (static(vlan={"id": 4095}), "id"),
        (static(bond={"members": [OTHER]}), "interfaces[0]"),
        ({"addresses": ["192.0.2.17/24"]}, "interfaces[0]"),
        ({"name": "bond0", "dhcp": True}, "name"),
        ({"name": "bond0", "dhcp": True, "bond": {"members": []}}, "members"),
        ({"name": "bond0", "dhcp": True, "bond": {"members": [MAC, MAC]}}, "members"),
        ({"name": "bond0", "dhcp": True, "bond": {"members": [MAC], "miimon": 0}}, "miimon"),
        ({"match": {"mac": MAC}}, "interfaces"),
    ],
)
def test_an_interface_that_cannot_work_is_refused_where_it_is_wrong(interface: dict[str, Any], where: str) -> None:
    with pytest.raises(BadInput) as refused:
        document([interface])

    assert where in refused.value.where


@pytest.mark.parametrize(
    "interfaces",
    [
        [static(), static()],
        [static(vlan={"id": 20}), static(vlan={"id": 20})],
        [static(name="data0"), {"match": {"mac": OTHER}, "name": "data0", "dhcp": True}],
        [{"name": "bond0", "dhcp": True, "bond": {"members": [MAC]}}, static()],
        [
            {"name": "bond0", "dhcp": True, "bond": {"members": [MAC]}},
            {"name": "bond1", "dhcp": True, "bond": {"members": [MAC]}},
        ],
    ],
    ids=["interface", "vlan", "name", "member has addresses", "member of two bonds"],
)
def test_nothing_is_there_twice(interfaces: list[dict[str, Any]]) -> None:
    with pytest.raises(BadInput):
        document(interfaces)


@pytest.mark.parametrize("hostname", ["", "-node", "node_1", "a" * 64, "node 1", "node\n", "{{ node }}"])
def test_a_name_that_is_no_host_name_is_refused(hostname: str) -> None:
    with pytest.raises(BadInput) as refused:
        document([static()], hostname=hostname)

    assert refused.value.where == "hostname"


@pytest.mark.parametrize(
    "keys",
    [
        [],
        ["operator"],
        ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKh4 x\nssh-ed25519 AAAA"],
        ["ssh-ed25519 not-base64"],
        ["ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIKh4Zq0tSpJBCCMWSNIuDQ3ml1Lr0EGRHFOsmDMzqPzN"],
        ["ssh-dss AAAAB3NzaC1kc3MAAA=="],
        ['command="/bin/sh" ' + KEY],
    ],
)
def test_what_is_no_public_key_is_refused(keys: list[str]) -> None:
    with pytest.raises(BadInput) as refused:
        document([static()], keys=keys)

    assert refused.value.where == "authorized_keys"


def test_a_private_key_by_mistake_is_refused_and_not_repeated() -> None:
    private = "-----BEGIN OPENSSH PRIVATE KEY-----\nc2VjcmV0\n-----END OPENSSH PRIVATE KEY-----"

    with pytest.raises(BadInput) as refused:
        document([static()], keys=[private])

    assert "c2VjcmV0" not in str(refused.value.as_dict())


def test_the_same_input_is_the_same_document() -> None:
    assert node_document("a", [static()], [KEY], "K") == node_document("a", [static()], [KEY], "K")
