# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Chassis: the sheet metal, where it stands, and what it holds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tests.emulators.redfish.personality import SERVICE_ROOT, Leaf, Template, links, power_state, serial
from tests.emulators.redfish.resources.leaves import rack, rack_offset
from tests.emulators.redfish.resources.tree import TreeBuilder

CHASSIS = f"{SERVICE_ROOT}/Chassis"
HOST_POWER = power_state()  # of the first system


def chassis_collection(tree: TreeBuilder, name: str = "Chassis Collection") -> None:
    tree.collect(CHASSIS, "Chassis", name)


def placement(row: str = "A") -> Template:
    """Where the chassis stands, as the standard has it."""
    return {
        "Placement": {"Row": row, "Rack": rack, "RackOffsetUnits": "EIA_310", "RackOffset": rack_offset},
    }


def chassis(
    tree: TreeBuilder,
    identifier: str,
    *,
    kind: str | None = "RackMount",
    name: str | None = None,
    manufacturer: str | None = None,
    model: str | None = None,
    serial_number: Leaf | str | None = serial,
    part_number: str | None = None,
    sku: str | None = None,
    asset: Leaf | str | None = None,
    systems: Iterable[str] = (),
    managers: Iterable[str] = (),
    contains: Iterable[str] = (),
    contained_by: str | None = None,
    drives: Iterable[str] = (),
    processors: Iterable[str] = (),
    location: Template | None = None,
    led: str = "active",  # "indicator" | "active" | "both" | "none"
    power: Leaf | str | None = HOST_POWER,
    reset_types: Iterable[str] = (),
    height_units: int | None = None,
    **more: Any,
) -> str:
    path = f"{CHASSIS}/{identifier}"
    systems, managers = list(systems), list(managers)
    chassis_links: Template = {"ComputerSystems": links(*systems)} if systems else {}
    if managers:
        chassis_links["ManagedBy"] = links(*managers)
    contains, drives, processors = list(contains), list(drives), list(processors)
    if contains:
        chassis_links["Contains"] = links(*contains)
    if contained_by:
        chassis_links["ContainedBy"] = {"@odata.id": contained_by}
    if drives:
        chassis_links["Drives"] = links(*drives)
    if processors:
        chassis_links["Processors"] = links(*processors)
    body: Template = {
        "ChassisType": kind,
        "Manufacturer": manufacturer,
        "Model": model,
        "SerialNumber": serial_number,
        "PartNumber": part_number,
        "SKU": sku,
        "AssetTag": asset,
        "HeightMm": round(height_units * 44.45, 2) if height_units else None,
        "PowerState": power,
        "Status": {"State": "Enabled", "Health": "OK", "HealthRollup": "OK"},
        "Location": location,
        "Links": chassis_links,
    }
    body |= indicator(led)
    reset = list(reset_types)
    if reset:
        body["Actions"] = {"#Chassis.Reset": tree.reset_action(path, "Chassis.Reset", reset)}
    body.update(more)
    tree.add(path, "Chassis", name or identifier, body)
    return path


def indicator(led: str) -> Template:
    """The locate light in the older property, the newer one, or both."""
    body: Template = {}
    if led in ("indicator", "both"):
        body["IndicatorLED"] = "Off"
    if led in ("active", "both"):
        body["LocationIndicatorActive"] = False
    return body
