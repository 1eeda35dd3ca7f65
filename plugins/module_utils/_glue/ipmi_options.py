# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options that every IPMI module shares, and the access that they describe. Documented in the fragment
hearth.datacenter._ipmi. What can be the same as with Redfish is the same.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional

from .._core import identity
from .._core.errors import BadInput
from .._core.expected import NO_EXPECTATION, Claim, Identity, refuse_another
from .._core.turn import lock_directory
from .._ipmi.access import PORT, Access, Connection
from .._ipmi.child.login import OPERATOR, USER
from .._ipmi.reading import Reading
from .._ipmi.session import Login, check_login
from .redfish_options import (
    BMC_ARGUMENTS,
    REDFISH_RULES,
    bare_address,
    credentials_of,
    identity_of,
    seconds_of,
)

IPMI_ARGUMENTS: Dict[str, Dict[str, Any]] = {
    **BMC_ARGUMENTS,
    "port": {"type": "int", "default": PORT},
    "cipher_suites": {"type": "list", "elements": "int", "choices": [17, 3], "default": [17, 3]},
}

IPMI_RULES: Dict[str, Any] = {"required_together": REDFISH_RULES["required_together"]}
"""For Contract(**IPMI_RULES)."""


def access_of(params: Mapping[str, Any], run_directory: Optional[str]) -> Access:
    """The access that validated parameters describe; BadInput before anything is contacted."""
    address, port = bare_address(params["address"]), int(params["port"])
    if not address or not 0 < port < 65536 or any(sign in address for sign in "/@ \x00"):
        raise BadInput(
            "This is no address of a BMC.",
            expected="an IP address or a name, and a UDP port",
            found=ascii(f"{address[:80]} port {port}"),
            where="address, port",
        )
    logins = tuple(Login(one.username, one.password, one.name) for one in credentials_of(params))
    for login in logins:
        check_login(login, f"credential {login.name}")
    return Access(
        address=address,
        port=port,
        credentials=logins,
        suites=tuple(params["cipher_suites"]),
        deadline=seconds_of(params, "deadline"),
        connect_timeout=seconds_of(params, "connect_timeout"),
        lock_directory=lock_directory(),
        run_directory=run_directory,
    )


def confirm(connection: Connection, expected: Optional[Identity]) -> None:
    """Before anything is changed: IdentityMismatch where the machine is not the expected one; no expectation, a
    warning."""
    if expected is None:
        connection.warn(NO_EXPECTATION)
        return
    refuse_another(expected, claim(connection.read()), connection.access.where)


def claim(reading: Reading) -> Claim:
    """What may stand on this machine's label: every serial number of its FRU data, and its UUID."""
    names = ("Serial Number", "Chassis serial number", "Board serial number")
    said: List[Optional[str]] = [identity.serial(reading.fru.get(name)) for name in names]
    return Claim([one for one in said if one], identity.uuid(reading.system_guid))


__all__ = ["CHANGE", "IPMI_ARGUMENTS", "IPMI_RULES", "READ", "access_of", "claim", "confirm", "identity_of"]

READ, CHANGE = USER, OPERATOR
"""Privilege levels: what reads, and what switches or sets."""
