# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the machine's key to a recovery key that opens the device, through Ansible, with each kind of key store."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.hearth.datacenter.plugins.module_utils._core.state.opening import open_store
from ansible_collections.hearth.datacenter.plugins.module_utils._glue.key_store_options import key_store_of
from ansible_collections.hearth.datacenter.plugins.module_utils._keystore.escrow import Escrow
from ansible_collections.hearth.datacenter.plugins.module_utils._keystore.ledger import GONE, MADE, Ledger
from tests.integration.device_plays import DevicePlays
from tests.integration.luks_bench import LuksBench, luks_bench
from tests.servers.kmip_server import kmip_server
from tests.servers.luks_image import LuksImage
from tests.servers.softhsm import MODULE, configure, new_token, require_softhsm

ESCROW = "hearth.datacenter.key_escrow"
RECOVERY = "hearth.datacenter.luks_recovery_key"
AUDIT = "hearth.datacenter.luks_audit_info"
FRU = "Dell Inc. PowerEdge R650 ABC1234"


@pytest.fixture
def bench() -> Iterator[LuksBench]:
    with luks_bench() as made:
        yield made


class Office(DevicePlays):
    """The controller: a key store, a directory for documents, and plays. key_escrow runs on it by itself."""

    def __init__(self, folder: Path, store: dict[str, Any], **environment: str) -> None:
        super().__init__(folder, **environment)
        (folder / "keys").mkdir(mode=0o700)
        (folder / "documents").mkdir(mode=0o700)
        self.documents = folder / "documents"
        self.store = {"directory": str(folder / "keys"), **store}
        self.common = {"fru": FRU, "store": self.store, "documents": str(self.documents)}


def recovery_of(image: LuksImage, **more: Any) -> dict[str, Any]:
    """Arguments for a recovery key of the device, encrypted to the key that ``escrow`` was registered with."""
    return {
        "device": str(image.path),
        "passphrase": "{{ secret }}",
        "fru": FRU,
        "host": "rack1-u07",
        "public_key": "{{ escrow.key_escrow.public_key }}",
        **more,
    }


def holder(folder: Path, name: str) -> tuple[Path, Path]:
    """A key pair, as the guide says to make one."""
    private, public = folder / f"{name}.jwk", folder / f"{name}.pub.jwk"
    private.touch(mode=0o600)
    subprocess.run(["jose", "jwk", "gen", "-i", '{"kty":"EC","crv":"P-256"}', "-o", str(private)], check=True)
    subprocess.run(["jose", "jwk", "pub", "-i", str(private), "-o", str(public)], check=True)
    return private, public


def office_with_files(folder: Path) -> Office:
    alice, alice_public = holder(folder, "alice")
    _bob, bob_public = holder(folder, "bob")
    store = {
        "kind": "files",
        "organisation_keys": [str(alice_public), str(bob_public)],
        "private_key_file": str(alice),
    }
    return Office(folder, store)


@pytest.fixture(params=["files", "kmip", "pkcs11"])
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    if request.param == "files":
        yield office_with_files(tmp_path)
    elif request.param == "kmip":
        with kmip_server(tmp_path / "kmip") as server:
            files = {"ca_file": server.authority, "certificate_file": server.certificate, "key_file": server.key}
            said = {name: str(path) for name, path in files.items()}
            yield Office(tmp_path, {"kind": "kmip", "host": "127.0.0.1", "port": server.port, **said})
    else:
        require_softhsm()
        configuration = configure(tmp_path / "hsm")
        token = new_token(configuration, "hearth")
        said = {"kind": "pkcs11", "module": str(MODULE), "token": token.label, "pin_file": str(token.pin_file)}
        yield Office(tmp_path, said, SOFTHSM2_CONF=str(configuration))


