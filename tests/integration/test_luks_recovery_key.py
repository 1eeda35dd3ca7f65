# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Recovery keys on image files: jose opens the documents, cryptsetup the devices; kills; no key anywhere in clear."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.hearth.datacenter.plugins.module_utils._core.errors import (
    BadInput,
    NotFound,
    Refused,
    VerificationFailed,
)
from ansible_collections.hearth.datacenter.plugins.module_utils._luks.audit import Escrowed
from ansible_collections.hearth.datacenter.plugins.module_utils._luks.pins import WantTang
from ansible_collections.hearth.datacenter.plugins.module_utils._luks.recovery_key import RecoveryKeys, WantRecovery
from tests.integration.device_plays import DevicePlays
from tests.integration.luks_bench import LuksBench, luks_bench
from tests.servers.luks_image import PASSPHRASE, LuksImage

RECOVERY = "hearth.datacenter.luks_recovery_key"
FRU, HOST = "Dell|ABC1234|4c4c4544", "rack1-u07"
NONE: frozenset[str] = frozenset()

# A process of its own, so that it can be killed right before a step, or right after the step's first program.
CHILD = """
import json, os, signal, sys
sys.path[:0] = sys.argv[1].split(":")
from ansible_collections.hearth.datacenter.plugins.module_utils._core import programs
from ansible_collections.hearth.datacenter.plugins.module_utils._luks import clevis, cryptsetup
from ansible_collections.hearth.datacenter.plugins.module_utils._luks.recovery_key import (
    RecoveryKeys, WantRecovery, moment
)

device, wanted, escrowed, die_at, when = sys.argv[2], json.loads(sys.argv[3]), *sys.argv[4:]
steps, dying = 0, False

def reached(step):
    global steps, dying
    steps += 1
    if steps == int(die_at):
        if when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        dying = True

class Dying(programs.Programs):
    def attempt(self, *argv, **more):
        ended = super().attempt(*argv, **more)
        if dying and argv[0] == "cryptsetup":
            os.kill(os.getpid(), signal.SIGKILL)
        return ended

runner = Dying(programs.node_environment(os.environ))
keys = RecoveryKeys(cryptsetup.Luks(device, runner), clevis.Clevis(runner), sys.stdin.buffer.read(), reached=reached)
if wanted.get("newer_than"):
    wanted["newer_than"] = moment(wanted["newer_than"])
report = keys.ensure(WantRecovery(**wanted), frozenset(escrowed.split()))
print(json.dumps([steps, report.key.document, report.key.salt_fingerprint]))
"""


class MachineKey:
    """The key of a machine, as jose makes it."""

    def __init__(self, folder: Path, name: str = "machine") -> None:
        self.path = folder / f"{name}.jwk"
        argv = ["jose", "jwk", "gen", "-i", '{"kty":"EC","crv":"P-256"}', "-o", str(self.path)]
        subprocess.run(argv, check=True)
        argv = ["jose", "jwk", "pub", "-i", str(self.path), "-o-"]
        self.public: dict[str, Any] = json.loads(subprocess.run(argv, check=True, capture_output=True).stdout)

    def open(self, document: Any) -> bytes:
        argv = ["jose", "jwe", "dec", "-i-", "-k", str(self.path), "-O-"]
        return subprocess.run(argv, input=json.dumps(document).encode(), check=True, capture_output=True).stdout

    def wanted(self, **more: Any) -> WantRecovery:
        return WantRecovery(FRU, HOST, self.public, **more)


@pytest.fixture
def bench() -> Iterator[LuksBench]:
    with luks_bench() as made:
        yield made


@pytest.fixture
def machine(tmp_path: Path, bench: LuksBench) -> MachineKey:
    return MachineKey(tmp_path)


def keys_of(bench: LuksBench, image: LuksImage, passphrase: bytes | None = PASSPHRASE, **more: Any) -> RecoveryKeys:
    return RecoveryKeys(*bench.tools(image), passphrase, **more)


def protected(document: Any) -> dict[str, Any]:
    said = json.loads(base64.urlsafe_b64decode(document["protected"] + "=="))
    assert isinstance(said, dict)
    return said


