# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""PDUs and power shelves: PowerEquipment with its mains, branches and outlets."""

from __future__ import annotations

from collections.abc import Iterable

from tests.emulators.redfish.personality import SERVICE_ROOT, Template, asset_tag, link, links, reading, serial
from tests.emulators.redfish.resources.chassis import placement
from tests.emulators.redfish.resources.leaves import uuid_of
from tests.emulators.redfish.resources.tree import TreeBuilder

POWER_EQUIPMENT = f"{SERVICE_ROOT}/PowerEquipment"


def power_equipment(tree: TreeBuilder, kind: str) -> None:
    """``kind``: "RackPDUs" | "PowerShelves"."""
    listed = tree.collect(f"{POWER_EQUIPMENT}/{kind}", "PowerDistribution", f"{kind} Collection")
    tree.add(
        POWER_EQUIPMENT,
        "PowerEquipment",
        "Power Equipment",
        {"Status": {"State": "Enabled", "Health": "OK", "HealthRollup": "OK"}, kind: listed},
    )


def distribution(
    tree: TreeBuilder,
    kind: str,
    equipment: str,
    *,
    manufacturer: str,
    model: str,
    firmware: str,
    chassis: str,
    total: str,
    outlets: Iterable[str] = (),
    volts: str = "AC200To240V",
) -> str:
    """One PDU or shelf. ``total``: id of the sensor of its whole power."""
    path = f"{POWER_EQUIPMENT}/{kind}/1"
    names = list(outlets)
    body: Template = {
        "EquipmentType": equipment,
        "Manufacturer": manufacturer,
        "Model": model,
        "SerialNumber": serial,
        "AssetTag": asset_tag,
        "UUID": uuid_of("distribution"),
        "FirmwareVersion": firmware,
        "Location": placement(),
        "Status": {"State": "Enabled", "Health": "OK"},
        "Mains": tree.collect(f"{path}/Mains", "Circuit", "Mains Collection"),
        "Branches": tree.collect(f"{path}/Branches", "Circuit", "Branch Collection"),
        "Metrics": tree.add(
            f"{path}/Metrics",
            "PowerDistributionMetrics",
            "Summary Metrics",
            {"PowerWatts": _excerpt(chassis, total, 5200.0, 300.0)},
        ),
        "Links": {"Chassis": links(chassis)},
    }
    _circuit(tree, f"{path}/Mains/AC1", "Mains AC input", "Mains", volts, 32, chassis, "MainsPower", 5200.0)
    _circuit(tree, f"{path}/Branches/A", "Branch A", "Branch", volts, 16, chassis, "BranchAPower", 5200.0)
    if names:
        body["Outlets"] = tree.collect(f"{path}/Outlets", "Outlet", "Outlet Collection")
        tree[f"{path}/Branches/A"]["Links"] = {"Outlets": links(*(f"{path}/Outlets/{name}" for name in names))}
        for name in names:
            _outlet(tree, f"{path}/Outlets/{name}", name, volts, chassis, f"{path}/Branches/A")
    tree.add(path, "PowerDistribution", f"{model}", body)
    return path


def _excerpt(chassis: str, sensor: str, middle: float, spread: float) -> Template:
    return {"DataSourceUri": f"{chassis}/Sensors/{sensor}", "Reading": reading(sensor, middle, spread)}


def _circuit(
    tree: TreeBuilder, path: str, name: str, kind: str, volts: str, amps: int, chassis: str, sensor: str, watts: float
) -> None:
    tree.add(
        path,
        "Circuit",
        name,
        {
            "CircuitType": kind,
            "PhaseWiringType": "OnePhase3Wire",
            "NominalVoltage": volts,
            "RatedCurrentAmps": amps,
            "BreakerState": "Normal",
            "PowerWatts": _excerpt(chassis, sensor, watts, 300.0),
            "Status": {"State": "Enabled", "Health": "OK"},
        },
    )


def _outlet(tree: TreeBuilder, path: str, name: str, volts: str, chassis: str, branch: str) -> None:
    tree.add(
        path,
        "Outlet",
        f"Outlet {name}",
        {
            "OutletType": "IEC_60320_C13",
            "VoltageType": "AC",
            "PhaseWiringType": "OnePhase3Wire",
            "NominalVoltage": volts,
            "RatedCurrentAmps": 10,
            "PowerState": "On",
            "PowerEnabled": True,
            "PowerOnDelaySeconds": 0,
            "PowerWatts": _excerpt(chassis, f"{name}Power", 420.0, 25.0),
            "Status": {"State": "Enabled", "Health": "OK"},
            "Links": {"BranchCircuit": link(branch)},
            "Actions": {
                "#Outlet.PowerControl": {
                    "target": f"{path}/Actions/Outlet.PowerControl",
                    "PowerState@Redfish.AllowableValues": ["On", "Off", "PowerCycle"],
                }
            },
        },
    )
