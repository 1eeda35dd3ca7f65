# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""live_image_verdict through Ansible, on a machine whose TPM (swtpm) measured a recorded boot."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.boot_log import EVENT_LOG
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.ek_certificate import parse_ek_certificate
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.tpm2_tools import DEVICE
from ansible_collections.hearth.datacenter.plugins.modules import live_image_verdict
from tests.integration.playbook_run import PlaybookFolder, Ran
from tests.servers.swtpm import require_swtpm
from tests.unit.plugins.module_utils._tpm import attacks_on_boot
from tests.unit.plugins.module_utils._tpm.machines import DOCUMENT, Factory, Machine, Machines
from tests.unit.plugins.module_utils._tpm.recorded_boots import MENUENTRY, SHIM, SWAPPED_INITRD

MODULE = "hearth.datacenter.live_image_verdict"


@pytest.fixture(scope="module")
def factory(tmp_path_factory: pytest.TempPathFactory) -> Factory:
    require_swtpm()
    return Factory(tmp_path_factory.mktemp("tpms"))


class Bench:
    """A folder with a manifest and the authority's certificates, and machines to ask."""

    def __init__(self, folder: PlaybookFolder, machines: Machines) -> None:
        self.folder = folder
        self.machines = machines
        as_cd, *others = MENUENTRY.predicted()
        manifest = {
            "schema": 1,
            "name": "menuentry",
            "expected_events": [event.as_dict() for event in as_cd],
            "expected_events_alternatives": [[event.as_dict() for event in other] for other in others],
        }
        self.manifest = folder.folder / "image.manifest.json"
        self.manifest.write_text(json.dumps(manifest), encoding="utf-8")
        self.roots = folder.folder / "roots.pem"
        self.roots.write_bytes(machines.factory.authority.certificates)

    def arguments(self, machine: Machine, **more: Any) -> dict[str, Any]:
        return {
            "manifest": str(self.manifest),
            "node_document_sha256": DOCUMENT.hex(),
            "ek_roots": [str(self.roots)],
            "event_log": machine.log_file,
            **more,
        }

    def task(self, machine: Machine, arguments: dict[str, Any], **keywords: Any) -> dict[str, Any]:
        environment = {"TPM2TOOLS_TCTI": machine.tpm.tcti}
        return {MODULE: arguments, "environment": environment, "ignore_errors": True, **keywords}

    def run(self, *tasks: dict[str, Any], words: tuple[str, ...] = ()) -> Ran:
        play = {"hosts": "jump", "gather_facts": False, "tasks": list(tasks)}
        path = self.folder.folder / "play.yml"
        path.write_text(yaml.safe_dump([play], sort_keys=False), encoding="utf-8")
        return self.folder.playbook(str(path), *words)


@pytest.fixture
def bench(tmp_path: Path, factory: Factory) -> Iterator[Bench]:
    directory = Path(tempfile.mkdtemp(prefix="hearth-tpm-"))
    before = left_on_the_node()
    try:
        with Machines(factory, directory) as machines:
            yield Bench(PlaybookFolder(tmp_path), machines)
    finally:
        shutil.rmtree(directory)
    assert left_on_the_node() == before


def left_on_the_node() -> set[str]:
    return {name for name in os.listdir("/run") if name.startswith("hearth-verdict-")}


def test_the_image_is_told_from_a_swapped_initrd(bench: Bench) -> None:
    good, swapped = bench.machines.booted(MENUENTRY), bench.machines.booted(SWAPPED_INITRD)
    ran = bench.run(
        bench.task(good, bench.arguments(good)),
        bench.task(good, bench.arguments(good, ak_algorithm="rsa"), check_mode=True),
        bench.task(swapped, bench.arguments(swapped)),
    )
    assert ran.outcomes == ["ok", "ok", "failed"], ran.said
    ok, checked, refused = ran.results
    verdict = ok["live_image_verdict"]
    certificate = parse_ek_certificate(good.tpm.certificate())
    assert (ok["changed"], verdict["verdict"], verdict["reasons"], verdict["differences"]) == (False, "ok", [], [])
    assert verdict["ek"]["certificate_sha256"] == certificate.sha256
    assert verdict["ek"]["trusted_by"] == "authority"
    assert (verdict["secure_boot"], verdict["node_document"], verdict["image"]) == (True, "checked", "menuentry")
    assert set(verdict["pcrs"]) == {str(pcr) for pcr in (*range(10), 12, 14)}
    assert checked["live_image_verdict"] == verdict
    assert refused["error"]["type"] == "AttestationRefused"
    assert refused["live_image_verdict"]["verdict"] == "refused"
    (difference,) = refused["live_image_verdict"]["differences"]
    assert (difference["pcr"], difference["found"], difference["expected"]) == (
        9,
        "/live/initrd.img",
        "/live/initrd.img",
    )
    assert difference["found_sha256"] != difference["expected_sha256"] == MENUENTRY.initrd_sha256


def test_an_answer_relayed_from_another_machine_is_refused(bench: Bench) -> None:
    asked, answering = bench.machines.new(), bench.machines.booted(MENUENTRY)
    mine = parse_ek_certificate(asked.tpm.certificate()).sha256
    theirs = parse_ek_certificate(answering.tpm.certificate()).sha256
    ran = bench.run(
        bench.task(answering, bench.arguments(answering, ek_certificate_sha256=[mine])),
        bench.task(answering, bench.arguments(answering, ek_certificate_sha256=[mine, theirs])),
    )
    assert ran.outcomes == ["failed", "ok"], ran.said
    assert ran.results[0]["error"]["found"] == "endorsement_key_is_expected"