def test_the_document_opens_for_the_machines_key_and_its_content_opens_the_device(
    bench: LuksBench, machine: MachineKey
) -> None:
    image = bench.image()
    made = keys_of(bench, image).ensure(machine.wanted(), NONE).key
    assert made is not None
    key = machine.open(made.document)
    assert re.fullmatch(rb"([cbdefghijklnrtuv]{8}-){7}[cbdefghijklnrtuv]{8}", key)
    assert image.opens(key, 1) and not image.opens(key, 0)
    said = protected(made.document)
    salt = image.metadata()["keyslots"]["1"]["kdf"]["salt"]
    assert said == {
        "enc": "A256GCM",
        "purpose": "luks-recovery-key",
        "fru": FRU,
        "host": HOST,
        "luks_uuid": image.cryptsetup("luksUUID", str(image.path)).decode().strip(),
        "keyslot": 1,
        "salt_fingerprint": hashlib.sha256(base64.b64decode(salt)).hexdigest(),
        "key": said["key"],
        "made": made.made,
    }
    thumbprint = ["jose", "jwk", "thp", "-i", str(machine.path), "-a", "S256"]
    assert subprocess.run(thumbprint, check=True, capture_output=True, text=True).stdout.strip() == said["key"]
    # The token opens nothing by itself, and hinders nobody.
    assert image.opens(PASSPHRASE) and image.tokens == ["hearth-recovery"]
    again = keys_of(bench, image).ensure(machine.wanted(), NONE)
    assert not again.changed and again.key == made
    assert keys_of(bench, image, key).prove(made.salt_fingerprint) == 1


def test_no_two_keys_are_equal_and_a_binding_suffices_to_make_one(bench: LuksBench, machine: MachineKey) -> None:
    tang = bench.tang()
    opened = []
    for _number in range(2):
        image = bench.image()
        bench.binder(image).bind(WantTang(tang.url, tang.thumbprint), root=True, exclusive=False)
        made = keys_of(bench, image, None).ensure(machine.wanted(), NONE).key
        assert made is not None
        opened.append(machine.open(made.document))
        assert image.opens(opened[-1], 2)
    assert len(set(opened)) == 2


def test_rotation_keeps_the_old_key_until_the_new_one_is_on_record(bench: LuksBench, machine: MachineKey) -> None:
    image = bench.image()
    past = datetime.now(timezone.utc) - timedelta(days=90)
    old = keys_of(bench, image, now=lambda: past).ensure(machine.wanted(), NONE).key
    wanted = machine.wanted(newer_than=datetime.now(timezone.utc) - timedelta(days=1))
    before = image.path.read_bytes()
    assert keys_of(bench, image, dry=True).ensure(wanted, NONE).changed and image.path.read_bytes() == before
    report = keys_of(bench, image).ensure(wanted, NONE)
    new = report.key
    assert old is not None and new is not None and report.changed and new != old
    waiting = keys_of(bench, image).ensure(wanted, frozenset({old.salt_fingerprint}))
    assert not waiting.changed and "escrowed" in waiting.warnings[0]
    assert image.opens(machine.open(old.document), 1) and image.opens(machine.open(new.document), 2)
    # Nothing else is known to open the device: the old one stays, though the new one is on record.
    with pytest.raises(Refused, match="no other way"):
        keys_of(bench, image, None).ensure(wanted, frozenset({new.salt_fingerprint}))
    with pytest.raises(Refused, match="no other way"):
        keys_of(bench, image, machine.open(old.document)).ensure(wanted, frozenset({new.salt_fingerprint}))
    assert image.keyslots == [0, 1, 2]
    # The drill's key is such a way.
    done = keys_of(bench, image, machine.open(new.document)).ensure(wanted, frozenset({new.salt_fingerprint}))
    assert done.removed == [old.salt_fingerprint] and image.keyslots == [0, 2]
    assert image.tokens == ["hearth-recovery"] and not image.opens(machine.open(old.document))


def test_a_document_for_a_key_that_was_destroyed_counts_no_more(
    bench: LuksBench, machine: MachineKey, tmp_path: Path
) -> None:
    image = bench.image()
    keys_of(bench, image).ensure(machine.wanted(), NONE)
    another = MachineKey(tmp_path, "another")
    report = keys_of(bench, image).ensure(another.wanted(), NONE)
    assert report.changed and report.key is not None
    assert image.opens(another.open(report.key.document), 2)


