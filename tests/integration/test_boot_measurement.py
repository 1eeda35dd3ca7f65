# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""boot_measurement through Ansible, on a machine whose TPM (swtpm) measured a boot that was recorded.

And a LUKS2 device that is bound to the boot after it, which opens at that boot and not before.
"""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.boot_log import EVENT_LOG
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.event_log import parse_event_log
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.measurement import BANKS
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.tpm2_tools import DEVICE
from ansible_collections.hearth.datacenter.plugins.modules import boot_measurement
from tests.integration.playbook_run import PlaybookFolder, Ran
from tests.servers.luks_image import PASSPHRASE, LuksImage, require_cryptsetup
from tests.servers.swtpm import SoftwareTpm, manufacture, require_swtpm, software_tpm
from tests.unit.plugins.module_utils._tpm.installed_files import GrubTree, disk_tree, efi_variables
from tests.unit.plugins.module_utils._tpm.recorded_installed import BOOT_UUID, COMMAND_LINE, GRUB_DISK

MODULE = "hearth.datacenter.boot_measurement"
BINDING = "hearth.datacenter.luks_binding"
CAP = hashlib.sha256(b"the root file system takes over").digest()


class Bench:
    """A machine with the recorded disk, whose TPM is switched on anew for each boot."""

    def __init__(self, folder: Path, sockets: Path) -> None:
        self.folder = PlaybookFolder(folder)
        self.sockets = sockets
        self.tree: GrubTree = disk_tree(folder / "disk")
        self.variables = efi_variables(folder / "efivars", GRUB_DISK.log)
        self.log = folder / "binary_bios_measurements"
        self.log.write_bytes(GRUB_DISK.log)
        manufacture(sockets / "manufactured", None)
        self.boots = 0

    def boot(self) -> AbstractContextManager[SoftwareTpm]:
        """The same TPM, started up."""
        self.boots += 1
        return software_tpm(self.sockets / str(self.boots), self.sockets / "manufactured")

    def grub(self, **more: Any) -> dict[str, Any]:
        return {
            "shim": str(self.tree.shim),
            "image": str(self.tree.grub),
            "file_systems": [{"directory": one.directory, "uuid": one.uuid} for one in self.tree.mounts],
            **more,
        }

    def task(self, tpm: SoftwareTpm, **arguments: Any) -> dict[str, Any]:
        return {
            MODULE: {"event_log": str(self.log), "efi_variables": str(self.variables), **arguments},
            "environment": {"TPM2TOOLS_TCTI": tpm.tcti},
            "ignore_errors": True,
        }

    def run(self, *tasks: dict[str, Any], words: tuple[str, ...] = ()) -> Ran:
        (self.folder.folder / "secrets.yml").write_text(yaml.safe_dump({"secret": PASSPHRASE.decode()}))
        play = {
            "hosts": "jump",
            "gather_facts": False,
            "vars_files": ["secrets.yml"],
            "vars": {"ansible_pipelining": True},
            "tasks": list(tasks),
        }
        path = self.folder.folder / "play.yml"
        path.write_text(yaml.safe_dump([play], sort_keys=False), encoding="utf-8")
        return self.folder.playbook(str(path), *words)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    require_swtpm()
    # A socket's path has to be short.
    sockets = Path(tempfile.mkdtemp(prefix="hearth-tpm-"))
    try:
        yield Bench(tmp_path, sockets)
    finally:
        shutil.rmtree(sockets)


def measured(tpm: SoftwareTpm, instead: dict[bytes, bytes] | None = None) -> None:
    """What firmware, shim and GRUB measured in the recorded boot, or something else in its place."""
    bank = BANKS["sha256"]
    digests = [(one.pcr, one.digest(bank)) for one in parse_event_log(GRUB_DISK.log).events if one.is_measured]
    tpm.extend((pcr, (instead or {}).get(digest, digest)) for pcr, digest in digests)


def test_check_run_run_again(bench: Bench) -> None:
    with bench.boot() as tpm:
        measured(tpm)
        before = tpm.run("tpm2_pcrread", "sha256")
        task = bench.task(tpm, grub=bench.grub(), pcr_ids=[9, 4, 8, 7], files_of_this_boot=True)
        ran = bench.run({**task, "check_mode": True}, task, task, words=("--diff",))
        assert tpm.run("tpm2_pcrread", "sha256") == before
    assert ran.outcomes == ["ok"] * 3, ran.said
    checked, first, second = (result["boot_measurement"] for result in ran.results)
    assert checked == first == second and not any(result["changed"] for result in ran.results)
    shown = GRUB_DISK.pcrs("sha256")
    assert first["predicted"] == {str(pcr): shown[pcr].hex() for pcr in (4, 7, 8, 9)}
    assert first["pcr_ids"] == [4, 7, 8, 9] and first["differences"] == first["unexplained"] == []
    assert first["log"] == {
        "sha256": hashlib.sha256(GRUB_DISK.log).hexdigest(),
        "banks": ["sha256", "sha384"],
        "events": len(parse_event_log(GRUB_DISK.log).events),
    }
    assert (first["secure_boot"], first["command_line"]) == (True, f"/vmlinuz {COMMAND_LINE}")


def test_a_disk_bound_to_the_next_boot_opens_at_that_boot(bench: Bench) -> None:
    """The upgrade of an initrd: compare, predict, bind, see it stay shut, boot, see it open."""
    require_cryptsetup()
    image = LuksImage(bench.folder.folder / "disk.img")
    new = bench.folder.folder / "new.img"
    new.write_bytes(GRUB_DISK.initrd + bytes(1024))
    replacement = {"path": str(bench.folder.folder / "disk/boot/initrd.img"), "source": str(new)}
    pins = {name: f"{{{{ next_boot.boot_measurement.{name} }}}}" for name in ("pcr_bank", "pcr_ids", "pcr_digest")}
    with bench.boot() as tpm:
        measured(tpm)
        # As the initrd does before the root file system takes over.
        tpm.extend([(8, CAP)])
        capped = [{"pcr": 8, "digest": CAP.hex()}]
        bind = {
            BINDING: {"device": str(image.path), "passphrase": "{{ secret }}", "tpm2": pins},
            "environment": {"TPM2TOOLS_TCTI": tpm.tcti},
        }
        ran = bench.run(
            bench.task(tpm, grub=bench.grub(), files_of_this_boot=True, extended_since=capped),
            {
                **bench.task(tpm, grub=bench.grub(replacements=[replacement]), extended_since=capped),
                "register": "next_boot",
            },
            bind,
            bind,
        )
        assert ran.outcomes == ["ok"] * 4, ran.said
        _control, predicted, bound, again = ran.results
        assert bound["luks_binding"]["proved"] == "recomputed" and bound["changed"] and not again["changed"]
        keyslot = bound["luks_binding"]["keyslot"]
        assert not image.clevis_opens(keyslot, tpm.environment)
        tpm.flush()
    assert [one["found"] for one in predicted["boot_measurement"]["differences"]] == ["/initrd.img"]
    # An old initrd does not open it, the new one does.
    old, upgraded = hashlib.sha256(GRUB_DISK.initrd).digest(), hashlib.sha256(new.read_bytes()).digest()
    with bench.boot() as tpm:
        measured(tpm)
        assert not image.clevis_opens(keyslot, tpm.environment)
    with bench.boot() as tpm:
        measured(tpm, {old: upgraded})
        assert image.clevis_opens(keyslot, tpm.environment)


def test_what_differs_is_named(bench: Bench) -> None:
    changed = bench.folder.folder / "new.cfg"
    there = bench.folder.folder / "disk/boot/grub/grub.cfg"
    changed.write_text(there.read_text(encoding="utf-8").replace(" ro ", " ro init=/bin/sh "), encoding="utf-8")
    grub = bench.grub(replacements=[{"path": str(there), "source": str(changed)}])
    with bench.boot() as tpm:
        measured(tpm)
        tpm.extend([(9, bytes(32))])
        ran = bench.run(
            bench.task(tpm, pcr_ids=[8], grub=grub, files_of_this_boot=True),
            bench.task(tpm, pcr_ids=[8], grub=grub),
            bench.task(tpm),
            bench.task(tpm, pcr_ids=[4, 7, 8]),
        )
    assert ran.outcomes == ["failed", "ok", "failed", "ok"], ran.said
    control, predicted, unexplained, explained = ran.results
    assert control["error"]["type"] == "VerificationFailed"
    assert "grub_cmd: linux /vmlinuz" in control["error"]["found"] and "init=/bin/sh" in control["error"]["found"]
    assert predicted["boot_measurement"]["command_line"].endswith("ro init=/bin/sh console=ttyS0 panic=5")
    # The entry as a whole, its command linux, and the kernel's command line.
    assert len(predicted["boot_measurement"]["differences"]) == 3
    assert unexplained["error"]["type"] == "AttestationRefused" and "PCR 9: more was" in unexplained["error"]["found"]
    (told,) = explained["boot_measurement"]["unexplained"]
    assert (told["pcr"], told["replayed"]) == (9, GRUB_DISK.pcrs("sha256")[9].hex())
    values = b"".join(GRUB_DISK.pcrs("sha256")[pcr] for pcr in (4, 7, 8))
    assert explained["boot_measurement"]["predicted"] == {}
    assert decoded(explained["boot_measurement"]["pcr_digest"]) == values


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_a_log_of_another_machine_with_its_values(bench: Bench) -> None:
    """Without a TPM, in the other bank."""
    values = {str(pcr): value.hex().upper() for pcr, value in GRUB_DISK.pcrs("sha384").items()}
    arguments = {"event_log": str(bench.log), "pcr_bank": "sha384", "pcr_values": values, "grub": bench.grub()}
    task = {MODULE: {**arguments, "pcr_ids": [4, 8, 9], "files_of_this_boot": True}}
    wrong = {MODULE: {**arguments, "pcr_ids": [8], "pcr_values": {**values, "8": "00" * 48}}, "ignore_errors": True}
    ran = bench.run(task, wrong)
    assert ran.outcomes == ["ok", "failed"], ran.said
    assert ran.results[0]["boot_measurement"]["predicted"]["9"] == values["9"].lower()
    assert ran.results[1]["error"]["type"] == "AttestationRefused"


def test_bad_input_is_told_before_anything_is_read(bench: Bench) -> None:
    there = {"event_log": "/nonexistent"}
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"pcr_ids": []}, "no PCR is asked for"),
        ({"pcr_ids": [10]}, "no event log tells of this PCR"),
        ({"pcr_ids": [8, 24]}, "no event log tells of this PCR"),
        ({"pcr_ids": [11], "grub": bench.grub()}, "PCR 11 cannot be predicted"),
        ({"pcr_ids": [9], "unified_kernel_image": {"image": "/x"}}, "PCR 9 cannot be predicted"),
        ({"pcr_bank": "sha1"}, "value of pcr_bank must be one of"),
        ({"pcr_values": {"8": "00"}}, "this is no value of the bank"),
        ({"pcr_values": {"8": 12}}, "this is no value of the bank"),
        ({"pcr_values": {"eight": "00" * 32}}, "no event log tells of this PCR"),
        ({"pcr_values": {"8": "00" * 32}, "pcr_ids": [7, 8]}, "the value of a PCR is missing"),
        ({"extended_since": [{"pcr": 8, "digest": "zz"}]}, "this is no value of the bank"),
        ({"files_of_this_boot": True}, "there are no files to compare with the log"),
        ({"grub": {"image": "/x", "file_systems": []}}, "GRUB is started from some file system"),
        ({"grub": bench.grub(), "unified_kernel_image": {"image": "/x"}}, "mutually exclusive"),
        ({"unified_kernel_image": {"image": "/x", "phases": ["never"]}}, "value of phases must be one or more of"),
    ]
    ran = bench.run(*({MODULE: {**there, **arguments}, "ignore_errors": True} for arguments, _said in wrong))
    for result, (arguments, said) in zip(ran.results, wrong):
        assert said in result["msg"] and result["error"]["type"] in ("BadInput", "Unsupported"), (arguments, result)
    assert len(ran.results) == len(wrong)


def test_a_machine_without_what_it_needs(bench: Bench) -> None:
    without_log = {MODULE: {"event_log": "/nonexistent"}, "ignore_errors": True}
    without_tpm = {MODULE: {"event_log": str(bench.log)}, "ignore_errors": True}
    without_tools = {
        **without_tpm,
        "environment": {"TPM2TOOLS_TCTI": "swtpm:path=/nonexistent", "PATH": "/nonexistent"},
    }
    ran = bench.run(without_log, without_tpm, without_tools)
    if os.path.exists(DEVICE):
        pytest.skip(f"this machine has a TPM of its own ({DEVICE})")
    assert [one["error"]["type"] for one in ran.results] == ["NotFound", "NoTpm", "MissingTool"], ran.said


def test_the_examples_run(bench: Bench) -> None:
    disk = bench.folder.folder / "disk"
    (disk / "boot/initrd.img.new").write_bytes(b"another initrd")
    text = boot_measurement.EXAMPLES.replace("/boot/efi", f"{disk}/efi").replace(" /boot", f" {disk}/boot")
    tasks = yaml.safe_load(text)
    with bench.boot() as tpm:
        measured(tpm)
        for task in tasks[:3]:
            if MODULE in task:
                for mount, uuid in zip(task[MODULE]["grub"]["file_systems"], ("1234-ABCD", BOOT_UUID)):
                    mount["uuid"] = uuid
        for task in tasks:
            if MODULE in task:
                task[MODULE].update(event_log=str(bench.log), efi_variables=str(bench.variables))
                task["environment"] = {"TPM2TOOLS_TCTI": tpm.tcti}
        before = bench.run(*tasks[:3])
        tpm.extend([(8, bytes.fromhex(tasks[3][MODULE]["extended_since"][0]["digest"]))])
        capped = bench.run(tasks[3])
    assert before.outcomes == ["ok"] * 3 and capped.outcomes == ["ok"], before.said + capped.said
    pin = before.results[2]["msg"]["tpm2"]
    assert (pin["pcr_bank"], pin["pcr_ids"], len(decoded(pin["pcr_digest"]))) == ("sha256", [7, 8, 9], 96)
    assert boot_measurement.DOCUMENTATION.count(EVENT_LOG) == 1
