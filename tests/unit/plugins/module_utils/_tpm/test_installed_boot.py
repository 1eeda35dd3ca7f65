# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Boots from a disk: what is predicted from its files is what the machine's TPM held, in both banks."""

from __future__ import annotations

import hashlib
import os
import re
import stat
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core.errors import (
    AttestationRefused,
    BadInput,
    NotFound,
    Unsupported,
)
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.event_log import parse_event_log
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.grub_image import embedded_prefix
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.grub_trace import BY_UUID
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.installed_boot import Mount
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.measured_boot import (
    Measured,
    Question,
    measured_boot,
)
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.measurement import BANKS
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.mounted_file_system import MountedFileSystem
from tests.servers.swtpm import require_swtpm
from tests.unit.plugins.module_utils._tpm.installed_files import (
    SIGNED_GRUBS,
    GrubTree,
    disk_tree,
    efi_variables,
    installed,
)
from tests.unit.plugins.module_utils._tpm.recorded_installed import (
    BOOT_UUID,
    COMMAND_LINE,
    GRUB_DISK,
    UNIFIED_DISK,
    RecordedDisk,
)

DISKS = (GRUB_DISK, UNIFIED_DISK)
MEASURED_BANKS = ("sha256", "sha384")


@pytest.mark.parametrize("bank", MEASURED_BANKS)
@pytest.mark.parametrize("disk", DISKS, ids=lambda disk: disk.log_name)
def test_a_log_of_two_banks_leads_to_what_linux_showed(disk: RecordedDisk, bank: str) -> None:
    replayed = parse_event_log(disk.log).replay(BANKS[bank])
    shown = {pcr: value for pcr, value in disk.pcrs(bank).items() if any(value)}
    assert shown == replayed and {0, 4, 7} < set(shown)


@pytest.mark.parametrize("disk", DISKS, ids=lambda disk: disk.log_name)
def test_tpm2_eventlog_reads_both_banks_the_same(disk: RecordedDisk, tmp_path: Path) -> None:
    require_swtpm()
    (tmp_path / "log").write_bytes(disk.log)
    said = subprocess.run(["tpm2_eventlog", tmp_path / "log"], check=True, capture_output=True, text=True).stdout
    for bank, digits in (("sha256", 64), ("sha384", 96)):
        theirs = dict(re.findall(rf"^\s+(\d+)\s*: 0x([0-9a-f]{{{digits}}})$", said, re.M))
        ours = parse_event_log(disk.log).replay(BANKS[bank])
        assert {int(pcr): value for pcr, value in theirs.items()} == {pcr: value.hex() for pcr, value in ours.items()}


@pytest.fixture
def tree(tmp_path: Path) -> GrubTree:
    efi_variables(tmp_path / "efivars", GRUB_DISK.log)
    return disk_tree(tmp_path / "disk")


def ask(folder: Path, tree: GrubTree, bank: str = "sha256", **more: Any) -> Measured:
    (folder / "event_log").write_bytes(GRUB_DISK.log)
    question = Question(
        bank=BANKS[bank],
        pcrs=more.pop("pcrs", (4, 7, 8, 9)),
        event_log=str(folder / "event_log"),
        efi_variables=str(folder / "efivars"),
        files=more.pop("files", tree.files()),
        pcr_values=GRUB_DISK.pcrs(bank),
        **more,
    )
    return measured_boot(question, os.environ)


@pytest.mark.parametrize("bank", MEASURED_BANKS)
def test_every_pcr_of_a_boot_through_grub_is_predicted(bank: str, tree: GrubTree, tmp_path: Path) -> None:
    # The devices' names come from the log: GRUB was started from hd0,gpt1, and only hd0,gpt2 is left.
    measured = ask(tmp_path, tree, bank, have_booted=True)
    shown = GRUB_DISK.pcrs(bank)
    assert measured.predicted == {pcr: shown[pcr] for pcr in (4, 7, 8, 9)}
    assert (measured.differences, measured.replay.unexplained, measured.secure_boot) == ((), (), True)
    assert measured.command_line == f"/vmlinuz {COMMAND_LINE}"
    assert ask(tmp_path, tree, bank).predicted == measured.predicted


def test_a_new_initrd_changes_pcr_9_only(tree: GrubTree, tmp_path: Path) -> None:
    (tmp_path / "new").write_bytes(GRUB_DISK.initrd + bytes(1024))
    tree.replacements[str(tmp_path / "disk/boot/initrd.img")] = str(tmp_path / "new")
    measured = ask(tmp_path, tree)
    changed = {pcr for pcr, value in measured.predicted.items() if value != GRUB_DISK.pcrs("sha256")[pcr]}
    (difference,) = measured.differences
    assert changed == {9} and difference.as_dict()["found"] == "/initrd.img"
    assert difference.as_dict()["expected_digest"] == hashlib.sha256(GRUB_DISK.initrd + bytes(1024)).hexdigest()


