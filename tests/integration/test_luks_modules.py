# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""luks_binding and luks_audit_info through Ansible: check, run, run again; and no secret anywhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.device_plays import DevicePlays
from tests.integration.luks_bench import LuksBench, luks_bench
from tests.servers.luks_image import PASSPHRASE

BINDING = "hearth.datacenter.luks_binding"
AUDIT = "hearth.datacenter.luks_audit_info"


@pytest.fixture
def bench() -> Iterator[LuksBench]:
    with luks_bench() as made:
        yield made


@pytest.fixture
def plays(tmp_path: Path) -> DevicePlays:
    return DevicePlays(tmp_path)


def test_check_run_run_again_and_the_passphrase_is_found_nowhere(bench: LuksBench, plays: DevicePlays) -> None:
    image, tang, tpm = bench.image(), bench.tang(), bench.tpm
    environment = {"TPM2TOOLS_TCTI": tpm.tcti}
    pins = {
        "threshold": 2,
        "tang": [{"url": tang.url, "thumbprint": tang.thumbprint}],
        "tpm2": [{"pcr_ids": [7, 8, 9]}],
    }
    arguments = {"device": str(image.path), "passphrase": "{{ secret }}", "sss": pins}
    bind = {BINDING: arguments, "environment": environment}
    policy = [{"sss": pins}]
    audit = {AUDIT: {"device": str(image.path), "passphrase": "{{ secret }}", "policy": policy}}
    ran = plays.run({**bind, "check_mode": True}, bind, bind, {**audit, "environment": environment})
    assert ran.code == 0, ran.said
    predicted, first, second, audited = ran.results
    assert predicted["changed"] and first["changed"] and not second["changed"]
    assert first["luks_binding"]["proved"] == second["luks_binding"]["proved"] == "opened"
    assert second["diff"]["before"] == second["diff"]["after"]
    assert image.clevis_opens(first["luks_binding"]["keyslot"], tpm.environment)
    assert audited["luks_audit"]["findings"] == []
    assert [binding["opens"] for binding in audited["luks_audit"]["bindings"]] == [True]
    for path in plays.folder.folder.rglob("*"):
        if path.is_file():
            assert PASSPHRASE not in path.read_bytes(), path


def test_absent_leaves_the_last_way_in(bench: LuksBench, plays: DevicePlays) -> None:
    image, tang = bench.image(), bench.tang()
    tang_options = {"url": tang.url, "advertisement": json.loads(tang.advertisement())}
    common = {"device": str(image.path), "tang": tang_options}
    ran = plays.run(
        {BINDING: {**common, "passphrase": "{{ secret }}"}},
        {BINDING: {**common, "state": "absent"}, "ignore_errors": True},
        {BINDING: {**common, "state": "absent", "passphrase": "{{ secret }}"}, "check_mode": True},
        {BINDING: {**common, "state": "absent", "passphrase": "{{ secret }}"}},
        {BINDING: {**common, "state": "absent"}},
    )
    assert ran.code == 0, ran.said
    bound, refused, predicted, removed, again = ran.results
    assert bound["changed"] and predicted["changed"] and removed["changed"] and not again["changed"]
    assert refused["error"]["type"] == "Refused" and "no other way" in refused["msg"]
    assert image.keyslots == [0] and image.tokens == []


def test_bad_input_is_a_clear_error_and_changes_nothing(bench: LuksBench, plays: DevicePlays) -> None:
    image = bench.image()
    before = image.path.read_bytes()
    common = {"device": str(image.path), "passphrase": "{{ secret }}"}
    tang = {"url": "http://127.0.0.1:1"}
    wrong: list[tuple[dict[str, Any], str]] = [
        ({**common, "tang": tang}, "BadInput"),
        ({**common, "tpm2": {"pcr_ids": [7]}}, "BadInput"),
        ({**common, "tpm2": {"pcr_ids": [7, 8, 9], "pcr_digest": "AAAA"}}, "BadInput"),
        ({**common, "tpm2": {"pcr_ids": [7, 8, 9], "pcr_digest": "!"}}, "BadInput"),
        ({**common, "sss": {"threshold": 2, "tang": [{**tang, "thumbprint": "x"}]}}, "BadInput"),
        ({**common, "systemd_tpm2": {"pcr_ids": [7, 8, 9], "with_pin": True}}, "BadInput"),
        ({**common, "tang": tang, "tpm2": {}}, "BadInput"),
        (common, "BadInput"),
        ({**common, "device": "/nonexistent", "tang": {**tang, "thumbprint": "x"}}, "NotFound"),
        ({**common, "device": "/etc/hostname", "tang": {**tang, "thumbprint": "x"}}, "BadInput"),
        ({**common, "tang": {**tang, "thumbprint": "x"}}, "ConnectionRefused"),
    ]
    ran = plays.run(*({BINDING: arguments, "ignore_errors": True} for arguments, _type in wrong))
    assert [result["error"]["type"] for result in ran.results] == [kind for _arguments, kind in wrong], ran.said
    assert image.path.read_bytes() == before


def test_a_secret_does_not_run_in_the_background(bench: LuksBench, plays: DevicePlays) -> None:
    image = bench.image()
    arguments = {"device": str(image.path), "passphrase": "{{ secret }}"}
    ran = plays.run({AUDIT: arguments, "async": 30, "poll": 1, "ignore_errors": True})
    assert ran.results[-1]["error"]["found"] == "async", ran.said
    assert ran.outcomes[-1] == "failed"
