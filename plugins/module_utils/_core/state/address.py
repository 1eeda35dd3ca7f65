# Copyright: (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a BMC's address is written in the state store: ``host:port``, one spelling for one endpoint."""

from __future__ import annotations

import ipaddress

from ..errors import BadInput


def store_address(host: str, port: int = 443) -> str:
    """``10.0.0.7:443``, ``[fd00::7]:443``, ``bmc7.example.net:443``: IPv6 short and in brackets, names in lower case.

    ``host`` is an address (IPv6 with or without brackets) or a name, never a URL.
    """
    bare = host.strip()
    if bare.startswith("[") and bare.endswith("]"):
        bare = bare[1:-1]
    if not 0 < port < 65536:
        raise BadInput("This is no port of a BMC.", expected="1 to 65535", found=str(port), where=host)
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        name = bare.lower().rstrip(".")
        if not name or not all(letter.isalnum() or letter in "-._" for letter in name):
            raise BadInput(
                "This is no address of a BMC.",
                expected="an IP address or a host name, without scheme, port and path",
                found=ascii(host),
                where="address",
            ) from None
        return f"{name}:{port}"
    if address.version == 6:
        return f"[{address}]:{port}"
    return f"{address}:{port}"