def test_without_a_tpm_only_the_users_word_counts(bench: Bench) -> None:
    if os.path.exists(DEVICE):
        pytest.skip(f"this machine has a TPM of its own ({DEVICE})")
    machine = bench.machines.new()
    machine.log = MENUENTRY.log
    refused = {MODULE: bench.arguments(machine), "ignore_errors": True}
    accepted = {MODULE: bench.arguments(machine, unverified="accept"), "ignore_errors": True}
    # As on a real machine without one: nobody kept a log.
    without_log = {MODULE: bench.arguments(machine, unverified="accept", event_log="/nonexistent")}
    ran = bench.run(refused, accepted, without_log)
    assert ran.outcomes == ["failed", "ok", "ok"], ran.said
    assert ran.results[0]["error"]["type"] == "NoTpm"
    assert [one["live_image_verdict"]["verdict"] for one in ran.results] == ["unverified"] * 3
    assert "the task accepts that" in ran.results[1]["warnings"][0]


def test_accepting_the_unverified_does_not_help_a_machine_with_a_tpm(bench: Bench) -> None:
    swapped = bench.machines.booted(SWAPPED_INITRD)
    without_log = bench.arguments(swapped, unverified="accept", event_log="/nonexistent")
    without_tools = bench.task(swapped, bench.arguments(swapped, unverified="accept"))
    without_tools["environment"]["PATH"] = "/nonexistent"
    ran = bench.run(
        bench.task(swapped, bench.arguments(swapped, unverified="accept")),
        bench.task(swapped, without_log),
        without_tools,
    )
    assert ran.outcomes == ["failed"] * 3, ran.said
    assert [one["error"]["type"] for one in ran.results] == ["AttestationRefused", "NotFound", "MissingTool"]


def test_a_program_of_the_firmware_passes_by_the_digest_that_the_refusal_names(bench: Bench) -> None:
    machine = bench.machines.new()
    machine.boot(attacks_on_boot.log_with_program_before(SHIM.authenticode_sha256, MENUENTRY.log))
    (refused,) = bench.run(bench.task(machine, bench.arguments(machine))).results
    assert refused["error"]["found"] == "programs_are_of_the_image"
    assert "allowed_firmware_programs" in refused["error"]["next"]
    (program,) = refused["live_image_verdict"]["firmware_programs"]
    assert program["authenticode_sha256"] in refused["msg"] and not program["allowed"]

    allowed = bench.arguments(machine, allowed_firmware_programs=[program["authenticode_sha256"].upper()])
    (ok,) = bench.run(bench.task(machine, allowed)).results
    assert ok["live_image_verdict"]["verdict"] == "ok", ok
    assert ok["live_image_verdict"]["firmware_programs"] == [{**program, "allowed": True}]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"manifest": "/nonexistent"}, "the file cannot be read on the controller"),
        ({"manifest": {"schema": 2}}, "this manifest does not say how its image boots"),
        ({"ek_roots": []}, "nothing says which TPM is to be trusted"),
        ({"ek_roots": ["/etc/hostname"]}, "no certificates can be read from this file"),
        ({"ek_certificate_sha256": ["12"]}, "this is no SHA-256"),
        ({"node_document_sha256": "no"}, "this is no SHA-256"),
        ({"allowed_firmware_programs": ["BOOTX64.EFI"]}, "this is no SHA-256"),
        ({"expected_pcrs": {"23": "0" * 64}}, "this PCR is not part of the quote"),
        ({"evidence": {"step": "forget"}}, "asks the machine itself"),
        ({"unverified": "perhaps"}, "value of unverified must be one of"),
    ],
)
def test_bad_input_is_told_before_the_machine_is_asked(changed: dict[str, Any], said: str, bench: Bench) -> None:
    machine = bench.machines.new()
    # A machine that cannot be reached: asking it would be another failure.
    task = {MODULE: bench.arguments(machine, **changed), "delegate_to": "off", "ignore_errors": True}
    ran = bench.run(task)
    assert ran.outcomes == ["failed"], ran.said
    assert ran.results[0]["error"]["type"] == "BadInput"
    assert said in ran.results[0]["msg"]


def test_the_examples_run(bench: Bench) -> None:
    machine = bench.machines.booted(MENUENTRY)
    text = live_image_verdict.EXAMPLES
    text = text.replace("/srv/hearth/images/hearth-live-amd64.manifest.json", str(bench.manifest))
    text = text.replace("/etc/hearth/tpm-vendor-roots.pem", str(bench.roots))
    tasks = yaml.safe_load(text)
    for task in tasks:
        task[MODULE]["event_log"] = machine.log_file
        task["environment"] = {"TPM2TOOLS_TCTI": machine.tpm.tcti}
        task["vars"] = {
            "node_document": {"live_image_node": {"document_sha256": DOCUMENT.hex()}},
            "recorded_ek_certificate_sha256": parse_ek_certificate(machine.tpm.certificate()).sha256,
        }
    ran = bench.run(*tasks)
    assert ran.outcomes == ["ok"] * 4, ran.said
    assert live_image_verdict.DOCUMENTATION.count(EVENT_LOG) == 2
