# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The document that tells a live system who it is: checked here, where somebody can still correct it.

On the machine, apply-node turns it into files of systemd-networkd and sshd.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import json
import re
from typing import Any, Dict, List, Mapping, Optional, Sequence, Set, Tuple

from .._core.errors import BadInput

SCHEMA = 1
FILE = "hearth-node.json"

BOND_MODES = ("active-backup", "802.3ad", "balance-xor", "balance-rr", "broadcast", "balance-tlb", "balance-alb")

_HOSTNAME = re.compile(
    r"(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*"
)
_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
_INTERFACE = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,14}")
_KEY_TYPE = re.compile(r"(sk-)?(ssh-ed25519|ecdsa-sha2-nistp(256|384|521))(@openssh\.com)?|ssh-rsa")


def node_document(
    hostname: str, interfaces: Sequence[Mapping[str, Any]], authorized_keys: Sequence[str], ssh_host_key: str
) -> bytes:
    """The document's bytes. Raises BadInput with the place of what is wrong."""
    if not _HOSTNAME.fullmatch(hostname):
        raise _wrong("hostname", "a host name of RFC 1123", hostname)
    document = {
        "schema": SCHEMA,
        "hostname": hostname,
        "network": {"interfaces": checked_interfaces(interfaces)},
        "authorized_keys": [checked_key(key) for key in authorized_keys],
        "ssh_host_key": ssh_host_key,
    }
    if not authorized_keys:
        raise _wrong("authorized_keys", "at least one public key: there is no other way in", "none")
    return json.dumps(document, sort_keys=True).encode("utf-8")


def checked_key(key: str) -> str:
    """One line of authorized_keys without options."""
    line = key.strip()
    words = line.split(None, 2)
    if "PRIVATE KEY" in line:
        # The message must not show what was given.
        raise _wrong("authorized_keys", "a public key", "a private key")
    if "\n" in line or len(words) < 2 or not _KEY_TYPE.fullmatch(words[0]):
        raise _wrong(
            "authorized_keys", "ssh-ed25519, ecdsa-sha2-…, sk-… or ssh-rsa and the key, on one line", line[:60]
        )
    try:
        blob = base64.b64decode(words[1], validate=True)
    except binascii.Error as error:
        raise _wrong("authorized_keys", "a key in base64", f"{words[1][:40]}: {error}") from error
    kind = words[0].encode("ascii")
    if blob[: 4 + len(kind)] != len(kind).to_bytes(4, "big") + kind:
        raise _wrong("authorized_keys", f"a key of type {words[0]}", f"{words[1][:40]}: another type or cut off")
    return line


def checked_interfaces(interfaces: Sequence[Mapping[str, Any]]) -> List[Dict[str, Any]]:
    """The interfaces, in the form that apply-node reads, without what was not set."""
    checked = [_interface(index, interface) for index, interface in enumerate(interfaces)]
    if not any(interface.get("dhcp") or interface.get("addresses") for interface in checked):
        raise _wrong("network.interfaces", "at least one interface with addresses or DHCP", "none")
    _no_two_alike(checked)
    return checked


def _interface(index: int, given: Mapping[str, Any]) -> Dict[str, Any]:
    where = f"network.interfaces[{index}]"
    interface: Dict[str, Any] = {"dhcp": bool(given.get("dhcp"))}
    mac = (given.get("match") or {}).get("mac")
    bond = given.get("bond")
    name = given.get("name")
    if mac and bond:
        raise _wrong(where, "match of one interface, or a bond with its members", "both")
    if not mac and not name:
        raise _wrong(where, "match.mac, or the name of a bond", "neither")
    if mac:
        interface["match"] = {"mac": _mac(f"{where}.match.mac", mac)}
    if name:
        interface["name"] = _name(f"{where}.name", name)
    if bond:
        interface["bond"] = _bond(f"{where}.bond", bond)
    if given.get("vlan"):
        interface["vlan"] = _vlan(f"{where}.vlan", given["vlan"])
    if given.get("mtu") is not None:
        if not 576 <= given["mtu"] <= 65535:
            raise _wrong(f"{where}.mtu", "576 to 65535 bytes", given["mtu"])
        interface["mtu"] = given["mtu"]
    addresses = [_address(f"{where}.addresses", address) for address in given.get("addresses") or ()]
    if addresses:
        interface["addresses"] = addresses
    if given.get("gateway"):
        interface["gateway"] = _gateway(f"{where}.gateway", given["gateway"], addresses)
    servers = [str(_ip(f"{where}.dns", server)) for server in given.get("dns") or ()]
    if servers:
        interface["dns"] = servers
    return interface


