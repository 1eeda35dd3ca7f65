# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All platforms, and which one a BMC is.

A new one: write a file beside this one, import it here, put it before those whose signs it shares.
"""

from __future__ import annotations

import re
from typing import Any, Mapping, Tuple

from .ami import ASROCKRACK, ASUS, GIGABYTE, MEGARAC
from .dell import IDRAC9, IDRAC10
from .fujitsu import IRMC
from .generic import GENERIC
from .hpe import ILO4, ILO5, ILO6, ILO7
from .intel import INTEL
from .lenovo import XCC, XCC3
from .nvidia import BLUEFIELD, DGX_H100, GB200, GH200, NVIDIA, NVSWITCH
from .openbmc import OPENBMC
from .record import Platform, Sign
from .supermicro import SUPERMICRO
from .sushy_tools import SUSHY_TOOLS

# The first record with a sign that fits wins: the particular before the general.
PLATFORMS: Tuple[Platform, ...] = (
    ILO7,
    ILO6,
    ILO4,
    ILO5,
    IDRAC10,
    IDRAC9,
    XCC3,
    XCC,
    SUPERMICRO,
    BLUEFIELD,
    GB200,
    GH200,
    NVSWITCH,
    NVIDIA,
    DGX_H100,
    GIGABYTE,
    ASROCKRACK,
    ASUS,
    MEGARAC,
    IRMC,
    INTEL,
    OPENBMC,
    SUSHY_TOOLS,
    GENERIC,
)


def platform_named(name: str) -> Platform:
    """The record of that name; an unknown name is GENERIC."""
    for platform in PLATFORMS:
        if platform.name == name:
            return platform
    return GENERIC


def platform_of(root: Mapping[str, Any], server: str = "") -> Platform:
    """Whose service root this is. Any JSON object is accepted; what nobody claims is GENERIC.

    ``server`` is the HTTP header Server of the same answer.
    """
    for platform in PLATFORMS:
        for sign in platform.signs:
            if _fits(sign, root, server):
                return platform
    return GENERIC


def refined(platform: Platform, of: str, document: Mapping[str, Any]) -> Platform:
    """The platform in the light of a later document (``of``: "system" or "manager")."""
    for refinement in platform.refinements:
        if refinement.of == of and re.search(refinement.pattern, _text(document.get(refinement.key)), re.IGNORECASE):
            return platform_named(refinement.becomes)
    return platform


def at_path(document: Any, path: str) -> Any:
    """What lies at ``A/b/0/c`` in a JSON value; None where the way ends before.

    A property whose name has a slash in it can't be reached, and none of Redfish's has.
    """
    value = document
    for step in path.split("/"):
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value


def _fits(sign: Sign, root: Mapping[str, Any], server: str) -> bool:
    for path, pattern in sign.texts:
        if not pattern.search(_text(at_path(root, path) if "/" in path else root.get(path))):
            return False
    if sign.oem_key is not None:
        oem = root.get("Oem")
        if not isinstance(oem, dict) or not any(sign.oem_key.search(_text(key)) for key in oem):
            return False
    return sign.server_header is None or bool(sign.server_header.search(server))


def _text(value: Any) -> str:
    return value[:256] if isinstance(value, str) else ""
