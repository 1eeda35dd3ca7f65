# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""tang_keys on the key directory of a real tangd, with a device bound to it: rotation, refusals, kills."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.hearth.datacenter.plugins.module_utils._core.errors import (
    BadInput,
    Busy,
    NotFound,
    ProtocolViolation,
    Refused,
    VerificationFailed,
)
from ansible_collections.hearth.datacenter.plugins.module_utils._core.jose import advertised
from ansible_collections.hearth.datacenter.plugins.module_utils._core.programs import Programs, node_environment
from ansible_collections.hearth.datacenter.plugins.module_utils._luks.pins import WantTang
from ansible_collections.hearth.datacenter.plugins.module_utils._tang.advertisement import verified
from ansible_collections.hearth.datacenter.plugins.module_utils._tang.key_directory import UNFINISHED, KeyDirectory
from ansible_collections.hearth.datacenter.plugins.module_utils._tang.keys import Keys
from tests.integration.luks_bench import LuksBench, luks_bench
from tests.integration.playbook_run import PlaybookFolder
from tests.servers.luks_image import LuksImage
from tests.servers.tang import TangServer

TANG_KEYS = "hearth.datacenter.tang_keys"

# A process of its own, so that it can be killed right before each step, or right after the first one that follows.
CHILD = """
import os, signal, sys
sys.path[:0] = sys.argv[1].split(":")
from ansible_collections.hearth.datacenter.plugins.module_utils._core.jose import advertised
from ansible_collections.hearth.datacenter.plugins.module_utils._core.programs import Programs, node_environment
from ansible_collections.hearth.datacenter.plugins.module_utils._tang.key_directory import KeyDirectory
from ansible_collections.hearth.datacenter.plugins.module_utils._tang.keys import Keys

path, hidden, deleted, die_at, half = sys.argv[2], sys.argv[3].split(), sys.argv[4].split(), *map(int, sys.argv[5:])
steps = 0
real = os.rename

def reached(step):
    global steps
    steps += 1
    if steps == die_at:
        if half and step == "make":
            # The new key is written, and not yet in place.
            os.rename = lambda old, new: os.kill(os.getpid(), signal.SIGKILL)
        elif half and step == "delete":
            # The old key is overwritten, and still has its name.
            os.unlink = lambda path: os.kill(os.getpid(), signal.SIGKILL)
        else:
            os.kill(os.getpid(), signal.SIGKILL)

Keys(KeyDirectory(path), Programs(node_environment(os.environ)), reached=reached).manage(hidden, deleted)
print(steps)
"""


@pytest.fixture
def bench() -> Iterator[LuksBench]:
    with luks_bench() as made:
        yield made


def keys_of(server: TangServer, **more: Any) -> Keys:
    return Keys(KeyDirectory(str(server.keys)), Programs(node_environment(os.environ)), server.url, **more)


def files(server: TangServer) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(server.keys.iterdir())}


def bound(bench: LuksBench, server: TangServer) -> LuksImage:
    """A device whose keyslot 1 depends on the server's key of now."""
    image = bench.image()
    bench.binder(image).bind(WantTang(server.url, server.thumbprint), root=True, exclusive=False)
    return image


