# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The live image on a plain machine of QEMU: it boots, runs from RAM, lets keys in, and refuses what was swapped."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.live_image_files import Builder, LiveImage, Node
from tests.lab.plain_machine import PlainMachine, missing, plain_machine
from tests.lab.tampering import with_other_initrd, with_other_squashfs, with_unsigned_kernel

pytestmark = [
    pytest.mark.skipif(bool(missing()), reason=f"this machine lacks {', '.join(missing())}"),
    pytest.mark.skipif(os.geteuid() != 0, reason="not root: an image is made by root only"),
]

# One machine under TCG, on a machine that does other things, too.
BOOT_SECONDS = 900
TOOLS = (
    "cryptsetup clevis tpm2_quote nvme hdparm sg_inq smartctl nwipe stress-ng memtester fio lshw dmidecode efibootmgr "
    "jose ipmitool python3"
)


@pytest.fixture(scope="module")
def builder(tmp_path_factory: pytest.TempPathFactory) -> Builder:
    return Builder(tmp_path_factory.mktemp("live-image"))


@pytest.fixture(scope="module")
def image(builder: Builder) -> LiveImage:
    return builder.image()


@pytest.fixture(scope="module")
def node(builder: Builder) -> Node:
    return builder.node("node-1")


@pytest.fixture(scope="module")
def booted(
    image: LiveImage, node: Node, tmp_path_factory: pytest.TempPathFactory, record_testsuite_property: object
) -> Iterator[PlainMachine]:
    folder = tmp_path_factory.mktemp("booted") / "machine"
    with plain_machine(folder, [image.iso, node.medium], port=2211) as machine:
        seconds = machine.wait_for_ssh(node.operator_key, node.host_key, BOOT_SECONDS)
        assert callable(record_testsuite_property)
        record_testsuite_property("power_on_to_ssh_seconds", round(seconds, 1))
        print(f"power-on to SSH: {seconds:.1f} s")
        yield machine


def said(machine: PlainMachine, node: Node, command: str) -> str:
    done = machine.ssh(node.operator_key, command)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_it_booted_through_secure_boot_and_is_locked_down(booted: PlainMachine, node: Node) -> None:
    variable = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"

    assert said(booted, node, f"od -An -tu1 -j4 -N1 {variable}") == "1"
    assert "[integrity]" in said(booted, node, "cat /sys/kernel/security/lockdown")


def test_it_is_the_node_that_the_document_says(booted: PlainMachine, node: Node) -> None:
    assert said(booted, node, "hostname") == "node-1"
    assert "10.0.2.15/24" in said(booted, node, "ip -brief address show data0")


def test_the_document_that_it_was_given_is_in_pcr_12(booted: PlainMachine, node: Node) -> None:
    expected = hashlib.sha256(bytes(32) + bytes.fromhex(node.document_sha256)).hexdigest()

    assert expected in said(booted, node, "tpm2_pcrread sha256:12").lower()


def test_it_runs_from_ram(booted: PlainMachine, node: Node) -> None:
    assert said(booted, node, "grep -c ^/dev/sr /proc/mounts || true") == "0"
    assert said(booted, node, "losetup --noheadings --output BACK-FILE /dev/loop0") == "/run/hearth/image/root.squashfs"


def test_it_knows_which_image_it_is(booted: PlainMachine, node: Node, image: LiveImage) -> None:
    assert image.manifest["image_id"] in said(booted, node, "cat /etc/hearth-live-image.json")


def test_it_measures_what_it_runs(booted: PlainMachine, node: Node) -> None:
    measured = said(booted, node, "cat /sys/kernel/security/ima/ascii_runtime_measurements")

    assert "boot_aggregate" in measured
    assert "/usr/sbin/sshd" in measured