@pytest.mark.parametrize(
    ("mounts", "error"),
    [
        ([("efi", "hd0,gpt1", "1234-ABCD"), ("boot", "hd0,gpt2", BOOT_UUID.upper())], None),
        ([("efi", "", ""), ("boot", "", BOOT_UUID), (".", "", "other")], BadInput),
        ([("efi", "hd1,gpt1", "1234-ABCD"), ("boot", "hd0,gpt2", BOOT_UUID)], None),
        ([("efi", "", "1234-ABCD"), ("boot", "", "5678-ABCD")], NotFound),
        ([("efi", "", BOOT_UUID), ("boot", "", BOOT_UUID)], Unsupported),
        ([("boot", "", BOOT_UUID)], Unsupported),
        # Nothing says which file system this is, so it might be the one that is searched for.
        ([("efi", "", ""), ("boot", "", BOOT_UUID)], NotFound),
    ],
)
def test_file_systems_by_uuid(
    mounts: list[tuple[str, str, str]], error: type[Exception] | None, tree: GrubTree, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    tree.mounts = [Mount(str(disk / name), device, uuid) for name, device, uuid in mounts]
    if error is not None:
        with pytest.raises(error):
            ask(tmp_path, tree, pcrs=(8, 9))
        return
    same = mounts[0][1] == "hd0,gpt1"
    assert (ask(tmp_path, tree, pcrs=(8,)).differences == ()) is same


def test_the_uuid_of_a_file_system_is_found_by_its_device(tmp_path: Path) -> None:
    by_uuid = tmp_path / "by-uuid"
    by_uuid.mkdir()
    for number, uuid in enumerate((os.stat("/proc").st_dev, os.stat(tmp_path).st_dev)):
        node = tmp_path / f"node{number}"
        try:
            os.mknod(node, stat.S_IFBLK | 0o600, uuid)
        except PermissionError:
            pytest.skip("not allowed to make device nodes")
        (by_uuid / f"000{number}-ABCD").symlink_to(node)
    (by_uuid / "0002-ABCD").symlink_to(tmp_path / "gone")
    found = MountedFileSystem("hd0,gpt1", str(tmp_path), "", {}, str(by_uuid))
    assert [found.answers_to(BY_UUID, wanted) for wanted in ("0001-abcd", "0000-ABCD")] == [True, False]


def test_a_module_that_grub_may_read_is_not_guessed(tree: GrubTree, tmp_path: Path) -> None:
    config = tmp_path / "disk/boot/grub/grub.cfg"
    config.write_text("insmod part_gpt\n" + config.read_text(encoding="utf-8"), encoding="utf-8")
    assert len(ask(tmp_path, tree, pcrs=(8,)).differences) == 1
    (tmp_path / "disk/boot/grub/x86_64-efi").mkdir()
    (tmp_path / "disk/boot/grub/x86_64-efi/part_gpt.mod").write_bytes(b"")
    with pytest.raises(Unsupported, match="cannot be predicted") as refused:
        ask(tmp_path, tree, pcrs=(8,))
    assert refused.value.found == "insmod part_gpt, which may read (hd0,gpt2)/grub/x86_64-efi/part_gpt.mod"


def test_a_configfile_has_its_own_variables_and_shows_its_own_menu(tree: GrubTree, tmp_path: Path) -> None:
    esp = tmp_path / "disk/efi/EFI/debian/grub.cfg"
    before = ask(tmp_path, tree, pcrs=(8,)).predicted
    # Nothing behind it is reached, and a choice made in front of it does not count.
    plain = esp.read_text(encoding="utf-8")
    esp.write_text(plain + "load_env\n", encoding="utf-8")
    assert ask(tmp_path, tree, pcrs=(8,)).predicted == before
    esp.write_text("default=7\n" + plain, encoding="utf-8")
    assert len(ask(tmp_path, tree, pcrs=(8,)).differences) == 1


@pytest.mark.parametrize(
    ("name", "prefix"), [("grubx64.efi.signed", "/EFI/debian"), ("gcdx64.efi.signed", "/boot/grub")]
)
def test_the_prefix_in_debians_grub_is_found(name: str, prefix: str) -> None:
    assert embedded_prefix(installed(SIGNED_GRUBS / name).read_bytes()) == prefix


def test_what_has_no_prefix_is_refused() -> None:
    with pytest.raises(BadInput, match="prefix"):
        embedded_prefix(bytes(64))


def test_pcr_4_needs_a_kernel_for_a_known_machine(tree: GrubTree, tmp_path: Path) -> None:
    image = bytearray((tmp_path / "disk/boot/vmlinuz").read_bytes())
    at = int.from_bytes(image[0x3C:0x40], "little") + 4
    image[at : at + 2] = (0xAA64).to_bytes(2, "little")
    (tmp_path / "disk/boot/vmlinuz").write_bytes(image)
    with pytest.raises(Unsupported, match="one kernel for amd64"):
        ask(tmp_path, tree, pcrs=(4,))


def test_without_shim_pcr_7_follows_from_nothing(tree: GrubTree, tmp_path: Path) -> None:
    with pytest.raises(AttestationRefused) as refused:
        ask(tmp_path, tree, pcrs=(7,), files=replace(tree.files(), shim=""))
    assert refused.value.found == "none needs db"