def test_a_recovery_key_of_each_store_opens_the_device(bench: LuksBench, office: Office) -> None:
    image = bench.image()
    present = {ESCROW: office.common, "register": "escrow"}
    make = {RECOVERY: recovery_of(image), "register": "recovery"}
    keep = {ESCROW: {**office.common, "kept": ["{{ recovery.luks_recovery_key.document }}"]}}
    ran = office.run({**present, "check_mode": True}, present, make, {**keep, "check_mode": True}, keep)
    assert ran.code == 0, ran.said
    foreseen, made, recovered, to_keep, kept = ran.results
    assert (
        foreseen["changed"] and foreseen["key_escrow"]["public_key"] is None and foreseen["diff"]["before"]["key"] == ""
    )
    assert made["changed"] and recovered["changed"] and to_keep["changed"] and kept["changed"]
    (document,) = kept["key_escrow"]["documents"]
    assert Path(document["path"]).stat().st_mode & 0o7777 == 0o600
    assert document["salt_fingerprint"] == recovered["luks_recovery_key"]["salt_fingerprint"]
    again = office.run(present, make, keep)
    assert [result["changed"] for result in again.results] == [False, False, False], again.said

    uuid = recovered["luks_recovery_key"]["uuid"]
    key_file = office.folder.folder / "recovery.key"
    recover = {ESCROW: {**office.common, "state": "recovered", "luks_uuid": uuid, "file": str(key_file)}}
    drill = {
        RECOVERY: {
            "device": str(image.path),
            "state": "proved",
            "salt_fingerprint": document["salt_fingerprint"],
            "passphrase": f"{{{{ lookup('ansible.builtin.file', '{key_file}') }}}}",
        }
    }
    record = [{"name": document["path"], "salt_fingerprint": document["salt_fingerprint"]}]
    audit = {AUDIT: {"device": str(image.path), "passphrase": "{{ secret }}", "escrow": record}}
    (predicted,) = office.run({**recover, "check_mode": True}).results
    assert predicted["changed"] and not key_file.exists()
    ran = office.run(recover, recover, drill, audit)
    assert [result["changed"] for result in ran.results] == [True, False, False, False], ran.said
    assert ran.results[3]["luks_audit"]["findings"] == []
    key = key_file.read_bytes()
    assert key_file.stat().st_mode & 0o7777 == 0o600 and image.opens(key, 1)
    key_file.unlink()
    assert key.decode() not in ran.said + again.said
    for path in office.folder.folder.rglob("*"):
        if path.is_file():
            assert key not in path.read_bytes(), path

    # The machine's key is destroyed: no copy opens any more, neither the file nor the one in the device's header.
    copy = Path(document["path"]).read_bytes()
    before = dict(os.environ)
    os.environ.update(office.environment)
    try:
        with open_store(office.folder.store) as state:
            keys = key_store_of({**_UNSET, **office.store})
            Escrow(keys, Ledger(state)).destroy(FRU)
            keys.close()
    finally:
        os.environ.clear()
        os.environ.update(before)
    ran = office.run({**recover, "ignore_errors": True}, make | {"ignore_errors": True})
    assert ran.results[0]["error"]["type"] in ("NotFound", "KeyNotFound"), ran.said
    assert Path(document["path"]).read_bytes() == copy and not key_file.exists()
    assert list((office.folder.folder / "keys").glob("*.key.json")) == []


_UNSET = {"private_key_file": None, "port": 5696, "mechanism": "ECDH"}


def test_a_rotation_leaves_one_keyslot_one_document_and_its_history(bench: LuksBench, tmp_path: Path) -> None:
    office = office_with_files(tmp_path)
    image = bench.image()
    recovery = recovery_of(image, newer_than="{{ since | default(omit) }}")
    salt = "{{ recovery.luks_recovery_key.salt_fingerprint }}"
    tasks: list[dict[str, Any]] = [
        {ESCROW: office.common, "register": "escrow"},
        {RECOVERY: recovery, "register": "recovery"},
        {ESCROW: {**office.common, "kept": ["{{ recovery.luks_recovery_key.document }}"]}},
        {RECOVERY: {**recovery, "escrowed": [salt]}, "register": "rotated"},
        {ESCROW: {**office.common, "retired": "{{ rotated.luks_recovery_key.removed }}"}},
    ]
    first = office.run(*tasks)
    assert first.code == 0, first.said
    (old,) = first.results[4]["key_escrow"]["documents"]
    made = first.results[1]["luks_recovery_key"]["made"]
    second = office.run(*tasks, since=made)
    assert [result["changed"] for result in second.results] == [False, True, True, True, True], second.said
    (new,) = second.results[4]["key_escrow"]["documents"]
    assert new["salt_fingerprint"] != old["salt_fingerprint"] and len(image.keyslots) == 2
    assert [path.name for path in office.documents.iterdir()] == [Path(new["path"]).name]
    third = office.run(*tasks, since=made)
    assert not any(result["changed"] for result in third.results), third.said
    with open_store(office.folder.store) as state:
        states = {copy.context["salt_fingerprint"]: copy.state for copy in Ledger(state).copies(FRU)}
    assert states == {old["salt_fingerprint"]: GONE, new["salt_fingerprint"]: MADE}