def test_there_is_no_way_in_with_a_password(booted: PlainMachine, node: Node) -> None:
    settings = said(booted, node, "sshd -T")
    hashes = {line.split(":")[1] for line in said(booted, node, "cat /etc/shadow").splitlines()}

    assert "authenticationmethods publickey" in settings
    assert "passwordauthentication no" in settings
    assert "kbdinteractiveauthentication no" in settings
    assert hashes <= {"*", "!", "!*"}
    assert said(booted, node, "ls /etc/ssh/ssh_host_*_key") == "/etc/ssh/ssh_host_ed25519_key"
    assert "getty" not in said(booted, node, "ps -e -o comm")


def test_the_document_with_the_private_key_is_gone(booted: PlainMachine, node: Node) -> None:
    assert said(booted, node, "ls /run/hearth/node.json 2>/dev/null || true") == ""


def test_the_tools_are_there(booted: PlainMachine, node: Node) -> None:
    assert said(booted, node, f"for tool in {TOOLS}; do command -v $tool >/dev/null || echo $tool; done") == ""


def test_no_unit_has_failed(booted: PlainMachine, node: Node) -> None:
    assert said(booted, node, "systemctl --failed --no-legend --plain") == ""


def test_the_image_is_small_enough(image: LiveImage) -> None:
    assert image.iso.stat().st_size <= 350 * 1000 * 1000


def test_a_copy_of_the_image_carries_the_document(
    builder: Builder, image: LiveImage, tmp_path: Path, booted: PlainMachine
) -> None:
    patched = builder.node("node-2", mode="patched", image=str(image.iso), image_sha256=image.manifest["iso"]["sha256"])

    with plain_machine(tmp_path / "machine", [patched.medium], port=2212) as machine:
        machine.wait_for_ssh(patched.operator_key, patched.host_key, BOOT_SECONDS)
        assert said(machine, patched, "hostname") == "node-2"


def test_a_swapped_squashfs_is_refused_by_the_initrd(image: LiveImage, node: Node, tmp_path: Path) -> None:
    swapped = with_other_squashfs(image.iso, tmp_path / "swapped.iso")

    with plain_machine(tmp_path / "machine", [swapped, node.medium], port=2213) as machine:
        machine.wait_for("hearth: REFUSED: the system on", BOOT_SECONDS)
        assert machine.wait_for_end(BOOT_SECONDS) == 0
        assert "SSH answers" not in machine.console()
    swapped.unlink()


def test_with_another_initrd_the_same_squashfs_boots(image: LiveImage, node: Node, tmp_path: Path) -> None:
    """The attack without its clause: Secure Boot does not stop it, so the verdict must (PCR 9)."""
    swapped = with_other_initrd(image.iso, tmp_path / "swapped.iso")

    with plain_machine(tmp_path / "machine", [swapped, node.medium], port=2214) as machine:
        machine.wait_for_ssh(node.operator_key, node.host_key, BOOT_SECONDS)
        assert "has the expected SHA-256" in machine.console()
    swapped.unlink()


def test_an_unsigned_kernel_is_refused_by_secure_boot(image: LiveImage, node: Node, tmp_path: Path) -> None:
    unsigned = with_unsigned_kernel(image.iso, tmp_path / "unsigned.iso")

    with plain_machine(tmp_path / "machine", [unsigned, node.medium], port=2215) as machine:
        machine.wait_for("bad shim signature", BOOT_SECONDS)
        assert "Linux version" not in machine.console()
    unsigned.unlink()


def test_without_secure_boot_the_machine_says_so(
    builder: Builder, image: LiveImage, node: Node, tmp_path: Path
) -> None:
    """GRUB 2.06 loses the event log then: nothing could be compared."""
    with plain_machine(tmp_path / "machine", [image.iso, node.medium], port=2217, secure_boot=False) as machine:
        machine.wait_for_ssh(node.operator_key, node.host_key, BOOT_SECONDS)
        refused = builder.verdict(image, node, machine, unverified="accept")

    assert refused["error"]["type"] == "AttestationRefused", refused
    assert "Secure Boot is off" in refused["msg"]
    assert [reason["clause"] for reason in refused["live_image_verdict"]["reasons"]] == ["secure_boot_is_on"]
    assert refused["live_image_verdict"]["secure_boot"] is False