def test_a_rotation_through_ansible(bench: LuksBench, tmp_path: Path) -> None:
    server = bench.tang()
    image = bound(bench, server)
    first = server.thumbprint
    folder = PlaybookFolder(tmp_path)
    common = {"directory": str(server.keys), "url": server.url}

    def run(*tasks: dict[str, Any]) -> list[dict[str, Any]]:
        play = {"hosts": "jump", "gather_facts": False, "tasks": [{TANG_KEYS: {**common}, **one} for one in tasks]}
        (tmp_path / "play.yml").write_text(yaml.safe_dump([play]), encoding="utf-8")
        ran = folder.playbook(str(tmp_path / "play.yml"), "-vvvv", "--diff")
        assert ran.code == 0, ran.said
        for key in files(server).values():
            assert json.loads(key)["d"] not in ran.said
        return ran.results

    (facts,) = run({})
    assert not facts["changed"] and facts["tang_keys"]["signing"] == [first]
    old = facts["tang_keys"]["advertised"]
    assert len(old) == 2 and facts["tang_keys"]["hidden"] == []

    hide = {TANG_KEYS: {**common, "hidden": old}}
    before = files(server)
    (predicted,) = run({**hide, "check_mode": True})
    assert predicted["changed"] and files(server) == before
    rotated, again = run(hide, hide)
    assert rotated["changed"] and not again["changed"]
    assert set(predicted["tang_keys"]["hid"]) == set(rotated["tang_keys"]["hid"]) == set(old)
    assert predicted["diff"]["after"]["hidden"] == rotated["diff"]["after"]["hidden"]
    assert again["diff"]["before"] == again["diff"]["after"] == rotated["diff"]["after"]
    # By Tang's own means: another program reads the directory, and jose computes the thumbprint.
    assert [server.thumbprint] == rotated["tang_keys"]["signing"] != [first]
    assert json.loads(server.advertisement())["payload"] == rotated["tang_keys"]["advertisement"]["payload"]
    assert image.clevis_opens(1)
    assert ("warning", "tang_key_rotated") in bench.codes(image)

    bench.binder(image).bind(WantTang(server.url, server.thumbprint), root=True, exclusive=False)
    gone = {TANG_KEYS: {**common, "hidden": old, "deleted": old}}
    (predicted,) = run({**gone, "check_mode": True})
    assert image.clevis_opens(1)
    deleted, again = run(gone, gone)
    assert predicted["changed"] and deleted["changed"] and not again["changed"]
    assert predicted["diff"] == deleted["diff"]
    assert sorted(deleted["tang_keys"]["removed"]) == sorted(old) and len(files(server)) == 2
    opening = [binding["keyslot"] for binding in bench.audit(image)["bindings"] if binding["opens"]]
    assert len(opening) == 1 and image.clevis_opens(opening[0])


def test_wrong_wishes_change_nothing(bench: LuksBench) -> None:
    server, other = bench.tang(), bench.tang()
    keys = keys_of(server)
    old = [key.thumbprint for key in keys.directory.read().advertised]
    before = files(server)
    wrong: list[tuple[list[str], list[str], type[Exception]]] = [
        ([other.thumbprint], [], NotFound),
        (["not a thumbprint"], [], BadInput),
        ([], ["AAAA"], BadInput),
        ([], old[:1], Refused),
        (old, old, Refused),
    ]
    for hidden, deleted, error in wrong:
        with pytest.raises(error):
            keys.manage(hidden, deleted)
        assert files(server) == before
    with pytest.raises(NotFound):
        Keys(KeyDirectory("/nonexistent"), keys.programs).manage([], [])
    with pytest.raises(BadInput):
        Keys(keys.directory, keys.programs, "ftp://127.0.0.1").manage([], [])
    with keys.directory.locked(), pytest.raises(Busy):
        keys_of(server).manage([], [])


def test_a_server_that_answers_with_other_keys_is_no_success(bench: LuksBench) -> None:
    server, other = bench.tang(), bench.tang()
    keys = keys_of(server)
    keys.url = other.url
    with pytest.raises(VerificationFailed) as raised:
        keys.manage([], [])
    assert other.thumbprint in raised.value.found and server.thumbprint in raised.value.expected


def test_an_advertisement_counts_only_with_every_signature(bench: LuksBench) -> None:
    server = bench.tang()
    # A second pair, as Tang's own program makes it: two signing keys sign.
    subprocess.run(["/usr/libexec/tangd-keygen", str(server.keys)], check=True, capture_output=True)
    programs = Programs(node_environment(os.environ))
    document = json.loads(server.advertisement())
    assert len(verified(programs, document, "here")) == 4
    one_less = {**document, "signatures": document["signatures"][:1]}
    payload = json.loads(base64.urlsafe_b64decode(document["payload"] + "=="))
    # A third signing key, which an attacker would like to be trusted, without its signature.
    foreign = bench.tang().advertisement()
    payload["keys"] += [key for key in advertised(json.loads(foreign)) if key["key_ops"] == ["verify"]]
    forged = {**document, "payload": base64.urlsafe_b64encode(json.dumps(payload).encode()).decode().rstrip("=")}
    for broken in (one_less, forged):
        with pytest.raises(VerificationFailed):
            verified(programs, broken, "here")
    for nonsense in ({}, {"payload": "e30"}, {"payload": 1}):
        with pytest.raises(ProtocolViolation):
            verified(programs, nonsense, "here")


