# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The locate light: one lamp, which the older and the newer property both show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.emulators.redfish.personality import Json
from tests.emulators.redfish.registry import hook

if TYPE_CHECKING:
    from tests.emulators.redfish.bmc import Bmc


def couple(bmc: Bmc, path: str, change: dict[str, Json]) -> None:
    """Adds what the other property shows after the change, where the resource has both."""
    if not bmc.manners.light_works:
        for name in ("IndicatorLED", "LocationIndicatorActive"):
            change.pop(name, None)
    body = bmc.body(path) or {}
    if "IndicatorLED" not in body or "LocationIndicatorActive" not in body:
        return
    if "IndicatorLED" in change:
        change["LocationIndicatorActive"] = change["IndicatorLED"] != "Off"
    elif "LocationIndicatorActive" in change:
        change["IndicatorLED"] = bmc.manners.located_as if change["LocationIndicatorActive"] else "Off"


hook("Chassis")(couple)
hook("Drive")(couple)
