# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a running system sees of its own machine, from the kernel's files: no command is run, nothing is changed.

Every text passes :func:`.._core.hostile.clean`: a disk's model or a DMI string may say anything.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, Dict, List, Optional

from .._core.hostile import clean

# Block devices that are no disks: made by the system itself, and drives for discs.
_NO_DISK = re.compile(r"(loop|ram|zram|sr|fd|dm-|md|nbd|mtdblock)")
_GLOBAL_VARIABLE = "8be4df61-93ca-11d2-aa0d-00e098032b8c"  # UEFI 2.10 §3.3, EFI_GLOBAL_VARIABLE
_SECTOR = 512  # /sys/block/*/size counts these, whatever the disk's own sectors are


def read_machine(root: Path = Path("/")) -> Dict[str, Any]:
    """The machine as :mod:`plugins.modules.machine_info` documents it."""
    return {
        "identity": _identity(root / "sys/class/dmi/id"),
        "cpus": _cpus(root),
        "memory_bytes": _memory(root / "proc/meminfo"),
        "disks": _disks(root),
        "nics": _nics(root / "sys/class/net"),
        "tpm": _tpm(root / "sys/class/tpm/tpm0"),
        "secure_boot": _secure_boot(root / "sys/firmware/efi"),
        "uefi": (root / "sys/firmware/efi").is_dir(),
        "lockdown": _chosen(_text(root / "sys/kernel/security/lockdown")),
        "kernel": _text(root / "proc/sys/kernel/osrelease"),
    }


def _identity(dmi: Path) -> Dict[str, Optional[str]]:
    names = {"manufacturer": "sys_vendor", "model": "product_name", "serial": "product_serial", "uuid": "product_uuid"}
    return {name: _text(dmi / file) for name, file in names.items()}


def _cpus(root: Path) -> Optional[int]:
    """Those that are online, as the kernel lists them: 0-3,8."""
    listed = _text(root / "sys/devices/system/cpu/online")
    if not listed or not re.fullmatch(r"\d{1,5}(-\d{1,5})?(,\d{1,5}(-\d{1,5})?)*", listed):
        return None
    ranges = [part.partition("-") for part in listed.split(",")]
    return sum(int(last or first) - int(first) + 1 for first, _dash, last in ranges)


def _memory(meminfo: Path) -> Optional[int]:
    match = re.search(r"^MemTotal:\s+(\d+) kB$", _raw(meminfo), re.MULTILINE)
    return int(match.group(1)) * 1024 if match else None


def _disks(root: Path) -> List[Dict[str, Any]]:
    block = root / "sys/block"
    names = sorted(os.listdir(block)) if block.is_dir() else []
    disks = [_disk(root, block / name) for name in names if not _NO_DISK.match(name)]
    return [disk for disk in disks if disk["size_bytes"]]


def _disk(root: Path, disk: Path) -> Dict[str, Any]:
    udev = _udev(root, _text(disk / "dev"))
    size = _whole(disk / "size")
    rotational = _text(disk / "queue/rotational")
    return {
        "name": disk.name,
        "serial": _serial(disk) or udev.get("ID_SERIAL_SHORT") or None,
        "wwn": _text(disk / "wwid") or _text(disk / "device/wwid") or udev.get("ID_WWN") or None,
        "model": _text(disk / "device/model") or udev.get("ID_MODEL") or None,
        "size_bytes": None if size is None else size * _SECTOR,
        "transport": _transport(disk, udev),
        "rotational": None if rotational is None else rotational == "1",
        "removable": _text(disk / "removable") == "1",
    }


def _serial(disk: Path) -> Optional[str]:
    """virtio and NVMe have a file; SCSI and SATA have the page that the disk answered with (SPC-5 §7.7.18)."""
    for file in ("serial", "device/serial"):
        said = _text(disk / file)
        if said:
            return said
    try:
        page = (disk / "device/vpd_pg80").read_bytes()
    except OSError:
        return None
    return clean(page[4:].decode("ascii", "replace").strip("\0 ")) or None


def _transport(disk: Path, udev: Dict[str, str]) -> Optional[str]:
    if disk.name.startswith("nvme"):
        return "nvme"
    if disk.name.startswith("vd"):
        return "virtio"
    return udev.get("ID_BUS") or None


def _udev(root: Path, device: Optional[str]) -> Dict[str, str]:
    """What udev found out about a block device, where udev runs."""
    if not device or not re.fullmatch(r"\d+:\d+", device):
        return {}
    properties = re.findall(r"^E:([A-Z_]+)=(.*)$", _raw(root / "run/udev/data" / f"b{device}"), re.MULTILINE)
    return {name: clean(value) for name, value in properties}


def _nics(net: Path) -> List[Dict[str, Any]]:
    """Real ones only: what has a device behind it."""
    names = sorted(os.listdir(net)) if net.is_dir() else []
    return [_nic(net / name) for name in names if (net / name / "device").exists()]


def _nic(nic: Path) -> Dict[str, Any]:
    carrier, speed = _text(nic / "carrier"), _whole(nic / "speed")
    return {
        "name": clean(nic.name),
        # A member of a bond wears the bond's address.
        "mac": _text(nic / "bonding_slave/perm_hwaddr") or _text(nic / "address"),
        "link": {"1": "up", "0": "down"}.get(carrier or ""),
        "speed_mbps": speed if speed else None,
    }


def _tpm(tpm: Path) -> Dict[str, Any]:
    major = _text(tpm / "tpm_version_major")
    return {"present": tpm.is_dir(), "version": {"1": "1.2", "2": "2.0"}.get(major or "")}


def _secure_boot(efi: Path) -> Optional[bool]:
    """None where the firmware does not tell. Four bytes of attributes, then the value."""
    try:
        variable = (efi / "efivars" / f"SecureBoot-{_GLOBAL_VARIABLE}").read_bytes()
    except OSError:
        return None
    return variable[4] == 1 if len(variable) == 5 else None


def _chosen(options: Optional[str]) -> Optional[str]:
    """none [integrity] confidentiality → integrity"""
    match = re.search(r"\[(\w+)\]", options or "")
    return match.group(1) if match else None


def _whole(path: Path) -> Optional[int]:
    said = _text(path)
    return int(said) if said and re.fullmatch(r"\d{1,18}", said) else None


def _text(path: Path) -> Optional[str]:
    return clean(_raw(path)) or None


def _raw(path: Path) -> str:
    """ "" for what is not there or cannot be read (a NIC that is down has no carrier to tell of)."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


__all__ = ["read_machine"]