def _bond(where: str, bond: Mapping[str, Any]) -> Dict[str, Any]:
    members = [_mac(f"{where}.members", mac) for mac in bond.get("members") or ()]
    if not members or len(set(members)) != len(members):
        raise _wrong(f"{where}.members", "one MAC address or more, none twice", ", ".join(members) or "none")
    mode = bond.get("mode") or BOND_MODES[0]
    if mode not in BOND_MODES:
        raise _wrong(f"{where}.mode", ", ".join(BOND_MODES), mode)
    interval = 100 if bond.get("miimon") is None else bond["miimon"]
    if not 0 < interval <= 10000:
        raise _wrong(f"{where}.miimon", "1 to 10000 milliseconds", interval)
    return {"members": members, "mode": mode, "miimon": interval}


def _vlan(where: str, vlan: Mapping[str, Any]) -> Dict[str, Any]:
    if not 1 <= vlan["id"] <= 4094:
        raise _wrong(f"{where}.id", "1 to 4094", vlan["id"])
    return {"id": vlan["id"], "name": _name(f"{where}.name", vlan.get("name") or f"vlan{vlan['id']}")}


def _no_two_alike(interfaces: Sequence[Mapping[str, Any]]) -> None:
    """Two entries may share what is below their VLANs, and nothing else."""
    seen: Set[Tuple[str, Optional[int]]] = set()
    names: Dict[str, str] = {}
    bonds = {interface["name"] for interface in interfaces if "bond" in interface}
    members = [mac for interface in interfaces for mac in (interface.get("bond") or {}).get("members", ())]
    for index, interface in enumerate(interfaces):
        where = f"network.interfaces[{index}]"
        mac = (interface.get("match") or {}).get("mac")
        below = mac or interface["name"]
        if not mac and below not in bonds:
            raise _wrong(f"{where}.name", "a bond that an entry defines with its members", below)
        if mac in members:
            raise _wrong(f"{where}.match.mac", "an interface that is in no bond", mac)
        vlan = interface.get("vlan")
        key = (below, vlan["id"] if vlan else None)
        if key in seen:
            raise _wrong(where, "each interface and each VLAN on it once", f"{below} twice")
        seen.add(key)
        for name in filter(None, (interface.get("name"), (vlan or {}).get("name"))):
            owner = below if name == interface.get("name") else f"{below} vlan"
            if names.setdefault(name, owner) != owner:
                raise _wrong(where, "a name for one interface only", name)
    if len(set(members)) != len(members):
        raise _wrong("network.interfaces", "an interface in one bond only", ", ".join(sorted(members)))


def _address(where: str, text: str) -> str:
    try:
        address = ipaddress.ip_interface(text)
    except ValueError as error:
        raise _wrong(where, "an address with its prefix length, like 192.0.2.17/24", text) from error
    if "/" not in text or address.ip.is_unspecified or address.ip.is_multicast or address.ip.is_loopback:
        raise _wrong(where, "an address of a host with its prefix length, like 192.0.2.17/24", text)
    if (
        address.version == 4
        and address.network.prefixlen < 31
        and address.ip
        in (
            address.network.network_address,
            address.network.broadcast_address,
        )
    ):
        raise _wrong(where, f"an address of a host in {address.network}", text)
    return str(address)


def _gateway(where: str, text: str, addresses: Sequence[str]) -> str:
    gateway = _ip(where, text)
    if not any(ipaddress.ip_interface(address).version == gateway.version for address in addresses):
        raise _wrong(where, "an address of the same kind (IPv4, IPv6) on this interface", f"{text} without one")
    if any(ipaddress.ip_interface(address).ip == gateway for address in addresses):
        raise _wrong(where, "another address than the node's own", text)
    return str(gateway)


def _ip(where: str, text: str) -> Any:
    try:
        return ipaddress.ip_address(text)
    except ValueError as error:
        raise _wrong(where, "an IP address", text) from error


def _mac(where: str, text: str) -> str:
    mac = text.strip().lower().replace("-", ":")
    if not _MAC.fullmatch(mac) or int(mac[:2], 16) & 1 or mac == "00:00:00:00:00:00":
        raise _wrong(
            where,
            'a MAC address of one interface in quotes (YAML reads some as numbers), like "52:54:00:12:34:56"',
            text,
        )
    return mac


def _name(where: str, text: str) -> str:
    if not _INTERFACE.fullmatch(text):
        raise _wrong(where, "an interface name of at most 15 letters, digits, dots, dashes and underscores", text)
    return text


def _wrong(where: str, expected: str, found: object) -> BadInput:
    return BadInput(
        f"{where} is not usable",
        expected=expected,
        found=str(found),
        where=where,
        next="Correct it; nothing has been written.",
    )
