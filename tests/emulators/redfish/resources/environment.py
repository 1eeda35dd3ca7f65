# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Temperatures, fans and power supplies of a chassis, in the older model (Power, Thermal) and in the newer one
(PowerSubsystem, ThermalSubsystem, Sensors, EnvironmentMetrics). One list of probes feeds both."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tests.emulators.redfish.personality import Template, link, links, token
from tests.emulators.redfish.resources.leaves import reading_now, reading_when_on
from tests.emulators.redfish.resources.parts import PowerUnit
from tests.emulators.redfish.resources.tree import TreeBuilder

UNITS = {
    "Temperature": "Cel",
    "Rotational": "RPM",
    "Power": "W",
    "Voltage": "V",
    "Current": "A",
    "EnergykWh": "kW.h",
    "Percent": "%",
    "Frequency": "Hz",
}


@dataclass(frozen=True)
class Probe:
    """One sensor. What belongs to the host reads null while the host is off."""

    identifier: str
    name: str
    kind: str
    context: str
    middle: float
    spread: float
    caution: float | None = None
    critical: float | None = None
    of_host: bool = False
    digits: int = 1
    system: str = ""  # path of the host, where the BMC has several

    def leaf(self) -> Any:
        if self.of_host:
            return reading_when_on(self.identifier, self.middle, self.spread, self.digits, self.system)
        return reading_now(self.identifier, self.middle, self.spread, self.digits)


@dataclass(frozen=True)
class Climate:
    """All that is measured in one chassis."""

    temperatures: tuple[Probe, ...] = ()
    fans: tuple[Probe, ...] = ()
    voltages: tuple[Probe, ...] = ()
    power: Probe | None = None
    others: tuple[Probe, ...] = ()  # sensors that have no place in the older model
    supplies: tuple[str, ...] = ()
    supply: PowerUnit | None = None
    power_limit: tuple[int, int] | None = None  # allowable watts
    supply_power: float = 210.0
    fan_percent: int = 35

    def sensors(self) -> list[Probe]:
        supplied = [self.supply_probe(name) for name in self.supplies] if self.supply else []
        return [
            *self.temperatures,
            *self.fans,
            *self.voltages,
            *([self.power] if self.power else []),
            *self.others,
        ] + supplied

    def supply_probe(self, name: str) -> Probe:
        return Probe(f"{name}_InputPower", f"{name} Input Power", "Power", "PowerSupply", self.supply_power, 15.0)


def server_climate(
    cpus: int = 2,
    fans: int = 6,
    supplies: tuple[str, ...] = (),
    supply: PowerUnit | None = None,
    watts: float = 420.0,
    power_limit: tuple[int, int] | None = None,
    inlet: tuple[str, str] = ("InletTemp", "Inlet Temp"),
    cpu: tuple[str, str] = ("CPU{0}Temp", "CPU{0} Temp"),
    fan: tuple[str, str] = ("Fan{0}", "Fan {0}"),
    power: tuple[str, str] = ("TotalPower", "Total Power"),
    system: str = "",
) -> Climate:
    """The climate of an ordinary server, under the platform's own sensor names."""
    return Climate(
        temperatures=(
            Probe(inlet[0], inlet[1], "Temperature", "Intake", 23.0, 1.5, caution=38, critical=42),
            *(
                Probe(cpu[0].format(i), cpu[1].format(i), "Temperature", "CPU", 52.0, 6.0, 90, 95, True, 1, system)
                for i in range(1, cpus + 1)
            ),
        ),
        fans=tuple(
            Probe(
                fan[0].format(i),
                fan[1].format(i),
                "Rotational",
                "Fan",
                6200,
                300,
                of_host=True,
                digits=0,
                system=system,
            )
            for i in range(1, fans + 1)
        ),
        voltages=(
            Probe("P12V", "P12V", "Voltage", "SystemBoard", 12.1, 0.05, digits=2),
            Probe("PVBAT", "CMOS Battery", "Voltage", "SystemBoard", 3.05, 0.01, digits=2),
        ),
        power=Probe(power[0], power[1], "Power", "Chassis", watts, 25.0),
        supplies=supplies,
        supply=supply,
        power_limit=power_limit,
    )


# -- the newer model ---------------------------------------------------------------------------------------------