def test_what_was_changed_since_is_not_taken_for_the_key(bench: LuksBench, machine: MachineKey) -> None:
    """The keyslot of the document was filled anew: its salt is another one, and the drill says so."""
    image = bench.image()
    old = keys_of(bench, image).ensure(machine.wanted(), NONE).key
    assert old is not None
    key = machine.open(old.document)
    image.kill(1)
    image.add(b"somebody else's", 1)
    token = {"type": "hearth-recovery", "keyslots": ["1"], "document": dict(old.document)}
    image.token(token)
    with pytest.raises(NotFound):
        keys_of(bench, image, key).prove(old.salt_fingerprint)
    report = keys_of(bench, image).ensure(machine.wanted(), NONE)
    assert report.changed and report.key is not None and report.key.keyslot == 2


def test_the_audit_wants_every_recovery_key_on_record(bench: LuksBench, machine: MachineKey) -> None:
    image, tang = bench.image(), bench.tang()
    bench.binder(image).bind(WantTang(tang.url, tang.thumbprint), root=True, exclusive=False)
    made = keys_of(bench, image).ensure(machine.wanted(), NONE).key
    assert made is not None
    assert bench.codes(image) == [("critical", "recovery_not_on_record")]
    assert bench.codes(image, escrow=(Escrowed("escrow/1.jwe", made.salt_fingerprint),)) == []
    # A keyslot of somebody else's, with a token that should explain it.
    image.add(b"somebody else's", 5)
    image.token({"type": "hearth-recovery", "keyslots": ["5"], "document": dict(made.document)})
    found = bench.audit(image, escrow=(Escrowed("escrow/1.jwe", made.salt_fingerprint),))
    assert [finding["code"] for finding in found["findings"]] == ["recovery_not_on_record"]
    assert "keyslot 5" in found["findings"][0]["what"]
    assert found["keyslots"]["2"]["role"] == "recovery" and found["keyslots"]["2"]["escrow"] == "escrow/1.jwe"


def test_bad_input_changes_nothing(bench: LuksBench, machine: MachineKey) -> None:
    image = bench.image()
    before = image.path.read_bytes()
    private = json.loads(machine.path.read_bytes())
    rsa = {"kty": "RSA", "n": "AQAB", "e": "AQAB"}
    off_curve = {**machine.public, "x": machine.public["y"]}
    wrong: list[tuple[WantRecovery, bytes, type[Exception]]] = [
        (WantRecovery("", HOST, machine.public), PASSPHRASE, BadInput),
        (WantRecovery(FRU, " ", machine.public), PASSPHRASE, BadInput),
        (WantRecovery(FRU, HOST, private), PASSPHRASE, BadInput),
        (WantRecovery(FRU, HOST, rsa), PASSPHRASE, BadInput),
        (WantRecovery(FRU, HOST, {}), PASSPHRASE, BadInput),
        (machine.wanted(), b"not the passphrase", Refused),
    ]
    for wanted, passphrase, error in wrong:
        with pytest.raises(error) as raised:
            keys_of(bench, image, passphrase).ensure(wanted, NONE)
        assert private["d"] not in repr(vars(raised.value))
        assert image.path.read_bytes() == before
    # jose finds out only when it encrypts: what was begun is taken back.
    with pytest.raises(Refused):
        keys_of(bench, image).ensure(WantRecovery(FRU, HOST, off_curve), NONE)
    assert image.keyslots == [0] and image.tokens == []
    salt = bench.tools(image)[0].read().keyslots[0].salt_fingerprint
    with pytest.raises(VerificationFailed):
        keys_of(bench, image, b"not the passphrase").prove(salt)


