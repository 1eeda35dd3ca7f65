# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a machine sees of itself, from files as the kernel writes them. Real machines are in tests/lab/scenarios."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._machine.sight import read_machine

EFIVARS = "sys/firmware/efi/efivars"
SECURE_BOOT = f"{EFIVARS}/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path


def put(root: Path, path: str, content: bytes) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_bytes(content)


def disk(root: Path, name: str, *, sectors: int = 2048, **files: str) -> None:
    for file, text in {"size": str(sectors), "removable": "0", **files}.items():
        put(root, f"sys/block/{name}/{file}", f"{text}\n".encode())


def test_a_machine_that_tells_nothing_is_a_machine_of_nulls(root: Path) -> None:
    seen = read_machine(root)
    assert seen["disks"] == [] and seen["nics"] == []
    assert seen["tpm"] == {"present": False, "version": None}
    nothing = ("cpus", "memory_bytes", "secure_boot", "lockdown", "kernel")
    assert [seen[name] for name in nothing] == [None] * 5 and seen["uefi"] is False


def test_disks_have_serials_however_their_bus_tells_them(root: Path) -> None:
    disk(root, "vda", serial="HVAFB90001")
    disk(root, "nvme0n1", **{"device/serial": "S4EMNX0R   ", "device/model": "SAMSUNG", "wwid": "eui.0025385b01401aa2"})
    disk(root, "sda")
    put(root, "sys/block/sda/device/vpd_pg80", b"\x00\x80\x00\x14        ZC1ABCDE    ")
    disk(root, "sdb", dev="8:16")
    put(root, "run/udev/data/b8:16", b"S:disk/by-id/x\nE:ID_SERIAL_SHORT=WD-XYZ\nE:ID_BUS=usb\n")
    disk(root, "sdc")
    serials = {one["name"]: (one["serial"], one["transport"]) for one in read_machine(root)["disks"]}
    assert serials == {
        "nvme0n1": ("S4EMNX0R", "nvme"),
        "sda": ("ZC1ABCDE", None),
        "sdb": ("WD-XYZ", "usb"),
        "sdc": (None, None),
        "vda": ("HVAFB90001", "virtio"),
    }


def test_sizes_are_bytes_and_what_has_none_or_is_no_disk_is_left_out(root: Path) -> None:
    disk(root, "vda", sectors=33_554_432)
    disk(root, "sda", sectors=0)  # a card reader without a card
    for name in ("loop0", "sr0", "dm-0", "md0", "zram0", "ram1", "nbd0"):
        disk(root, name)
    [only] = read_machine(root)["disks"]
    assert (only["name"], only["size_bytes"]) == ("vda", 17_179_869_184)


def test_a_member_of_a_bond_has_its_own_address(root: Path) -> None:
    for name in ("eno1", "eno2"):
        put(root, f"sys/class/net/{name}/device/vendor", b"0x8086\n")
        put(root, f"sys/class/net/{name}/address", b"52:54:00:00:00:01\n")
    put(root, "sys/class/net/eno2/bonding_slave/perm_hwaddr", b"52:54:00:00:00:02\n")
    put(root, "sys/class/net/eno1/carrier", b"1\n")
    put(root, "sys/class/net/eno1/speed", b"25000\n")
    put(root, "sys/class/net/eno2/speed", b"-1\n")
    put(root, "sys/class/net/bond0/address", b"52:54:00:00:00:01\n")  # no device behind it
    assert read_machine(root)["nics"] == [
        {"name": "eno1", "mac": "52:54:00:00:00:01", "link": "up", "speed_mbps": 25000},
        {"name": "eno2", "mac": "52:54:00:00:00:02", "link": None, "speed_mbps": None},
    ]


@pytest.mark.parametrize(
    ("variable", "expected"), [(b"\6\0\0\0\1", True), (b"\6\0\0\0\0", False), (b"\6\0\0\0", None), (None, None)]
)
def test_secure_boot_is_the_byte_behind_the_attributes(
    root: Path, variable: bytes | None, expected: bool | None
) -> None:
    put(root, f"{EFIVARS}/Other", b"")
    if variable is not None:
        put(root, SECURE_BOOT, variable)
    seen = read_machine(root)
    assert (seen["secure_boot"], seen["uefi"]) == (expected, True)


def test_the_rest(root: Path) -> None:
    put(root, "sys/class/dmi/id/product_serial", b"T8W8R4D\n")
    put(root, "sys/devices/system/cpu/online", b"0-3,8\n")
    put(root, "proc/meminfo", b"MemTotal:        2030316 kB\nMemFree: 1 kB\n")
    put(root, "sys/class/tpm/tpm0/tpm_version_major", b"2\n")
    put(root, "sys/kernel/security/lockdown", b"none [integrity] confidentiality\n")
    seen = read_machine(root)
    assert seen["identity"] == {"manufacturer": None, "model": None, "serial": "T8W8R4D", "uuid": None}
    assert (seen["cpus"], seen["memory_bytes"], seen["lockdown"]) == (5, 2030316 * 1024, "integrity")
    assert seen["tpm"] == {"present": True, "version": "2.0"}


def test_texts_are_inert(root: Path) -> None:
    disk(root, "sda", **{"device/model": "{{ lookup('pipe', 'id') }}\x1b[2J"})
    put(root, "sys/class/dmi/id/sys_vendor", b"\xff\xfe bad \x00\n")
    seen = read_machine(root)
    assert "{{" not in seen["disks"][0]["model"] and "\x1b" not in seen["disks"][0]["model"]
    assert "\x00" not in seen["identity"]["manufacturer"]
