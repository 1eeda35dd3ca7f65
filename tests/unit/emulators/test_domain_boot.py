# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a real machine boots from next, and how far it has come by its console."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.emulators.redfish.domains.boot_order import Bootable, kind_of, overridden, usual_order
from tests.emulators.redfish.domains.console import ConsoleFile

DEVICES = (
    Bootable("cd1", "Cd", -1),
    Bootable("cd2", "Cd", -1),
    Bootable("net0", "Pxe", -1),
    Bootable("nvme", "Hdd", 90),
    Bootable("virtio", "Hdd", 1),
)


def test_the_usual_order_is_that_of_the_definition() -> None:
    assert usual_order(DEVICES) == ["virtio", "nvme"]


@pytest.mark.parametrize(
    ("target", "loaded", "order"),
    [
        ("Cd", ["cd1", "cd2"], ["cd1", "cd2", "virtio", "nvme"]),
        ("Cd", ["cd2"], ["cd2", "cd1", "virtio", "nvme"]),
        ("Cd", [], ["cd1", "cd2", "virtio", "nvme"]),
        ("Pxe", ["cd1"], ["net0", "virtio", "nvme"]),
        ("Hdd", ["cd1"], ["virtio", "nvme"]),
    ],
)
def test_an_override_puts_its_devices_in_front(target: str, loaded: list[str], order: list[str]) -> None:
    assert overridden(["virtio", "nvme"], DEVICES, target, ["cd1", "cd2"], loaded) == order


def test_a_disk_that_is_in_no_order_boots_by_override_only() -> None:
    devices = (*DEVICES, Bootable("spare", "Hdd", -1))
    assert overridden(["virtio", "nvme"], devices, "Hdd", [], []) == ["virtio", "nvme", "spare"]


@pytest.mark.parametrize(
    ("qom_type", "kind"),
    [
        ("child<virtio-blk-pci>", "Hdd"),
        ("child<virtio-blk-pci-non-transitional>", "Hdd"),
        ("child<nvme>", "Hdd"),
        ("child<ide-cd>", "Cd"),
        ("child<virtio-net-pci>", "Pxe"),
        ("child<pcie-root-port>", ""),
        ("child<tpm-crb>", ""),
    ],
)
def test_what_firmware_boots_from(qom_type: str, kind: str) -> None:
    assert kind_of(qom_type) == kind


FIRMWARE = '\x1b[2J\x1b[01;01H\x1b[=3hBdsDxe: loading Boot0001 "UEFI QEMU DVD-ROM"\r\n'


def test_a_boot_comes_as_far_as_its_console_says(tmp_path: Path) -> None:
    path = tmp_path / "console.log"
    console = ConsoleFile(str(path))
    assert console.progress() == "None"
    path.write_text("an earlier boot\nnode login: ")
    console.boot_begins()
    assert console.progress() == "None"
    reached = []
    for text in (FIRMWARE, "BdsDxe: star", "ting Boot0001\r\n", "[ 1.0] Linux version 6.1\n", "\nnode login: "):
        with open(path, "a") as file:
            file.write(text)
        reached.append(console.progress())
    ready, started = "SystemHardwareInitializationComplete", "OSBootStarted"
    assert reached == [ready, ready, started, started, "OSRunning"]


def test_a_file_that_begins_anew_is_read_from_its_beginning(tmp_path: Path) -> None:
    path = tmp_path / "console.log"
    path.write_text("x" * 10_000)
    console = ConsoleFile(str(path))
    console.boot_begins()
    path.write_text(FIRMWARE)
    assert console.progress() == "SystemHardwareInitializationComplete"


def test_a_machine_that_runs_already_is_where_its_last_boot_came(tmp_path: Path) -> None:
    path = tmp_path / "console.log"
    path.write_text(FIRMWARE + "BdsDxe: starting Boot0001\n\nnode login: " + FIRMWARE)
    console = ConsoleFile(str(path))
    console.boot_began()
    assert console.progress() == "SystemHardwareInitializationComplete"
