# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a platform shows one domain: the platform's ids and manners, the domain's own parts.

Sensors, fans and power supplies stay the platform's: a virtual machine has none of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from tests.emulators.redfish.domains.boot_order import TARGETS
from tests.emulators.redfish.domains.description import Domain, DomainDrive
from tests.emulators.redfish.domains.firmware_variables import secure_boot_state
from tests.emulators.redfish.personalities import generic, openbmc
from tests.emulators.redfish.personality import BmcView, Json, Leaf, Manners, Personality, Tree
from tests.emulators.redfish.resources.boot import BootChoices
from tests.emulators.redfish.resources.leaves import last_reset_time
from tests.emulators.redfish.resources.manager import MediaSlot
from tests.emulators.redfish.resources.network import Port
from tests.emulators.redfish.resources.parts import Cpu, Dimm, Disk
from tests.emulators.redfish.resources.storage import Bay, Subsystem
from tests.emulators.redfish.resources.system import tpm
from tests.emulators.redfish.resources.update import Image

_PROTOCOLS = {"nvme": "NVMe", "sata": "SATA", "scsi": "SAS", "usb": "USB", "virtio": "PCIe"}
_READ_ONLY = frozenset({"SecureBoot.SecureBootEnable"})  # that takes the firmware's own setup


def _cpu(domain: Domain) -> Cpu:
    arm = domain.architecture == "aarch64"
    return Cpu(
        "QEMU",
        domain.cpu_model,
        domain.cores,
        domain.cores * domain.threads,
        2000,  # what QEMU writes into SMBIOS
        architecture="ARM" if arm else "x86",
        instruction_set="ARM-A64" if arm else "x86-64",
        vendor_id="",
    )


def _dimm(domain: Domain) -> Dimm:
    whole = domain.memory_mib % 1024 == 0
    return Dimm("QEMU", "RAM", domain.memory_mib // 1024 if whole else domain.memory_mib / 1024, 0, kind="DDR4")


def _bays(domain: Domain, buses: tuple[str, ...]) -> tuple[Bay, ...]:
    fitting = [drive for drive in domain.drives if drive.bus in buses]
    return tuple(Bay(str(number), _disk(drive), f"Bay {number}", drive.serial) for number, drive in enumerate(fitting))


def _disk(drive: DomainDrive) -> Disk:
    model = {"nvme": "QEMU NVMe Ctrl", "virtio": "QEMU virtio-blk"}.get(drive.bus, "QEMU HARDDISK")
    return Disk("QEMU", model, drive.size_bytes, "", "", _PROTOCOLS.get(drive.bus, "PCIe"), self_encrypting=False)


def _subsystems(domain: Domain) -> tuple[Subsystem, ...]:
    others = tuple({drive.bus for drive in domain.drives} - {"nvme"})
    found = (
        Subsystem("1", "Disks", _bays(domain, others), volumes_listed=False),
        Subsystem("2", "NVMe drives", _bays(domain, ("nvme",)), volumes_listed=False),
    )
    return tuple(subsystem for subsystem in found if subsystem.bays)


def _ports(domain: Domain) -> tuple[Port, ...]:
    return tuple(Port(str(number), 0, 1000, nic.link_up, address=nic.mac) for number, nic in enumerate(domain.nics, 1))


def _slots(count: int) -> tuple[MediaSlot, ...]:
    return tuple(
        MediaSlot(
            f"CD{number}",
            f"Virtual CD {number}",
            body={"TransferProtocolType@Redfish.AllowableValues": ["HTTP", "HTTPS"]},
        )
        for number in range(1, count + 1)
    )


def _secure_boot(path: Path, of: str) -> Leaf:
    def leaf(bmc: BmcView) -> Json:
        state = secure_boot_state(path)
        if state is None:
            return None
        if of == "mode":
            return "UserMode" if state.owned else "SetupMode"
        if of == "current":
            return "Enabled" if state.enforced else "Disabled"
        return state.enabled

    return leaf


def _secure_boot_choices(domain: Domain) -> Mapping[str, object] | None:
    if not domain.nvram or secure_boot_state(Path(domain.nvram)) is None:
        # no UEFI, variables in a format that is not ours to read, or no file before the first start
        return None
    path = Path(domain.nvram)
    return {
        "enabled": _secure_boot(path, "enabled"),
        "current": _secure_boot(path, "current"),
        "mode": _secure_boot(path, "mode"),
        "reset_keys": (),
        "databases": (),
    }


def _boot(domain: Domain) -> BootChoices:
    mode = "UEFI" if domain.nvram else "Legacy"
    return BootChoices(targets=("None", *TARGETS), mode=mode, mode_values=(mode,))


def _generic(domain: Domain, slots: int) -> Tree:
    plan = replace(
        generic.PLAN,
        manufacturer=domain.manufacturer,
        model=domain.product,
        sku=None,
        part_number=None,
        chassis_part=None,
        bios_version=None,
        host=None,
        serial_number=domain.serial or None,
        chassis_serial=domain.serial or None,
        cpu=_cpu(domain),
        cpus=domain.sockets,
        dimm=_dimm(domain),
        dimms=1,
        ports=_ports(domain),
        subsystems=_subsystems(domain),
        trusted_modules=_tpms(domain),
        boot=_boot(domain),
        bios=None,
        secure_boot=_secure_boot_choices(domain),
        progress=bool(domain.console),
        media=_slots(slots),
        system_more={"LastResetTime": last_reset_time(generic.PLAN.system)},
    )
    return generic.tree_of(plan, (Image("BMC", "BMC firmware", plan.firmware, related=(plan.manager,)),))


def _tpms(domain: Domain) -> tuple[dict[str, object], ...]:
    kind = {"2.0": "TPM2_0", "1.2": "TPM1_2"}.get(domain.tpm)
    return () if kind is None else (tpm("", kind),)


def _openbmc(domain: Domain, slots: int) -> Tree:
    buses = tuple({drive.bus for drive in domain.drives})
    return openbmc.tree_of(
        openbmc.Parts(
            manufacturer=domain.manufacturer,
            model=domain.product,
            part_number=None,
            chassis_part=None,
            bios="",
            serial_number=domain.serial or None,
            cpu=_cpu(domain),
            cpus=domain.sockets,
            dimm=_dimm(domain),
            dimms=1,
            dimm_slots=1,
            disks=Subsystem("1", "Storage", _bays(domain, buses), volumes_listed=False),
            boot=_boot(domain),
            trusted_modules=_tpms(domain),
            progress=bool(domain.console),
            media=tuple(
                MediaSlot(f"Slot_{number}", "Virtual Removable Media", ("CD", "USBStick")) for number in range(slots)
            ),
        )
    )


_TREES: Mapping[str, tuple[Personality, Callable[[Domain, int], Tree]]] = {
    "generic": (generic.PERSONALITY, _generic),
    "openbmc": (openbmc.PERSONALITY, _openbmc),
}
PLATFORMS = tuple(_TREES)


def personality_of(domain: Domain, platform: str, slots: int) -> Personality:
    """``platform`` is one of PLATFORMS; ``slots``: at most so many of the domain's CD-ROM drives take media."""
    usual, tree = _TREES[platform]
    manners: Manners = replace(usual.manners, read_only=usual.manners.read_only | _READ_ONLY)
    return replace(usual, tree=partial(tree, domain, min(slots, len(domain.trays))), manners=manners)
