# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Processors of a system: CPUs, and GPUs where the platform lists them as processors."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tests.emulators.redfish.personality import Template, link, token
from tests.emulators.redfish.resources.leaves import state_when_on, uuid_of
from tests.emulators.redfish.resources.parts import Cpu, Gpu
from tests.emulators.redfish.resources.tree import TreeBuilder


def processor_collection(tree: TreeBuilder, system: str) -> Template:
    return tree.collect(f"{system}/Processors", "Processor", "Processors Collection")


def cpus(
    tree: TreeBuilder,
    system: str,
    cpu: Cpu,
    count: int,
    *,
    identifier: Callable[[int], str] = lambda i: str(i + 1),
    socket: Callable[[int], str] = lambda i: f"CPU {i + 1}",
    chassis: str | None = None,
) -> None:
    for i in range(count):
        tree.add(
            f"{system}/Processors/{identifier(i)}",
            "Processor",
            socket(i),
            {
                "ProcessorType": "CPU",
                "ProcessorArchitecture": cpu.architecture,
                "InstructionSet": cpu.instruction_set,
                "Socket": socket(i),
                "Manufacturer": cpu.manufacturer,
                "Model": cpu.model,
                "MaxSpeedMHz": cpu.max_mhz,
                "TotalCores": cpu.cores,
                "TotalThreads": cpu.threads,
                "MaxTDPWatts": cpu.watts,
                "ProcessorId": {"VendorId": cpu.vendor_id} if cpu.vendor_id else None,
                "Status": {"State": state_when_on(system=system), "Health": "OK"},
                "Location": {"PartLocation": {"ServiceLabel": socket(i), "LocationType": "Socket"}},
                "Links": {"Chassis": link(chassis)} if chassis else None,
            },
        )


def gpus(
    tree: TreeBuilder,
    system: str,
    gpu: Gpu,
    names: Iterable[str],
    *,
    chassis_of: Callable[[str], str | None] = lambda name: None,
    memory_path: Callable[[str], str | None] = lambda name: None,
    label: Callable[[str], str] = lambda name: name,
) -> None:
    """GPUs as processors; their memory and chassis where the platform has them."""
    for name in names:
        path = f"{system}/Processors/{name}"
        chassis, memory = chassis_of(name), memory_path(name)
        gpu_links: Template = {}
        if chassis:
            gpu_links["Chassis"] = link(chassis)
        if memory:
            gpu_links["Memory"] = [link(memory)]
        tree.add(
            path,
            "Processor",
            "Processor",
            {
                "ProcessorType": "GPU",
                "Manufacturer": gpu.manufacturer,
                "Model": gpu.model,
                "PartNumber": gpu.part_number,
                "SerialNumber": token(gpu.serial_pattern, f"gpu/{name}"),
                "UUID": uuid_of(f"gpu/{name}"),
                "FirmwareVersion": gpu.firmware,
                "MaxSpeedMHz": 1980,
                "MinSpeedMHz": 345,
                "OperatingSpeedMHz": 1980,
                "MaxTDPWatts": gpu.max_watts,
                "MemorySummary": {"TotalMemorySizeMiB": gpu.memory_gib * 1024, "ECCModeEnabled": True},
                "SystemInterface": {
                    "InterfaceType": "PCIe",
                    "PCIe": {"PCIeType": "Gen5", "MaxPCIeType": "Gen5", "LanesInUse": 16, "MaxLanes": 16},
                },
                "Location": {"PartLocation": {"ServiceLabel": label(name), "LocationType": "Embedded"}},
                "Status": {"State": "Enabled", "Health": "OK", "HealthRollup": "OK"},
                "Links": gpu_links or None,
            },
        )
