# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""QEMU's monitor, for what libvirt 9 does not know of: the NVMe controller."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from tests.lab.engine import virsh
from tests.lab.engine.domain import NVME_DEVICE, NVME_NODE, NVME_PORT
from tests.lab.rack import Machine
from tests.lab.snapshot.store import SnapshotError


def unplug_nvme(machine: Machine, within: float, sleep: Callable[[float], None] = time.sleep) -> None:
    """Ask the guest to let go of its NVMe controller, and wait until it has."""
    if not _has_nvme(machine):
        return
    _monitor(machine, "device_del", id=NVME_DEVICE)
    deadline = time.monotonic() + within
    while _has_nvme(machine):
        if time.monotonic() > deadline:
            raise SnapshotError(
                f"{machine.name} does not let go of its NVMe disk: only an operating system that runs does. Nothing was"
                " saved. Power the machine off, since it is still asked to; save it off, or when its system is up"
            )
        sleep(0.1)


def plug_nvme(machine: Machine) -> None:
    """Give the machine its NVMe controller (back), as it has it at power on."""
    if not _has_nvme(machine):
        serial = machine.disk("nvme").serial
        _monitor(machine, "device_add", driver="nvme", id=NVME_DEVICE, bus=NVME_PORT, drive=NVME_NODE, serial=serial)


def _has_nvme(machine: Machine) -> bool:
    # Not query-pci: while firmware has not numbered the buses yet, that does not look behind the port.
    there = _monitor(machine, "qom-list", path="/machine/peripheral")
    return NVME_DEVICE in [device["name"] for device in there]


def _monitor(machine: Machine, execute: str, **arguments: object) -> Any:
    command = json.dumps({"execute": execute, "arguments": arguments})
    answer = json.loads(virsh.virsh("qemu-monitor-command", machine.name, command))
    if "error" in answer:
        raise SnapshotError(f"QEMU of {machine.name}: {execute}: {answer['error'].get('desc', answer['error'])}")
    return answer["return"]