def test_what_is_not_this_machines_is_refused_and_nothing_is_changed(bench: LuksBench, tmp_path: Path) -> None:
    office = office_with_files(tmp_path)
    image = bench.image()
    make = {RECOVERY: recovery_of(image), "register": "recovery"}
    present = {ESCROW: office.common, "register": "escrow"}
    other = {ESCROW: {**office.common, "fru": "another machine"}, "register": "another"}
    kept = "{{ recovery.luks_recovery_key.document }}"
    wrong: list[tuple[dict[str, Any], str]] = [
        ({**office.common, "fru": "another machine", "kept": [kept]}, "IdentityMismatch"),
        ({**office.common, "kept": [{"protected": "e30"}]}, "BadInput"),
        ({**office.common, "kept": [kept], "documents": "/nonexistent"}, "BadInput"),
        ({**office.common, "store": {**office.store, "organisation_keys": []}}, "BadInput"),
        ({**office.common, "state": "recovered"}, "BadInput"),
        ({**office.common, "state": "recovered", "luks_uuid": "none", "file": str(tmp_path / "key")}, "NotFound"),
    ]
    refused = ({ESCROW: arguments, "ignore_errors": True} for arguments, _kind in wrong)
    ran = office.run(present, other, make, *refused)
    assert [result["error"]["type"] for result in ran.results[3:]] == [kind for _arguments, kind in wrong], ran.said
    assert list(office.documents.iterdir()) == [] and not (tmp_path / "key").exists()

    # Somebody put another document where this one belongs: it is not overwritten, and not taken for this one.
    ran = office.run(present, make, {ESCROW: {**office.common, "kept": [kept]}})
    path = Path(ran.results[2]["key_escrow"]["documents"][0]["path"])
    document = json.loads(path.read_bytes())
    tag = document["tag"]
    path.write_text(json.dumps({**document, "tag": ("B" if tag[0] == "A" else "A") + tag[1:]}), encoding="utf-8")
    keep = {ESCROW: {**office.common, "kept": [document]}, "ignore_errors": True}
    uuid = ran.results[1]["luks_recovery_key"]["uuid"]
    recover = {**office.common, "state": "recovered", "luks_uuid": uuid, "file": str(tmp_path / "key")}
    ran = office.run(keep, {ESCROW: recover, "ignore_errors": True})
    assert [result["error"]["type"] for result in ran.results] == ["IdentityMismatch", "DecryptionFailed"], ran.said
    assert not (tmp_path / "key").exists()


def test_delegated_to_another_machine_it_is_the_real_module(bench: LuksBench, tmp_path: Path) -> None:
    """The same result from a module that was copied there, with all that it imports."""
    office = office_with_files(tmp_path)
    here = office.run({ESCROW: office.common})
    play = {
        "hosts": "off",
        "gather_facts": False,
        "tasks": [{ESCROW: {**office.common, "hearth_state": office.folder.store}, "delegate_to": "jump"}],
    }
    (tmp_path / "play.yml").write_text(yaml.safe_dump([play]), encoding="utf-8")
    there = office.folder.playbook(str(tmp_path / "play.yml"))
    assert there.code == 0, there.said
    assert here.results[0]["changed"] and not there.results[0]["changed"]
    assert here.results[0]["key_escrow"] == there.results[0]["key_escrow"]
