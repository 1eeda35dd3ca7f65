# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a domain's XML, its QEMU arguments and its firmware variables say of the machine."""

from __future__ import annotations

import struct
import subprocess
import uuid
from pathlib import Path

import pytest

from tests.emulators.redfish.domains.command_line import ArgumentDrive, drives
from tests.emulators.redfish.domains.description import Nic, Tray, described
from tests.emulators.redfish.domains.firmware_variables import SecureBootState, secure_boot_state
from tests.emulators.redfish.machine import MachineFailed

XML = """
<domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>node</name><uuid>2BA4E8B9-1DDB-5627-BAEF-177E8E4D4680</uuid><memory unit='KiB'>2097152</memory><vcpu>4</vcpu>
  <sysinfo type='smbios'>
    <system><entry name='manufacturer'>Hearth</entry><entry name='product'>Node</entry>
    <entry name='serial'>S1</entry></system>
    <chassis><entry name='asset'>lab-u01</entry></chassis>
  </sysinfo>
  <os><type arch='x86_64' machine='q35'>hvm</type><nvram>/nowhere/vars.fd</nvram></os>
  <cpu><model>Nehalem</model><topology sockets='1' dies='1' cores='2' threads='2'/></cpu>
  <devices>
    <disk type='file' device='disk'><source file='{disk}'/><target dev='vda' bus='virtio'/><serial>V1</serial></disk>
    <disk type='file' device='cdrom'><target dev='sda' bus='sata'/></disk>
    <disk type='file' device='cdrom'><target dev='sdb' bus='sata'/></disk>
    <interface type='bridge'><mac address='52:54:00:9E:0E:60'/><model type='virtio'/></interface>
    <interface type='bridge'><mac address='52:54:00:68:11:73'/><model type='e1000e'/><link state='down'/></interface>
    <serial type='pty'><log file='/nowhere/log'/></serial>
    <tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>
  </devices>
  <qemu:commandline><qemu:arg value='-device'/><qemu:arg value='nvme,serial=N1,drive=x'/></qemu:commandline>
</domain>"""


def test_a_domain_is_what_its_xml_says(tmp_path: Path) -> None:
    image = tmp_path / "disk.img"
    image.write_bytes(bytes(1024 * 1024))
    found = described("test:///default", XML.format(disk=image))
    assert (found.name, found.uuid) == ("node", "2ba4e8b9-1ddb-5627-baef-177e8e4d4680")
    assert (found.manufacturer, found.product, found.serial, found.asset_tag) == ("Hearth", "Node", "S1", "lab-u01")
    assert (found.memory_mib, found.sockets, found.cores, found.threads) == (2048, 1, 2, 2)
    assert found.trays == (Tray("sda", "sata"), Tray("sdb", "sata"))
    assert found.nics == (Nic("52:54:00:9e:0e:60", "virtio", True), Nic("52:54:00:68:11:73", "e1000e", False))
    assert (found.tpm, found.console, found.nvram) == ("2.0", "/nowhere/log", "/nowhere/vars.fd")
    assert [(drive.bus, drive.serial) for drive in found.drives] == [("virtio", "V1"), ("nvme", "N1")]


def test_a_drive_has_the_size_that_the_guest_sees(tmp_path: Path) -> None:
    image = tmp_path / "disk.qcow2"
    try:
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", str(image), "3M"], check=True)
    except FileNotFoundError:
        pytest.skip("qemu-img (Debian: qemu-utils) is not installed")
    found = described("test:///default", XML.format(disk=image))
    assert [drive.size_bytes for drive in found.drives] == [3 * 1024 * 1024, 0]


def test_a_domain_without_anything_has_nothing() -> None:
    found = described("test:///default", "<domain><name>bare</name></domain>")
    assert (found.drives, found.trays, found.nics, found.tpm, found.console, found.nvram) == ((), (), (), "", "", "")
    assert (found.manufacturer, found.serial) == ("QEMU", "")


def test_what_is_no_xml_is_an_error() -> None:
    with pytest.raises(MachineFailed, match="cannot be read"):
        described("test:///default", "<domain>")