def sensors(tree: TreeBuilder, chassis: str, probes: Iterable[Probe], name: str = "Sensors") -> Template:
    made = tree.collect(f"{chassis}/Sensors", "Sensor", name)
    for probe in probes:
        thresholds: Template = {}
        if probe.caution is not None:
            thresholds["UpperCaution"] = {"Reading": probe.caution}
        if probe.critical is not None:
            thresholds["UpperCritical"] = {"Reading": probe.critical}
        tree.add(
            f"{chassis}/Sensors/{probe.identifier}",
            "Sensor",
            probe.name,
            {
                "ReadingType": probe.kind,
                "ReadingUnits": UNITS[probe.kind],
                "Reading": probe.leaf(),
                "PhysicalContext": probe.context,
                "Thresholds": thresholds or None,
                "Status": {"State": "Enabled", "Health": "OK"},
            },
        )
    return made


def power_subsystem(tree: TreeBuilder, chassis: str, climate: Climate) -> Template:
    path = f"{chassis}/PowerSubsystem"
    supplies = [f"{path}/PowerSupplies/{name}" for name in climate.supplies]
    body: Template = {
        "Status": {"State": "Enabled", "Health": "OK"},
        "CapacityWatts": climate.supply.watts * len(supplies) if climate.supply and supplies else None,
        "PowerSupplies": tree.collect(f"{path}/PowerSupplies", "PowerSupply", "Power Supply Collection"),
    }
    if len(supplies) > 1:
        body["PowerSupplyRedundancy"] = [
            {
                "RedundancyType": "NPlusM",
                "MinNeededInGroup": 1,
                "MaxSupportedInGroup": len(supplies),
                "RedundancyGroup": links(*supplies),
                "Status": {"State": "Enabled", "Health": "OK"},
            }
        ]
    made = tree.add(path, "PowerSubsystem", "Power Subsystem", body)
    for supply in supplies:
        _power_supply(tree, chassis, supply, climate)
    return made


def _power_supply(tree: TreeBuilder, chassis: str, path: str, climate: Climate) -> None:
    unit, name = climate.supply, path.rsplit("/", 1)[1]
    if unit is None:
        raise ValueError(f"{path}: the climate names supplies but no kind")
    probe = climate.supply_probe(name)
    metrics = tree.add(
        f"{path}/Metrics",
        "PowerSupplyMetrics",
        f"Metrics of {name}",
        {
            "InputPowerWatts": {"DataSourceUri": f"{chassis}/Sensors/{probe.identifier}", "Reading": probe.leaf()},
            "Status": {"State": "Enabled", "Health": "OK"},
        },
    )
    tree.add(
        path,
        "PowerSupply",
        name,
        {
            "PowerSupplyType": "AC",
            "InputNominalVoltageType": "AC240V",
            "Manufacturer": unit.manufacturer,
            "Model": unit.model,
            "PartNumber": unit.part_number,
            "SerialNumber": token(unit.serial_pattern, path),
            "FirmwareVersion": unit.firmware,
            "PowerCapacityWatts": unit.watts,
            "HotPluggable": True,
            "Status": {"State": "Enabled", "Health": "OK"},
            "Metrics": metrics,
        },
    )


def thermal_subsystem(
    tree: TreeBuilder, chassis: str, climate: Climate, *, fans: bool = True, sensors_listed: bool = True
) -> Template:
    """``fans=False``: fans exist as sensors only (NVIDIA's GH200 and GB200)."""
    path = f"{chassis}/ThermalSubsystem"
    metrics: Template = {}
    if sensors_listed and climate.temperatures:
        metrics["TemperatureReadingsCelsius"] = [
            {
                "DeviceName": probe.name,
                "PhysicalContext": probe.context,
                "DataSourceUri": f"{chassis}/Sensors/{probe.identifier}",
                "Reading": probe.leaf(),
            }
            for probe in climate.temperatures
        ]
    body: Template = {
        "Status": {"State": "Enabled", "Health": "OK"},
        "ThermalMetrics": tree.add(f"{path}/ThermalMetrics", "ThermalMetrics", "Thermal Metrics", metrics),
    }
    if fans:
        body["Fans"] = tree.collect(f"{path}/Fans", "Fan", "Fan Collection")
        for probe in climate.fans:
            tree.add(
                f"{path}/Fans/{probe.identifier}",
                "Fan",
                probe.name,
                {
                    "PhysicalContext": "SystemBoard",
                    "HotPluggable": True,
                    "SpeedPercent": {
                        "DataSourceUri": f"{chassis}/Sensors/{probe.identifier}",
                        "Reading": climate.fan_percent,
                        "SpeedRPM": probe.leaf(),
                    },
                    "Status": {"State": "Enabled", "Health": "OK"},
                },
            )
    return tree.add(path, "ThermalSubsystem", "Thermal Subsystem", body)


