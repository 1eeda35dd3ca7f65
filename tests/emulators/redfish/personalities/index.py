# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All platforms of the fleet by name, as ``--platforms`` takes them."""

from __future__ import annotations

from collections.abc import Mapping

from tests.emulators.redfish.personalities import (
    asrockrack,
    asus,
    dgx_h100,
    fujitsu,
    gb200,
    generic,
    gh200,
    gigabyte,
    idrac9,
    idrac10,
    ilo5,
    ilo6,
    ilo7,
    intel,
    multi_node,
    openbmc,
    pdu,
    power_shelf,
    supermicro,
    xcc,
    xcc3,
)
from tests.emulators.redfish.personality import Personality

PERSONALITIES: Mapping[str, Personality] = {
    platform.PERSONALITY.name: platform.PERSONALITY
    for platform in (
        openbmc,
        idrac9,
        idrac10,
        ilo5,
        ilo6,
        ilo7,
        xcc,
        xcc3,
        supermicro,
        asus,
        asrockrack,
        gigabyte,
        dgx_h100,
        gh200,
        gb200,
        fujitsu,
        intel,
        generic,
        multi_node,
        power_shelf,
        pdu,
    )
}