def test_at_no_step_is_there_nothing_to_advertise_or_a_client_that_fails(bench: LuksBench) -> None:
    """tangd is asked at each step. It would make keys of its own if it found none to advertise."""
    server = bench.tang()
    image = bound(bench, server)
    seen: list[str] = []

    def reached(step: str) -> None:
        seen.append(step)
        assert server.advertisement()
        assert image.clevis_opens(1), step

    keys = keys_of(server, reached=reached)
    old = [key.thumbprint for key in keys.directory.read().advertised]
    report = keys.manage(old, [])
    assert seen == ["make", "make", "hide", "hide"]
    assert len(files(server)) == 4 and len(report.made) == 2
    assert {key.thumbprint for key in report.after.advertised} == set(report.made)


def test_new_keys_are_as_tangs_own(bench: LuksBench) -> None:
    """Mode, owner, names and members of the files, compared with what tangd-keygen writes."""
    server = bench.tang()
    tangs = {path.name: path for path in server.keys.iterdir()}
    os.chown(server.keys, 65534, 65534)
    keys = keys_of(server)
    old = [key.thumbprint for key in keys.directory.read().advertised]
    keys.manage(old, [])
    made = list(server.keys.glob("[!.]*.jwk"))
    assert {path.stat().st_mode & 0o7777 for path in made} == {0o440}
    assert {(path.stat().st_uid, path.stat().st_gid) for path in made} == {(65534, 65534)}
    assert sorted(path.name for path in server.keys.glob(".*.jwk")) == sorted(f".{name}" for name in tangs)
    members = [sorted(json.loads(path.read_bytes())) for path in server.keys.iterdir()]
    assert all(one == members[0] for one in members)
    for path in made:
        thumbprint = subprocess.run(
            ["jose", "jwk", "thp", "-i", str(path), "-a", "S256"], check=True, capture_output=True, text=True
        ).stdout
        assert path.name == f"{thumbprint}.jwk"


def test_keys_are_made_where_there_are_none_and_what_is_no_key_is_named(bench: LuksBench) -> None:
    server = bench.tang()
    for path in server.keys.iterdir():
        path.unlink()
    (server.keys / "torn.jwk").write_bytes(b'{"alg":"ES512","d":')
    (server.keys / "README").write_bytes(b"not ours")
    report = keys_of(server).manage([], [])
    assert len(report.made) == 2 and "torn.jwk" in report.warnings[0]
    assert (server.keys / "README").exists() and (server.keys / "torn.jwk").exists()
    assert keys_of(server).manage([], []).plan.empty


