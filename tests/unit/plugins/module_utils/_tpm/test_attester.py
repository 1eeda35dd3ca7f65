# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The node's side: what it needs, what it says when that is not there, and what it leaves behind (nothing)."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core.errors import (
    AttestationRefused,
    BadInput,
    MissingTool,
    NotFound,
    NoTpm,
    Refused,
    TpmLockedOut,
)
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm import attester
from ansible_collections.hearth.datacenter.plugins.module_utils._tpm.tpm2_tools import DEVICE
from tests.unit.plugins.module_utils._tpm.machines import Machine, Machines, credential_for, new_challenge
from tests.unit.plugins.module_utils._tpm.recorded_boots import HEARTH


@pytest.fixture
def machine(machines: Machines) -> Machine:
    made = machines.new()
    made.log = HEARTH.log
    return made


@pytest.fixture(autouse=True)
def nothing_is_left(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    # In the machine's own /run another Python may be tested at this moment.
    run = tmp_path_factory.mktemp("run")
    monkeypatch.setattr(attester, "_RUN", str(run))
    yield
    assert list(run.iterdir()) == []


def test_no_tool_sees_the_secret_on_its_command_line(machine: Machine, tmp_path: Path) -> None:
    seen = tmp_path / "argv"
    for tool in ("createek", "createak", "quote", "activatecredential", "nvread", "getcap", "flushcontext"):
        wrapper = tmp_path / f"tpm2_{tool}"
        wrapper.write_text(f'#!/bin/sh\nprintf "%s\\n" "$0 $*" >> {seen}\nexec {shutil.which(wrapper.name)} "$@"\n')
        wrapper.chmod(0o755)
    environment = {**machine.tpm.environment, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    challenge = new_challenge()
    introduction = attester.introduce("rsa", "ecc", machine.log_file, environment)
    assert os.stat(introduction.place).st_mode & 0o777 == 0o700
    credential = credential_for(introduction.identity, challenge)
    attester.answer(introduction.place, credential, challenge.nonce, machine.log_file, environment)
    argv = seen.read_text()
    assert "tpm2_activatecredential" in argv and challenge.nonce.hex() in argv
    assert challenge.secret.hex() not in argv.lower() and credential.hex() not in argv.lower()
    assert not os.path.exists(introduction.place)


def test_the_tpm_keeps_nothing(machine: Machine) -> None:
    def held() -> list[bytes]:
        kinds = ("persistent", "transient", "nv-index", "loaded-session", "saved-session")
        return [machine.tpm.run("tpm2_getcap", f"handles-{kind}") for kind in kinds]

    before = held()
    machine.attest(new_challenge())
    assert held() == before


def test_a_lockout_is_told_as_one(machine: Machine) -> None:
    tpm = machine.tpm
    introduction = machine.introduce()
    tpm.lock_out()
    # Between the two steps, and before the first one.
    with pytest.raises(TpmLockedOut, match="locked out"):
        machine.answer(introduction, new_challenge())
    with pytest.raises(TpmLockedOut, match="locked out"):
        machine.introduce()
    tpm.run("tpm2_dictionarylockout", "--clear-lockout")
    machine.attest(new_challenge())


def test_a_password_on_the_endorsement_hierarchy_is_told(machine: Machine) -> None:
    machine.tpm.run("tpm2_changeauth", "-c", "endorsement", "taken")
    with pytest.raises(Refused, match="is not authorized") as caught:
        machine.introduce()
    assert "tpm2_changeauth" in caught.value.next


def test_a_password_of_the_owner_does_not_matter(machine: Machine) -> None:
    machine.tpm.run("tpm2_changeauth", "-c", "owner", "taken")
    assert machine.introduce_and_forget().endorsement_certificate


def test_without_tools_it_is_told_which(machine: Machine, tmp_path: Path) -> None:
    environment = {**machine.tpm.environment, "PATH": str(tmp_path)}
    with pytest.raises(MissingTool, match="tpm2_getcap is not installed"):
        attester.introduce("auto", "ecc", machine.log_file, environment)


def test_without_an_event_log_the_tpm_is_not_asked(machine: Machine, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.touch()
    for path in (str(tmp_path / "nothing"), str(empty), str(tmp_path)):
        # Nor are its tools looked for.
        with pytest.raises(NotFound, match="event log"):
            attester.introduce("auto", "ecc", path, {**machine.tpm.environment, "PATH": ""})


def test_without_an_event_log_the_machine_says_that_secure_boot_is_off(machine: Machine, tmp_path: Path) -> None:
    variable = tmp_path / "SecureBoot"
    missing = str(tmp_path / "nothing")

    def introduce() -> None:
        attester.introduce("auto", "ecc", missing, machine.tpm.environment, secure_boot=str(variable))

    with pytest.raises(NotFound):
        introduce()
    for value in (b"\x06\0\0\0\x01", b"\x06\0\0\0", b""):
        variable.write_bytes(value)
        with pytest.raises(NotFound):
            introduce()
    variable.write_bytes(b"\x06\0\0\0\x00")
    with pytest.raises(AttestationRefused, match="Secure Boot is off") as caught:
        introduce()
    assert "Switch Secure Boot on" in caught.value.next


def test_with_an_event_log_the_variable_says_nothing(machine: Machine, tmp_path: Path) -> None:
    """The log is proved, and the variable is not."""
    variable = tmp_path / "SecureBoot"
    variable.write_bytes(b"\x06\0\0\0\x00")
    environment = machine.tpm.environment
    introduction = attester.introduce("rsa", "ecc", machine.log_file, environment, secure_boot=str(variable))
    attester.forget(introduction.place)


def test_without_a_tpm_it_is_told(machine: Machine) -> None:
    if os.path.exists(DEVICE):
        pytest.skip(f"this machine has a TPM of its own ({DEVICE})")
    # Nor is there a log then, in which firmware would have written.
    for log in (machine.log_file, "/nonexistent"):
        with pytest.raises(NoTpm, match="shows no TPM"):
            attester.introduce("auto", "ecc", log, {"PATH": os.environ["PATH"]})


def test_a_tpm_that_is_gone_is_no_missing_tpm(machine: Machine) -> None:
    environment = {**machine.tpm.environment, "TPM2TOOLS_TCTI": "swtpm:path=/nonexistent"}
    with pytest.raises(Refused) as caught:
        attester.introduce("auto", "ecc", machine.log_file, environment)
    assert not isinstance(caught.value, NoTpm)


def test_a_credential_that_is_none_is_refused(machine: Machine) -> None:
    introduction = machine.introduce()
    with pytest.raises(Refused, match="tpm2_activatecredential failed"):
        attester.answer(
            introduction.place, secrets.token_bytes(200), bytes(32), machine.log_file, machine.tpm.environment
        )


@pytest.mark.parametrize("place", ["", "/", "/etc", "/run", "/run/hearth-verdict-", "/run/../etc/hearth-verdict-x"])
def test_only_a_place_of_the_first_step_is_removed(place: str) -> None:
    with pytest.raises(BadInput):
        attester.forget(place)


def test_a_place_that_others_may_write_to_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "hearth-verdict-abc"
    place.mkdir(mode=0o777)
    place.chmod(0o777)
    with pytest.raises(BadInput):
        attester.forget(str(place))
    link = tmp_path / "hearth-verdict-link"
    link.symlink_to(tmp_path)
    with pytest.raises(BadInput):
        attester.forget(str(link))
    assert place.exists()
