# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From hosts that discovery left in ``bmc_unpinned`` to the pins that an operator wants for them.

PRIVATE to the collection.
"""

from __future__ import annotations

import ipaddress
import re
import typing as t

from ansible.errors import AnsibleFilterError

from ..module_utils._core.errors import HearthError
from ..module_utils._core.state.address import store_address

_WITH_PORT = re.compile(r"(?P<host>.+):(?P<port>[0-9]{1,5})")


def unpinned_bmcs(hosts: t.Iterable[t.Any]) -> list[dict[str, t.Any]]:
    """The BMCs behind these hosts that showed a key which nobody pinned, each endpoint once."""
    found: dict[str, dict[str, t.Any]] = {}
    for host in hosts:
        if not isinstance(host, t.Mapping):
            raise AnsibleFilterError(f"unpinned_bmcs needs the variables of hosts, and got a {type(host).__name__}")
        bmc = host.get("hearth_bmc") or {}
        fingerprint = bmc.get("fingerprint") or {}
        # Without a key there is nothing to pin: plain HTTP, or IPMI only.
        if bmc.get("state") != "unpinned" or not fingerprint.get("spki_sha256"):
            continue
        error = bmc.get("error") or {}
        endpoint = store_address(str(bmc["address"]), int(bmc["port"]))
        found.setdefault(
            endpoint,
            {
                "host": str(host.get("inventory_hostname") or ""),
                "address": str(bmc["address"]),
                "port": int(bmc["port"]),
                "endpoint": endpoint,
                "vendor": bmc.get("vendor") or "",
                "product": bmc.get("product") or "",
                "key": f"spki-sha256:{fingerprint['spki_sha256']}",
                "observed": [f"{kind}-sha256:{fingerprint[f'{kind}_sha256']}" for kind in ("spki", "cert")],
                "changed": error.get("type") == "PinMismatch",
                "pinned": error.get("expected") or "" if error.get("type") == "PinMismatch" else "",
            },
        )
    return list(found.values())


def bmc_pins(
    bmcs: t.Iterable[t.Mapping[str, t.Any]], keys: t.Any = None, comment: str | None = None
) -> list[dict[str, t.Any]]:
    """What the module bmc_pin takes as ``pins``: the keys that these BMCs showed, or those of a list (see the
    filter)."""
    listed = _by_endpoint_and_host(keys) if keys is not None else None
    pins = []
    for bmc in bmcs:
        key = bmc["key"]
        if listed is not None:
            key = listed.get(bmc["endpoint"]) or listed.get(bmc["endpoint"].rpartition(":")[0])
        if key:
            pins.append(
                {
                    "address": bmc["address"],
                    "port": bmc["port"],
                    "key": key,
                    "observed": list(bmc["observed"]),
                    "comment": comment,
                }
            )
    return pins


def _by_endpoint_and_host(keys: t.Any) -> dict[str, str]:
    """An operator's list, under ``host:port`` where it says a port, else under the host alone."""
    if not isinstance(keys, t.Mapping):
        raise AnsibleFilterError(
            f"pin_bmcs_keys must map addresses to fingerprints, for example {{10.20.0.17: 'spki-sha256:…'}};"
            f" it is a {type(keys).__name__}"
        )
    listed: dict[str, str] = {}
    for written, key in keys.items():
        place = _place(str(written))
        if listed.setdefault(place, str(key)) != str(key):
            raise AnsibleFilterError(f"pin_bmcs_keys has two fingerprints for {place}")
    return listed


def _place(written: str) -> str:
    host = written.strip()
    port = _WITH_PORT.fullmatch(host)
    try:
        if _is_address(host) or port is None:
            return store_address(host).rpartition(":")[0]
        return store_address(port["host"], int(port["port"]))
    except HearthError as error:
        raise AnsibleFilterError(
            f"pin_bmcs_keys has an address that cannot be read: {written!r} ({error.msg}; expected {error.expected})"
        ) from error


def _is_address(text: str) -> bool:
    """Whether all of it is one address: fd00::7 ends with :7, which is no port."""
    try:
        ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return False
    return True
