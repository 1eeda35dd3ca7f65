# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ComputerSystem: the machine itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tests.emulators.redfish.personality import SERVICE_ROOT, Leaf, Template, links, power_state, serial, system_uuid
from tests.emulators.redfish.resources.boot import BootChoices, boot_object
from tests.emulators.redfish.resources.chassis import indicator
from tests.emulators.redfish.resources.leaves import boot_progress, host_name, last_reset_time
from tests.emulators.redfish.resources.parts import Cpu, Dimm
from tests.emulators.redfish.resources.tree import TreeBuilder

SYSTEMS = f"{SERVICE_ROOT}/Systems"

ORDINARY_RESETS = ("On", "ForceOff", "GracefulShutdown", "GracefulRestart", "ForceRestart", "Nmi", "PowerCycle")


def tpm(firmware: str = "7.2.3.1", kind: str = "TPM2_0", **more: Any) -> Template:
    """One trusted module, in the system's (deprecated, and still everywhere used) TrustedModules."""
    known = {"FirmwareVersion": firmware} if firmware else {}
    return {"InterfaceType": kind, **known, "Status": {"State": "Enabled", "Health": "OK"}} | more


def system(
    tree: TreeBuilder,
    identifier: str,
    *,
    name: str = "System",
    manufacturer: str | None = None,
    model: str | None = None,
    sku: Any = None,
    part_number: str | None = None,
    serial_number: Leaf | str | None = serial,
    uuid: Leaf | str | None = system_uuid,
    asset: Leaf | str | None = None,
    host: Leaf | str | None = host_name,
    bios_version: str | None = None,
    cpu: Cpu | None = None,
    cpu_count: int = 0,
    dimm: Dimm | None = None,
    dimm_count: int = 0,
    boot: BootChoices | None = None,
    trusted_modules: Iterable[Template] | None = None,
    reset_types: Iterable[str] = ORDINARY_RESETS,
    led: str = "active",
    progress: bool = True,
    reset_time: bool = False,
    chassis: Iterable[str] = (),
    managers: Iterable[str] = (),
    state: Any = "Enabled",
    oem: Template | None = None,
    **more: Any,
) -> str:
    """Put the system's own body; its parts (processors, memory, …) are built by their own files and linked by
    ``link_parts`` at the end."""
    path = f"{SYSTEMS}/{identifier}"
    body: Template = {
        "SystemType": "Physical",
        "Manufacturer": manufacturer,
        "Model": model,
        "SKU": sku,
        "SerialNumber": serial_number,
        "PartNumber": part_number,
        "AssetTag": asset,
        "UUID": uuid,
        "HostName": host,
        "BiosVersion": bios_version,
        "PowerState": power_state(path),
        "Status": {"State": state, "Health": "OK", "HealthRollup": "OK"},
        "Boot": boot_object(tree, path, boot) if boot else None,
        "BootProgress": {"LastState": boot_progress(path)} if progress else None,
        "LastResetTime": last_reset_time(path) if reset_time else None,
    }
    if cpu:
        body["ProcessorSummary"] = {
            "Count": cpu_count,
            "Model": cpu.model,
            "CoreCount": cpu.cores * cpu_count,
            "LogicalProcessorCount": cpu.threads * cpu_count,
            "Status": {"State": "Enabled", "Health": "OK", "HealthRollup": "OK"},
        }
    if dimm:
        body["MemorySummary"] = {
            "TotalSystemMemoryGiB": dimm.gib * dimm_count,
            "Status": {"State": "Enabled", "Health": "OK", "HealthRollup": "OK"},
        }
    if trusted_modules is not None:
        body["TrustedModules"] = list(trusted_modules)
    body |= indicator(led)
    body["Links"] = {"Chassis": links(*chassis), "ManagedBy": links(*managers)}
    body["Actions"] = {"#ComputerSystem.Reset": tree.reset_action(path, "ComputerSystem.Reset", reset_types)}
    body["Oem"] = oem
    body.update(more)
    tree.add(path, "ComputerSystem", name, body)
    return path


# Property of a system (chassis, manager) → the child of that name. Linked when the tree has it.
PARTS = (
    "Processors",
    "Memory",
    "EthernetInterfaces",
    "NetworkInterfaces",
    "Storage",
    "SimpleStorage",
    "LogServices",
    "Bios",
    "SecureBoot",
    "VirtualMedia",
    "PCIeDevices",
    "NetworkProtocol",
    "HostInterfaces",
    "SerialInterfaces",
    "ManagerDiagnosticData",
    "Power",
    "Thermal",
    "PowerSubsystem",
    "ThermalSubsystem",
    "Sensors",
    "EnvironmentMetrics",
    "NetworkAdapters",
    "TrustedComponents",
    "Assembly",
    "Drives",
)


def link_parts(tree: TreeBuilder, owner: str) -> None:
    """Give the owner a navigation property for each of its parts that the tree holds by now."""
    for part in PARTS:
        if f"{owner}/{part}" in tree and part not in tree[owner]:
            tree[owner][part] = {"@odata.id": f"{owner}/{part}"}
