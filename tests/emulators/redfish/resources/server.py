# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One ordinary server behind one BMC: system, chassis and manager with all their parts, from one plan.

What a platform does differently it states in the plan, or changes in the finished tree.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.emulators.redfish.personality import Leaf, Template, asset_tag, mac, power_state, serial, system_uuid
from tests.emulators.redfish.resources.boot import (
    BIOS_ATTRIBUTES,
    ORDINARY_OPTIONS,
    BootChoices,
    bios,
    secure_boot,
)
from tests.emulators.redfish.resources.chassis import CHASSIS, chassis, placement
from tests.emulators.redfish.resources.environment import (
    Climate,
    environment_metrics,
    power,
    power_subsystem,
    sensors,
    server_climate,
    thermal,
    thermal_subsystem,
)
from tests.emulators.redfish.resources.leaves import bmc_host_name, host_name, uuid_of
from tests.emulators.redfish.resources.logs import Log, log_services
from tests.emulators.redfish.resources.manager import (
    MANAGERS,
    MediaSlot,
    manager,
    manager_ports,
    network_protocol,
    virtual_media,
)
from tests.emulators.redfish.resources.memory import dimms
from tests.emulators.redfish.resources.network import Port, host_ports
from tests.emulators.redfish.resources.parts import Cpu, Dimm
from tests.emulators.redfish.resources.processors import cpus, processor_collection
from tests.emulators.redfish.resources.storage import Subsystem, drive_paths, storage
from tests.emulators.redfish.resources.system import ORDINARY_RESETS, SYSTEMS, link_parts, system, tpm
from tests.emulators.redfish.resources.tree import TreeBuilder
from tests.emulators.redfish.resources.update import FIRMWARE


@dataclass(frozen=True)
class ServerPlan:
    system_id: str
    chassis_id: str
    manager_id: str
    manufacturer: str | None
    model: str | None
    cpu: Cpu
    dimm: Dimm
    ports: tuple[Port, ...]
    subsystems: tuple[Subsystem, ...]
    firmware: str  # of the BMC
    bmc_model: str
    bios_version: str | None = None
    # identity
    sku: Any = None
    part_number: str | None = None
    serial_number: Leaf | str | None = serial
    uuid: Leaf | str | None = system_uuid
    asset: Leaf | str | None = asset_tag
    host: Leaf | str | None = host_name
    chassis_model: str | None = None  # None: as the system
    chassis_serial: Leaf | str | None = serial
    chassis_part: str | None = None
    chassis_kind: str | None = "RackMount"
    height_units: int = 1
    location: Template | None = field(default_factory=placement)
    manager_uuid: Leaf | str | None = uuid_of("manager")
    service_uuid: Leaf | None = uuid_of("service")
    bmc_host: Leaf = bmc_host_name
    # parts
    cpus: int = 2
    cpu_id: Callable[[int], str] = lambda i: str(i + 1)
    cpu_socket: Callable[[int], str] = lambda i: f"CPU {i + 1}"
    dimms: int = 16
    dimm_slots: int = 0
    dimm_id: Callable[[int], str] = lambda i: str(i + 1)
    dimm_label: Callable[[int], str] = lambda i: f"DIMM {i + 1}"
    upper_case_macs: bool = False
    drive_chassis: str | None = None  # path
    trusted_modules: tuple[Template, ...] | None = field(default_factory=lambda: (tpm(),))
    # start
    boot: BootChoices = field(default_factory=lambda: BootChoices(options=ORDINARY_OPTIONS))
    bios: Mapping[str, Any] | None = field(
        default_factory=lambda: {"attributes": BIOS_ATTRIBUTES, "registry": "BiosAttributeRegistry.1.0.0"}
    )
    secure_boot: Mapping[str, Any] | None = field(default_factory=dict)
    resets: tuple[str, ...] = ORDINARY_RESETS
    progress: bool = True
    # chassis
    led: str = "active"
    chassis_led: str | None = None  # None: as the system
    drive_led: str | None = None  # None: as the system
    chassis_resets: tuple[str, ...] = ()
    climate: Climate = field(default_factory=server_climate)
    old_model: bool = False
    new_model: bool = True
    sensors_listed: bool = True
    # manager
    manager_name: str = "Manager"
    manager_ports: Mapping[str, int] = field(default_factory=lambda: {"1": 0})
    manager_resets: tuple[str, ...] = ("GracefulRestart", "ForceRestart")
    manager_defaults: tuple[str, ...] = ("ResetAll",)
    software: str = ""  # id of the BMC's image in the firmware inventory
    protocol: Mapping[str, Any] = field(default_factory=dict)
    media: tuple[MediaSlot, ...] = (MediaSlot("CD1", "Virtual CD 1"), MediaSlot("CD2", "Virtual CD 2"))
    media_at: str = "manager"  # "manager" | "system" | "both"
    system_media: tuple[MediaSlot, ...] | None = None  # None: as at the manager
    manager_logs: tuple[Log, ...] = (Log("Log", "Manager Log", "Event"),)
    system_logs: tuple[Log, ...] = (Log("SEL", "System Event Log", "SEL"),)
    # what the platform adds
    system_more: Mapping[str, Any] = field(default_factory=dict)
    chassis_more: Mapping[str, Any] = field(default_factory=dict)
    manager_more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def system(self) -> str:
        return f"{SYSTEMS}/{self.system_id}"

    @property
    def chassis(self) -> str:
        return f"{CHASSIS}/{self.chassis_id}"

    @property
    def manager(self) -> str:
        return f"{MANAGERS}/{self.manager_id}"


