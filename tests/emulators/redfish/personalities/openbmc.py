# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stock OpenBMC (bmcweb): ids ``system`` and ``bmc``, the new sensor model only, no $expand, no Secure Boot, a BIOS
resource that can do nothing but reset, and no host NICs (bmcweb lists none of its own)."""

from __future__ import annotations

from dataclasses import dataclass

from tests.emulators.redfish.personality import (
    SERVICE_ROOT,
    Leaf,
    Manners,
    Personality,
    Template,
    Tree,
    asset_tag,
    serial,
)
from tests.emulators.redfish.resources import parts
from tests.emulators.redfish.resources.accounts import account_service, session_service
from tests.emulators.redfish.resources.boot import BootChoices, bios
from tests.emulators.redfish.resources.chassis import chassis, chassis_collection, placement
from tests.emulators.redfish.resources.environment import (
    environment_metrics,
    power_subsystem,
    sensors,
    server_climate,
    thermal_subsystem,
)
from tests.emulators.redfish.resources.leaves import state_when_on
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
from tests.emulators.redfish.resources.processors import cpus, processor_collection
from tests.emulators.redfish.resources.service_root import protocol_features, prune_root, service_root
from tests.emulators.redfish.resources.services import (
    certificate_service,
    event_service,
    json_schemas,
    registries,
    task_service,
    telemetry_service,
)
from tests.emulators.redfish.resources.storage import Bay, Subsystem, drive_paths, storage
from tests.emulators.redfish.resources.system import SYSTEMS, link_parts, system, tpm
from tests.emulators.redfish.resources.tree import Dialect, TreeBuilder
from tests.emulators.redfish.resources.update import FIRMWARE, Image, update_service

SYSTEM = f"{SYSTEMS}/system"
MANAGER = f"{MANAGERS}/bmc"
CHASSIS = f"{SERVICE_ROOT}/Chassis/chassis"

DISKS = Subsystem(
    "1", "NVMe Storage", tuple(Bay(f"nvme{i}", parts.NVME_1T92, f"NVMe {i}") for i in range(4)), volumes_listed=False
)
CLIMATE = server_climate(
    supplies=("powersupply0", "powersupply1"),
    supply=parts.PSU_1600,
    inlet=("temperature_Inlet_Temp", "Inlet Temp"),
    cpu=("temperature_CPU{0}_Die_Temp", "CPU{0} Die Temp"),
    fan=("fantach_Fan_{0}", "Fan {0}"),
    power=("power_Total_Power", "Total Power"),
)


@dataclass(frozen=True)
class Parts:
    """The server that this BMC sits in."""

    manufacturer: str = "Quanta Cloud Technology"
    model: str = "M2-Board"
    part_number: str | None = "MB-M2-2SKT"
    chassis_part: str | None = "CH-M2-1U"
    serial_number: Leaf | str | None = serial
    cpu: parts.Cpu = parts.EPYC_7543
    cpus: int = 2
    dimm: parts.Dimm = parts.DDR4_32
    dimms: int = 8
    dimm_slots: int = 16
    disks: Subsystem = DISKS
    boot: BootChoices = BootChoices(
        targets=("None", "Pxe", "Hdd", "Cd", "Diags", "BiosSetup", "Usb"),
        enabled_values=None,
        more={
            "AutomaticRetryConfig": "Disabled",
            "StopBootOnFault": "Never",
            "TrustedModuleRequiredToBoot": "Disabled",
        },
    )
    trusted_modules: tuple[Template, ...] = (tpm(),)
    progress: bool = True
    bios: str = "M2BOARD-1.14"  # version of the host's image; "" where the BMC knows of none
    media: tuple[MediaSlot, ...] = (MediaSlot("Slot_0", "Virtual Removable Media", ("CD", "USBStick")),)


def tree() -> Tree:
    return tree_of(Parts())


def tree_of(server: Parts) -> Tree:
    """This BMC in another server."""
    images = [Image("3f9d21b7", "BMC image", "2.18.0-dev-431-g7be1d0a3c4", related=(MANAGER,))]
    if server.bios:
        images.append(Image("bios_active", "Host image", server.bios, related=(f"{SYSTEM}/Bios",)))
    made = TreeBuilder(Dialect(action_info=True, descriptions=False))
    service_root(
        made,
        redfish_version="1.17.0",
        features=protocol_features(),  # $expand and $filter are compiled out (field notes 2.10)
        managed_by=MANAGER,
    )
    made.collect(SYSTEMS, "ComputerSystem", "Computer System Collection")
    chassis_collection(made)
    made.collect(MANAGERS, "Manager", "Manager Collection")
    _system(made, server)
    _chassis(made, server)
    _manager(made, server)
    account_service(made)
    session_service(made)
    update_service(
        made,
        images,
        push="update",
        multipart="update-multipart",  # SimpleUpdate is not usable (field notes 2.10)
        apply_time="OnReset",
    )
    task_service(made)
    event_service(made, registries=("Base", "OpenBMC", "TaskEvent", "ResourceEvent", "HeartbeatEvent"))
    telemetry_service(made)
    registries(made, ("Base.1.19.0", "TaskEvent.1.0.3", "ResourceEvent.1.3.0"))
    certificate_service(made)
    for owner in (SYSTEM, CHASSIS, MANAGER):
        link_parts(made, owner)
    json_schemas(made)
    prune_root(made)
    return made


def _system(made: TreeBuilder, server: Parts) -> None:
    system(
        made,
        "system",
        name="system",
        reset_time=True,  # bmcweb: LastResetTime of the system since 2020
        manufacturer=server.manufacturer,
        model=server.model,
        part_number=server.part_number,
        serial_number=server.serial_number,
        asset=asset_tag,
        host=None,  # bmcweb knows no name of the host
        cpu=server.cpu,
        cpu_count=server.cpus,
        dimm=server.dimm,
        dimm_count=server.dimms,
        boot=server.boot,
        trusted_modules=server.trusted_modules,
        progress=server.progress,
        reset_types=(
            "On",
            "ForceOff",
            "ForceOn",
            "ForceRestart",
            "GracefulRestart",
            "GracefulShutdown",
            "PowerCycle",
            "Nmi",
        ),
        chassis=(CHASSIS,),
        managers=(MANAGER,),
        state=state_when_on("Disabled", SYSTEM),
        PowerRestorePolicy="AlwaysOff",
    )
    processor_collection(made, SYSTEM)
    cpus(made, SYSTEM, server.cpu, server.cpus, identifier=lambda i: f"cpu{i}", socket=lambda i: f"CPU{i}")
    dimms(made, SYSTEM, server.dimm, server.dimms, slots=server.dimm_slots)
    storage(made, SYSTEM, (server.disks,), chassis=CHASSIS)
    bios(made, SYSTEM, None, change_password=False)  # BIOS: only ResetBios (field notes 2.10)
    log_services(made, SYSTEM, (Log("EventLog", "Event Log Service"), Log("PostCodes", "POST Code Log Service")))


def _chassis(made: TreeBuilder, server: Parts) -> None:
    chassis(
        made,
        "chassis",
        manufacturer=server.manufacturer,
        model=server.model,
        serial_number=server.serial_number,
        part_number=server.chassis_part,
        asset=asset_tag,
        systems=(SYSTEM,),
        managers=(MANAGER,),
        drives=drive_paths(SYSTEM, server.disks),
        location=placement(),
        reset_types=("PowerCycle",),
    )
    sensors(made, CHASSIS, CLIMATE.sensors())
    power_subsystem(made, CHASSIS, CLIMATE)
    thermal_subsystem(made, CHASSIS, CLIMATE)
    environment_metrics(made, CHASSIS, CLIMATE)


def _manager(made: TreeBuilder, server: Parts) -> None:
    manager(
        made,
        "bmc",
        name="OpenBmc Manager",
        model="OpenBmc",
        firmware="2.18.0-dev-431-g7be1d0a3c4",
        systems=(SYSTEM,),
        chassis=(CHASSIS,),
        default_types=("ResetAll",),
        software=f"{FIRMWARE}/3f9d21b7",
    )
    manager_ports(made, MANAGER, {"eth0": 0})
    network_protocol(made, MANAGER, http=False)
    log_services(made, MANAGER, (Log("Journal", "OpenBMC Journal Log Service", clearable=False),))
    virtual_media(made, MANAGER, server.media)


PERSONALITY = Personality(
    name="openbmc",
    tree=tree,
    serial_pattern="QTFCJ0########",
    manners=Manners(
        session_context="kept",  # openbmc/bmcweb: redfish_sessions.hpp
        expand="refused_501",  # compiled out by default, unknown $-queries are 501 (field notes 2.10)
        session_timeout=1800.0,  # field notes 2.10
        password_length=(8, 20),
    ),
)
