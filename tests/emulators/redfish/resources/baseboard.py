# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""NVIDIA's baseboard: a second "system" in the service that is no host of its own, with the GPUs, a manager and a
flock of chassis. It hangs on the host's BMC and has a small BMC (HMC) of its own behind it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tests.emulators.redfish.personality import Template, links, power_state, token
from tests.emulators.redfish.resources.chassis import CHASSIS, chassis
from tests.emulators.redfish.resources.environment import Climate, Probe, environment_metrics, sensors
from tests.emulators.redfish.resources.leaves import uuid_of
from tests.emulators.redfish.resources.logs import Log, log_services
from tests.emulators.redfish.resources.manager import MANAGERS, manager, manager_ports
from tests.emulators.redfish.resources.memory import gpu_memory
from tests.emulators.redfish.resources.parts import Gpu
from tests.emulators.redfish.resources.processors import gpus, processor_collection
from tests.emulators.redfish.resources.system import SYSTEMS, link_parts, system
from tests.emulators.redfish.resources.tree import TreeBuilder
from tests.emulators.redfish.resources.update import Image

SYSTEM = f"{SYSTEMS}/HGX_Baseboard_0"
MANAGER = f"{MANAGERS}/HGX_BMC_0"
BOARD = f"{CHASSIS}/HGX_Chassis_0"
PREFIXES = (SYSTEM, f"{CHASSIS}/HGX_", f"{MANAGERS}/HGX_")  # what answers 503 while the host is off


@dataclass(frozen=True)
class Baseboard:
    gpu: Gpu
    names: tuple[str, ...]  # "GPU_SXM_1"
    firmware: str
    model: str | None = None
    uuid: Any = uuid_of("baseboard")
    serial: Any = token("16########0##", "baseboard")
    part_number: str = "935-24287-0301-000"
    bmc_identifier: str | None = None  # Id in the manager's body, where it differs from its path
    extra_chassis: tuple[str, ...] = ()  # modules beside the GPUs: retimers, switches, roots of trust
    labels: tuple[str, ...] = ()


def baseboard(tree: TreeBuilder, board: Baseboard, host: str) -> None:
    """``host``: path of the system whose power the baseboard has."""
    system(
        tree,
        "HGX_Baseboard_0",
        name="HGX_Baseboard_0",
        manufacturer="NVIDIA",
        model=board.model,
        part_number=board.part_number,
        serial_number=board.serial,
        uuid=board.uuid,
        host=None,
        reset_types=("ForceRestart",),
        led="none",
        progress=False,
        chassis=(BOARD,),
        managers=(MANAGER,),
        PowerState=power_state(host),
        MemorySummary={"TotalSystemMemoryGiB": board.gpu.memory_gib * len(board.names)},
        ProcessorSummary={"Count": len(board.names), "Model": None},
        Oem={"Nvidia": {"@odata.type": "#NvidiaComputerSystem.v1_0_0.NvidiaComputerSystem", "ISTModeEnabled": False}},
    )
    # A baseboard is switched with its host, so its own system offers no reset.
    del tree[SYSTEM]["Actions"]
    processor_collection(tree, SYSTEM)
    tree.collect(f"{SYSTEM}/Memory", "Memory", "Memory Module Collection")
    memory = {name: gpu_memory(tree, SYSTEM, board.gpu, name, f"{SYSTEM}/Processors/{name}") for name in board.names}
    labels = dict(zip(board.names, board.labels or board.names, strict=True))
    gpus(
        tree,
        SYSTEM,
        board.gpu,
        board.names,
        chassis_of=lambda name: f"{CHASSIS}/HGX_{name}",
        memory_path=memory.__getitem__,
        label=labels.__getitem__,
    )
    log_services(tree, SYSTEM, (Log("EventLog", "Event Log Service"), Log("FaultLog", "Fault Log Service")))
    _manager(tree, board)
    _chassis(tree, board)
    for owner in (SYSTEM, MANAGER):
        link_parts(tree, owner)


def _manager(tree: TreeBuilder, board: Baseboard) -> None:
    manager(
        tree,
        "HGX_BMC_0",
        name="OpenBmc Manager",
        firmware=board.firmware,
        model="OpenBmc",
        systems=(SYSTEM,),
        chassis=(BOARD,),
        uuid=uuid_of("hmc"),
        service_uuid=uuid_of("hmc-service"),
        default_types=("ResetAll",),
    )
    if board.bmc_identifier is not None:
        tree[MANAGER]["Id"] = board.bmc_identifier
    manager_ports(tree, MANAGER, {"usb0": 250}, name="HMC USB Interface")
    log_services(tree, MANAGER, (Log("Journal", "OpenBMC Journal Log Service"),))


def _chassis(tree: TreeBuilder, board: Baseboard) -> None:
    modules = [f"HGX_{name}" for name in board.names]
    chassis(
        tree,
        "HGX_Chassis_0",
        kind="Zone",
        name="Chassis_0",
        manufacturer="NVIDIA",
        serial_number=board.serial,
        part_number=board.part_number,
        systems=(SYSTEM,),
        managers=(MANAGER,),
        contains=[f"{CHASSIS}/{name}" for name in (*modules, *board.extra_chassis)],
        led="none",
    )
    for name, module in zip(board.names, modules, strict=True):
        _gpu_chassis(tree, board, name, module)
    for module in board.extra_chassis:
        chassis(
            tree,
            module,
            kind="Module",
            manufacturer="NVIDIA",
            serial_number=token("16########0##", module),
            managers=(MANAGER,),
            contained_by=BOARD,
            led="none",
        )


def _gpu_chassis(tree: TreeBuilder, board: Baseboard, name: str, module: str) -> None:
    path = chassis(
        tree,
        module,
        kind="Module",
        name=name,
        manufacturer=board.gpu.manufacturer,
        model=board.gpu.model,
        part_number=board.gpu.part_number,
        serial_number=token(board.gpu.serial_pattern, f"gpu/{name}"),
        systems=(SYSTEM,),
        managers=(MANAGER,),
        contained_by=BOARD,
        processors=(f"{SYSTEM}/Processors/{name}",),
        led="none",
        UUID=uuid_of(f"gpu/{name}"),
    )
    measured = Climate(
        temperatures=(
            Probe(f"{name}_TEMP_0", f"{name} Temp 0", "Temperature", "GPU", 46.0, 8.0, 85, 90, of_host=True),
        ),
        power=Probe(f"{name}_Power_0", f"{name} Power 0", "Power", "GPU", 310.0, 60.0, of_host=True),
        power_limit=(200, board.gpu.max_watts),
    )
    sensors(tree, path, measured.sensors())
    environment_metrics(tree, path, measured)
    link_parts(tree, path)


def baseboard_images(board: Baseboard) -> Iterable[Image]:
    yield Image("HGX_FW_BMC_0", "Software Inventory", board.firmware, related=(MANAGER,))
    yield Image("HGX_FW_FPGA_0", "Software Inventory", "2.53", manufacturer="NVIDIA")
    for name in board.names:
        yield Image(f"HGX_FW_{name}", "Software Inventory", board.gpu.firmware, manufacturer=board.gpu.manufacturer)
        yield Image(f"HGX_InfoROM_{name}", "Software Inventory", "G520.0200.00.05", updateable=False)


def systems_in_order(tree: TreeBuilder, *paths: str) -> None:
    """The order in which the platform lists its systems, whatever stands first in the tree."""
    body: Template = tree[SYSTEMS]
    body["Members"] = links(*paths)
    body["Members@odata.count"] = len(paths)
