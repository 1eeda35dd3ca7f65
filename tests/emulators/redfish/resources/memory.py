# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Memory modules of a system."""

from __future__ import annotations

from collections.abc import Callable

from tests.emulators.redfish.personality import Template, link, token
from tests.emulators.redfish.resources.leaves import state_when_on
from tests.emulators.redfish.resources.parts import Dimm, Gpu
from tests.emulators.redfish.resources.tree import TreeBuilder


def dimms(
    tree: TreeBuilder,
    system: str,
    dimm: Dimm,
    count: int,
    *,
    identifier: Callable[[int], str] = lambda i: f"dimm{i}",
    label: Callable[[int], str] = lambda i: f"DIMM {i}",
    slots: int = 0,
    chassis: str | None = None,
    collection_name: str = "Memory Module Collection",
) -> Template:
    """``count`` modules fitted; slots beyond them stand in the tree as absent ones where ``slots`` says so."""
    made = tree.collect(f"{system}/Memory", "Memory", collection_name)
    for i in range(max(count, slots)):
        body: Template = {
            "DeviceLocator": label(i),
            "MemoryType": "DRAM",
            "Location": {"PartLocation": {"ServiceLabel": label(i), "LocationType": "Slot"}},
            "Links": {"Chassis": link(chassis)} if chassis else None,
        }
        if i < count:
            body |= {
                "MemoryDeviceType": dimm.kind,
                "BaseModuleType": "RDIMM" if dimm.kind.startswith("DDR") else None,
                "CapacityMiB": round(dimm.gib * 1024),
                "OperatingSpeedMhz": dimm.mhz or None,
                "AllowedSpeedsMHz": [dimm.mhz] if dimm.mhz else None,
                "BusWidthBits": 80 if dimm.kind == "DDR5" else 72,
                "DataWidthBits": 64,
                "ErrorCorrection": "MultiBitECC",
                "Manufacturer": dimm.manufacturer,
                "PartNumber": dimm.part_number,
                "SerialNumber": token(dimm.serial_pattern, f"{system}/dimm{i}"),
                "RankCount": 2,
                "Status": {"State": state_when_on(system=system), "Health": "OK"},
            }
        else:
            body |= {"CapacityMiB": 0, "Status": {"State": "Absent"}}
        tree.add(f"{system}/Memory/{identifier(i)}", "Memory", label(i), body)
    return made


def gpu_memory(tree: TreeBuilder, system: str, gpu: Gpu, name: str, gpu_path: str) -> str:
    """The stacked memory of one GPU, as NVIDIA's baseboards list it."""
    path = f"{system}/Memory/{name}_DRAM_0"
    tree.add(
        path,
        "Memory",
        f"{name} DRAM 0",
        {
            "MemoryType": "DRAM",
            "MemoryDeviceType": gpu.memory_kind,
            "CapacityMiB": gpu.memory_gib * 1024,
            "ErrorCorrection": "MultiBitECC",
            "Manufacturer": gpu.manufacturer,
            "SerialNumber": token(gpu.serial_pattern, f"gpu/{name}"),
            "PartNumber": gpu.part_number,
            "Status": {"State": "Enabled", "Health": "OK"},
            "Links": {"Processors": [link(gpu_path)]},
        },
    )
    return path