def run(server: TangServer, hidden: list[str], deleted: list[str], die_at: int, half: int = 0) -> Any:
    root = Path(__file__).parents[2]
    paths = f"{root}:{root / 'build' / 'dev'}"
    words = [str(server.keys), " ".join(hidden), " ".join(deleted), str(die_at), str(half)]
    return subprocess.run([sys.executable, "-c", CHILD, paths, *words], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("half", [0, 1])
def test_killed_at_every_step_of_a_rotation(bench: LuksBench, half: int) -> None:
    server = bench.tang()
    image = bound(bench, server)
    whole = files(server)
    old = [name[: -len(".jwk")] for name in whole]

    def back() -> None:
        for path in server.keys.iterdir():
            path.unlink()
        for name, content in whole.items():
            (server.keys / name).write_bytes(content)

    ended = run(server, old, [], 0)
    assert (ended.returncode, ended.stdout.strip()) == (0, "4"), ended.stderr
    for die_at in range(1, 3 if half else 5):
        back()
        assert run(server, old, [], die_at, half).returncode == -signal.SIGKILL
        left = [name for name in files(server) if name.endswith(UNFINISHED)]
        assert len(left) == half
        assert server.advertisement() and image.clevis_opens(1), die_at
        finished = run(server, old, [], 0)
        assert finished.returncode == 0, f"{die_at}: {finished.stderr}"
        assert sorted(name for name in files(server) if name.startswith(".")) == sorted(f".{name}" for name in whole)
        assert len(files(server)) == 4 and image.clevis_opens(1)
        assert run(server, old, [], 0).stdout.strip() == "0"


@pytest.mark.parametrize("half", [0, 1])
def test_killed_while_keys_are_deleted(bench: LuksBench, half: int) -> None:
    server = bench.tang()
    old = [path.name[: -len(".jwk")] for path in server.keys.iterdir()]
    assert run(server, old, [], 0).returncode == 0
    assert run(server, old, old, 2, half).returncode == -signal.SIGKILL
    assert len(files(server)) == 3
    assert run(server, old, old, 0).stdout.strip() == "1"
    assert len(files(server)) == 2 and server.advertisement()


def holder(folder: Path, name: str) -> tuple[Path, dict[str, Any]]:
    """A key pair of the organisation: the private half's file, the public half."""
    private = folder / f"{name}.jwk"
    subprocess.run(["jose", "jwk", "gen", "-i", '{"kty":"EC","crv":"P-256"}', "-o", str(private)], check=True)
    public = subprocess.run(["jose", "jwk", "pub", "-i", str(private), "-o-"], check=True, capture_output=True).stdout
    said = json.loads(public)
    assert isinstance(said, dict)
    return private, said


# As the role's README has it.
RESTORE = """
import json, os, sys
for name, key in json.load(sys.stdin)["keys"].items():
    with open(os.path.join(sys.argv[1], os.path.basename(name)), "w") as file:
        json.dump(key, file)
"""


def test_a_backup_opens_for_each_holder_and_gives_a_server_that_opens_the_disk(
    bench: LuksBench, tmp_path: Path
) -> None:
    server = bench.tang()
    image = bound(bench, server)
    old = [key.thumbprint for key in keys_of(server).directory.read().advertised]
    keys_of(server).manage(old, [])
    holders = [holder(tmp_path, name) for name in ("alice", "bob")]
    folder = PlaybookFolder(tmp_path)
    arguments = {"directory": str(server.keys), "backup_to": [public for _private, public in holders]}
    one = {**arguments, "backup_to": [holders[0][1], holders[0][1]]}
    private = {**arguments, "backup_to": [holders[0][1], json.loads(holders[1][0].read_bytes())]}
    tasks = [{TANG_KEYS: arguments}, *({TANG_KEYS: wrong, "ignore_errors": True} for wrong in (one, private))]
    (tmp_path / "play.yml").write_text(
        yaml.safe_dump([{"hosts": "jump", "gather_facts": False, "tasks": tasks}]), encoding="utf-8"
    )
    ran = folder.playbook(str(tmp_path / "play.yml"), "-vvv")
    saved, too_few, no_public = ran.results
    assert not saved["changed"], ran.said
    assert [result["error"]["type"] for result in (too_few, no_public)] == ["BadInput", "BadInput"]
    whole = files(server)
    for key in whole.values():
        assert json.loads(key)["d"] not in ran.said
    for path, _public in holders:
        for name in whole:
            (server.keys / name).unlink()
        assert not image.clevis_opens(1)
        for made_by_tangd in server.keys.iterdir():
            made_by_tangd.unlink()
        document = json.dumps(saved["tang_keys"]["backup"]["document"]).encode()
        opened = subprocess.run(
            ["jose", "jwe", "dec", "-i-", "-k", str(path), "-O-"], input=document, check=True, capture_output=True
        ).stdout
        subprocess.run([sys.executable, "-c", RESTORE, str(server.keys)], input=opened, check=True)
        assert {name: json.loads(key) for name, key in files(server).items()} == {
            name: json.loads(key) for name, key in whole.items()
        }
        assert image.clevis_opens(1)
