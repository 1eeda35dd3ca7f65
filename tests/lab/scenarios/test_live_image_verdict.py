# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The verdict on machines of the rack: the image, another machine's TPM, a swapped initrd, Secure Boot off.

Firmware, shim, GRUB, kernel, TPM and the way to them are real. One machine is booted three times.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.playbook_run import Ran
from tests.lab.live import IMAGES, Live
from tests.lab.rack import Machine, Rack
from tests.lab.tampering import with_other_initrd

MODULE = "hearth.datacenter.live_image_verdict"
FIRMWARE_VARIABLES_WITHOUT_KEYS = Path("/usr/share/OVMF/OVMF_VARS_4M.fd")
INITRD = "/hearth/initrd.img"


@pytest.fixture(scope="module")
def machine(rack: Rack) -> Machine:
    return rack.machines[0]


@pytest.fixture(scope="module")
def manifest(live: Live, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a copy of the image, which nobody builds anew meanwhile."""
    (built,) = (IMAGES / "amd64").glob("*.manifest.json")
    place = tmp_path_factory.mktemp("image")
    iso = json.loads(built.read_text(encoding="utf-8"))["iso"]["file"]
    shutil.copyfile(built.with_name(iso), place / iso)
    return Path(shutil.copyfile(built, place / built.name))


@pytest.fixture(scope="module")
def booted(live: Live, machine: Machine, manifest: Path) -> Ran:
    ran = live.boot(machine, boot_live_reboot=True, boot_live_manifest=str(manifest))
    assert ran.code == 0, ran.said[-8000:]
    return ran


def verdict(ran: Ran) -> dict[str, Any]:
    return next(dict(result["live_image_verdict"]) for result in ran.results if "live_image_verdict" in result)


def ask(live: Live, machine: Machine, booted: Ran, manifest: Path, **options: Any) -> dict[str, Any]:
    """The result of a task of its own, on the machine as it runs."""
    given = next(result["live_image_node"] for result in booted.results if "live_image_node" in result)
    arguments = {
        "manifest": str(manifest),
        "node_document_sha256": given["document_sha256"],
        "ek_roots": [str(live.rack.ek_ca_certificates)],
        **options,
    }
    variables = {"ansible_python_interpreter": "/usr/bin/python3"}
    ran = live.tasks([{MODULE: arguments, "vars": variables, "ignore_errors": True}], machine)
    assert ran.results, ran.said
    return ran.results[0]


def clauses(result: dict[str, Any]) -> set[str]:
    return {reason["clause"] for reason in result["live_image_verdict"]["reasons"]}


def test_it_runs_the_image(live: Live, machine: Machine, booted: Ran, manifest: Path) -> None:
    assert verdict(booted)["verdict"] == "ok"
    asked = ask(live, machine, booted, manifest, ek_certificate_sha256=[*machine.ek_certificates_sha256.values()])
    again = asked["live_image_verdict"]
    assert (again["verdict"], again["reasons"], again["secure_boot"]) == ("ok", [], True), again
    assert again["ek"]["certificate_sha256"] in machine.ek_certificates_sha256.values()
    assert again["ek"]["trusted_by"] == "authority and expected"


def test_an_rsa_key_signs_as_well(live: Live, machine: Machine, booted: Ran, manifest: Path) -> None:
    asked = ask(live, machine, booted, manifest, ak_algorithm="rsa")
    assert asked["live_image_verdict"]["verdict"] == "ok", asked


def test_its_answer_for_another_machine_is_refused(
    live: Live, rack: Rack, machine: Machine, booted: Ran, manifest: Path
) -> None:
    """What a relay would do: the second machine is expected, and the first one's TPM answers, genuine and fresh."""
    if len(rack.machines) < 2:
        pytest.skip("this rack has one machine: there is no other one's TPM to expect")
    second = [*rack.machines[1].ek_certificates_sha256.values()]
    refused = ask(live, machine, booted, manifest, ek_certificate_sha256=second)
    assert clauses(refused) == {"endorsement_key_is_expected"}, refused
    assert refused["error"]["type"] == "AttestationRefused"


def test_a_document_of_somebody_else_is_refused(live: Live, machine: Machine, booted: Ran, manifest: Path) -> None:
    refused = ask(live, machine, booted, manifest, node_document_sha256="0" * 64)
    assert clauses(refused) == {"node_document_is_ours"}, refused


@pytest.fixture
def swapped(manifest: Path, tmp_path: Path) -> Path:
    """The image with another initrd, and a manifest whose SHA-256 of the ISO was changed with it."""
    said = json.loads(manifest.read_text(encoding="utf-8"))
    iso = with_other_initrd(manifest.with_name(said["iso"]["file"]), tmp_path / said["iso"]["file"])
    said["iso"]["sha256"] = hashlib.sha256(iso.read_bytes()).hexdigest()
    path = tmp_path / manifest.name
    path.write_text(json.dumps(said), encoding="utf-8")
    return path


def test_a_swapped_initrd_is_refused_by_name(live: Live, machine: Machine, booted: Ran, swapped: Path) -> None:
    """Somebody changed the image in the media server's store: it boots, with Secure Boot on, and gets no further."""
    ran = live.boot(machine, boot_live_reboot=True, boot_live_manifest=str(swapped))
    assert ran.code != 0
    refused = verdict(ran)
    assert (refused["verdict"], refused["secure_boot"]) == ("refused", True), refused
    assert {reason["clause"] for reason in refused["reasons"]} == {"files_are_of_the_image"}
    (difference,) = refused["differences"]
    assert (difference["pcr"], difference["expected"], difference["found"]) == (9, INITRD, INITRD)
    assert INITRD in ran.said


@pytest.fixture
def without_keys(machine: Machine) -> Iterator[None]:
    """The machine's firmware has no Secure Boot keys, until it has them again."""
    keys = machine.nvram.read_bytes()
    _switch_off(machine)
    machine.nvram.write_bytes(FIRMWARE_VARIABLES_WITHOUT_KEYS.read_bytes())
    yield
    _switch_off(machine)
    machine.nvram.write_bytes(keys)


def _switch_off(machine: Machine) -> None:
    # It may be off already, which is an error of virsh's.
    subprocess.run(["virsh", "-c", "qemu:///system", "destroy", machine.name], check=False, capture_output=True)


def test_secure_boot_off_is_refused(live: Live, machine: Machine, manifest: Path, without_keys: None) -> None:
    ran = live.boot(machine, boot_live_reboot=True, boot_live_manifest=str(manifest))
    assert ran.code != 0
    judged = [result for result in ran.results if "live_image_verdict" in result]
    # GRUB 2.06 on amd64 starts Linux without its EFI stub then, and the event log is lost: the machine's own word.
    assert judged and judged[0]["error"]["type"] == "AttestationRefused", ran.said[-6000:]
    assert clauses(judged[0]) == {"secure_boot_is_on"}
    assert judged[0]["live_image_verdict"]["secure_boot"] is False