def run(
    bench: LuksBench, image: LuksImage, wanted: dict[str, Any], escrowed: str, die_at: int, when: str
) -> subprocess.CompletedProcess[str]:
    root = Path(__file__).parents[2]
    paths = f"{root}:{root / 'build' / 'dev'}"
    return subprocess.run(
        [sys.executable, "-c", CHILD, paths, str(image.path), json.dumps(wanted), escrowed, str(die_at), when],
        env=bench.environment,
        input=PASSPHRASE.decode(),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_at_every_step(bench: LuksBench, machine: MachineKey, when: str) -> None:
    """A way in is left, no keyslot stays that nobody can open, and the next run gives the document."""
    image = bench.image()
    wanted = {"fru": FRU, "host": HOST, "public_key": machine.public}
    whole = image.path.read_bytes()
    ended = run(bench, image, wanted, "", 0, when)
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)[0] == 5
    for die_at in range(1, 6):
        image.path.write_bytes(whole)
        assert run(bench, image, wanted, "", die_at, when).returncode == -signal.SIGKILL
        assert image.opens(PASSPHRASE, 0)
        assert "unknown_keyslot" not in [code for _severity, code in bench.codes(image)], die_at
        finished = run(bench, image, wanted, "", 0, when)
        assert finished.returncode == 0, f"{die_at}: {finished.stderr}"
        _steps, document, _salt = json.loads(finished.stdout)
        assert image.tokens == ["hearth-recovery"] and len(image.keyslots) == 2, die_at
        assert image.opens(machine.open(document), protected(document)["keyslot"]), die_at
        assert json.loads(run(bench, image, wanted, "", 0, when).stdout)[0] == 0


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_while_an_old_one_is_removed(bench: LuksBench, machine: MachineKey, when: str) -> None:
    image = bench.image()
    past = datetime.now(timezone.utc) - timedelta(days=90)
    keys_of(bench, image, now=lambda: past).ensure(machine.wanted(), NONE)
    since = (datetime.now(timezone.utc) - timedelta(days=1)).isoformat()
    wanted = {"fru": FRU, "host": HOST, "public_key": machine.public, "newer_than": since}
    _steps, document, salt = json.loads(run(bench, image, wanted, "", 0, when).stdout)
    whole = image.path.read_bytes()
    for die_at in (1, 2):
        image.path.write_bytes(whole)
        assert run(bench, image, wanted, salt, die_at, when).returncode == -signal.SIGKILL
        assert image.opens(machine.open(document), 2) and image.opens(PASSPHRASE, 0)
        assert run(bench, image, wanted, salt, 0, when).returncode == 0
        assert image.keyslots == [0, 2] and image.tokens == ["hearth-recovery"]


def test_through_ansible_and_no_key_is_found_in_clear(bench: LuksBench, machine: MachineKey, tmp_path: Path) -> None:
    image = bench.image()
    seen = tmp_path / "argv"
    plays = DevicePlays(tmp_path, PATH=spied(tmp_path, seen))
    common = {"device": str(image.path), "passphrase": "{{ secret }}"}
    present = {RECOVERY: {**common, "fru": FRU, "host": HOST, "public_key": machine.public}}
    ran = plays.run({**present, "check_mode": True}, present, present)
    assert ran.code == 0, ran.said
    predicted, first, second = (result["luks_recovery_key"] for result in ran.results)
    assert [result["changed"] for result in ran.results] == [True, True, False]
    assert predicted["document"] is None and first["document"] == second["document"]
    key = machine.open(first["document"])
    assert image.opens(key, first["keyslot"])
    drill = {**common, "state": "proved", "salt_fingerprint": first["salt_fingerprint"]}
    wrong = {**drill, "salt_fingerprint": "00" * 32}
    drilled = plays.run({RECOVERY: drill}, {RECOVERY: wrong, "ignore_errors": True}, secret=key)
    proved, refused = drilled.results
    assert proved["luks_recovery_key"]["proved"] and not proved["changed"], drilled.said
    assert refused["error"]["type"] == "NotFound"
    assert seen.stat().st_size > 0
    for secret in (key, PASSPHRASE):
        for said in (ran.said, drilled.said):
            assert secret.decode() not in said
        for path in tmp_path.rglob("*"):
            if path.is_file():
                assert secret not in path.read_bytes(), path

    # Ansible has written the arguments to the disk before the module can say no; so the error says that, too.
    background = plays.run({RECOVERY: drill, "async": 30, "poll": 1, "ignore_errors": True}, secret=key)
    assert background.results[-1]["error"]["found"] == "async", background.said
    assert "change the secret" in background.results[-1]["error"]["next"]


def spied(folder: Path, seen: Path) -> str:
    """A PATH on which cryptsetup and jose first write down their arguments and environment: what the process list
    shows to everybody, and to the same user."""
    spies = folder / "spies"
    spies.mkdir(exist_ok=True)
    for name in ("cryptsetup", "jose"):
        spy = spies / name
        found = next(path for path in ("/usr/sbin", "/sbin", "/usr/bin") if os.path.exists(f"{path}/{name}"))
        spy.write_text(f'#!/bin/sh\n(echo "$0 $*"; env) >> {seen}\nexec {found}/{name} "$@"\n')
        spy.chmod(0o755)
    return f"{spies}:{Path(sys.executable).parent}:{os.environ['PATH']}"
