# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""PATCH of a system's Boot object by the platform's manners, and what a boot makes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.emulators.redfish.actions.indicators import couple
from tests.emulators.redfish.body import merged
from tests.emulators.redfish.messages import Refusal
from tests.emulators.redfish.personality import Json
from tests.emulators.redfish.registry import hook

if TYPE_CHECKING:
    from tests.emulators.redfish.bmc import Bmc

_ENABLED, _TARGET, _MODE = "BootSourceOverrideEnabled", "BootSourceOverrideTarget", "BootSourceOverrideMode"
_USED = {_ENABLED: "Disabled", _TARGET: "None"}


def settings_of(bmc: Bmc, system: str) -> str:
    """Path of the system's settings object, or ""."""
    shown: Any = (bmc.body(system) or {}).get("@Redfish.Settings")
    path = shown.get("SettingsObject", {}).get("@odata.id", "") if isinstance(shown, dict) else ""
    return str(path).rstrip("/")


@hook("ComputerSystem")
def change_system(bmc: Bmc, path: str, change: dict[str, Json]) -> None:
    couple(bmc, path, change)
    boot = change.get("Boot")
    if isinstance(boot, dict):
        _change_boot(bmc, path, boot)
        if not boot:
            del change["Boot"]
        if bmc.real is not None:
            bmc.around.loop.call_soon(bmc.real.rearrange)  # once the change stands


def _change_boot(bmc: Bmc, path: str, boot: dict[str, Json]) -> None:
    manners = bmc.manners
    refused: int = bmc.kept.get("boot refusals", 0)
    if refused < manners.boot_refusals:
        bmc.kept["boot refusals"] = refused + 1
        raise Refusal(400, "iLO.2.15.UnableToModifyDuringSystemPOST")
    system = path
    if manners.boot_at == "settings":
        if settings_of(bmc, path):
            raise Refusal(400, "PropertyNotWritable", "Boot", related="Boot")
        system = path.rpartition("/")[0]
    shown = (bmc.body(path) or {}).get("Boot") or {}
    offered = ((bmc.body(system) or {}).get("Boot") or {}).get(f"{_TARGET}@Redfish.AllowableValues")
    if isinstance(offered, list) and _TARGET in boot and boot[_TARGET] not in offered:
        raise Refusal(400, "PropertyValueNotInList", boot[_TARGET], f"Boot/{_TARGET}", related=f"Boot/{_TARGET}")
    needed: set[str] = set()
    if manners.boot_whole and {_ENABLED, _TARGET, _MODE} & set(boot):
        needed = {name for name in (_ENABLED, _TARGET, _MODE) if shown.get(name) is not None}
    if manners.boot_needs_enabled and _TARGET in boot:
        needed.add(_ENABLED)
    for name in sorted(needed - set(boot)):
        raise Refusal(400, "PropertyMissing", f"Boot/{name}", related=f"Boot/{name}")
    if not manners.boot_order_shown:
        boot.pop("BootOrder", None)
    if manners.boot_stays and boot:
        if boot.get(_TARGET) == "None":
            raise Refusal(400, "PropertyValueNotInList", "None", f"Boot/{_TARGET}", related=f"Boot/{_TARGET}")
        boot[_ENABLED] = "Continuous"


def use_boot_override(bmc: Bmc, system: str) -> None:
    """The machine boots: what waited in the settings object holds now, and what was for one boot is used up."""
    settings = settings_of(bmc, system)
    waiting = ((bmc.body(settings) or {}).get("Boot") or {}) if settings else {}
    if waiting:
        bmc.overlay[system] = merged(bmc.overlay.get(system, {}), {"Boot": dict(waiting)})
    boot = (bmc.body(system) or {}).get("Boot") or {}
    if boot.get(_ENABLED) == "Once":
        for path in (system, settings) if waiting else (system,):
            bmc.overlay[path] = merged(bmc.overlay.get(path, {}), {"Boot": _USED})
