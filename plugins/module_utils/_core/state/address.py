# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a BMC's address is written in the state store: ``host:port``, one spelling for one endpoint."""

from __future__ import annotations

import ipaddress

from ..endpoint import Endpoint


def store_address(host: str, port: int = 443) -> str:
    """``10.0.0.7:443``, ``[fd00::7]:443``, ``bmc7.example.net:443``: IPv6 short and in brackets, names in lower case.

    ``host`` is an address (IPv6 with or without brackets) or a name; what is neither, a URL say, is BadInput.
    """
    bare = host.strip()
    if bare.startswith("[") and bare.endswith("]"):
        bare = bare[1:-1]
    try:
        bare = str(ipaddress.ip_address(bare))
    except ValueError:
        bare = bare.lower().rstrip(".")
    return Endpoint(bare, port).key