def server(tree: TreeBuilder, plan: ServerPlan) -> None:
    """The collections Systems, Chassis and Managers must stand already, or be put later with explicit members."""
    _system(tree, plan)
    _chassis(tree, plan)
    _manager(tree, plan)
    for owner in (plan.system, plan.chassis, plan.manager):
        link_parts(tree, owner)


def server_without_manager(tree: TreeBuilder, plan: ServerPlan) -> None:
    """System and chassis alone: several of them share one manager, which stands or will stand in the tree."""
    _system(tree, plan)
    _chassis(tree, plan)
    for owner in (plan.system, plan.chassis):
        link_parts(tree, owner)


def server_collections(tree: TreeBuilder) -> None:
    tree.collect(SYSTEMS, "ComputerSystem", "Computer System Collection")
    tree.collect(CHASSIS, "Chassis", "Chassis Collection")
    tree.collect(MANAGERS, "Manager", "Manager Collection")


def _system(tree: TreeBuilder, plan: ServerPlan) -> None:
    system(
        tree,
        plan.system_id,
        manufacturer=plan.manufacturer,
        model=plan.model,
        sku=plan.sku,
        part_number=plan.part_number,
        serial_number=plan.serial_number,
        uuid=plan.uuid,
        asset=plan.asset,
        host=plan.host,
        bios_version=plan.bios_version,
        cpu=plan.cpu,
        cpu_count=plan.cpus,
        dimm=plan.dimm,
        dimm_count=plan.dimms,
        boot=plan.boot,
        trusted_modules=plan.trusted_modules,
        reset_types=plan.resets,
        led=plan.led,
        progress=plan.progress,
        chassis=(plan.chassis,),
        managers=(plan.manager,),
        **plan.system_more,
    )
    processor_collection(tree, plan.system)
    cpus(
        tree,
        plan.system,
        plan.cpu,
        plan.cpus,
        identifier=plan.cpu_id,
        socket=plan.cpu_socket,
        chassis=plan.chassis,
    )
    dimms(
        tree,
        plan.system,
        plan.dimm,
        plan.dimms,
        identifier=plan.dimm_id,
        label=plan.dimm_label,
        slots=plan.dimm_slots,
        chassis=plan.chassis,
    )
    if plan.ports:
        host_ports(tree, plan.system, plan.ports, chassis=plan.chassis, upper_case=plan.upper_case_macs)
    if plan.subsystems:
        storage(
            tree,
            plan.system,
            plan.subsystems,
            chassis=plan.chassis,
            drive_chassis=plan.drive_chassis,
            led=plan.drive_led or plan.led,
        )
    if plan.bios is not None:
        bios(tree, plan.system, **plan.bios)
    if plan.secure_boot is not None:
        secure_boot(tree, plan.system, **plan.secure_boot)
    if plan.system_logs:
        log_services(tree, plan.system, plan.system_logs)
    if plan.media_at in ("system", "both"):
        virtual_media(tree, plan.system, plan.system_media or plan.media)


def _chassis(tree: TreeBuilder, plan: ServerPlan) -> None:
    drives = [path for subsystem in plan.subsystems for path in drive_paths(plan.system, subsystem)]
    path = chassis(
        tree,
        plan.chassis_id,
        name="Computer System Chassis",
        kind=plan.chassis_kind,
        manufacturer=plan.manufacturer,
        model=plan.chassis_model or plan.model,
        serial_number=plan.chassis_serial,
        part_number=plan.chassis_part,
        asset=plan.asset,
        systems=(plan.system,),
        managers=(plan.manager,),
        drives=drives if plan.drive_chassis in (None, plan.chassis) else (),
        location=plan.location,
        led=plan.chassis_led or plan.led,
        power=power_state(plan.system),
        reset_types=plan.chassis_resets,
        height_units=plan.height_units or None,
        **plan.chassis_more,
    )
    climate(tree, path, plan.climate, old=plan.old_model, new=plan.new_model, listed=plan.sensors_listed)


def climate(tree: TreeBuilder, path: str, measured: Climate, *, old: bool, new: bool, listed: bool = True) -> None:
    """The sensors of a chassis in the models that its firmware speaks."""
    if old:
        power(tree, path, measured)
        thermal(tree, path, measured)
    if listed:
        sensors(tree, path, measured.sensors())
    if new:
        power_subsystem(tree, path, measured)
        thermal_subsystem(tree, path, measured)
        environment_metrics(tree, path, measured)


def _manager(tree: TreeBuilder, plan: ServerPlan) -> None:
    path = manager(
        tree,
        plan.manager_id,
        name=plan.manager_name,
        firmware=plan.firmware,
        model=plan.bmc_model,
        systems=(plan.system,),
        chassis=(plan.chassis,),
        uuid=plan.manager_uuid,
        service_uuid=plan.service_uuid,
        reset_types=plan.manager_resets,
        default_types=plan.manager_defaults,
        software=f"{FIRMWARE}/{plan.software}" if plan.software else None,
        **plan.manager_more,
    )
    manager_ports(tree, path, plan.manager_ports, make_mac=mac, host=plan.bmc_host)
    network_protocol(tree, path, host=plan.bmc_host, **plan.protocol)
    if plan.manager_logs:
        log_services(tree, path, plan.manager_logs)
    if plan.media and plan.media_at in ("manager", "both"):
        virtual_media(tree, path, plan.media)