@pytest.mark.parametrize(
    "arguments",
    [
        ["-drive", "file=/a,,b.img,if=none,id=d0", "-device", "nvme,id=c0,drive=d0,serial=S 1"],
        ["-drive", "file=/a,,b.img,if=none,id=d0", "-device", "nvme,id=c0,serial=S 1",
         "-device", "nvme-ns,bus=c0,drive=d0"],
        ["-blockdev", '{"driver":"qcow2","node-name":"d0","file":{"driver":"file","filename":"/a,b.img"}}',
         "-device", '{"driver":"nvme","drive":"d0","serial":"S 1"}'],
        ["-blockdev", "driver=file,node-name=f0,filename=/a,,b.img", "-blockdev", "raw,node-name=d0,file=f0",
         "-device", "nvme,drive=d0,serial=S 1", "-device", "virtio-net-pci"],
    ],
)  # fmt: skip
def test_nvme_drives_of_qemus_own_arguments(arguments: list[str]) -> None:
    assert drives(arguments) == (ArgumentDrive("nvme", "S 1", "/a,b.img"),)


def test_arguments_that_lead_in_a_circle_end() -> None:
    arguments = [
        "-blockdev",
        "raw,node-name=a,file=b",
        "-blockdev",
        "raw,node-name=b,file=a",
        "-device",
        "nvme,drive=a",
    ]
    assert drives(arguments) == (ArgumentDrive("nvme", "", ""),)


GLOBAL = "8be4df61-93ca-11d2-aa0d-00e098032b8c"
ENABLE = "f0a30bc7-af08-4556-99c4-001009c93a44"


def variable(vendor: str, name: str, data: bytes, state: int = 0x3F) -> bytes:
    text = name.encode("utf-16-le") + b"\0\0"
    head = struct.pack("<HBBIQ16sIII", 0x55AA, state, 0, 7, 0, bytes(16), 0, len(text), len(data))
    made = head + uuid.UUID(vendor).bytes_le + text + data
    return made + b"\xff" * (-len(made) % 4)


def store(*variables: bytes) -> bytes:
    body = b"".join(variables) + b"\xff" * 256
    guid = uuid.UUID("aaf32c78-947b-439a-a180-2e144ec37792").bytes_le
    return bytes(72) + guid + struct.pack("<IBBHI", 28 + len(body), 0x5A, 0xFE, 0, 0) + body


PK = variable(GLOBAL, "PK", b"key")


@pytest.mark.parametrize(
    ("variables", "state"),
    [
        ((), SecureBootState(owned=False, enabled=False)),
        ((PK,), SecureBootState(owned=True, enabled=True)),
        ((PK, variable(ENABLE, "SecureBootEnable", b"\0")), SecureBootState(owned=True, enabled=False)),
        # a value that was written over, and the one that holds
        ((variable(ENABLE, "SecureBootEnable", b"\0", 0x3C), PK, variable(ENABLE, "SecureBootEnable", b"\1")),
         SecureBootState(owned=True, enabled=True)),
        ((variable(GLOBAL, "PK", b"key", 0x3D),), SecureBootState(owned=False, enabled=False)),
    ],
)  # fmt: skip
def test_secure_boot_by_the_firmwares_variables(
    tmp_path: Path, variables: tuple[bytes, ...], state: SecureBootState
) -> None:
    path = tmp_path / "variables.fd"
    path.write_bytes(store(*variables))
    assert secure_boot_state(path) == state
    assert state.enforced == (state.owned and state.enabled)


@pytest.mark.parametrize(("name", "owned"), [("OVMF_VARS_4M.ms.fd", True), ("OVMF_VARS_4M.fd", False)])
def test_secure_boot_by_debians_own_variables(name: str, owned: bool) -> None:
    path = Path("/usr/share/OVMF") / name
    if not path.exists():
        pytest.skip(f"{path} (Debian: ovmf) is not there")
    state = secure_boot_state(path)
    assert state is not None and state.owned is owned


def test_variables_that_nobody_can_read_say_nothing(tmp_path: Path) -> None:
    path = tmp_path / "variables.qcow2"
    assert secure_boot_state(path) is None
    path.write_bytes(b"QFI\xfb" + bytes(4096))
    assert secure_boot_state(path) is None
    path.write_bytes(store(PK)[:120])
    assert secure_boot_state(path) is None
