# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a running QEMU boots from next: the ``bootindex`` of its devices.

QEMU tells the firmware the order once, at each reset; a change in between holds from the next reset on, whoever makes
it. So the indices always say what the *next* boot starts from, and a domain's definition is never touched.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from tests.emulators.redfish.domains.virsh import Virsh
from tests.emulators.redfish.machine import MachineFailed

_KINDS = {
    "virtio-blk": "Hdd",
    "scsi-hd": "Hdd",
    "ide-hd": "Hdd",
    "usb-storage": "Hdd",
    "nvme": "Hdd",
    "nvme-ns": "Hdd",
    "ide-cd": "Cd",
    "scsi-cd": "Cd",
    "virtio-net": "Pxe",
    "e1000": "Pxe",
    "e1000e": "Pxe",
    "igb": "Pxe",
    "rtl8139": "Pxe",
}
TARGETS = ("Pxe", "Hdd", "Cd")


@dataclass(frozen=True)
class Bootable:
    """A device that firmware may start from, by its id in QEMU."""

    identifier: str
    kind: str  # a boot source target
    index: int  # -1: not in the order


def path_of(identifier: str) -> str:
    return f"/machine/peripheral/{identifier}"


def kind_of(qom_type: str) -> str:
    """``child<virtio-blk-pci>`` → ``Hdd``; "" for what nothing boots from."""
    name = qom_type.removeprefix("child<").removesuffix(">")
    for suffix in ("-pci-non-transitional", "-pci-transitional", "-pci", "-device", "-ccw"):
        name = name.removesuffix(suffix)
    return _KINDS.get(name, "")


async def bootables(virsh: Virsh, domain: str) -> tuple[Bootable, ...]:
    (listed,) = await virsh.monitor(domain, {"execute": "qom-list", "arguments": {"path": "/machine/peripheral"}})
    kinds = {entry["name"]: kind_of(entry["type"]) for entry in listed.get("return", ())}
    names = sorted(name for name, kind in kinds.items() if kind)
    answers = await virsh.monitor(
        domain,
        *({"execute": "qom-get", "arguments": {"path": path_of(name), "property": "bootindex"}} for name in names),
    )
    return tuple(
        Bootable(name, kinds[name], int(answer["return"]))
        for name, answer in zip(names, answers, strict=True)
        if "return" in answer
    )


def usual_order(devices: Sequence[Bootable]) -> list[str]:
    return [device.identifier for device in sorted(devices, key=lambda device: device.index) if device.index >= 0]


def overridden(usual: Sequence[str], devices: Sequence[Bootable], target: str, trays: Sequence[str],
               loaded: Collection[str]) -> list[str]:  # fmt: skip
    """The usual order with the devices of the target in front: CD-ROM drives in the order of their slots and those
    with a medium first, the others as they stand in the usual order, then the rest of their kind."""
    if target == "Cd":
        front = [tray for tray in trays if tray in loaded] + [tray for tray in trays if tray not in loaded]
    else:
        of_kind = [device.identifier for device in devices if device.kind == target]
        front = [name for name in usual if name in of_kind] + [name for name in of_kind if name not in usual]
    return front + [name for name in usual if name not in front]


async def arrange(virsh: Virsh, domain: str, devices: Sequence[Bootable], order: Sequence[str]) -> None:
    """Raises MachineFailed where QEMU refuses. No two devices may share an index at any moment."""
    places = {name: number for number, name in enumerate(order, 1)}
    settings = [(device.identifier, -1) for device in devices]
    settings += places.items()
    answers = await virsh.monitor(
        domain,
        *(
            {"execute": "qom-set", "arguments": {"path": path_of(name), "property": "bootindex", "value": index}}
            for name, index in settings
        ),
    )
    for (name, index), answer in zip(settings, answers, strict=True):
        if "error" in answer:
            raise MachineFailed(f"bootindex {index} of {name}: {answer['error'].get('desc', answer['error'])}")
