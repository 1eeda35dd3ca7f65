# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options that every Redfish module shares, and the access that they describe. Documented in the fragment
hearth.datacenter._redfish.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Tuple

from .._core.endpoint import DEFAULT_PORTS, Endpoint
from .._core.errors import BadInput
from .._core.expected import Identity
from .._core.trust import Trust, parse_pin
from .._core.turn import lock_directory
from .._redfish.access import Access, Discovered
from .._redfish.credential import Credential

# YAML reads an unquoted off as false, and Ansible's own check of choices turns that back, in both front ends.
BMC_ARGUMENTS: Dict[str, Dict[str, Any]] = {
    "address": {"type": "str", "required": True},
    "username": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "credentials": {
        "type": "list",
        "elements": "dict",
        # The list itself is no secret; without this Ansible warns because of its name.
        "no_log": False,
        "options": {
            "name": {"type": "str"},
            "username": {"type": "str", "required": True},
            "password": {"type": "str", "required": True, "no_log": True},
        },
    },
    "system": {"type": "str"},
    "identity": {"type": "dict", "options": {"serial": {"type": "str"}, "uuid": {"type": "str"}}},
    "deadline": {"type": "float", "default": 60.0},
    "connect_timeout": {"type": "float", "default": 5.0},
}
"""What IPMI modules share with them."""

REDFISH_ARGUMENTS: Dict[str, Dict[str, Any]] = {
    **BMC_ARGUMENTS,
    "port": {"type": "int"},
    "scheme": {"type": "str", "choices": ["https", "http"], "default": "https"},
    "trust": {"type": "str", "choices": ["verify", "pin", "off"], "default": "verify"},
    "ca_path": {"type": "path"},
    "pins": {"type": "list", "elements": "str"},
    "platform": {"type": "str"},
    "discovered": {"type": "dict", "options": {"sessions": {"type": "str"}, "spki_sha256": {"type": "str"}}},
}

REDFISH_RULES: Dict[str, Any] = {"required_together": [("username", "password")]}
"""For Contract(**REDFISH_RULES)."""


def access_of(params: Mapping[str, Any], run_directory: Optional[str], *, locks: bool = True) -> Access:
    """The access that validated parameters describe; BadInput before anything is contacted.

    Without ``locks`` nobody takes turns, and no file is touched.
    """
    scheme = params["scheme"]
    endpoint = Endpoint(bare_address(params["address"]), params["port"] or DEFAULT_PORTS[scheme], scheme)
    return Access(
        address=endpoint.host,
        port=endpoint.port,
        scheme=endpoint.scheme,
        trust=Trust(
            params["trust"],
            ca_path=params["ca_path"],
            pins=frozenset(parse_pin(pin) for pin in params["pins"] or ()),
        ),
        credentials=credentials_of(params),
        platform=params["platform"] or "",
        discovered=discovered_of(params),
        system_id=params["system"] or "",
        deadline=seconds_of(params, "deadline"),
        connect_timeout=seconds_of(params, "connect_timeout"),
        identity=identity_of(params),
        lock_directory=lock_directory() if locks else None,
        run_directory=run_directory,
    )


def credentials_of(params: Mapping[str, Any]) -> Tuple[Credential, ...]:
    """In the order in which they are tried."""
    found: List[Credential] = []
    if params["username"]:
        found.append(Credential("default", params["username"], params["password"] or ""))
    for entry in params["credentials"] or ():
        found.append(Credential(entry["name"] or entry["username"], entry["username"], entry["password"]))
    if not found:
        raise BadInput(
            "There is no credential for this BMC.",
            expected="username and password, or credentials",
            found="neither",
            where="username, credentials",
            next="Set hearth_bmc_username and hearth_bmc_password, or hearth_bmc_credentials, in a vault.",
        )
    return tuple(found)


def identity_of(params: Mapping[str, Any]) -> Optional[Identity]:
    """What the machine is expected to be; None where nothing is."""
    said = {what: value.strip() for what, value in (params["identity"] or {}).items() if value and value.strip()}
    return Identity(**said) if said else None


def discovered_of(params: Mapping[str, Any]) -> Optional[Discovered]:
    """What discovery saw; None where it is not all there."""
    said = params["discovered"] or {}
    sessions, key = said.get("sessions"), said.get("spki_sha256")
    return Discovered(sessions, key.lower()) if sessions and key else None


def seconds_of(params: Mapping[str, Any], option: str) -> float:
    seconds = float(params[option])
    if not 0 < seconds <= 86400:
        raise BadInput(
            f"{option} is no time that can be waited.",
            expected="more than 0 and at most 86400 seconds",
            found=str(seconds),
            where=option,
        )
    return seconds


def bare_address(address: str) -> str:
    """Without the brackets that an IPv6 address has in a URL."""
    bare = address.strip()
    return bare[1:-1] if bare.startswith("[") and bare.endswith("]") else bare
