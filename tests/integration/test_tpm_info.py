# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""tpm_info through Ansible, on machines with real TPMs in software: booted, owned, in lockout, and none."""

from __future__ import annotations

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
from ansible_collections.hearth.datacenter.plugins.modules import tpm_info
from tests.integration.playbook_run import PlaybookFolder, Ran
from tests.servers.swtpm import require_swtpm
from tests.unit.plugins.module_utils._tpm.machines import DOCUMENT, Factory, Machine, Machines
from tests.unit.plugins.module_utils._tpm.recorded_boots import MENUENTRY

MODULE = "hearth.datacenter.tpm_info"


@pytest.fixture(scope="module")
def factory(tmp_path_factory: pytest.TempPathFactory) -> Factory:
    require_swtpm()
    return Factory(tmp_path_factory.mktemp("tpms"))


@pytest.fixture
def machines(factory: Factory) -> Iterator[Machines]:
    directory = Path(tempfile.mkdtemp(prefix="hearth-tpm-"))
    try:
        with Machines(factory, directory) as made:
            yield made
    finally:
        shutil.rmtree(directory)


def look(machine: Machine, **more: Any) -> dict[str, Any]:
    environment = {"TPM2TOOLS_TCTI": machine.tpm.tcti}
    return {MODULE: {"event_log": machine.log_file}, "environment": environment, "ignore_errors": True, **more}


def run(folder: Path, *tasks: dict[str, Any], **keywords: Any) -> Ran:
    play = {"hosts": "jump", "gather_facts": False, "tasks": list(tasks), **keywords}
    (folder / "play.yml").write_text(yaml.safe_dump([play], sort_keys=False), encoding="utf-8")
    return PlaybookFolder(folder).playbook(str(folder / "play.yml"))


def held(machine: Machine) -> list[bytes]:
    kinds = ("persistent", "transient", "nv-index", "loaded-session", "saved-session")
    listed = [machine.tpm.run("tpm2_getcap", f"handles-{kind}") for kind in kinds]
    return [*listed, machine.tpm.run("tpm2_getcap", "properties-variable")]


def test_what_a_machine_says_in_every_state_and_nothing_changes(machines: Machines, tmp_path: Path) -> None:
    booted, owned, locked = machines.booted(MENUENTRY), machines.new(), machines.new("uncertified")
    for hierarchy in ("owner", "endorsement", "lockout"):
        owned.tpm.run("tpm2_changeauth", "-c", hierarchy, "taken")
    locked.tpm.lock_out()
    before = [held(machine) for machine in (booted, owned, locked)]
    ran = run(tmp_path, look(booted), look(booted, check_mode=True), look(owned), look(locked))
    assert [held(machine) for machine in (booted, owned, locked)] == before
    assert ran.outcomes == ["ok"] * 4 and not any(result["changed"] for result in ran.results), ran.said
    said, checked, of_owned, of_locked = (result["tpm"] for result in ran.results)
    assert checked == said
    certificate = parse_ek_certificate(booted.tpm.certificate())
    first = said["endorsement_certificates"][0]
    assert (first["nv_index"], first["key"], first["sha256"]) == ("0x01c00002", "rsa2048", certificate.sha256)
    assert (said["family"], said["manufacturer"]) == ("2.0", "IBM")
    assert said["passwords"] == {"owner": False, "endorsement": False, "lockout": False}
    assert said["pcr_banks"]["sha256"]["0"] == booted.pcr_values()[:32].hex()
    log = said["event_log"]
    assert (log["problem"], log["secure_boot"]) == ("", True)
    assert {pcr: one["agrees"] for pcr, one in log["pcrs"].items()} == dict.fromkeys(log["pcrs"], True)
    # Its certificates are read by their own password, which nobody has set.
    assert of_owned["passwords"] == {"owner": True, "endorsement": True, "lockout": True}
    assert [one["problem"] for one in of_owned["endorsement_certificates"]] == ["", ""]
    # It measured nothing: its log is empty.
    assert "is empty" in of_owned["event_log"]["problem"] and of_owned["event_log"]["pcrs"] is None
    assert of_locked["lockout"]["locked"] and of_locked["lockout"]["failed_tries"] == of_locked["lockout"]["max_tries"]
    assert of_locked["endorsement_certificates"] == []


def test_its_certificate_is_what_the_verdict_asks_for(machines: Machines, tmp_path: Path) -> None:
    """As the example does: what tpm_info says of a machine is what it is known by later."""
    machine = machines.booted(MENUENTRY)
    verdict = {
        "hearth.datacenter.live_image_verdict": {
            "manifest": {
                "schema": 1,
                "name": "menuentry",
                "expected_events": [one.as_dict() for one in MENUENTRY.predicted()[0]],
            },
            "node_document_sha256": DOCUMENT.hex(),
            "ek_certificate_sha256": "{{ here.tpm.endorsement_certificates | map(attribute='sha256') | select }}",
            "ek_key_sha256": "{{ here.tpm.endorsement_certificates | map(attribute='key_sha256') | select }}",
            "event_log": machine.log_file,
        },
        "environment": {"TPM2TOOLS_TCTI": machine.tpm.tcti},
    }
    ran = run(tmp_path, look(machine, register="here"), verdict)
    assert ran.outcomes == ["ok", "ok"], ran.said
    assert ran.results[1]["live_image_verdict"]["verdict"] == "ok"


def test_the_examples_run_as_they_stand(machines: Machines, tmp_path: Path) -> None:
    machine = machines.new()
    environment = {"TPM2TOOLS_TCTI": machine.tpm.tcti}
    ran = run(tmp_path, *yaml.safe_load(tpm_info.EXAMPLES), environment=environment)
    assert ran.outcomes == ["ok"] * 3, ran.said
    kept = ran.results[2]["ansible_facts"]["ek_certificate_sha256"]
    assert parse_ek_certificate(machine.tpm.certificate()).sha256 == kept[0]
    # Firmware wrote no log where this test runs, or one of another boot: it is told, and nothing else fails.
    assert ran.results[0]["tpm"]["event_log"]["path"] == EVENT_LOG


def test_a_machine_without_a_tpm_and_one_whose_tpm_is_gone(tmp_path: Path) -> None:
    if os.path.exists(DEVICE):
        pytest.skip(f"this machine has a TPM of its own ({DEVICE})")
    require_swtpm()
    gone = {"TPM2TOOLS_TCTI": "swtpm:path=/nonexistent"}
    ran = run(
        tmp_path,
        {MODULE: {}, "ignore_errors": True},
        {MODULE: {}, "ignore_errors": True, "environment": gone},
        {MODULE: {}, "ignore_errors": True, "environment": {**gone, "PATH": "/nonexistent"}},
    )
    assert ran.outcomes == ["failed"] * 3
    assert [result["error"]["type"] for result in ran.results] == ["NoTpm", "Refused", "MissingTool"], ran.said
    assert DEVICE in ran.results[0]["error"]["expected"]


def test_the_documented_default_is_the_real_one() -> None:
    assert tpm_info.DOCUMENTATION.count(EVENT_LOG) == 1