def environment_metrics(tree: TreeBuilder, chassis: str, climate: Climate) -> Template:
    body: Template = {}
    if climate.power:
        body["PowerWatts"] = {
            "DataSourceUri": f"{chassis}/Sensors/{climate.power.identifier}",
            "Reading": climate.power.leaf(),
        }
    if climate.power_limit:
        low, high = climate.power_limit
        body["PowerLimitWatts"] = {
            "SetPoint": high,
            "AllowableMin": low,
            "AllowableMax": high,
            "ControlMode": "Disabled",
        }
    if climate.temperatures:
        probe = climate.temperatures[0]
        body["TemperatureCelsius"] = {
            "DataSourceUri": f"{chassis}/Sensors/{probe.identifier}",
            "Reading": probe.leaf(),
        }
    return tree.add(f"{chassis}/EnvironmentMetrics", "EnvironmentMetrics", "Environment Metrics", body)


# -- the older model ---------------------------------------------------------------------------------------------


def power(tree: TreeBuilder, chassis: str, climate: Climate) -> Template:
    path = f"{chassis}/Power"
    body: Template = {}
    if climate.power:
        control: Template = {
            "@odata.id": f"{path}#/PowerControl/0",
            "MemberId": "0",
            "Name": climate.power.name,
            "PhysicalContext": "Chassis",
            "PowerConsumedWatts": climate.power.leaf(),
            "PowerMetrics": {
                "IntervalInMin": 1,
                "MinConsumedWatts": round(climate.power.middle - 40),
                "MaxConsumedWatts": round(climate.power.middle + 90),
                "AverageConsumedWatts": round(climate.power.middle),
            },
            "RelatedItem": [link(chassis)],
            "Status": {"State": "Enabled", "Health": "OK"},
        }
        if climate.supply and climate.supplies:
            control["PowerCapacityWatts"] = climate.supply.watts * len(climate.supplies)
        if climate.power_limit:
            control["PowerLimit"] = {"LimitInWatts": None, "LimitException": "NoAction", "CorrectionInMs": 1000}
        body["PowerControl"] = [control]
    if climate.voltages:
        body["Voltages"] = [
            _member(path, "Voltages", i, probe, {"ReadingVolts": probe.leaf()})
            for i, probe in enumerate(climate.voltages)
        ]
    if climate.supply:
        unit = climate.supply
        body["PowerSupplies"] = [
            {
                "@odata.id": f"{path}#/PowerSupplies/{i}",
                "MemberId": str(i),
                "Name": name,
                "PowerSupplyType": "AC",
                "LineInputVoltage": 230,
                "LineInputVoltageType": "AC240V",
                "Manufacturer": unit.manufacturer,
                "Model": unit.model,
                "PartNumber": unit.part_number,
                "SerialNumber": token(unit.serial_pattern, f"{chassis}/PowerSubsystem/PowerSupplies/{name}"),
                "FirmwareVersion": unit.firmware,
                "PowerCapacityWatts": unit.watts,
                "PowerInputWatts": climate.supply_probe(name).leaf(),
                "Status": {"State": "Enabled", "Health": "OK"},
            }
            for i, name in enumerate(climate.supplies)
        ]
    return tree.add(path, "Power", "Power", body)


def thermal(tree: TreeBuilder, chassis: str, climate: Climate) -> Template:
    path = f"{chassis}/Thermal"
    return tree.add(
        path,
        "Thermal",
        "Thermal",
        {
            "Temperatures": [
                _member(
                    path,
                    "Temperatures",
                    i,
                    probe,
                    {
                        "ReadingCelsius": probe.leaf(),
                        "UpperThresholdNonCritical": probe.caution,
                        "UpperThresholdCritical": probe.critical,
                    },
                )
                for i, probe in enumerate(climate.temperatures)
            ],
            "Fans": [
                _member(path, "Fans", i, probe, {"Reading": probe.leaf(), "ReadingUnits": "RPM"}, context=False)
                for i, probe in enumerate(climate.fans)
            ],
        },
    )


def _member(path: str, array: str, i: int, probe: Probe, facts: Template, context: bool = True) -> Template:
    body: Template = {
        "@odata.id": f"{path}#/{array}/{i}",
        "MemberId": str(i),
        "Name": probe.name,
        "PhysicalContext": probe.context if context else "SystemBoard",
        "Status": {"State": "Enabled", "Health": "OK"},
    }
    return body | {key: value for key, value in facts.items() if value is not None}
