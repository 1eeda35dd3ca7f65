# Copyright: (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All platforms of the fleet by name, as ``--platforms`` takes them."""

from __future__ import annotations

from collections.abc import Mapping

from tests.emulators.redfish.personalities import generic, idrac9, openbmc
from tests.emulators.redfish.personality import Personality

PERSONALITIES: Mapping[str, Personality] = {
    personality.name: personality
    for personality in (
        openbmc.PERSONALITY,
        idrac9.PERSONALITY,
        generic.PERSONALITY,
    )
}
